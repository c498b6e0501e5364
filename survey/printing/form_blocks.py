"""The answers of a form: tables of circles, lists of choices, choices beside their label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from survey.printing import form_parts as parts
from survey.printing.drawing import Box, Line
from survey.printing.faces import BOLD, MEDIUM, PLAIN, STRONG, clean, fill, width
from survey.printing.form_parts import HAIR, LEFT, RIGHT, ROOM, Answer, Edition, Run, Sheet
from survey.text import t


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table of answers; ``heads`` stand above it: (is it an area, words, note)."""

    field: str
    number: str
    text: str
    note: str = ""
    heads: tuple[tuple[bool, str, str], ...] = ()


class Table:
    """Rows of circles under their words; rows are never parted, the head returns on each page."""

    def __init__(self, label: str, answers: Sequence[Answer], edition: Edition) -> None:
        self.label, self.answers, self.edition = label, answers, edition
        labels = [answer.label for answer in answers]
        self.pitch = parts.pitch_of(labels, edition)
        self.words = [parts.level_lines(label, self.pitch, edition) for label in labels]
        self.head = max(map(len, self.words)) * edition.level_lead + 1.6 * edition.scale
        self.room = ROOM - edition.number - self.pitch * len(answers) - 2

    def column(self, at: int) -> float:
        """The centre of a column of answers."""
        return RIGHT - self.pitch * (len(self.answers) - at - 0.5)

    def put(self, sheet: Sheet, rows: Sequence[Row]) -> None:
        """Put the head and all rows, over as many pages as they need."""
        for at, row in enumerate(rows):
            lines = parts.spoken(row.text, row.note, self.room, self.edition)
            height = max(self.edition.row, len(lines) * self.edition.lead + 1.15)
            heads = sum(self._head_height(head) for head in row.heads)
            if not at:
                sheet.room(self.head + heads + height)
            if sheet.room(heads + height) or not at:
                self._put_head(sheet)
            for head in row.heads:
                self._put_group(sheet, head)
            self._put_row(sheet, row, lines, height, shaded=at % 2 == 1)

    def least(self, rows: Sequence[Row]) -> float:
        """The room that the head and the first two rows need."""
        return self.head + sum(
            sum(map(self._head_height, row.heads))
            + max(self.edition.row, len(self._lines(row)) * self.edition.lead + 1.15)
            for row in rows[:2]
        )

    def _lines(self, row: Row) -> list[list[Run]]:
        return parts.spoken(row.text, row.note, self.room, self.edition)

    def _put_head(self, sheet: Sheet) -> None:
        e, top = self.edition, sheet.y
        sheet.ink(Box(LEFT, top, ROOM, self.head, 0.9))
        base = top + self.head / 2 + 1.1 * e.scale
        sheet.text(LEFT + e.number, base, self.label, STRONG, 8.6 * e.scale)
        for at, lines in enumerate(self.words):
            y = top + (self.head - len(lines) * e.level_lead) / 2 + 0.76 * e.level_lead
            for line in lines:
                sheet.text(self.column(at), y, line, STRONG, e.level, "centre")
                y += e.level_lead
        sheet.y += self.head

    def _group_lines(self, head: tuple[bool, str, str]) -> tuple[list[str], list[str]]:
        area, words, note = head
        e = self.edition
        size = (8.8 if area else 8.9) * e.scale
        return fill(clean(words), BOLD, size, ROOM - 4), parts.note_lines(note, ROOM - 4, e)

    def _head_height(self, head: tuple[bool, str, str]) -> float:
        lines, notes = self._group_lines(head)
        e = self.edition
        return 1.75 * e.scale + len(lines) * e.lead + len(notes) * e.small_lead

    def _put_group(self, sheet: Sheet, head: tuple[bool, str, str]) -> None:
        e, height = self.edition, self._head_height(head)
        lines, notes = self._group_lines(head)
        sheet.ink(Box(LEFT, sheet.y, ROOM, height, 0.8 if head[0] else 0.93))
        y = sheet.y + 0.85 * e.scale
        for line in lines:
            size = (8.8 if head[0] else 8.9) * e.scale
            sheet.text(LEFT + 2, y + 0.76 * e.lead, line, BOLD, size)
            y += e.lead
        parts.put_note(sheet, LEFT + 2, y, notes)
        sheet.y += height

    def _put_row(
        self, sheet: Sheet, row: Row, lines: Sequence[Sequence[Run]], height: float, *, shaded: bool
    ) -> None:
        e, top = self.edition, sheet.y
        if shaded:
            sheet.ink(Box(LEFT, top, ROOM, height, 0.965))
        y = top + (height - len(lines) * e.lead) / 2
        sheet.text(LEFT + e.number - 2, y + 0.76 * e.lead, row.number, MEDIUM, 0, "right")
        parts.put_lines(sheet, LEFT + e.number, y, lines)
        for at, answer in enumerate(self.answers):
            sheet.place(self.column(at), top + height / 2, answer, row.field, several=False)
        sheet.ink(Line(LEFT, top + height, RIGHT, top + height, 0.3, HAIR))
        sheet.y += height


class Choices:
    """A list of choices; two short ones share a line.  Text beside "other" gets dots."""

    def __init__(
        self, field: str, answers: Sequence[Answer], edition: Edition, *,
        several: bool = False, left: float = LEFT, room: float = ROOM, pairs: bool = True,
    ) -> None:  # fmt: skip
        self.field, self.edition, self.several = field, edition, several
        self.left, self.room = left, room
        self.indent = 2 * edition.radius + 3.0
        self.rows = self._rows(answers, pairs)

    @property
    def height(self) -> float:
        """Of the whole list."""
        return sum(self._row_height(row) for row in self.rows)

    def put(self, sheet: Sheet) -> None:
        """Put the list; it is never parted."""
        for row in self.rows:
            height = self._row_height(row)
            for at, answer in enumerate(row):
                self._put(sheet, answer, self.left + at * self.room / 2, len(row), height)
            sheet.y += height

    def _rows(self, answers: Sequence[Answer], pairs: bool) -> list[list[Answer]]:
        rows: list[list[Answer]] = []
        for answer in answers:
            held = rows[-1] if rows else []
            if pairs and len(held) == 1 and self._short(answer) and self._short(held[0]):
                held.append(answer)
            else:
                rows.append([answer])
        return rows

    def _short(self, answer: Answer) -> bool:
        room = self.room / 2 - self.indent - 2
        return not answer.other and width(clean(answer.label), PLAIN, self.edition.size) <= room

    def _lines(self, answer: Answer, share: int) -> list[str]:
        room = self.room / share - self.indent - 1
        return fill(clean(answer.label), PLAIN, self.edition.size, room)

    def _row_height(self, row: Sequence[Answer]) -> float:
        lines = max(len(self._lines(answer, len(row))) for answer in row)
        return max(self.edition.option, lines * self.edition.lead + 1.5)

    def _put(self, sheet: Sheet, answer: Answer, x: float, share: int, height: float) -> None:
        e, lines = self.edition, self._lines(answer, share)
        middle = sheet.y + height / 2
        sheet.place(x + e.radius + 1, middle, answer, self.field, several=self.several)
        y = middle - len(lines) * e.lead / 2
        for line in lines:
            sheet.text(x + self.indent, y + 0.76 * e.lead, line)
            y += e.lead
        if answer.other:
            start = x + self.indent + width(lines[-1], PLAIN, e.size) + 1.5
            right = x + self.room / share - 2
            sheet.lines(f"{self.field}.other", start, y - 0.9 - e.option, right, 1, e.option)


class Inline:
    """A label and its choices after it on the same line or lines; for the respondent's facts."""

    COLUMN = 29.0

    def __init__(
        self, field: str, label: str, answers: Sequence[Answer], edition: Edition, *,
        hint: str = "",
    ) -> None:  # fmt: skip
        self.field, self.label, self.edition, self.hint = field, clean(label), edition, hint
        self.several = False
        self.answers = answers
        self.own = width(self.label, STRONG, edition.size) + 4
        self.column = max(self.COLUMN * edition.scale, self.own)

    def _need(self, answer: Answer) -> float:
        e = self.edition
        return 2 * e.radius + 4.2 + width(clean(answer.label), PLAIN, e.size) + (
            24 * e.scale if answer.other else 0
        )  # fmt: skip

    def short(self) -> float:
        """The width when the label takes no more room than it needs, all on one line."""
        hint = width(self.hint, PLAIN, 8 * self.edition.scale) if self.hint else 0
        return self.own + sum(map(self._need, self.answers)) + hint

    def rows(self) -> list[list[Answer]]:
        """The choices line by line."""
        hint = width(self.hint, PLAIN, 8 * self.edition.scale) + 2 if self.hint else 0
        room, x, found = ROOM - self.column - hint, 0.0, [list[Answer]()]
        for answer in self.answers:
            need = self._need(answer)
            if found[-1] and x + need > room + 2:
                found.append([])
                x = 0.0
            found[-1].append(answer)
            x += need
        return found

    @property
    def height(self) -> float:
        """Of all its lines."""
        return len(self.rows()) * self.edition.row

    def put(self, sheet: Sheet, left: float = LEFT, *, tight: bool = False) -> None:
        """Put label and choices with a hairline below; ``tight``: beside another one."""
        e, y = self.edition, sheet.y
        sheet.text(left + 1, y + e.row / 2 + 1.2 * e.scale, self.label, STRONG)
        start = left + (self.own if tight else self.column)
        right = RIGHT
        for row in [list(self.answers)] if tight else self.rows():
            self._put_row(sheet, row, start, y)
            y += e.row
        if self.hint:
            base = sheet.y + e.row / 2 + 1.2 * e.scale
            sheet.text(right, base, self.hint, PLAIN, 8 * e.scale, "right", 0.25)
        sheet.ink(Line(LEFT, y, RIGHT, y, 0.3, 0.75))
        sheet.y = y

    def _put_row(self, sheet: Sheet, row: Sequence[Answer], x: float, y: float) -> None:
        e = self.edition
        hint = width(self.hint, PLAIN, 8 * e.scale) + 2 if self.hint else 0
        for answer in row:
            words = clean(answer.label)
            middle = y + e.row / 2
            sheet.place(x + e.radius, middle, answer, self.field, several=False)
            sheet.text(x + 2 * e.radius + 1.2, middle + 1.2 * e.scale, words)
            if answer.other:
                start = x + 2 * e.radius + 2.4 + width(words, PLAIN, e.size)
                right = min(RIGHT - hint - 1, start + 46 * e.scale)
                top = middle + 1.6 * e.scale - e.row + 1
                sheet.lines(f"{self.field}.other", start, top, right, 1, e.row - 1)
            x += self._need(answer)


def paired(sheet: Sheet, first: Inline, second: Inline) -> bool:
    """Put two short ones on one line if they fit; whether they did."""
    middle = LEFT + 84 * min(sheet.edition.scale, 1.1)
    if first.column + first.short() - first.own > middle - LEFT:
        return False
    if second.short() > RIGHT - middle or first.hint:
        return False
    y = sheet.y
    first.put(sheet)
    sheet.y = y
    second.put(sheet, middle, tight=True)
    return True


def number_box(sheet: Sheet, field: str, low: int | None, high: int | None) -> None:
    """Put boxes to write a number into, one a digit, with its limits beside them."""
    e = sheet.edition
    digits = max(len(str(limit)) for limit in (low or 0, high if high is not None else 999))
    side = 7.0 * e.scale
    for at in range(digits):
        sheet.ink(Box(LEFT + 2 + at * (side + 0.8), sheet.y + 0.6, side, side, 1, 0.3, 0.6))
    right = LEFT + 2 + digits * (side + 0.8)
    if low is not None and high is not None:
        words = t("print.limits", low=low, high=high)
        sheet.text(right + 2, sheet.y + 0.65 * side + 0.6, words, PLAIN, e.small, gray=parts.SOFT)
    sheet.page.texts.append(
        {
            "page": sheet.page.number,
            "field": field,
            "x": round(LEFT + 2, 3),
            "y": round(sheet.y + 0.6, 3),
            "w": round(right - LEFT - 2.8, 3),
            "h": round(side, 3),
        }
    )
    sheet.y += side + 1.6
