"""What is wrong with an input file: each fault with its place, in Vietnamese."""

from __future__ import annotations

from collections.abc import Callable, Iterable

#: More faults than anybody reads; the rest is counted.
MOST = 1_000


class BadInput(ValueError):
    """A file that cannot be used; ``faults`` names each place in Vietnamese."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Faults:
    """Faults of a table as they are met, block by block; the first ``MOST`` are kept in words."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: list[tuple[tuple[int, str], str]] = []
        self._more, self._full = 0, False

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, line: int, column: str | None, wrong: str) -> None:
        """Note one fault; they are reported in the order of the file."""
        where = f"dòng {line}" + (f", cột «{column}»" if column else "")
        self._found.append(((line, column or ""), f"{self._name}: {where}: {wrong}"))

    def each(self, rows: Iterable[tuple[int, str]], column: str, say: Callable[[str], str]) -> None:
        """Note a fault for each line and its cell, in the words of ``say``."""
        for line, cell in rows:
            if self._full:
                self._more += 1
            else:
                self.add(line, column, say(cell))

    def settle(self) -> None:
        """End a block: no later fault can come before these."""
        if len(self._found) >= MOST:
            self._found.sort()
            self._more += len(self._found) - MOST
            self._found, self._full = self._found[:MOST], True

    def stop(self) -> None:
        """Raise BadInput when there is any fault."""
        if not self._found:
            return
        self._found.sort()
        more = self._more + max(0, len(self._found) - MOST)
        texts = [text for _, text in self._found[:MOST]]
        raise BadInput(texts + ([f"{self._name}: và {more} lỗi nữa"] if more else []))
