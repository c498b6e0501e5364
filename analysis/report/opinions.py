"""Judgements, needs and citizens' own words: the answers that stand beside the index."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from analysis.report import model, wording
from analysis.report.model import Column, Row, runs
from analysis.report.numbers import NONE, num, pct, share
from analysis.results import Choice, Distribution, Result

NEEDS = "c10"
MOST_COMMENTS = 200


def _question(one: Distribution) -> str:
    return one.id.split(".")[0]


def _wished(result: Result) -> tuple[str, list[tuple[str, float]]]:
    """The strongest wish in the form's words, and its share for each need, greatest first."""
    wish, known = "", []
    for one in result.others:
        if _question(one) == NEEDS and one.choices:
            strongest = max(one.choices, key=lambda choice: choice.code)
            if strongest.share is not None:
                wish = strongest.label.lower()
                known.append((wording.short(one.name), strongest.share))
    return wish, sorted(known, key=lambda pair: -pair[1])


def needs(result: Result, most: int = 4) -> str:
    """The needs most citizens strongly wish for, in words; nothing when none were asked."""
    wish, known = _wished(result)
    if not known:
        return ""
    listed = "; ".join(f"{wording.inner(name)} ({pct(part)})" for name, part in known[:most])
    return f"Các nội dung có nhiều người dân “{wish}” cải thiện nhất: {listed}."


def needs_chart(result: Result) -> model.ShareBars | None:
    """Every need with the share of those who strongly wish for it; None when none were asked."""
    wish, known = _wished(result)
    caption = f"Tỷ lệ người dân “{wish}” cải thiện từng nội dung (%)"
    return model.ShareBars(caption, tuple(known)) if known else None


def judgements(result: Result) -> tuple[str, ...]:
    """Harassment and informal payments in words, a sentence each."""
    out = []
    for one in result.others:
        known = [choice for choice in one.choices if choice.share is not None]
        if one.id in {"c5", "c6"} and known:
            parts = "; ".join(
                f"“{wording.inner(choice.label)}” {pct(choice.share)}" for choice in known
            )
            out.append(
                f"{wording.QUESTIONS[one.id]}: {parts} (trên {num(one.n, 0)} người trả lời)."
            )
    return tuple(out)


def tables(result: Result) -> Iterator[model.Table]:
    """Every question outside the index as a table under the question's own number."""
    for question, group in groupby(result.others, key=_question):
        rows = list(group)
        title = wording.QUESTIONS.get(question, wording.short(rows[0].question or rows[0].name))
        number = rows[0].number.split(".")[0]
        caption = f"{number}. {title}" if number else title
        yield _lines(rows[0], caption) if len(rows) == 1 else _matrix(rows, caption)


def _lines(one: Distribution, caption: str) -> model.Table:
    """One question: a row for each answer."""
    columns = (
        Column("Phương án trả lời", 110),
        Column("Số phiếu", 27, "right"),
        Column("Tỷ lệ (%)", 27, "right"),
    )
    rows = [_line(choice) for choice in one.choices]
    rows.append(Row(("Tổng số người trả lời", num(one.n, 0) if one.n else NONE, NONE), "sum"))
    return model.Table(columns, tuple(rows), caption, size=11, tight=True)


def _line(choice: Choice) -> Row:
    count = NONE if choice.share is None else num(choice.n, 0)
    return Row((wording.short(choice.label), count, share(choice.share)))


def _matrix(group: list[Distribution], caption: str) -> model.Table:
    """Several rows of one scale: a column for each answer."""
    labels = [choice.label for choice in group[0].choices]
    same = all([choice.label for choice in one.choices] == labels for one in group)
    distinct = len({one.name for one in group}) == len(group)
    shown = len(labels) if same and distinct else 1
    each = 18 if shown > 2 else 22
    heads = labels[:shown] if same and distinct else ["Tỷ lệ\n(%)"]
    columns = (
        Column("Nội dung", 165 - 17 - each * shown),
        Column("Số phiếu", 17, "right"),
        *(Column(wording.short(head), each, "right") for head in heads),
    )
    rows = []
    for one in group:
        name = one.name if distinct else one.choices[0].label
        cells = (share(choice.share) for choice in one.choices[:shown])
        rows.append(Row((wording.short(name), num(one.n, 0) if one.n else NONE, *cells)))
    unit = "Đơn vị tính của các cột tỷ lệ: %" if shown > 1 else ""
    return model.Table(columns, tuple(rows), caption, unit=unit, size=10.5, tight=True)


def voices(result: Result) -> tuple[model.Block, ...]:
    """Citizens' own words as they wrote them, at most MOST_COMMENTS of them."""
    shown = [text for text in result.comments if text.strip()][:MOST_COMMENTS]
    if not shown:
        return ()
    more = len(result.comments) - len(shown)
    said = f"Có {num(len(result.comments), 0)} ý kiến bằng lời"
    said += f"; in {num(len(shown), 0)} ý kiến đầu, còn lại có trong tệp CSV." if more else "."
    said += " Ý kiến được in nguyên văn, chỉ rút gọn khi quá dài."
    voices = (model.Paragraph(runs(f"– {text}"), "voice") for text in shown)
    return (model.body(said), *voices)
