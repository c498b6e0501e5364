"""A picture of a page and the geometry of its form in, its answers with their doubts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from survey.scanning import codes, handwriting, judging, marks, registration, streaks
from survey.scanning.judging import Doubt, Judged
from survey.scanning.marks import Answer
from survey.scanning.registration import Gray, Sheet, Unreadable

#: White around an answer that must be inside the picture (mm).
_AROUND = 1.5
#: What a person is shown above and below a doubtful field (mm).
_ABOVE = 3.6
#: Pixels a millimetre of what people look at.
SHOWN, KEPT = 6.0, 5.0
_QUALITY = {"crop": 82, "page": 55}

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Page:
    """A page in a picture: where it lies, which one it is, and what its codes say."""

    sheet: Sheet
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """What a page's layout says of one page (see ``of``)."""

    answers: tuple[Answer, ...]
    texts: tuple[tuple[str, Box], ...]
    radius: float


def find(picture: Gray) -> Page:
    """Find the page of a picture (grey or BGR) and read its codes.

    Raises Unreadable: see ``registration.register``; and ``blank`` for an empty sheet.
    """
    gray = registration.darkest(picture)
    if float(gray.std()) < 4:
        raise Unreadable("blank")
    sheet = registration.register(streaks.swept(gray))
    return Page(sheet, tuple(codes.read(sheet)))


def of(layout: Mapping[str, Any], page: int) -> Form:
    """One page of a print run's layout; pages count from 1."""
    answers = tuple(
        Answer(at["field"], int(at["code"]), at["x"], at["y"], at["shape"])
        for at in layout["answers"]
        if at["page"] == page
    )
    texts = tuple(
        (at["field"], (at["x"], at["y"], at["w"], at["h"]))
        for at in layout.get("texts", ())
        if at["page"] == page
    )
    return Form(answers, texts, float(layout["radius"]))


def read(page: Page, form: Form) -> Judged:
    """Read every answer of a page.

    Raises Unreadable ``cut`` (answers lie outside of the picture) or ``geometry`` (this is not
    the form that the layout describes).
    """
    if not form.answers and not form.texts:
        return Judged()
    corners = [(x, y) for _, (x0, y0, w, h) in form.texts for x, y in ((x0, y0), (x0 + w, y0 + h))]
    centres = [(answer.x, answer.y) for answer in form.answers]
    if centres and not registration.inside(page.sheet, np.array(centres), form.radius + _AROUND):
        raise Unreadable("cut")
    if corners and not registration.inside(page.sheet, np.array(corners), 0):
        raise Unreadable("cut")
    even = marks.even(marks.straight(page.sheet))
    judged = Judged()
    if form.answers:
        judged = judging.judge(form.answers, marks.measure(even, form.answers, form.radius))
    doubts = {
        name: replace(doubt, box=_box([a for a in form.answers if a.field == name], form.radius))
        for name, doubt in judged.doubts.items()
    }
    fields = dict(judged.fields)
    for name, box in form.texts:
        if handwriting.written(even, box):
            doubts[name] = Doubt("text", (), _grown(box))
        else:
            fields[name] = ""
    return Judged(fields, judged.confidence, doubts)


def crop(page: Page, doubt: Doubt) -> bytes:
    """The piece of the page with a doubtful field, a bar at the left of its rows (JPEG)."""
    made = page.sheet.flat(*doubt.box, SHOWN)
    if doubt.kind != "text":
        top, end = round(_ABOVE * SHOWN), len(made) - round(_ABOVE * SHOWN)
        made[top:end, round(0.8 * SHOWN) : round(2 * SHOWN)] = 0
    return _packed(made, "crop")


def kept(page: Page) -> bytes:
    """The straightened page, as it is kept (JPEG)."""
    whole = page.sheet.flat(0, 0, registration.WIDTH, registration.HEIGHT, KEPT)
    return _packed(whole, "page")


def shrunk(picture: Gray) -> bytes:
    """A picture that is no page of ours, small enough to keep and large enough to recognise."""
    gray = registration.darkest(picture)
    scale = min(1.0, 1400 / max(gray.shape))
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _packed(small, "page")


def _packed(gray: Gray, kind: str) -> bytes:
    _, packed = cv2.imencode(".jpg", gray, _setting(_QUALITY[kind]))
    return bytes(packed)


@lru_cache(maxsize=4)
def _setting(quality: int) -> Sequence[int]:
    return (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1)


def _box(answers: Sequence[Answer], radius: float) -> Box:
    """The whole width of the page at the height of a field: its words and every answer."""
    top = min(answer.y for answer in answers) - radius - _ABOVE
    bottom = max(answer.y for answer in answers) + radius + _ABOVE
    return (5.0, max(0.0, top), registration.WIDTH - 10, bottom - max(0.0, top))


def _grown(box: Box) -> Box:
    """The whole width of the page at the height of a line, with what is printed above it."""
    _, y, _, height = box
    top = max(0.0, y - 5)
    return (5.0, top, registration.WIDTH - 10, min(registration.HEIGHT, y + height + 3) - top)
