"""What an interviewer carries on a telephone: the households of the own lots and what came."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from flask import abort, redirect, render_template, request, url_for

from survey import db, guard, serials, services, work
from survey.field.places import Places
from survey.store import Refused, clock, looks, plans, visits
from survey.store.cases import LOST
from survey.text import day, t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from survey.store.visits import Visit

#: The next step of most households in a state: one button, without opening anything.
NEXT = {"planned": "delivered", "assigned": "delivered", "delivered": "collected",
        "appointed": "collected"}  # fmt: skip


@guard.roles("interviewer")
def mine() -> str:
    """List the households of the interviewer's own lots."""
    return _page()


@guard.roles("interviewer")
def mark(number: int) -> Response | tuple[str, int]:
    """Write down what came of a visit to one household of the own lots."""
    step = request.form.get("step", "")
    if step == "lost":
        step = request.form.get("reason", "")
        if step not in LOST:
            return _page({number: t("field.need_reason")}), 422
    if step not in visits.STEPS:
        abort(400)
    on = None
    if step == "appointed":
        on, fault = _appointed(request.form.get("on", ""))
        if fault:
            return _page({number: fault}), 422
    job = partial(
        visits.mark, case=number, step=step, staff=work.staff().id, on=on,
        seen=request.form.get("seen", ""), now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    try:
        services().writer.run(job)
    except LookupError:
        abort(404, t("field.not_mine"))
    except Refused as refusal:
        return _page({number: t(f"refused.{refusal.code}")}), refusal.status
    wave = request.args.get("wave") or None
    return redirect(url_for("field.mine", wave=wave, _anchor=f"c{number}"), 303)


def _appointed(text: str) -> tuple[date | None, str]:
    """Return the day of an appointment, or what is wrong with it."""
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return None, t("field.need_day")
    if on < clock.day(clock.now()):
        return None, t("field.day_over", on=day(on))
    return on, ""


def _page(faults: Mapping[int, str] | None = None) -> str:
    wave, staff, places = work.wave(), work.staff(), Places()
    held = visits.visits(db.get(), wave.key, staff.id)
    own = visits.lots(db.get(), wave.key, staff.id)
    if n := sum(bool(visit.name or visit.address) for visit in held):
        subject = ", ".join(lot.code for lot in own if not lot.returned_at)
        services().writer.run(
            partial(looks.listed, subject=subject, n=n, now=clock.now(), actor=work.actor())
        )
    today = work.today()
    lots = []
    for lot in own:
        rows = [_row(visit, today) for visit in held if visit.lot == lot.id]
        lots.append(
            {
                "lot": lot,
                "unit": places.name(lot.unit),
                "due": day(lot.due_on) if lot.due_on else "",
                "late": bool(lot.due_on and lot.due_on < today and not lot.returned_at),
                "returned": day(lot.returned_at) if lot.returned_at else "",
                "rows": rows,
                "left": sum(row["next"] != "" for row in rows),
            }
        )
    return render_template(
        "field/mine.html",
        wave=wave,
        synthetic=wave.synthetic,
        lots=[lot for lot in lots if not lot["returned"]],
        back=[lot for lot in lots if lot["returned"]],
        faults=faults or {},
        missed=[(one, serials.printed(one), words) for one, words in (faults or {}).items()],
        shown={visit.id for visit in held},
        closed=wave.closed_at is not None,
        lost=LOST,
        keep_days=plans.get(db.get(), wave.key).keep_days,
        today=today,
    )


def _row(visit: Visit, today: str) -> dict[str, object]:
    place = visit.number if visit.number is not None else visit.reserve
    said = t(f"case.{visit.state}")
    late = bool(visit.appointed_on and visit.appointed_on < today)
    if visit.state == "appointed" and visit.appointed_on:
        said = t("field.appointed_on", on=day(visit.appointed_on))
    return {
        "visit": visit,
        "place": place,
        "serial": serials.printed(visit.id),
        "said": said,
        "late": late and visit.state == "appointed",
        "next": NEXT.get(visit.state, ""),
        "open": visit.state in visits.OPEN or visit.state == "planned",
        "lost": visit.state in LOST,
    }
