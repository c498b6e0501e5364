"""From ink to answers: what is certain is taken, and whatever is not goes before a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from survey.scanning.marks import Answer, Ink

#: Ink of an answer (0..1): below the first nobody wrote there, from the second on somebody did.
#: Seen: blank up to 0,002 on normal scans and 0,014 on heavy ones, a pen that writes from 0,09,
#: one that hardly does from 0,038.  A page with little grain is looked at more closely.
CLEAR, MARK = 0.012, 0.04
CLOSE, GRAIN = 0.006, 4.0
#: An answer so full, with so much beyond its rim, was blackened: a choice taken back.
FULL, BEYOND = 0.8, 0.25
#: Or scribbled out: half covered, and beyond its rim on both sides.
HALF, BOTH = 0.45, 0.1
#: Or filled to the rim by a hand whose other marks on the page are crosses and ticks.
WHOLE, USUAL = 0.95, 0.75
#: Ink outside of a rim that no tail of a tick leaves: somebody drew a ring, or marked beside it.
BESIDE = 0.22
#: Stored for a single answer left blank, as at the desk.
BLANK = 9
#: The inner ink counts by its area, the digit's place by its own.
_CORE = 0.25

Kind = Literal["double", "faint", "crossed", "beside", "text", "conflict"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A field that a person must look at.

    ``codes`` are the answers with ink, the best guess first; ``box`` is the piece of the page to
    show (x, y, width, height in mm).
    """

    kind: Kind
    codes: tuple[int, ...] = ()
    box: tuple[float, float, float, float] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Judged:
    """Fields read with certainty, each one's confidence (0..1), and the doubtful ones."""

    fields: Mapping[str, object] = field(default_factory=dict)
    confidence: Mapping[str, float] = field(default_factory=dict)
    doubts: Mapping[str, Doubt] = field(default_factory=dict)


def judge(answers: Sequence[Answer], ink: Ink) -> Judged:
    """Judge every field of a page; a field's answers may stand anywhere in the list."""
    looks = _looks(ink)
    by: dict[str, list[int]] = {}
    for n, answer in enumerate(answers):
        by.setdefault(answer.field, []).append(n)
    fields: dict[str, object] = {}
    confidence: dict[str, float] = {}
    doubts: dict[str, Doubt] = {}
    for name, places in by.items():
        several = answers[places[0]].shape == "square"
        seen = [looks[n] for n in places]
        if kind := _doubt(seen, several):
            order = sorted(zip(places, seen, strict=True), key=lambda at: -at[1].likely)
            codes = tuple(answers[n].code for n, look in order if not look.clear)
            doubts[name] = Doubt(kind, codes)
            continue
        marked = [answers[n].code for n in places if looks[n].marked]
        fields[name] = sorted(marked) if several else marked[0] if marked else BLANK
        confidence[name] = round(min(look.certain for look in seen), 3)
    return Judged(fields, confidence, doubts)


@dataclass(frozen=True, slots=True)
class _Look:
    """One answer as it looks."""

    score: float
    blackened: bool
    beside: bool
    limit: float

    @property
    def marked(self) -> bool:
        return self.score >= MARK

    @property
    def clear(self) -> bool:
        return self.score <= self.limit

    @property
    def likely(self) -> float:
        """How likely it is the answer meant: a blackened one is not."""
        return self.score - self.blackened

    @property
    def certain(self) -> float:
        """How far from doubtful: 1 for clean paper and for twice the ink of a thin stroke."""
        if self.marked:
            return min(1.0, self.score / (2 * MARK))
        return 1 - 0.5 * self.score / self.limit


def _looks(ink: Ink) -> list[_Look]:
    score = (1 - _CORE) * ink.inner + _CORE * ink.core
    marked = score >= MARK
    usual = float(np.median(ink.dark[marked])) if marked.any() else 0.0
    blackened = (
        ((ink.dark >= FULL) & (ink.over + ink.beside >= BEYOND))
        | ((ink.dark >= HALF) & (ink.over >= BOTH))
        | ((ink.dark >= WHOLE) & (usual < USUAL))
    )
    rows = zip(score.tolist(), blackened.tolist(), (ink.beside >= BESIDE).tolist(), strict=True)
    limit = min(CLEAR, max(CLOSE, GRAIN * float(np.median(score))))
    return [_Look(*row, limit) for row in rows]


def _doubt(seen: Sequence[_Look], several: bool) -> Kind | None:
    """What is doubtful about a field, or None."""
    marked = [look for look in seen if look.marked]
    if any(look.blackened for look in seen):
        return "crossed"
    if len(marked) > 1 and not several:
        return "double"
    if any(not look.clear and not look.marked for look in seen):
        return "faint"
    if any(look.beside and not look.marked for look in seen):
        return "beside"
    return None
