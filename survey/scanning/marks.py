"""How much ink is in every answer circle of a page, measured where the circle really lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from survey.scanning.registration import HEIGHT, WIDTH, Floats, Gray, Sheet, Unreadable

#: Pixels a millimetre of the straightened page.
DENSITY = 8
#: A circle is looked for so far around its place (mm); paper is never quite flat.
_REACH = 1.0
#: The printed digit fills this much around the middle (shares of the radius, half width, height).
_DIGIT = (0.33, 0.44)
#: A printed rim agrees with the drawing of one this well, and so many of a page must.
_RIM, _RIMS = 0.35, 0.6
#: Paler than this share of the paper is paper.
_PALE = 0.88
#: The darkest of a page's circles that are surely blank, by which its digits are known.
_SURE = 0.02


class Answer(NamedTuple):
    """One circle or square of the form, as its geometry says (millimetres)."""

    field: str
    code: int
    x: float
    y: float
    shape: str


@dataclass(frozen=True, slots=True)
class Ink:
    """Ink of a page's answers, each (n,) and 0..1.

    ``inner`` within the rim, the digit left out; ``core`` over the digit, more than the digit
    itself; ``dark`` the share within the rim that is covered well; ``over`` just outside of the
    rim, on the side with less of it, ``beside`` on the one with more.  ``x``, ``y`` where they
    lie (mm); ``rims`` how well a rim was seen.
    """

    inner: Floats
    core: Floats
    dark: Floats
    over: Floats
    beside: Floats
    x: Floats
    y: Floats
    rims: Floats


def straight(sheet: Sheet) -> Gray:
    """The whole page straightened."""
    return sheet.flat(0, 0, WIDTH, HEIGHT, DENSITY)


def even(flat: Gray) -> NDArray[np.float32]:
    """The page as shares of its paper's own brightness, shadows and grey paper taken out."""
    rows, columns = flat.shape
    block = 2 * DENSITY
    small = cv2.resize(flat, (columns // 4, rows // 4), interpolation=cv2.INTER_AREA)
    paper = cv2.dilate(small, np.ones((block // 2, block // 2), np.uint8))
    paper = cv2.blur(paper, (block, block))
    paper = cv2.resize(paper, (columns, rows), interpolation=cv2.INTER_LINEAR)
    made: NDArray[np.float32] = flat.astype(np.float32) / np.maximum(paper, 40)
    return made


def measure(page: NDArray[np.float32], answers: Sequence[Answer], radius: float) -> Ink:
    """Measure the ink of every answer on an evened page.

    Raises Unreadable ``geometry`` when the rims are not where this form has them.
    """
    places = np.array([(answer.x, answer.y) for answer in answers])
    square = np.array([answer.shape == "square" for answer in answers])
    rims, moved = _settle(page, places, square, radius)
    seen = float((rims > _RIM).mean())
    if seen < _RIMS:
        raise Unreadable("geometry", seen=round(100 * seen))
    # The grain of a scanner is finer than any stroke of a pen: 0,4 mm take most of it out.
    pieces = _pieces(cv2.blur(page, (3, 3)), moved, _half(radius))
    found = np.zeros((5, len(answers)))
    for kind in (False, True):
        chosen = square == kind
        if chosen.any():
            found[:, chosen] = _ink(pieces[chosen], _masks(radius, kind))
    inner, core, dark, over, beside = found
    blank = inner <= max(_SURE, float(np.quantile(inner, 0.25)))
    core = np.maximum(core - np.quantile(core[blank], 0.9), 0)
    return Ink(inner, core, dark, over, beside, moved[:, 0], moved[:, 1], rims)


class _Masks(NamedTuple):
    inner: NDArray[np.bool_]
    core: NDArray[np.bool_]
    full: NDArray[np.bool_]
    left: NDArray[np.bool_]
    right: NDArray[np.bool_]


def _half(radius: float) -> int:
    return round((radius + 1.3) * DENSITY)


@lru_cache(maxsize=8)
def _masks(radius: float, square: bool) -> _Masks:
    half = _half(radius)
    y, x = np.mgrid[-half : half + 1, -half : half + 1] / DENSITY
    edge = radius * 0.92 if square else radius
    away = np.maximum(abs(x), abs(y)) if square else np.hypot(x, y)
    core = (abs(x) <= _DIGIT[0] * radius) & (abs(y) <= _DIGIT[1] * radius)
    full = away <= edge - 0.42
    sides = (away >= edge + 0.38) & (away <= edge + 1.15) & (abs(y) <= 1.8)
    return _Masks(full & ~core, core, full, sides & (x < 0), sides & (x > 0))


def _ink(pieces: NDArray[np.float32], masks: _Masks) -> Floats:
    """The five measures of every piece, (5, n)."""
    soft = np.clip((_PALE - pieces) / 0.36, 0, 1)
    deep = np.clip((0.56 - pieces) / 0.26, 0, 1)
    left, right = soft[:, masks.left].mean(axis=1), soft[:, masks.right].mean(axis=1)
    return np.stack(
        [
            soft[:, masks.inner].mean(axis=1),
            deep[:, masks.core].mean(axis=1),
            (pieces[:, masks.full] < 0.62).mean(axis=1),
            np.minimum(left, right),
            np.maximum(left, right),
        ]
    ).astype(float)


def _pieces(page: NDArray[np.float32], places: Floats, half: int) -> NDArray[np.float32]:
    """Squares of the page around places (mm): (n, 2 half + 1, 2 half + 1)."""
    wide = cv2.copyMakeBorder(page, half, half, half, half, cv2.BORDER_CONSTANT, value=1.0)
    at = np.rint(places * DENSITY).astype(int)
    steps = np.arange(2 * half + 1)
    rows, columns = at[:, 1, None] + steps, at[:, 0, None] + steps
    made: NDArray[np.float32] = wide[rows[:, :, None], columns[:, None, :]]
    return made


def _settle(
    page: NDArray[np.float32], places: Floats, square: NDArray[np.bool_], radius: float
) -> tuple[Floats, Floats]:
    """How well each rim is seen, and where it lies once the page's own bend is taken out.

    Each circle is looked for near its place; a smooth bend (a polynomial of second degree) is
    laid through all that were found, so that a thick cross cannot pull its own circle away.
    """
    reach = round(_REACH * DENSITY)
    pieces = _pieces(page, places, round((radius + 0.35) * DENSITY) + reach)
    scores, shifts = np.zeros(len(places)), np.zeros((len(places), 2))
    for n, piece in enumerate(pieces):
        fit = cv2.matchTemplate(piece, _rim(radius, bool(square[n])), cv2.TM_CCOEFF_NORMED)
        _, scores[n], _, (x, y) = cv2.minMaxLoc(fit)
        shifts[n] = (x - reach) / DENSITY, (y - reach) / DENSITY
    bend = _bend(places, shifts, scores)
    off = np.abs(shifts - bend).max(axis=1)
    return np.where(off <= 0.5, scores, 0.0), places + bend


def _bend(places: Floats, shifts: Floats, scores: Floats) -> Floats:
    x, y = places[:, 0] / WIDTH - 0.5, places[:, 1] / HEIGHT - 0.5
    terms = np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    good = scores > _RIM
    if good.sum() < 12:
        return np.zeros_like(shifts)
    made: Floats = np.zeros_like(shifts)
    for _ in range(3):
        weights = np.sqrt(scores[good])[:, None]
        fit, *_ = np.linalg.lstsq(terms[good] * weights, shifts[good] * weights, rcond=1e-6)
        made = terms @ fit
        off = np.abs(shifts - made).max(axis=1)
        closer = (scores > _RIM) & (off <= max(0.25, float(np.median(off[good])) * 2.5))
        if closer.sum() < 12:
            break
        good = closer
    return np.clip(made, -_REACH, _REACH)


@lru_cache(maxsize=8)
def _rim(radius: float, square: bool) -> NDArray[np.float32]:
    """A drawing of the printed rim, as it looks on a scan."""
    half = round((radius + 0.35) * DENSITY)
    y, x = np.mgrid[-half : half + 1, -half : half + 1] / DENSITY
    edge = radius * 0.92 if square else radius
    away = np.maximum(abs(x), abs(y)) if square else np.hypot(x, y)
    line = np.exp(-(((away - edge) / 0.2) ** 2))
    made: NDArray[np.float32] = (1 - line).astype(np.float32)
    return made
