"""Figures of the office's own work on cases: how many, how many in time, by unit and by month."""

from __future__ import annotations

from collections import Counter
from io import SEEK_END, StringIO
from typing import TYPE_CHECKING

from flask import Response, render_template, request

from survey import db, exports, guard
from survey.feedback import showing
from survey.store import clock, feedback, units, waves
from survey.text import t, thousands
from survey.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from survey.store.feedback import Counted


def summary(scope: str, today: date) -> dict[str, object]:
    """Return the figures of one unit and what lies under it."""
    return _figures(_wanted(scope, today))


@guard.roles(*guard.READERS)
def page() -> str:
    """Show the figures by unit and by month."""
    scope, tree, found = _asked()
    parts = _by(found, lambda one: tree.part(one.unit, scope))
    months = _by(found, lambda one: one.day[:7])
    rows = [(showing.unit_name(unit), unit, figures) for unit, figures in parts.items()]
    return render_template(
        "feedback/figures.html",
        scope=scope,
        scope_name=showing.unit_name(scope) if scope else t("coverage.everywhere"),
        total=_figures(found),
        by_unit=sorted(rows, key=lambda row: units.name_key(row[0])),
        by_month=[(f"{key[5:]}/{key[:4]}", months[key]) for key in sorted(months)],
        synthetic=any(wave.synthetic for wave in waves.all(db.get())),
    )


@guard.roles(*guard.READERS)
def table() -> Response:
    """Hand out the figures by unit and month as CSV."""
    _, _, found = _asked()
    head = ("unit", "month", "kind", "state", "n", "late")
    names: dict[str, str] = {}
    sums: Counter[tuple[str, ...]] = Counter()
    for one in found:
        sums[one.unit, one.day[:7], one.kind, one.state, "n"] += one.n
        sums[one.unit, one.day[:7], one.kind, one.state, "late"] += one.late
    rows: list[tuple[object, ...]] = []
    for *place, _ in sorted(key for key in sums if key[-1] == "n"):
        if place[0] not in names:
            names[place[0]] = showing.unit_name(place[0])
        rows.append((names[place[0]], *place[1:], sums[*place, "n"], sums[*place, "late"]))
    out = StringIO("\ufeff", newline="")
    out.seek(0, SEEK_END)
    exports.write(out, head, rows)
    answer = Response(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename="phan-anh.csv")
    return answer


def _asked() -> tuple[str, Tree, list[Counted]]:
    scope = guard.scope(request.args.get("unit", ""))
    return scope, Tree(), _wanted(scope, clock.day(clock.now()))


def _wanted(scope: str, today: date) -> list[Counted]:
    tree = Tree()
    return [one for one in feedback.counted(db.get(), today) if tree.inside(one.unit, scope)]


def _by(found: Iterable[Counted], key: Callable[[Counted], str]) -> dict[str, dict[str, object]]:
    groups: dict[str, list[Counted]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return {name: _figures(some) for name, some in groups.items()}


def _figures(found: Iterable[Counted]) -> dict[str, object]:
    """Return counts in words; the share in time has its base: answered, or overdue by now."""
    n: Counter[str] = Counter()
    for one in found:
        n["all"] += one.n
        if one.state in feedback.OPEN:
            n["open"] += one.n
            n["over"] += one.late
        else:
            n["done"] += one.n
            n["late"] += one.late
    base = n["done"] + n["over"]
    share = (n["done"] - n["late"]) / base if base else None
    return {
        **{name: thousands(n[name]) for name in ("all", "open", "over", "done", "late")},
        "in_time": thousands(n["done"] - n["late"]),
        "base": thousands(base),
        "share": share,
        "shown": "—" if share is None else f"{100 * share:.1f}%".replace(".", ","),
    }
