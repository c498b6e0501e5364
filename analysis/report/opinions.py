"""Judgements, needs and citizens' own words: the answers that stand beside the index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from analysis.report import model, wording
from analysis.report.model import Column, Row, runs
from analysis.report.numbers import NONE, num, pct, share
from analysis.results import Choice, Distribution, Result

NEEDS = "c10"
LONGEST = 1900  # characters of a comment, so that the count after it is never cut
MOST_COMMENTS = 100
_ANSWERS = (
    Column("Phương án trả lời", 110),
    Column("Số phiếu", 27, "right"),
    Column("Tỷ lệ (%)", 28, "right"),
)


def question_of(one: Distribution) -> str:
    """The question a distribution belongs to: "c10" of "c10.3"."""
    return one.id.split(".")[0]


def wished(result: Result) -> tuple[str, list[tuple[str, float]]]:
    """The strongest wish in the form's words, and its share for each need, greatest first."""
    wish, known = "", []
    for one in result.others:
        if question_of(one) == NEEDS and one.choices:
            strongest = max(one.choices, key=lambda choice: choice.code)
            if strongest.share is not None:
                wish = strongest.label.lower()
                known.append((wording.short(one.name), strongest.share))
    return wish, sorted(known, key=lambda pair: -pair[1])


def needs(result: Result, most: int = 4) -> str:
    """The needs most citizens strongly wish for, in words; nothing when none were asked."""
    wish, known = wished(result)
    if not known:
        return ""
    listed = "; ".join(f"{wording.inner(name)} ({pct(part)})" for name, part in known[:most])
    return f"Các nội dung có nhiều người dân “{wish}” cải thiện nhất: {listed}."


def needs_chart(result: Result) -> model.ShareBars | None:
    """Every need with the share of those who strongly wish for it; None when none were asked."""
    wish, known = wished(result)
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


def beside(result: Result) -> tuple[Distribution, ...]:
    """The questions that are not among the items already."""
    items = {item.id for item in result.of("item")}
    return tuple(one for one in result.others if one.id not in items)


def annex(result: Result) -> list[model.Block]:
    """Who answered, every question outside the index, and the needs as bars."""
    known = beside(result)
    people = [one for one in known if not one.number]
    blocks: list[model.Block] = [people_table(people, sampled=result.design is not None)] * bool(
        people
    )
    blocks += _tables([one for one in known if one.number])
    chart = needs_chart(result)
    return [*blocks, chart] if chart else blocks


def people_table(questions: list[Distribution], *, sampled: bool) -> model.Table:
    """Who answered: the groups of every question about the person."""
    rows = []
    for one in questions:
        count = num(one.n, 0) if one.n else NONE
        rows.append(Row((wording.short(one.name), count, ""), "area"))
        rows += map(_line, one.choices)
    note = "Ghi chú: Tỷ lệ đã tính quyền số của mẫu." if sampled else ""
    caption = "Cơ cấu người trả lời"
    return model.Table(_ANSWERS, tuple(rows), caption, note=note, size=10.5, tight=True)


def _tables(others: list[Distribution]) -> Iterator[model.Table]:
    """Questions as tables under their own numbers."""
    for question, group in groupby(others, key=question_of):
        rows = list(group)
        title = wording.QUESTIONS.get(question, wording.short(rows[0].question or rows[0].name))
        caption = f"{rows[0].number.split('.')[0]}. {title}"
        yield lines(rows[0], caption) if len(rows) == 1 else matrix(rows, caption)


def lines(one: Distribution, caption: str) -> model.Table:
    """One question: a row for each answer."""
    rows = [_line(choice) for choice in one.choices]
    rows.append(Row(("Tổng số người trả lời", num(one.n, 0) if one.n else NONE, NONE), "sum"))
    return model.Table(_ANSWERS, tuple(rows), caption, size=11, tight=True)


def _line(choice: Choice) -> Row:
    count = NONE if choice.share is None else num(choice.n, 0)
    return Row((wording.short(choice.label), count, share(choice.share)))


def matrix(group: list[Distribution], caption: str) -> model.Table:
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
    """Citizens' own words as they wrote them, equal ones once, at most MOST_COMMENTS of them."""
    counts = Counter(text for text in result.comments if text.strip())
    if not counts:
        return ()
    shown = list(counts.items())[:MOST_COMMENTS]
    said = f"Có {num(counts.total(), 0)} ý kiến bằng lời"
    if len(counts) > len(shown):
        said += f"; in {num(len(shown), 0)} ý kiến đầu, còn lại có trong tệp CSV"
    said += ". Ý kiến được in nguyên văn, chỉ rút gọn khi quá dài."
    return (model.body(said), *(_voice(text, n) for text, n in shown))


def _voice(text: str, n: int) -> model.Paragraph:
    cut = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    again = f" ({num(n, 0)} ý kiến)" if n > 1 else ""
    return model.Paragraph(runs(f"– {cut}{again}"), "voice")
