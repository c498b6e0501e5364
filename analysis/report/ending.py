"""The end of the body: method box, closing sentence, signature."""

from __future__ import annotations

from typing import Any

from reportlab.platypus import Flowable

from analysis.report import model
from analysis.report.decree import Drawing, SignOff, paragraph, sentence
from analysis.report.ink import BAND, BOX_KEY, BOX_TEXT, COLUMN, HAIR, INK, MM, TEXT


class Method(Drawing):
    """The method box: what was done, row by row, in a frame; parted between rows only."""

    KEY = 34 * MM

    def __init__(self, rows: list[tuple[Any, Any, float]]) -> None:
        self.rows = rows
        super().__init__(sum(tall for *_, tall in rows))
        self.spaceBefore, self.spaceAfter = 6, 4

    @classmethod
    def of(cls, box: model.MethodBox) -> Method:
        """Set the texts of a box."""
        rows = []
        for key, value in box.rows:
            left, right = sentence(key, BOX_KEY), paragraph(value, BOX_TEXT)
            tall = max(
                left.wrap(cls.KEY - 12, COLUMN)[1], right.wrap(TEXT - cls.KEY - 12, COLUMN)[1]
            )
            rows.append((left, right, float(tall) + 6))
        return cls(rows)

    @property
    def least(self) -> float:
        """Height of the first two rows: the smallest part at the end of a page."""
        return sum(tall for *_, tall in self.rows[:2])

    def split(self, _width: float, room: float) -> list[Method]:
        """Rows that fit, then the rest; at least two on either side."""
        count, used = 0, 0.0
        while count < len(self.rows) and used + self.rows[count][2] <= room:
            used += self.rows[count][2]
            count += 1
        count = min(count, len(self.rows) - 2)
        if count < 2:
            return []
        return [Method(self.rows[:count]), Method(self.rows[count:])]

    def draw(self) -> None:
        """Keys on a tint, hairlines between rows, one frame around."""
        canvas, y = self.canv, self.height
        canvas.setFillColor(BAND)
        canvas.rect(0, 0, self.KEY, self.height, stroke=0, fill=1)
        for i, (left, right, tall) in enumerate(self.rows):
            if i:
                self.rule(0, TEXT, y, 0.25, HAIR)
            left.drawOn(canvas, 6, y - 2.5 - left.height)
            right.drawOn(canvas, self.KEY + 6, y - 2.5 - right.height)
            y -= tall
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.8)
        canvas.rect(0, 0, TEXT, self.height, stroke=1, fill=0)


class Ending(Drawing):
    """The box, the closing sentence and the signature; a signature never stands alone.

    What does not fit takes at least two rows of the box to the next page with it.
    """

    GAP = 10.0  # between box and sentence

    def __init__(self, box: Method, closing: Any, sign: SignOff) -> None:
        self.box, self.closing, self.sign = box, closing, sign
        self.said = float(closing.wrap(TEXT, COLUMN)[1])
        super().__init__(box.height + self.GAP + self.said + sign.height)
        self.spaceBefore = 6

    @property
    def least(self) -> float:
        """Height of the smallest part that may stand at the end of a page."""
        return self.box.least

    def split(self, width: float, room: float) -> list[Flowable]:
        """Rows of the box that fit, then the rest with the signature."""
        parts = self.box.split(width, room)
        return [parts[0], Ending(parts[1], self.closing, self.sign)] if parts else []

    def draw(self) -> None:
        """Stack the three."""
        self.box.drawOn(self.canv, 0, self.height - self.box.height)
        self.closing.drawOn(self.canv, 0, self.sign.height)
        self.sign.drawOn(self.canv, 0, 0)
