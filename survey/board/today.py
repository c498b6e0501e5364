"""Today, this week, this month: what came in at counters, and what needs somebody's attention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import render_template, request, url_for

from survey import db, guard
from survey.board import figures, keptpages, period, silence
from survey.store import clock, dossiers, feedback, kiosks, units, waves
from survey.text import day, t, thousands
from survey.tree import Tree

if TYPE_CHECKING:
    from datetime import date, datetime

    from markupsafe import Markup

    from survey.store.waves import Wave

#: A wave that closes within so many days is worth a word.
SOON = 7


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing that needs a look: how many, what, and where to do something about it."""

    n: str
    words: str
    address: str


@guard.roles(*guard.READERS)
def today() -> str:
    """Show what the reader's unit received today, in the week and in the month."""
    scope, now = guard.scope(request.args.get("unit", "")), clock.now()
    on = clock.day(now)
    open_now = [wave for wave in waves.live(db.get()) if wave.is_open(now)]
    counters = [wave for wave in open_now if wave.kind == "self_selected"]
    return render_template(
        "board/today.html",
        scope=scope,
        heading=_heading(scope),
        on=f"{t(f'board.weekday_{on.isoweekday()}')}, {day(on)}",
        matters=_matters(scope, open_now, now),
        bodies=_bodies(counters, scope, on),
        others=[wave for wave in open_now if wave.kind != "self_selected"],
        synthetic=any(wave.synthetic for wave in open_now),
        SOON=SOON,
    )


def _bodies(counters: list[Wave], scope: str, on: date) -> list[Markup]:
    """Return the figures of each open wave that has answers in the scope."""
    keys = (on.isoformat(), period.week(on), on.isoformat()[:7])

    def body(wave: Wave, number: int) -> Markup:
        def make() -> str:
            from survey.board import daily

            table = daily.table(wave, scope, [period.read(key) for key in keys])
            if table is None:
                return ""
            return render_template("board/_today.html", table=table, scope=scope, number=number)

        return keptpages.part(f"today {number}", wave, scope, make)

    found = [body(wave, number) for number, wave in enumerate(counters, 1)]
    return [each for each in found if each]


def _matters(scope: str, open_now: list[Wave], now: datetime) -> list[Matter]:
    """Return what needs a look, the most urgent first; only what the reader may open."""
    on, tree = clock.day(now), Tree()
    found = [
        _silent_kiosks(scope, tree, now),
        _late_dossiers(scope, on),
        *_cases(scope, tree, on),
        _flagged(scope, open_now),
    ]
    found += [_closing(wave, on) for wave in open_now if _mine(wave, scope, tree)]
    return [matter for matter in found if matter]


def _silent_kiosks(scope: str, tree: Tree, now: datetime) -> Matter | None:
    if not guard.may("kiosks.all"):
        return None
    mine = [kiosk for kiosk in kiosks.all(db.get()) if tree.inside(kiosk.unit, scope)]
    silent = sum(silence.state(kiosk.seen_at, now) == "silent" for kiosk in mine)
    address = url_for("kiosks.all", unit=scope or None)
    return Matter(thousands(silent), t("board.silent_kiosks"), address) if silent else None


def _late_dossiers(scope: str, on: date) -> Matter | None:
    late = sum(each.late for each in dossiers.waiting(db.get(), today=on, within=scope))
    address = url_for("coverage.coverage", unit=scope or None)
    return Matter(thousands(late), t("board.late_dossiers"), address) if late else None


def _cases(scope: str, tree: Tree, on: date) -> list[Matter]:
    if not guard.may("feedback.index"):
        return []
    mine = [c for c in feedback.counted(db.get(), on) if tree.inside(c.unit, scope)]
    open_cases = [case for case in mine if case.state not in ("answered", "closed")]
    late, new = sum(c.late for c in open_cases), sum(c.n for c in open_cases if c.state == "new")
    address = url_for("feedback.index", unit=scope or None)
    return [
        Matter(thousands(n), t(words), address)
        for n, words in ((late, "board.late_cases"), (new, "board.new_cases"))
        if n
    ]


def _flagged(scope: str, open_now: list[Wave]) -> Matter | None:
    if scope:  # flags are counted for whole waves only
        return None
    n = sum(figures.counts(wave).flagged for wave in open_now)
    return Matter(thousands(n), t("board.flagged"), url_for("board.waves")) if n else None


def _closing(wave: Wave, on: date) -> Matter | None:
    if wave.closes_on > on + timedelta(SOON):
        return None
    days = (wave.closes_on - on).days
    words = t("board.closing", "vi", wave=wave.name, on=day(wave.closes_on))
    return Matter(t("board.days", n=days) if days else t("board.today_last"), words,
                  url_for("board.wave", key=wave.key))  # fmt: skip


def _mine(wave: Wave, scope: str, tree: Tree) -> bool:
    return not scope or tree.inside(wave.owner, scope) or tree.inside(scope, wave.owner)


def _heading(scope: str) -> str:
    if not scope:
        return t("board.everywhere")
    unit = units.name(db.get(), scope)
    return unit[:1].upper() + unit[1:]
