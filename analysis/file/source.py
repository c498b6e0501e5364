"""The bytes of a CSV file, plain or compressed, in chunks of whole lines, and its odd records."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from analysis.file.faults import BadInput

#: Bytes taken at once: some 13.000 rows, so that their arrays stay in the cache.
CHUNK = 1 << 20
#: A line longer than this is no line of a table.
LONGEST = 1 << 24
BOM = b"\xef\xbb\xbf"


class Source:
    """A CSV file cut at line ends; ``line`` is the number of lines given out so far."""

    def __init__(self, name: str, raw: BinaryIO, tell: Callable[[int], None] | None) -> None:
        self.name, self.line = name, 0
        self._raw, self._tell, self._told = raw, tell, 0
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        self._file: BinaryIO = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
        self._rest, self._ready, self._ended, self._within = b"", b"", False, False
        self._begin()

    def chunk(self) -> bytes:
        """The next whole lines, the last of them perhaps without its end; empty at the end."""
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        while not self._ended:
            if len(self._rest) > LONGEST:
                raise BadInput([f"{self.name}: dòng {self.line + 1}: dài quá mức của một bảng"])
            more = self._file.read(CHUNK)
            self.tell()
            if not more:
                self._ended = True
                break
            data = self._rest + more
            cut = data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
            self._rest = data[cut:]
            if cut:
                return data[:cut]
        rest, self._rest = self._rest, b""
        return rest

    def header(self) -> list[str]:
        """The cells of the first record."""
        return next(self.records(b""), (0, []))[1]

    def records(self, chunk: bytes) -> Iterator[tuple[int, list[str]]]:
        """Records of a chunk as the csv module reads them, with the number of their last line.

        A record that is not finished when the chunk ends takes the lines it needs from the
        next one.  With an empty chunk the first record of the next is given and no more.
        """
        first, reader = self.line, csv.reader(self._lines(chunk))
        self._within = not chunk
        try:
            for row in reader:
                self._within = False
                yield first + reader.line_num, row
        except csv.Error as fault:
            raise BadInput([f"{self.name}: không đọc được CSV ({fault})"]) from fault

    def text(self, data: bytes, line: int) -> str:
        """Decode whole lines, the first of them number ``line``."""
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as fault:
            at = line + data.count(b"\n", 0, fault.start)
            wrong = f"{self.name}: dòng {at}: không phải UTF-8 (lưu lại tệp với mã UTF-8)"
            raise BadInput([wrong]) from fault

    def tell(self, *, end: bool = False) -> None:
        """Say how many bytes of the file are done, each number once; at the end all of them."""
        done = self._raw.seek(0, 2) if end else self._raw.tell()
        if self._tell and done > self._told:
            self._told = done
            self._tell(done)

    def _begin(self) -> None:
        first = self.chunk()
        self._ready = first.removeprefix(BOM)

    def _lines(self, chunk: bytes) -> Iterator[str]:
        for line in chunk.splitlines(keepends=True):
            yield self._line(line)
        while self._within and (chunk := self.chunk()):
            line, self._ready = _first_line(chunk)
            yield self._line(line)

    def _line(self, line: bytes) -> str:
        self.line += 1
        self._within = True
        return self.text(line, self.line)


def _first_line(chunk: bytes) -> tuple[bytes, bytes]:
    """The first line of some bytes, and what follows it."""
    ends = [at for mark in (b"\n", b"\r") if (at := chunk.find(mark)) >= 0]
    end = min(ends, default=len(chunk) - 1)
    end += chunk[end : end + 2] == b"\r\n"
    return chunk[: end + 1], chunk[end + 1 :]


@contextmanager
def opened(path: Path, tell: Callable[[int], None] | None = None) -> Iterator[Source]:
    """Open a file, compressed or not, whatever it is called; ``tell`` hears how many bytes."""
    try:
        with path.open("rb") as raw:
            source = Source(path.name, raw, tell)
            try:
                yield source
            finally:
                source.tell(end=True)
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise BadInput([f"{path.name}: tệp nén bị hỏng hoặc bị cắt ngắn"]) from fault
    except OSError as fault:
        raise BadInput([f"{path.name}: không mở được tệp ({fault.strerror})"]) from fault
