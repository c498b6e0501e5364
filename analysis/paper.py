"""Paper forms behind a wave: how many were entered once, and what that may do to its figures."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import reader
from analysis.design import Ints
from analysis.keying import Keying, Limits, NoFields, TooFewClusters, entered_once, keying
from analysis.reader import Wave
from analysis.results import Keyed
from analysis.tally import Codes
from forms.questionnaire import Questionnaire


@dataclass(frozen=True, slots=True)
class Paper:
    """What is printed of the entry of paper forms, and by what intervals are widened (None: by
    nothing)."""

    keyed: Keyed
    limits: Limits | None


def paper(db: sqlite3.Connection, wave: Wave, asked: Questionnaire, answers: int) -> Paper | None:
    """How the forms of a wave were entered; None without paper.

    ``answers``: how many count in its figures.  A form entered twice is verified, so only those
    entered once may hold errors: each way of entry (keyed, scanned) the rates that its own
    double entry found.  Where one has none, nothing is known and nothing is widened.
    """
    ways = reader.entries(db, wave.key) if wave.kind == "probability" else {}
    if not ways or not answers:
        return None
    once, twice = (sum(n[k] for n in ways.values()) for k in (0, 1))
    rows = reader.entered_twice(db, wave.key) if once else []
    found = {way: _keying([r for r in rows if r[0] == way], asked, wave.level) for way in ways}
    whole = _keying(rows, asked, wave.level)
    limits = None
    if once and wave.index_method == "top2":
        parts = [(found[way], min(1.0, n / answers)) for way, (n, _) in ways.items() if n]
        known = [(each, share) for each, share in parts if each is not None]
        limits = entered_once(known) if len(known) == len(parts) else None
    rate = whole.overall if whole else None
    return Paper(
        Keyed(
            once=once,
            twice=twice,
            share=min(1.0, once / answers),
            rate=rate.value if rate else None,
            low=rate.low if rate else None,
            high=rate.high if rate else None,
            widened=limits is not None,
        ),
        limits,
    )


def _keying(rows: Sequence[tuple[Any, ...]], asked: Questionnaire, level: float) -> Keying | None:
    """What forms entered twice tell of first entries; None when they are too few to tell.

    Forms are the clusters: they were drawn by ballot, while the operators of a wave are all
    there and no sample of others.
    """
    if not rows:
        return None
    first, settled = _codes(rows, asked)
    forms: Ints = np.array([row[1] for row in rows], dtype=np.int64)
    try:
        return keying(first, settled, forms, levels=asked.index_scale, level=level)
    except (NoFields, TooFewClusters):
        return None


def _codes(rows: Sequence[tuple[Any, ...]], asked: Questionnaire) -> tuple[Codes, Codes]:
    """Codes (n, J) of the scored items as first entered and as settled."""
    ids = [item.id for item in asked.scored]
    place = {column.id: k for k, column in enumerate(asked.columns)}
    packed = b"".join(row[2] for row in rows)
    codes = np.frombuffer(packed, dtype=np.uint8).reshape(len(rows), -1)
    first = codes[:, [place[id] for id in ids]].copy()
    settled = first.copy()
    for n, (*_, entered, verified) in enumerate(rows):
        if entered is not None:
            for into, text in ((first, entered), (settled, verified)):
                fields = json.loads(text)
                into[n] = [fields.get(id, 0) for id in ids]
    return first, settled
