"""What all reports of the one-stop office share: who writes of whom, the first and last lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.report import model, wording
from analysis.report.model import body
from analysis.report.numbers import NONE, day, num, pct, share
from analysis.report.sections import Captions
from survey.onestop import letterheads
from survey.reporting import periods
from survey.store import opinions, units, waves

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date
    from fractions import Fraction

    from survey.onestop.letterheads import Office
    from survey.reporting.kinds import Ask
    from survey.reporting.periods import Period

DECIMALS = 1  # tables of the one-stop office carry one decimal
PLACE = "các đơn vị"


@dataclass(frozen=True, slots=True)
class About:
    """A report that is being made: of which unit ("" = all) and period, by which office."""

    db: sqlite3.Connection
    unit: str
    name: str
    period: Period
    on: date
    number: str
    office: Office
    synthetic: bool
    captions: Captions


def about(db: sqlite3.Connection, ask: Ask) -> About:
    """Find out; raises LookupError for an unknown unit, Refused for no period."""
    if ask.unit and units.get(db, ask.unit) is None:
        raise LookupError(ask.unit)
    period = periods.of(ask.period)
    name = units.name(db, ask.unit, period.last) if ask.unit else PLACE
    made_up = opinions.synthetic(db) or waves.made_up(db)
    office = letterheads.office(db, ask.unit)
    return About(
        db, ask.unit, name, period, ask.on, ask.number, office, made_up, Captions()
    )  # fmt: skip


def document(
    of: About,
    kind: str,
    lines: Sequence[str],
    blocks: Iterable[model.Block],
    *,
    annexes: Iterable[tuple[str, Iterable[model.Block], bool]] = (),
    sheets: Sequence[model.Sheet] = (),
) -> model.Report:
    """The whole document: masthead, title, warning, content, end, annexes (title, blocks, wide)."""
    office = of.office
    masthead = model.Masthead(
        office.agency.upper(), office.parent.upper(),
        wording.document_number(of.number, office.agency), office.place, of.on,
    )  # fmt: skip
    warning = [model.Paragraph((model.Run(wording.SYNTHETIC),), "warning")] if of.synthetic else []
    receivers = ((f"{office.parent} (để báo cáo)",) if office.parent else ()) + (
        "Các đơn vị có liên quan", "Lưu: VT",
    )  # fmt: skip
    titles = office.titles or wording.signature(office.agency)
    whole: list[model.Block] = [
        masthead,
        model.Title(kind, tuple(lines)),
        *warning,
        *blocks,
        body(f"Trên đây là {kind.lower()} của {_we(of)} {of.period.words}./."),
        model.SignOff(receivers, titles, office.signer),
    ]
    printed = wording.document_number(of.number, office.agency).removeprefix("Số: ").strip()
    what = "Báo cáo" if kind == "BÁO CÁO" else "văn bản"
    numbered = f" số {printed}" if of.number else ""
    belongs = f"Kèm theo {what}{numbered} {day(of.on)} của {office.agency}"
    annexes = list(annexes)
    for place, (title, content, wide) in enumerate(annexes, 1):
        turn = [model.Turn(landscape=True)] if wide else []
        number = roman(place) if len(annexes) > 1 else ""
        whole += [*turn, model.Annex(number, (title,), belongs), *content]
    return model.Report(
        title=f"{kind.capitalize()} {' '.join(lines)}",
        author=office.agency,
        blocks=tuple(whole),
        synthetic=of.synthetic,
        created=of.on,
        sheets=tuple(sheets),
    )


def _we(of: About) -> str:
    return of.name if of.unit else PLACE


def capital(text: str) -> str:
    """The text with its first letter large, as it begins a cell."""
    return text[:1].upper() + text[1:]


def roman(n: int) -> str:
    """1..9 in Roman figures."""
    return ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")[n - 1]


def points(value: Fraction | None) -> str:
    """Points with one decimal, rounded here and nowhere before; a dash where there are none."""
    return NONE if value is None else num(float(value), DECIMALS)


def part(n: int, whole: int) -> str:
    """A share of counts in percent without its sign; a dash of nothing."""
    return share(n / whole if whole else None, DECIMALS)


def percent(n: int, whole: int) -> str:
    """A share of counts as "84,5%"; a dash of nothing."""
    return pct(n / whole if whole else None, DECIMALS)


def box(rows: Mapping[str, str]) -> model.MethodBox:
    """How the figures were made."""
    return model.MethodBox(tuple((key, model.runs(text)) for key, text in rows.items()))


def summed(
    rows: Iterable[object], key: Callable[[object], str], names: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Sums of whole-number attributes by a key."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        sums = found.setdefault(key(row), dict.fromkeys(names, 0))
        for name in names:
            sums[name] += getattr(row, name)
    return found
