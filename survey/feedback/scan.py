"""New responses are read for feedback: their comments into the index, bad ratings into cases.

Only days that are over are read.  Whoever watches a list would else see whose answer came in.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from forms import questionnaire as questionnaires
from survey.db import write
from survey.store import arrivals, clock, comments, feedback, releases, themes, waves
from survey.store.arrivals import Mark, Rule
from survey.store.comments import Entry

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from forms.questionnaire import Questionnaire
    from survey.store.arrivals import Arrival
    from survey.store.themes import Finder
    from survey.store.waves import Wave

#: Numbers read in one piece: a transaction of some tens of milliseconds.
STEP = 2000
#: The highest level that counts as bad on a scale of five and on one of three.
BAD = {5: 2, 3: 1}


def scan(
    db: sqlite3.Connection,
    *,
    now: datetime,
    budget: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Read what came in since the last time; returns how many responses are still to be read.

    Several may do so at once: whoever comes second with a piece drops it.  ``budget`` are seconds
    after which a page does not wait any longer.  Responses of today are not counted as left.
    """
    began, last = time.monotonic(), arrivals.newest(db)
    held_themes = themes.all(db)
    finder, wanted = themes.Finder(held_themes), themes.digest(held_themes)
    known = {wave.key: wave for wave in waves.all(db)}
    rules = _rules(db, known.values())
    today, done = clock.day(now), 0
    while (held := arrivals.mark(db)).seq < last or held.dictionary != wanted:
        if held.dictionary != wanted:
            arrivals.begin(db, held, wanted)
            continue
        upto = min(held.seq + STEP, last)
        rows = list(arrivals.unread(db, held.seq, upto))
        over = [row for row in rows if row.day < today.isoformat()]
        stop = next((at for at, row in enumerate(rows) if row.day >= today.isoformat()), None)
        if stop is not None:
            over, upto = rows[:stop], rows[stop].seq - 1
        if upto > held.seq and _piece(db, held, over, upto, known, rules, finder, now=now):
            done += len(over)
            if progress:
                progress(done)
        if stop is not None:
            last = upto
        if stop is not None or (budget is not None and time.monotonic() - began > budget):
            break
    for wave in releases.waves(db):
        if wave in rules:
            releases.release(db, wave, hide=known[wave].hide_n, days=rules[wave].days, now=now)
    return max(0, last - arrivals.mark(db).seq)


def rule_of(wave: Wave, held: Mapping[str, Rule]) -> Rule:
    """Return the rule of a wave: as somebody has set it, else as its questionnaire suggests.

    A sample of households opens no case by itself: its answers say how people live with their
    administration, not what happened at a counter yesterday.
    """
    if wave.key in held:
        return held[wave.key]
    if wave.kind == "probability":
        return Rule(wave.key, (), 1, 1, themes=False)
    q = questionnaires.load(wave.questionnaire)
    overall = [item.id for item in q.items if item.kind == "scale" and not item.factor]
    bad = BAD.get(q.index_scale, 1)
    if overall:
        return Rule(wave.key, tuple(overall), bad, 1)
    items = tuple(item.id for item in q.scored)
    return Rule(wave.key, items, 1, 2)


def low(arrival: Arrival, rule: Rule, q: Questionnaire) -> bool:
    """Say whether a response is as bad as its wave's rule says; no answer is no bad one."""
    if not rule.items:
        return False
    wanted = frozenset(rule.items)
    bad = sum(
        column.id in wanted and 0 < code <= rule.level
        for column, code in zip(q.columns, arrival.codes, strict=False)
    )
    return bad >= rule.least


def _rules(db: sqlite3.Connection, known: Iterable[Wave]) -> dict[str, Rule]:
    held, found = arrivals.rules(db), {}
    for wave in known:
        try:
            found[wave.key] = rule_of(wave, held)
        except LookupError:  # no such questionnaire: said by ``sipas check``
            continue
    return found


def _piece(
    db: sqlite3.Connection,
    held: Mark,
    rows: list[Arrival],
    upto: int,
    known: Mapping[str, Wave],
    rules: Mapping[str, Rule],
    finder: Finder,
    *,
    now: datetime,
) -> bool:
    """Put one piece of responses into the index and open its cases, in one transaction."""
    entries: dict[str, list[tuple[tuple[str, str], Entry]]] = {}
    counts = Counter[tuple[str, str, str, str]]()
    cases: list[tuple[str, Arrival, str]] = []
    for row in rows:
        if row.state == "void" or row.wave not in rules or _trial(known[row.wave]):
            continue
        counts[row.wave, row.unit, row.day, row.counter] += 1
        found = feedback.texts(row.answers) if row.answers else []
        named = finder.find(" ".join(found)) if found else ()
        if found:
            entry = Entry(row.seq, row.unit, row.day, row.counter, " ".join(found), named)
            entries.setdefault(row.wave, []).append(((row.day, row.id), entry))
        if row.seq > held.opened and (kind := _kind(row, rules[row.wave], finder, named)):
            cases.append((row.id, row, kind))
    with write(db):
        if not arrivals.move(db, held, Mark(upto, max(held.opened, upto), held.dictionary)):
            return False
        arrivals.count(db, counts)
        for wave, some in entries.items():
            # Inside a day in the order of random ids: the list must not say who came after whom.
            comments.put(db, wave, [entry for _, entry in sorted(some, key=lambda one: one[0])])
        for _, row, kind in sorted(cases, key=lambda one: one[0]):
            releases.hold(
                db, wave=row.wave, unit=row.unit, kind=kind, response=row.seq, day=row.day,
                now=now,
            )  # fmt: skip
    return True


def _kind(row: Arrival, rule: Rule, finder: Finder, named: Iterable[str]) -> str:
    """Return what kind of case a response is, "" for none."""
    if low(row, rule, questionnaires.load(row.questionnaire)):
        return "low"
    tones = {finder.tones[name] for name in named} if rule.themes else set()
    return "complaint" if "complaint" in tones else "praise" if "praise" in tones else ""


def _trial(wave: Wave) -> bool:
    """Say whether a wave only tries another one out."""
    return bool(getattr(wave, "trial_of", None))


def burst(db: sqlite3.Connection, now: datetime) -> dict[tuple[str, str], int]:
    """Count the bad ratings of the last 24 hours by wave and unit, for an alert."""
    known = {wave.key: wave for wave in waves.all(db)}
    rules, found = _rules(db, known.values()), Counter[tuple[str, str]]()
    after = max(0, arrivals.newest(db) - 200_000)
    for row in arrivals.today(db, after, now - timedelta(hours=24)):
        if row.wave in rules and not _trial(known[row.wave]):
            q = questionnaires.load(row.questionnaire)
            found[row.wave, row.unit] += low(row, rules[row.wave], q)
    return {place: n for place, n in found.items() if n}


def texts(answers: str) -> str:
    """Return the text of an answer as a list shows it."""
    return " · ".join(feedback.texts(answers)) if answers != "{}" else ""
