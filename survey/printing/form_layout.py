"""From a questionnaire to the pages of its form: what stands where, without any PDF."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from forms.questionnaire import Item, Questionnaire, Section
from survey.printing import form_blocks, form_parts
from survey.printing.drawing import Line, Page
from survey.printing.faces import BOLD, PLAIN, width
from survey.printing.form_blocks import Choices, Inline, Row, Table
from survey.printing.form_parts import BOTTOM, LEFT, RIGHT, ROOM, Answer, Edition, Sheet
from survey.text import t

#: Lines to write on: height, and how many a long text gets at least and at most.
STEP, LEAST, MOST = 8.0, 3, 10
#: Height of the interviewer's line.
CLOSING = 9.0


@dataclass(frozen=True, slots=True)
class Shown:
    """An item with the section it stands in."""

    section: Section
    item: Item


def lay(q: Questionnaire, edition: Edition, head: Callable[[Page], float]) -> list[Page]:
    """The pages of a form; ``head`` puts what stands at the top of each."""
    sheet = Sheet(edition, head, [])
    sheet.turn()
    return _Form(q, sheet).pages()


class _Form:
    """One form in the making."""

    def __init__(self, q: Questionnaire, sheet: Sheet) -> None:
        self.q, self.sheet, self.edition = q, sheet, sheet.edition
        self.open = False  # whether the bar of part B stands already
        self.parted = _is_facts(q, q.sections[0])

    def pages(self) -> list[Page]:
        """Put block after block, then the interviewer's line."""
        blocks = list(_blocks(self.q, self.edition))
        at = 0
        while at < len(blocks):
            at += self._put(blocks[at:], last=at == len(blocks) - 1)
        self._closing()
        return self.sheet.pages

    def _put(self, blocks: Sequence[list[Shown]], *, last: bool) -> int:
        """Put the first of the blocks; how many were put."""
        block = blocks[0]
        first = block[0].item
        if _is_facts(self.q, block[0].section):
            self._facts(block)
            return 1
        if self.parted and not self.open:
            self.open = True
            form_parts.part(self.sheet, t("print.part_b"), 40 * self.edition.scale)
        if first.kind == "scale" and self._in_table(block):
            self._scale(block)
        elif first.kind == "matrix":
            self._matrix(first)
        elif first.kind == "text":
            self._text(first, last=last)
        elif first.kind == "number":
            self._number(first)
        elif len(blocks) > 1 and self._beside(first, blocks[1][0].item):
            return 2
        else:
            for shown in block:
                self._list(shown.item, block)
        return 1

    def _facts(self, block: Sequence[Shown]) -> None:
        """Respondent's facts: labels with their choices behind them."""
        title = t("print.part_a", title=block[0].section.title.upper())
        form_parts.part(self.sheet, title, 30 * self.edition.scale)
        lines = [
            Inline(
                shown.item.id, shown.item.text, _answers(shown.item), self.edition,
                hint=t("print.empty") if shown.item.consent else "",
            )
            for shown in block
        ]  # fmt: skip
        for line in lines:  # all choices begin under each other
            line.column = max(one.column for one in lines)
        while lines:
            line = lines.pop(0)
            self.sheet.room(line.height)
            if lines and form_blocks.paired(self.sheet, line, lines[0]):
                lines.pop(0)
            else:
                line.put(self.sheet)

    def _ask(self, tag: str, text: str, note: str, need: float) -> None:
        """Put a question with at least ``need`` of its answers on the same page."""
        e = self.edition
        lines = form_parts.tagged(tag, text, note, ROOM, e) if text or note or tag else []
        self.sheet.room(2.2 * e.scale + len(lines) * e.lead + need)
        self.sheet.y += 0.9 * e.scale
        self.sheet.y = form_parts.put_lines(self.sheet, LEFT, self.sheet.y, lines)
        self.sheet.y += 0.7 * e.scale

    def _in_table(self, block: Sequence[Shown]) -> bool:
        labels = [choice.label for choice in block[0].item.choices]
        return len(block) > 1 and form_parts.fits_table(labels, self.edition)

    def _scale(self, block: Sequence[Shown]) -> None:
        """Statements of one scale, grouped by their sections, as one table."""
        common, notes = _intro([shown.section for shown in block])
        rows = _rows(self.q, block, notes)
        table = Table(t("print.content"), _answers(block[0].item), self.edition)
        self._ask(block[0].section.number, common, "", table.least(rows))
        table.put(self.sheet, rows)
        self.sheet.y += 0.9 * self.edition.scale

    def _matrix(self, item: Item) -> None:
        rows = [
            Row(f"{item.id}.{row.id}", str(at), row.label) for at, row in enumerate(item.rows, 1)
        ]
        table = Table(t("print.content"), _answers(item), self.edition)
        self._ask(item.number, item.text, self._note(item), table.least(rows))
        table.put(self.sheet, rows)
        self.sheet.y += 0.9 * self.edition.scale

    def _list(self, item: Item, block: Sequence[Shown]) -> None:
        several = item.kind == "multiple"
        choices = Choices(item.id, _answers(item), self.edition, several=several)
        number = item.number or (block[0].section.number if len(block) == 1 else "")
        self._ask(number, item.text, self._note(item), choices.height)
        choices.put(self.sheet)
        self.sheet.y += 0.6 * self.edition.scale

    def _beside(self, first: Item, second: Item) -> bool:
        """Put two questions with a few long choices side by side where that saves room."""
        if first.kind != "single" or second.kind != "single" or first.when or second.when:
            return False
        if not len(first.choices) == len(second.choices) <= 4 or first.other or second.other:
            return False
        e, half = self.edition, (ROOM - 8) / 2
        heads = [form_parts.tagged(i.number, i.text, i.note, half, e) for i in (first, second)]
        lists = [
            Choices(i.id, _answers(i), e, left=LEFT + at * (half + 8), room=half, pairs=False)
            for at, i in enumerate((first, second))
        ]
        top = max(map(len, heads)) * e.lead
        height = top + max(one.height for one in lists)
        wide = sum(
            len(form_parts.tagged(i.number, i.text, i.note, ROOM, e)) * e.lead + 2.2 * e.scale
            + Choices(i.id, _answers(i), e).height
            for i in (first, second)
        )  # fmt: skip
        if height > 0.92 * wide:
            return False
        self.sheet.room(height + 3)
        start = self.sheet.y + 0.9 * e.scale
        for at, (lines, one) in enumerate(zip(heads, lists, strict=True)):
            form_parts.put_lines(self.sheet, LEFT + at * (half + 8), start, lines)
            self.sheet.y = start + top + 0.5
            one.put(self.sheet)
        self.sheet.y = start + height + 1.4 * e.scale
        middle = LEFT + half + 4
        self.sheet.ink(Line(middle, start + 1, middle, start + height, 0.3, 0.6))
        return True

    def _text(self, item: Item, *, last: bool) -> None:
        """Lines to write on; the last question of all gets what is left of its page."""
        e = self.edition
        step = STEP * min(e.scale, 1.15)
        least = LEAST if item.max_length > 200 else 1
        self._ask(item.number, item.text, self._note(item), least * step + 2 + CLOSING * e.scale)
        count = least
        if last:
            free = BOTTOM - self.sheet.y - 1 - CLOSING * e.scale
            count = max(least, min(MOST, int(free / step)))
        self.sheet.lines(item.id, LEFT, self.sheet.y - 1, RIGHT, count, step)
        self.sheet.y += count * step + 0.6

    def _number(self, item: Item) -> None:
        self._ask(item.number, item.text, self._note(item), 9 * self.edition.scale)
        form_blocks.number_box(self.sheet, item.id, item.minimum, item.maximum)

    def _note(self, item: Item) -> str:
        """The note of a question, with the condition it is asked under."""
        note = on_paper(item.note)
        if item.kind == "multiple" and note in ("", t("print.several_note")):
            note = t("print.choose_several")
        notes = [note] if note else []
        if item.when and not item.consent:
            asked = next((i for i in self.q.items if i.id == item.when.column), None)
            labels = [c.label for c in asked.choices if c.code in item.when.any_of] if asked else []
            number = (asked.number if asked else "") or t("print.any")
            notes.insert(0, t("print.only_if", number=number, choices=", ".join(labels)))
        return " ".join(notes)

    def _closing(self) -> None:
        """The interviewer's line on the last page."""
        e, sheet = self.edition, self.sheet
        sheet.room(CLOSING * e.scale)
        sheet.ink(Line(LEFT, sheet.y, RIGHT, sheet.y, 0.8))
        base, size = sheet.y + 5.6 * e.scale, 8.6 * e.scale
        title = t("print.part_c") + ":"
        sheet.text(LEFT, base, title, BOLD, size)
        x = LEFT + width(title, BOLD, size) + 3
        shares = ((t("print.interviewer"), 0.42), (t("print.place"), 0.34), (t("print.on"), 0.24))
        room = RIGHT - x
        for label, share in shares:
            sheet.text(x, base, label, PLAIN, size)
            start = x + width(label, PLAIN, size) + 1.5
            x += share * room
            sheet.dots(start, x - 2, base + 0.4)
        sheet.y += CLOSING * e.scale


def on_paper(note: str) -> str:
    """A note that speaks of "don't know" as paper has it: there the question is left blank."""
    return note.replace(t("print.dont_know"), t("print.leave"))


def _is_facts(q: Questionnaire, section: Section) -> bool:
    """Whether a section asks who answers: single choices without numbers of their own."""
    items = [q.item(id) for id in section.items]
    return not section.number and all(i.kind == "single" and not i.number for i in items)


def _blocks(q: Questionnaire, edition: Edition) -> Iterator[list[Shown]]:
    """Items that stand together: facts of a section, statements of one scale, else one each."""
    shown = [Shown(section, q.item(id)) for section in q.sections for id in section.items]

    def key(one: Shown) -> object:
        if _is_facts(q, one.section):
            return "facts", one.section.id
        if one.item.kind == "scale":
            table = form_parts.fits_table([c.label for c in one.item.choices], edition)
            choices = tuple((c.code, c.label) for c in one.item.choices)
            return ("scale", one.section.number, choices) if table else ("item", one.item.id)
        return "item", one.item.id

    for _, group in groupby(shown, key):
        yield list(group)


def _answers(item: Item) -> list[Answer]:
    return [
        Answer(str(at), choice.code, choice.label, choice.other)
        for at, choice in enumerate(item.choices, 1)
    ]


def _intro(sections: Sequence[Section]) -> tuple[str, dict[str, str]]:
    """What all sections say first, and for each what it says beyond that."""
    texts = {section.id: _sentences(section.intro) for section in sections}
    common: list[str] = []
    for parts in zip(*texts.values(), strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    rest = {id: " ".join(parts[len(common) :]) for id, parts in texts.items()}
    return " ".join(common), rest


def _sentences(text: str) -> list[str]:
    parts = text.replace(". ", ".\n").splitlines()
    return [part for part in parts if part]


def _rows(q: Questionnaire, block: Sequence[Shown], notes: dict[str, str]) -> list[Row]:
    """The lines of a table; above the first of each section its area, its title, its note."""
    areas = {area.id: area.name for area in q.areas}
    factors = {factor.id: factor for factor in q.factors}
    several = len({shown.section.id for shown in block}) > 1
    rows, section, area, said = [], "", "", ""
    for shown in block:
        item, heads = shown.item, list[tuple[bool, str, str]]()
        if several and shown.section.id != section:
            section = shown.section.id
            of = {q.item(id).factor for id in shown.section.items}
            factor = factors.get(next(iter(of))) if len(of) == 1 else None
            letter = factor.id.rpartition(".")[2] + ". " if factor else ""
            if factor and factor.area != area and len(areas) > 1:
                area = factor.area
                heads.append((True, f"{area}. {areas[area].upper()}", ""))
            note = notes.get(section, "")
            heads.append((False, letter + shown.section.title, note if note != said else ""))
            said = note
        number = item.number.rpartition(" ")[2]
        rows.append(Row(item.id, number, item.text, on_paper(item.note), tuple(heads)))
    return rows
