"""What people judge and what they need: a section a question, and both families unit by unit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from analysis.annual import Unit
from analysis.report import model, opinions, wording
from analysis.report.model import Column, Heading, Row, body
from analysis.report.numbers import NONE, num, pct, share
from analysis.report.ranking import named
from analysis.report.sections import Captions
from analysis.results import Choice, Distribution, Result

NEEDS = opinions.NEEDS
#: Questions told unit by unit: id -> what a column holds.
BY_UNIT = ("c1", "c7", NEEDS)
NAMED = 3  # lines of a question that a sentence names


def questions(result: Result) -> list[tuple[str, list[Distribution]]]:
    """Questions outside the index with their lines, in the order of the form."""
    numbered = [one for one in opinions.beside(result) if one.number]
    return [(key, list(rows)) for key, rows in groupby(numbered, key=opinions.question_of)]


def judgements(result: Result, captions: Captions) -> list[model.Block]:
    """Every question about judgements: a sentence, then its answers."""
    asked = [(key, rows) for key, rows in questions(result) if key != NEEDS]
    return _sections(asked, captions)


def needs(result: Result, captions: Captions) -> list[model.Block]:
    """The needs: the strongest in words, as bars, and all answers."""
    said = opinions.needs(result)
    chart = opinions.needs_chart(result)
    if not said or chart is None:
        return []
    caption = captions.figure(chart.caption)
    blocks: list[model.Block] = [body(said), model.ShareBars(caption, chart.bars)]
    for key, rows in questions(result):
        if key == NEEDS:
            blocks.append(_table(key, rows, captions))
    return blocks


def _sections(
    asked: Sequence[tuple[str, list[Distribution]]], captions: Captions
) -> list[model.Block]:
    blocks: list[model.Block] = []
    for place, (key, rows) in enumerate(asked, 1):
        blocks.append(Heading(f"{place}. {title(key, rows)}", 2))
        blocks += [body(text) for text in (sentence(rows),) if text]
        if _several(rows):
            blocks.append(_bars(key, rows, captions))
        blocks.append(_table(key, rows, captions))
    return blocks


def title(key: str, rows: Sequence[Distribution]) -> str:
    """What a question is called in a heading."""
    return wording.QUESTIONS.get(key, wording.short(rows[0].question or rows[0].name))


def _table(key: str, rows: list[Distribution], captions: Captions) -> model.Table:
    caption = captions.table(title(key, rows))
    return opinions.lines(rows[0], caption) if len(rows) == 1 else opinions.matrix(rows, caption)


def _several(rows: Sequence[Distribution]) -> bool:
    """Whether a question takes several answers, or lines of yes and no."""
    if len(rows) > 1:
        return all(len(one.choices) == 2 for one in rows)
    known = [choice.share for choice in rows[0].choices if choice.share is not None]
    return sum(known) > 1.001


def _bars(key: str, rows: Sequence[Distribution], captions: Captions) -> model.ShareBars:
    found = (
        [(wording.short(one.name), one.choices[0].share) for one in rows]
        if len(rows) > 1
        else [(wording.short(choice.label), choice.share) for choice in rows[0].choices]
    )
    bars = sorted(((n, s) for n, s in found if s is not None), key=lambda pair: -pair[1])
    return model.ShareBars(captions.figure(f"{title(key, rows)} (%)"), tuple(bars))


def sentence(rows: Sequence[Distribution]) -> str:
    """A question in words: single answers from the most given, lines from the most agreed."""
    if len(rows) == 1:
        known = [c for c in rows[0].choices if c.share is not None]
        if not known:
            return ""
        first = sorted(known, key=lambda c: -(c.share or 0))[:NAMED]
        listed = "; ".join(f"“{wording.inner(c.label)}” {pct(c.share)}" for c in first)
        return f"Trên {num(rows[0].n, 0)} người trả lời: {listed}."
    levels = [(one, positive(one.choices)) for one in rows]
    found = sorted(((one, p) for one, p in levels if p is not None), key=lambda pair: -pair[1])
    if len(found) < 2:
        return ""
    (best, high), (worst, low) = found[0], found[-1]
    what = _wanted(rows[0].choices)
    return (
        f"Tỷ lệ {what} cao nhất ở “{wording.inner(best.name)}” ({pct(high)}), thấp nhất ở "
        f"“{wording.inner(worst.name)}” ({pct(low)})."
    )


def positive(choices: Sequence[Choice]) -> float | None:
    """The share of all answers but the lowest; of yes and no that of yes."""
    shares = [choice.share for choice in choices]
    if not choices or None in shares:
        return None
    known = [s or 0.0 for s in shares]
    return known[0] if len(known) == 2 else 1.0 - known[0]


def _wanted(choices: Sequence[Choice]) -> str:
    if len(choices) == 2:
        return f"trả lời “{wording.inner(choices[0].label)}”"
    first, last = (wording.inner(choices[at].label) for at in (1, -1))
    return f"từ “{first}” đến “{last}”"


def by_unit(result: Result, units: Sequence[Unit], names: str) -> list[model.Block]:
    """Judgements and needs unit by unit: what was found of officials, then lines of questions."""
    shown = [unit for unit in units if unit.others]
    if len(shown) < 2:
        return []
    blocks: list[model.Block] = []
    if table := _officials(result, shown, names):
        blocks.append(table)
    known = dict(questions(result))
    blocks += [_lines(known[key], key, result, shown, names) for key in BY_UNIT if key in known]
    return blocks


def _officials(result: Result, units: Sequence[Unit], names: str) -> model.Table | None:
    known = {one.id: one for one in result.others}
    asked = [id for id in ("c5", "c6") if id in known and len(known[id].choices) == 3]
    if not asked:
        return None
    heads = {"c5": "Phiền hà,\nsách nhiễu", "c6": "Tiền ngoài\nphí, lệ phí"}
    levels = ("không có", "một số", "nhiều")
    columns = (
        Column(names, 42),
        *(
            Column(f"{heads[id]}:\n{level}", 123 / len(asked) / 3, "right")
            for id in asked
            for level in levels
        ),
    )
    rows = []
    for unit in (None, *units):
        others = {one.id: one for one in (unit.others if unit else result.others)}
        cells = [share(choice.share) for id in asked for choice in others[id].choices]
        name = named(unit) if unit else _capital(result.scope_name)
        rows.append(Row((name, *cells), "plain" if unit else "sum"))
    caption = "Câu 5, Câu 6. Nhận định về công chức"
    unit_text = "Đơn vị tính: %"
    return model.Table(columns, tuple(rows), caption, unit=unit_text, size=10.5, tight=True)


def _lines(
    rows: Sequence[Distribution], key: str, result: Result, units: Sequence[Unit], names: str
) -> model.Table:
    """Shares of one question: a column a line of it, a row a unit."""
    strongest = key == NEEDS
    wide = 127 / len(rows)
    columns = (
        Column(names, 38),
        *(Column(str(n), wide, "right") for n in range(1, len(rows) + 1)),
    )
    printed = []
    for unit in (None, *units):
        others = {one.id: one for one in (unit.others if unit else result.others)}
        cells = []
        for one in rows:
            held = others.get(one.id)
            part = (held.choices[-1].share if strongest else positive(held.choices)) if held else None  # fmt: skip  # noqa: E501
            cells.append(NONE if part is None else share(part, 1))
        name = named(unit) if unit else _capital(result.scope_name)
        printed.append(Row((name, *cells), "plain" if unit else "sum"))
    number = rows[0].number.split(".")[0]
    choices = rows[0].choices
    what = f"“{wording.inner(choices[-1].label)}”" if strongest else _wanted(choices)
    listed = "; ".join(f"({n}) {wording.inner(one.name)}" for n, one in enumerate(rows, 1))
    return model.Table(
        columns,
        tuple(printed),
        f"{number}. {title(key, rows)}: tỷ lệ {what}",
        unit="Đơn vị tính: %",
        note=f"Ghi chú: {listed}.",
        size=10.5 if len(rows) < 10 else 10,
        tight=True,
    )


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
