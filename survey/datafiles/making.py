"""Files made whole: one form alone, or all of them in a ZIP that is the same byte for byte."""

from __future__ import annotations

import io
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from survey.datafiles import (
    codebook,
    csvfile,
    ddi,
    design,
    dta,
    manifest,
    names,
    rsyntax,
    sav,
    spss,
    stata,
    xlsx,
)
from survey.text import t

if TYPE_CHECKING:
    from survey.datafiles.extract import Extract

#: No clock in a ZIP.
_THEN = (1980, 1, 1, 0, 0, 0)
Tell = Callable[[int, int], None]


def write(extract: Extract, db: sqlite3.Connection, form: str, path: Path, tell: Tell) -> str:
    """Write a file of a form; returns the digest of its rows as CSV (of itself where it is one).

    Call inside ``store.datafiles.snapshot``.  ``tell(done, whole)`` hears how far it is.
    """
    if form == "zip":
        return _zip(extract, db, path, tell)
    if form == "csv":
        with path.open("wb") as file:
            return _csv(extract, db, file, tell)
    if form == "xlsx":
        _xlsx(extract, db, path, tell)
    else:
        with path.open("wb") as file:
            _program(extract, db, form, file, tell)
    return _digest(path)


def base(extract: Extract) -> str:
    """The name of a file without its ending: wave, level, unit; letters of ASCII."""
    unit = extract.ask.unit.replace(":", "-")
    stamp = "mo-phong" if extract.wave.synthetic else ""
    return "-".join(part for part in (extract.wave.key, extract.ask.level, unit, stamp) if part)


def widths(extract: Extract, db: sqlite3.Connection) -> dict[str, int]:
    """Bytes of the longest text in each text column; one walk through the rows."""
    texts = [
        (at, [(n, column.name) for n, column in enumerate(part) if column.kind == "text"])
        for at, part in enumerate(extract.parts)
    ]
    wanted = [(at, columns) for at, columns in texts if columns]
    found: dict[str, int] = {}
    known: set[tuple[int, object]] = set()
    for record in extract.records(db):
        for at, columns in wanted:
            values: Any = record[at]
            if (at, values) in known:
                continue
            if len(known) > csvfile.KEPT:
                known.clear()
            known.add((at, values))
            for n, name in columns:
                size = len(str(values[n] or "").encode())
                if size > found.get(name, 0):
                    found[name] = size
    return found


def _csv(extract: Extract, db: sqlite3.Connection, file: IO[bytes], tell: Tell) -> str:
    pieces = csvfile.Digested(csvfile.pieces(extract, db))
    for number, piece in enumerate(pieces):
        file.write(piece)
        tell(min(number * csvfile.AT_ONCE, extract.n), extract.n)
    return pieces.digest


def _xlsx(extract: Extract, db: sqlite3.Connection, path: Path, tell: Tell) -> None:
    proof = manifest.facts(extract, db)
    xlsx.write(extract, db, path, proof, lambda done: tell(done, extract.n))


def _program(
    extract: Extract, db: sqlite3.Connection, form: str, file: IO[bytes], tell: Tell
) -> names.Shortened:
    """An SPSS or a Stata file; what was shortened for it."""
    wide = widths(extract, db)
    tell(extract.n // 2, extract.n)
    written = sav.write if form == "sav" else dta.write
    return written(extract, db, file, wide)


def _zip(extract: Extract, db: sqlite3.Connection, path: Path, tell: Tell) -> str:
    """Data, codebook, syntax and proof together; whatever its forms are, they hold the same n."""
    name, steps = base(extract), 2 + len(extract.ask.also)
    proof = manifest.facts(extract, db)
    listed: list[dict[str, Any]] = []
    shortened: dict[str, Any] = {}

    def part(of: int) -> Tell:
        return lambda done, whole: tell(of * whole + done, steps * max(whole, 1))

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as bag:
        with _entry(bag, f"{name}.csv", listed, extract.n) as file:
            digest = _csv(extract, db, file, part(0))
        for of, form in enumerate(extract.ask.also, 1):
            with _entry(bag, f"{name}.{form}", listed, extract.n) as file:
                if form == "xlsx":
                    _whole_xlsx(extract, db, file, part(of))
                else:
                    shortened[form] = _program(extract, db, form, file, part(of)).facts()
        for title, words in documents(extract, db, name).items():
            with _entry(bag, title, listed, None) as file:
                file.write(words.encode())
        proof |= {"shortened": shortened, "files": listed}
        bag.writestr(_info(manifest.NAME), manifest.text(proof))
    tell(1, 1)
    return digest


def _whole_xlsx(extract: Extract, db: sqlite3.Connection, file: IO[bytes], tell: Tell) -> None:
    """A workbook is a ZIP itself and needs a place to be put together."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.xlsx"
        _xlsx(extract, db, made, tell)
        with made.open("rb") as whole:
            shutil.copyfileobj(whole, file)


def documents(extract: Extract, db: sqlite3.Connection, name: str) -> dict[str, str]:
    """Everything that goes with the data, by the names of the files."""
    how, data = design.design(extract, db), f"{name}.csv"
    wide = widths(extract, db)
    found = {
        "HUONG-DAN.txt": codebook.guide(extract, how, name),
        f"{name}-bien.csv": codebook.table(extract),
        f"{name}-ddi.xml": ddi.codebook(extract, data),
        f"{name}.R": rsyntax.script(extract, how, data),
        f"{name}.sps": spss.script(extract, how, data, wide),
        f"{name}.do": stata.script(extract, how, data),
    }
    if extract.sampled:
        found["DESIGN.toml"] = codebook.toml(extract, how, db)
    if "sav" in extract.ask.also:
        found[f"{name}-sav.sps"] = spss.script(extract, how, data, wide, sav=f"{name}.sav")
    if "dta" in extract.ask.also:
        found[f"{name}-dta.do"] = stata.script(extract, how, data, dta=f"{name}.dta")
    return found


class _Entry(io.RawIOBase):
    """A file inside a ZIP that counts and digests what goes through it."""

    def __init__(self, to: IO[bytes]) -> None:
        self._to, self._sum, self.size = to, sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._sum.update(data)
        self.size += len(data)
        return self._to.write(data)

    @property
    def digest(self) -> str:
        return self._sum.hexdigest()


@contextmanager
def _entry(
    bag: zipfile.ZipFile, name: str, listed: list[dict[str, Any]], rows: int | None
) -> Iterator[Any]:
    """A new file of the ZIP, listed with its size and digest when it is whole."""
    with bag.open(_info(name), "w", force_zip64=True) as to:
        entry = _Entry(to)
        yield entry
    facts: dict[str, Any] = {"name": name, "bytes": entry.size, "sha256": entry.digest}
    listed.append(facts | ({"rows": rows} if rows is not None else {}))


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _THEN)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return info


def _digest(path: Path) -> str:
    found = sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()


def label(facts: Mapping[str, Any], wave: str) -> str:
    """What lists call a file: the wave, the level."""
    return t("data.file_title", wave=wave, level=t(f"data.level.{facts['level']}"))
