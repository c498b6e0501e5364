"""CSV files of villages and households: read row by row, every fault told with its line."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from survey.store.frames import Household, Village
from survey.store.units import name_key
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

#: Headings that a column may carry -> its field; compared without case, signs, place of tones.
HEADINGS = {
    "psu": ("psu", "mã thôn", "mã địa bàn", "mã tổ dân phố", "ma thon", "ma dia ban"),
    "stratum": ("stratum", "tầng", "mã tầng", "tang", "ma tang"),
    "unit": ("unit", "mã xã", "mã đơn vị", "đơn vị", "ma xa", "ma don vi", "don vi"),
    "area": ("area", "khu vực", "khu vuc", "thành thị nông thôn"),
    "village": ("village", "tên thôn", "thôn", "tên địa bàn", "địa bàn", "ten thon", "thon"),
    "size": ("size", "số hộ", "so ho", "households", "quy mô"),
    "household": ("household", "mã hộ", "hộ", "stt hộ", "số thứ tự hộ", "ma ho", "stt ho"),
    "adults": ("adults", "số người lớn", "số người từ 18 tuổi", "người lớn", "so nguoi lon"),
    "name": ("name", "họ tên", "họ và tên", "chủ hộ", "tên chủ hộ", "họ tên chủ hộ", "ho ten",
             "chu ho", "tên", "ten"),
    "address": ("address", "địa chỉ", "dia chi"),
}  # fmt: skip
_FIELD = {name_key(name): field for field, names in HEADINGS.items() for name in names}
NEEDED = {
    "village": ("psu", "stratum", "unit", "area", "name", "size"),
    "household": ("psu", "household"),
}
AREAS = {
    name_key(word): area
    for area, words in {
        "urban": ("urban", "thành thị", "thanh thi", "đô thị", "tt", "1"),
        "rural": ("rural", "nông thôn", "nong thon", "nt", "2"),
    }.items()
    for word in words
}
#: Letters, digits and signs that go into addresses; the slash parts village and household.
_CODE = re.compile(r"[^\W_][\w.:-]{0,39}")
LONGEST, MOST_PEOPLE, MOST_ADULTS = 200, 1_000_000, 50
#: Faults that are told; the others are only counted.
TOLD = 1000


class Faulty(Exception):
    """A file that nothing was taken from: ``faults`` line by line, ``more`` beyond those told."""

    def __init__(self, faults: list[str], more: int = 0) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
        self.more = more


@dataclass(slots=True)
class Faults:
    """What is wrong so far; beyond ``TOLD`` it is only counted."""

    told: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, line: int, code: str, **facts: Any) -> None:
        """Note one fault of a line."""
        if len(self.told) < TOLD:
            said = t(f"frame.fault.{code}", **facts)
            self.told.append(t("frame.fault.at", line=line, said=said))
        else:
            self.more += 1

    def stop(self) -> None:
        """Raise Faulty if there was any."""
        if self.told:
            raise Faulty(self.told, self.more)


def villages(
    file: IO[bytes], *, provinces: Mapping[str, str], taken: Mapping[str, str],
    scope: Container[str] | None = None,
) -> list[Village]:  # fmt: skip
    """Return the villages of a file.

    ``provinces``: unit -> its province; ``taken``: village -> stratum of those that stay beside
    the file's; ``scope``: units the reader may name, None for all.  Raises Faulty.
    """
    faults = Faults()
    found: dict[str, tuple[int, Village]] = {}
    homes: dict[str, tuple[str, int]] = {}
    for line, row in _rows(file, "village", faults):
        village = _village(row, line, provinces, scope, faults)
        if village is None:
            continue
        first, _ = found.setdefault(village.psu, (line, village))
        if first != line:
            faults.add(line, "twice", psu=village.psu, first=first)
        elif taken.get(village.psu, village.stratum) != village.stratum:
            faults.add(line, "taken", psu=village.psu, stratum=taken[village.psu])
        home, at = homes.setdefault(village.stratum, (provinces[village.unit], line))
        if home != provinces[village.unit]:
            faults.add(line, "stratum", stratum=village.stratum, first=at)
    faults.stop()
    if not found:
        raise Faulty([t("frame.fault.empty")])
    return [village for _, village in found.values()]


@dataclass(frozen=True, slots=True)
class Lists:
    """What a file of households holds: how many of each village; read it again for the rows."""

    psus: Mapping[str, int]
    strange: Mapping[str, int]  # lists unlike the frame's size by half or more -> households

    @property
    def households(self) -> int:
        """How many in all."""
        return sum(self.psus.values())


def check_households(
    file: IO[bytes], *, known: Mapping[str, Village], drawn: Container[str] | None, take: int,
    scope: Container[str] | None = None,
) -> Lists:  # fmt: skip
    """Read a file of household lists to its end and raise Faulty with all that is wrong.

    ``known``: the villages of the frame; ``drawn``: those of the sample, None before their draw;
    ``take``: households wanted in a village; ``scope``: units the reader may name.
    """
    faults = Faults()
    seen: dict[str, dict[str, int]] = {}
    for line, row in _rows(file, "household", faults):
        psu = row["psu"]
        village = known.get(psu)
        if village is None:
            faults.add(line, "unknown_psu", psu=psu)
            continue
        if scope is not None and village.unit not in scope:
            faults.add(line, "scope", unit=village.unit)
        elif drawn is not None and psu not in drawn:
            faults.add(line, "not_drawn", psu=psu)
        if row.get("stratum", village.stratum) != village.stratum:
            faults.add(line, "of_stratum", psu=psu, stratum=village.stratum)
        _household_faults(row, line, seen.setdefault(psu, {}), faults)
    for psu, numbers in seen.items():
        if len(numbers) < take:
            faults.add(min(numbers.values(), default=2), "short", psu=psu, n=len(numbers),
                       take=take)  # fmt: skip
    faults.stop()
    if not seen:
        raise Faulty([t("frame.fault.empty")])
    sizes = {psu: len(numbers) for psu, numbers in seen.items()}
    strange = {p: n for p, n in sizes.items() if not 0.5 < n / known[p].size < 2}
    return Lists(sizes, strange)


def households(file: IO[bytes]) -> Iterator[Household]:
    """Yield the households of a file that ``check_households`` has found sound."""
    file.seek(0)
    for _, row in _rows(file, "household", Faults()):
        yield Household(
            row["psu"], row["household"], int(row.get("adults") or 1), row.get("name", ""),
            row.get("address", ""),
        )  # fmt: skip


def _village(
    row: Mapping[str, str], line: int, provinces: Mapping[str, str],
    scope: Container[str] | None, faults: Faults,
) -> Village | None:  # fmt: skip
    """Return the village of a line, or None with its faults noted."""
    before = len(faults.told) + faults.more
    for name in ("psu", "stratum"):
        if not _CODE.fullmatch(row[name]):
            faults.add(line, "code", column=t(f"frame.{name}"), value=row[name])
    unit = row["unit"] if ":" in row["unit"] else f"vn34:{row['unit']}"
    if unit not in provinces:
        faults.add(line, "unit", unit=row["unit"])
    elif scope is not None and unit not in scope:
        faults.add(line, "scope", unit=unit)
    area = AREAS.get(name_key(row["area"]), "")
    if not area:
        faults.add(line, "area", value=row["area"])
    _text(row, "name", line, faults, needed=True)
    size = _whole(row["size"], MOST_PEOPLE)
    if not size:
        faults.add(line, "size", value=row["size"])
    if len(faults.told) + faults.more > before:
        return None
    return Village(row["psu"], row["stratum"], unit, area, row["name"], size)


def _household_faults(
    row: Mapping[str, str], line: int, seen: dict[str, int], faults: Faults
) -> None:
    number = row["household"]
    if not _CODE.fullmatch(number):
        faults.add(line, "code", column=t("frame.household"), value=number)
        return
    first = seen.setdefault(number.casefold(), line)
    if first != line:
        faults.add(line, "household_twice", household=number, psu=row["psu"], first=first)
    if row.get("adults") and not _whole(row["adults"], MOST_ADULTS):
        faults.add(line, "adults", value=row["adults"], most=MOST_ADULTS)
    for name in ("name", "address"):
        _text(row, name, line, faults)


def _text(
    row: Mapping[str, str], name: str, line: int, faults: Faults, *, needed: bool = False
) -> None:
    value = row.get(name, "")
    if len(value) > LONGEST or (value and not value.isprintable()) or (needed and not value):
        faults.add(line, "text", column=t(f"frame.{name}"), most=LONGEST)


def _whole(text: str, most: int) -> int:
    """Return a whole number 1..most, 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:9]) <= most else 0


def _rows(file: IO[bytes], kind: str, faults: Faults) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and fields (stripped, NFC) of each row; lines without cells are skipped.

    UTF-8 with or without mark; comma, semicolon or tab.  Raises Faulty where nothing can be read.
    """
    file.seek(0)
    if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
        raise Faulty([t("frame.fault.utf16")])
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    last = 1
    try:
        head = text.readline()
        text.seek(0)
        reader = csv.reader(text, delimiter=max(",;\t", key=head.count), strict=True)
        names = _heading(next(reader, []), kind)
        for cells in reader:
            line, last = last + 1, reader.line_num
            if not any(cells):
                continue
            if len(cells) > len(names) and any(cells[len(names) :]):
                faults.add(line, "cells", value=" ".join(cells[len(names) :])[:80])
            read = dict.fromkeys(names, "") | dict(zip(names, map(_clean, cells), strict=False))
            read.pop("", None)
            yield line, read
    except UnicodeDecodeError:
        raise Faulty([t("frame.fault.encoding", line=last + 1)]) from None
    except csv.Error:
        faults.add(last + 1, "csv")
        faults.stop()
    finally:
        text.detach()  # the file stays open for a second reading


def _clean(cell: str) -> str:
    return cell.strip() if cell.isascii() else unicodedata.normalize("NFC", cell).strip()


def _heading(cells: list[str], kind: str) -> list[str]:
    """Return the field of each column, "" for those passed over."""
    names = [_FIELD.get(name_key(cell), "") for cell in cells]
    if kind == "village":  # a village's own name may stand under "tên", "name" or "thôn"
        has = "village" in names
        names = ["name" if n == "village" else "" if n == "name" and has else n for n in names]
    if not any(names):
        raise Faulty([t("frame.fault.no_heading")])
    if missing := [t(f"frame.{name}") for name in NEEDED[kind] if name not in names]:
        raise Faulty([t("frame.fault.missing", columns=", ".join(missing))])
    if twice := sorted({t(f"frame.{n}") for n in names if n and names.count(n) > 1}):
        raise Faulty([t("frame.fault.columns", columns=", ".join(twice))])
    return names
