"""Made-up filled forms: hands that cross, tick, fill and change their mind, and bad scanners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Answers = Sequence[Mapping[str, Any]]

#: Ways to mark an answer; all are answers.
MARKS = ("cross", "cross", "cross", "tick", "tick", "fill", "scribble", "slash", "star")
#: Inks as (blue, green, red), darkest first of what a pen of that kind writes.
INKS = {
    "black": ((20, 20, 20), (80, 80, 85)),
    "blue": ((120, 40, 20), (185, 95, 60)),
    "pencil": ((85, 85, 85), (135, 135, 135)),
    "red": ((30, 25, 150), (80, 70, 205)),
    "pale": ((150, 150, 150), (190, 186, 182)),
}


@dataclass
class Truth:
    """What a hand did on one page: ``chosen`` by field; fields that nobody may accept, or whose
    mark was pale or corrected."""

    chosen: dict[str, set[int]] = field(default_factory=dict)
    doubles: set[str] = field(default_factory=set)
    crossed: set[str] = field(default_factory=set)
    pale: set[str] = field(default_factory=set)


def fill(
    clean: Picture,
    answers: Answers,
    dpi: float,
    radius: float,
    rnd: Random,
    *,
    odd: float = 0.0,
    wanted: Mapping[str, object] | None = None,
) -> tuple[Picture, Truth]:
    """Fill a page by one hand with one pen; ``odd`` is the share of answers with something odd.

    ``wanted`` says which codes to mark, with crosses (field -> code, or list of codes); else
    anything is marked, four times of five in the way of this hand.
    """
    page, truth = clean.copy(), Truth()
    pen = rnd.choice(("black", "black", "blue", "blue", "blue", "pencil", "red"))
    by: dict[str, list[Mapping[str, Any]]] = {}
    for answer in answers:
        by.setdefault(answer["field"], []).append(answer)
    habit, steady = (rnd.choice(MARKS), 0.8) if wanted is None else ("cross", 1.0)
    hand = _Hand(page, dpi, radius, rnd, pen, habit, steady)
    for name, places in by.items():
        several = places[0]["shape"] == "square"
        if rnd.random() < odd and not several:
            _odd(hand, name, places, truth)
            continue
        if wanted is None:
            n = rnd.randint(0, 3) if several else int(rnd.random() < 0.96)
            chosen = rnd.sample(places, min(n, len(places)))
        else:
            said = wanted.get(name)
            chosen = [
                at for at in places if at["code"] in (said if isinstance(said, list) else [said])
            ]
        for place in chosen:
            hand.mark(place)
            truth.chosen.setdefault(name, set()).add(place["code"])
        truth.chosen.setdefault(name, set())
    return page, truth


def _odd(hand: _Hand, name: str, places: Answers, truth: Truth) -> None:
    """Two marks, a mark crossed out (with another or without), or one of a failing pen."""
    one, other = hand.rnd.sample(list(places), 2)
    kind = hand.rnd.choice(("double", "double", "corrected", "withdrawn", "pale"))
    truth.chosen[name] = {one["code"]}
    if kind == "double":
        hand.mark(one)
        hand.mark(other)
        truth.doubles.add(name)
    elif kind == "corrected":
        hand.mark(other)
        hand.blacken(other)
        hand.mark(one)
        truth.crossed.add(name)
    elif kind == "withdrawn":
        hand.mark(one)
        hand.blacken(one)
        truth.chosen[name] = set()
        truth.crossed.add(name)
    else:
        hand.mark(one, ink="pale")
        truth.pale.add(name)


@dataclass
class _Hand:
    """One hand with one pen on one page, and the mark it makes most often."""

    page: Picture
    dpi: float
    radius: float
    rnd: Random
    pen: str
    habit: str
    steady: float = 1.0

    def mark(self, place: Mapping[str, Any], ink: str = "") -> None:
        """Mark an answer as this hand does: off centre, of uneven size and darkness."""
        rnd, k = self.rnd, self.dpi / 25.4
        x, y = place["x"] + rnd.gauss(0, 0.35), place["y"] + rnd.gauss(0, 0.35)
        size = rnd.uniform(0.6, 0.95) * self.radius
        wide = rnd.uniform(0.3, 0.7)
        colour = self._colour(ink or self.pen)

        def at(dx: float, dy: float) -> tuple[float, float]:
            return x + dx * size, y + dy * size

        kind = self.habit if rnd.random() < self.steady else rnd.choice(MARKS)
        if kind == "fill":
            centre = (round(x * k), round(y * k))
            cv2.circle(self.page, centre, round(size * 0.85 * k), colour, -1, cv2.LINE_AA)
            return
        strokes = {
            "cross": [[at(-1, -1), at(1, 1)], [at(-1, 1), at(1, -1)]],
            "tick": [[at(-0.9, 0), at(-0.2, 0.9), at(1.3, -1.3)]],
            "slash": [[at(-0.9, 1), at(0.9, -1)]],
            "scribble": [[at(-1 + 0.25 * n, (-1) ** n * 0.9) for n in range(9)]],
            "star": [[at(-1, -1), at(1, 1)], [at(-1, 1), at(1, -1)], [at(-1, 0), at(1, 0)]],
        }
        for stroke in strokes[kind]:
            self._stroke(stroke, colour, wide)

    def blacken(self, place: Mapping[str, Any]) -> None:
        """Blacken an answer over its rim, as the form asks to take it back, or scribble."""
        rnd, r = self.rnd, self.radius
        x, y = place["x"] + rnd.gauss(0, 0.2), place["y"] + rnd.gauss(0, 0.2)
        colour = self._colour(self.pen)
        if rnd.random() < 0.6:
            k = self.dpi / 25.4
            centre = (round(x * k), round(y * k))
            cv2.circle(self.page, centre, round(r * 1.2 * k), colour, -1, cv2.LINE_AA)
            return
        lines = [(x + (-1) ** n * 1.35 * r, y - r + n * r / 7) for n in range(15)]
        self._stroke(lines, colour, 0.6)

    def _colour(self, ink: str) -> tuple[int, ...]:
        low, high = INKS[ink]
        share = self.rnd.random()
        return tuple(round(a + (b - a) * share) for a, b in zip(low, high, strict=True))

    def _stroke(
        self, points: Sequence[tuple[float, float]], colour: tuple[int, ...], wide: float
    ) -> None:
        k, rnd = self.dpi / 25.4, self.rnd
        bent = [(x + rnd.gauss(0, 0.06), y + rnd.gauss(0, 0.06)) for x, y in points]
        for (x0, y0), (x1, y1) in pairwise(bent):
            line = max(1, round(wide * k))
            start, end = (round(x0 * k), round(y0 * k)), (round(x1 * k), round(y1 * k))
            cv2.line(self.page, start, end, colour, line, cv2.LINE_AA)


@dataclass(frozen=True)
class Damage:
    """How badly a page is scanned: angle in degrees, shifts in shares of the page, blur in mm."""

    angle: float = 2.0
    perspective: float = 0.003
    bend: float = 0.0
    blur: float = 0.09
    noise: float = 7.0
    jpeg: tuple[int, int] = (60, 92)
    dim: float = 0.86
    shadow: float = 0.06
    turned: float = 0.1
    streaks: int = 0
    shrink: tuple[float, float] = (0.955, 0.985)


NORMAL = Damage()
HEAVY = Damage(
    angle=7.0, perspective=0.02, bend=0.9, blur=0.16, noise=11.0, jpeg=(32, 60), dim=0.72,
    shadow=0.25, turned=0.3, streaks=1, shrink=(0.84, 0.88),
)  # fmt: skip


def scan(page: Picture, dpi: float, rnd: Random, how: Damage = NORMAL) -> Picture:
    """Scan a page: turned, pulled, bent, blurred, noisy, dim, in shadow and squeezed as JPEG."""
    rows, columns = page.shape[:2]
    made = _bent(page, dpi, rnd, how.bend) if how.bend else page
    pulled = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    for n in range(4):
        for axis, size in enumerate((columns, rows)):
            pulled[n, axis] += rnd.uniform(-1, 1) * how.perspective * size
    flat = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    way = cv2.getPerspectiveTransform(flat, pulled)
    angle = rnd.uniform(-how.angle, how.angle)
    spin = cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, rnd.uniform(*how.shrink))
    whole = np.vstack([spin, (0, 0, 1)]) @ way
    made = cv2.warpPerspective(
        made, whole, (columns, rows), flags=cv2.INTER_AREA, borderValue=(225, 226, 228)
    )
    made = cv2.GaussianBlur(made, (0, 0), max(0.3, rnd.uniform(0.4, 1) * how.blur * dpi / 25.4))
    light = made.astype(np.float32) * rnd.uniform(how.dim, 1)
    light *= _shade(rows, columns, rnd, how.shadow)
    light += np.random.default_rng(rnd.getrandbits(32)).normal(0, how.noise, light.shape)
    for _ in range(how.streaks):
        at = rnd.randrange(columns // 20, columns - columns // 20)
        light[:, at : at + max(1, round(0.15 * dpi / 25.4))] *= 0.55
    made = np.clip(light, 0, 255).astype(np.uint8)
    if rnd.random() < how.turned:
        made = cv2.rotate(made, cv2.ROTATE_180)
    quality = rnd.randint(*how.jpeg)
    _, packed = cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, quality])
    seen = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert seen is not None
    return np.asarray(seen, np.uint8)


def _bent(page: Picture, dpi: float, rnd: Random, most: float) -> Picture:
    """Bend the paper: up to ``most`` millimetres away from a flat sheet, in one smooth wave."""
    rows, columns = page.shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    reach = rnd.uniform(0.4, 1) * most * dpi / 25.4
    wave = np.sin(np.pi * y / rows) * reach
    across = np.sin(np.pi * x / columns) * reach * rnd.uniform(-0.5, 0.5)
    made: Picture = cv2.remap(
        page, x + wave.astype(np.float32), y + across.astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return made


def _shade(rows: int, columns: int, rnd: Random, most: float) -> NDArray[np.float32]:
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    x = np.linspace(0, 1, columns, dtype=np.float32)[None, :, None]
    along, across = rnd.uniform(-1, 1), rnd.uniform(-1, 1)
    slope = along * (y - 0.5) + across * (x - 0.5)
    return np.asarray(1 - most * np.clip(slope + 0.5, 0, 1), np.float32)
