"""Colours, measures and paragraph styles of official paper (Nghị định 30/2020/NĐ-CP, annex I)."""

from __future__ import annotations

from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm

from analysis.report.faces import BOLD, ITALIC, REGULAR

MM = float(mm)
WIDTH, HEIGHT = float(A4[0]), float(A4[1])
TOP, BOTTOM, LEFT, RIGHT = 20 * MM, 20 * MM, 30 * MM, 15 * MM
TEXT = WIDTH - LEFT - RIGHT  # 165 mm
COLUMN = HEIGHT - TOP - BOTTOM  # 257 mm
#: A page on its side is bound at its top: the column of an upright one, turned.
WIDE_TOP, WIDE_SIDE, WIDE_BOTTOM = LEFT, TOP, RIGHT
RIGHT_BLOCK = 96 * MM  # Quốc hiệu in 13 pt bold is 95,7 mm
LEFT_BLOCK = TEXT - RIGHT_BLOCK  # 69 mm
LEFT_AXIS = LEFT_BLOCK / 2  # from the left margin
RIGHT_AXIS = TEXT - RIGHT_BLOCK / 2
SIGN_AXIS = TEXT - 79 * MM / 2
RULE = 0.7

INK = HexColor("#000000")
SOFT = HexColor("#495953")  # notes in figures
HAIR = HexColor("#b4bfba")  # hairlines
GRID = HexColor("#d5dcd8")  # grid lines of figures
BAND = HexColor("#eef3f0")  # head rows, tie bands
LEAF = HexColor("#0c5148")  # the one accent
RED = HexColor("#b01e28")  # the unit spoken of: another hue and another shape
WHITE = HexColor("#ffffff")
FIVE = tuple(HexColor(c) for c in ("#6e260e", "#d0813f", "#f0ead9", "#8fc4bb", "#1a6f69"))
FIVE_INK = tuple(HexColor(c) for c in ("#ffffff", "#000000", "#000000", "#000000", "#ffffff"))


def _style(name: str, face: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(
        name,
        fontName=face,
        fontSize=size,
        leading=leading,
        bulletFontName=REGULAR,
        textColor=INK,
        splitLongWords=0,
        allowWidows=0,
        allowOrphans=0,
        **more,
    )


_FIRST = {"firstLineIndent": 10 * MM}
BODY = _style("body", REGULAR, 14, 17.5, alignment=TA_JUSTIFY, spaceBefore=6, **_FIRST)
WARNING = _style("warning", ITALIC, 14, 17.5, alignment=TA_JUSTIFY, spaceBefore=6, **_FIRST)
HEAD_1 = _style("head1", BOLD, 14, 17.5, alignment=TA_LEFT, spaceBefore=10, **_FIRST)
HEAD_2 = _style("head2", BOLD, 14, 17.5, alignment=TA_LEFT, spaceBefore=8, **_FIRST)
TITLE = _style("title", BOLD, 14, 17.5, alignment=TA_CENTER)
ANNEX = _style("annex", BOLD, 14, 17.5, alignment=TA_CENTER)
BELONGS = _style("belongs", ITALIC, 13, 16, alignment=TA_CENTER)
CAPTION = _style("caption", BOLD, 13, 15.5, alignment=TA_CENTER)
UNIT = _style("unit", ITALIC, 11, 13, alignment=2)
NOTE = _style("note", REGULAR, 11, 13, alignment=TA_JUSTIFY)
NOTE_APART = _style("note", REGULAR, 11, 13, alignment=TA_JUSTIFY, spaceBefore=3, spaceAfter=4)
VOICE = _style(
    "voice",
    REGULAR,
    12,
    15,
    alignment=TA_LEFT,
    spaceBefore=4,
    leftIndent=10 * MM,
    firstLineIndent=-4 * MM,
)
BOX_KEY = _style("key", BOLD, 11.5, 13.8, alignment=TA_LEFT)
BOX_TEXT = _style("box", REGULAR, 11.5, 13.8, alignment=TA_JUSTIFY)
TO = _style("to", REGULAR, 14, 17.5, alignment=TA_CENTER, spaceBefore=6, spaceAfter=4)
