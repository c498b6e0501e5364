"""The staff's pages of the sample: frames taken in, the plan, the draw, and drawing it again."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from survey import BODY_LIMIT, db, exports, guard, services, work
from survey.sample import framing, samplelist
from survey.sample.frames import Faulty
from survey.store import clock, draws, frames
from survey.text import clock as hour
from survey.text import day, t, thousands

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.draws import Area, Draw
    from survey.store.waves import Wave

bp = Blueprint("sampling", __name__)

ROLES = ("administrator", "field_supervisor")
KINDS = {"villages": "village", "households": "household"}
#: Villages without a list that the page names.
NAMED = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One stratum on the page: what the frame has, what is taken, drawn, listed, made cases."""

    stratum: str
    villages: int
    households: int
    take: int
    drawn: int
    listed: int
    cases: int


@bp.get("/field/sample")
@guard.roles(*ROLES)
def index() -> str:
    """Show where the sample of a wave stands, step by step."""
    return _page(work.wave())


@bp.before_request
def other_wave() -> BaseResponse | None:
    """Lead whoever chooses another wave, on whatever page of one, to the page of that one."""
    asked = request.args.get("wave", "")
    here = (request.view_args or {}).get("key", asked)
    if request.method != "GET" or not asked or asked == here:
        return None
    return _back(asked)


@bp.get("/field/sample/<key>/<kind>")
@guard.roles(*ROLES)
def step(key: str, kind: str) -> BaseResponse:
    """Lead back to the page of the sample from the address of one of its forms."""
    return _back(key)


@bp.post("/field/sample/<key>/<kind>")
@guard.roles(*ROLES)
def upload(key: str, kind: str) -> BaseResponse | tuple[str, int]:
    """Take in a file of villages or households, or show every fault of it."""
    wave = work.sampled(key)
    if kind not in KINDS:
        abort(404)
    if kind == "villages":
        guard.scope(wave.owner)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page(wave, at=kind, faults=Faulty([t("sampling.fault.file")])), 422
    facts: dict[str, Any] = {"source": file.filename, "now": clock.now(), "actor": work.actor()}
    try:
        if kind == "villages":
            whole = request.form.get("whole") == "1"
            checked = framing.villages(
                db.get(), key, file.stream, whole=whole, scope=work.staff().unit, **facts
            )
        else:
            checked = framing.households(
                db.get(), key, file.stream, scope=work.staff().unit, **facts
            )
        services().writer.run(checked.job)
    except Faulty as wrong:
        return _page(wave, at=kind, faults=wrong), 422
    flash(t("sampling.imported", what=checked.words))
    if checked.odd:
        flash(f"{t('sampling.odd')}: {'; '.join(checked.odd)}.")
    return _back(key)


@bp.post("/field/sample/<key>/draw")
@guard.roles(*ROLES)
def draw(key: str) -> BaseResponse | tuple[str, int]:
    """Draw the villages, or the households of villages whose lists are there."""
    from survey.sample import drawing

    wave = work.sampled(key)
    guard.scope(wave.owner)
    stage, seed = request.form.get("stage", ""), request.form.get("seed", "").strip()
    facts: dict[str, Any] = {"now": clock.now(), "actor": work.actor()}
    try:
        if stage == "villages":
            rows, made = drawing.villages(db.get(), key, seed)
            services().writer.run(
                partial(draws.keep_villages, wave=key, rows=rows, draw=made, **facts)
            )
            flash(t("sampling.drew_villages", n=thousands(len(rows))))
        elif stage == "households":
            ready = request.form.get("ready") == "1"
            rows, made, waiting = drawing.households(db.get(), key, ready=ready)
            services().writer.run(
                partial(draws.keep_cases, wave=key, rows=rows, draw=made, done=not waiting, **facts)
            )
            main = sum(row["reserve"] is None for row in rows)
            reserves = thousands(len(rows) - main)
            flash(t("sampling.drew_households", n=thousands(main), reserves=reserves))
        else:
            abort(400)
    except Faulty as wrong:
        return _page(wave, at=f"draw-{stage}", faults=wrong, seed=seed), 422
    return _back(key)


@bp.get("/field/sample/<key>/check")
@guard.roles(*ROLES)
def check(key: str) -> str | tuple[str, int]:
    """Draw all again and say whether it is the stored sample."""
    from survey.sample import drawing

    wave = work.sampled(key)
    try:
        villages, cases, differs = drawing.check(db.get(), key)
    except Faulty as wrong:
        return _page(wave, at="check", faults=wrong), 422
    same = t("sampling.check_same", villages=thousands(villages), cases=thousands(cases))
    return _page(wave, checked="" if differs else same, differs=differs)


@bp.get("/field/sample/<key>/list.csv")
@guard.roles(*ROLES)
def listed(key: str) -> Response:
    """Send the list of the sample, without names, of the reader's unit."""

    work.sampled(key)
    within = framing.Within(db.get(), work.staff().unit) if work.staff().unit else None
    rows = (
        samplelist.line(row)
        for row in draws.rows(db.get(), key)
        if within is None or row["unit"] in within
    )
    out = io.StringIO(newline="")
    exports.write(out, samplelist.COLUMNS, rows)
    answer = Response(out.getvalue().encode("utf-8-sig"), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="mau-{key}.csv"'
    return answer


@bp.post("/field/sample/<key>/undo")
@guard.roles(*ROLES)
def undo(key: str) -> BaseResponse | tuple[str, int]:
    """Take a draw back before anything was printed."""
    wave = work.sampled(key)
    guard.scope(wave.owner)
    reason = request.form.get("reason", "").strip()[:500]
    if not reason:
        return _page(wave, at="undo", faults=Faulty([t("sampling.fault.reason")])), 422
    job = partial(draws.undo, wave=key, reason=reason, now=clock.now(), actor=work.actor())
    try:
        services().writer.run(job)
    except LookupError:
        abort(404)
    flash(t("sampling.undone"))
    return _back(key)


def _back(key: str) -> BaseResponse:
    return redirect(url_for("sampling.index", wave=key), 303)


def _page(
    wave: Wave, *, at: str = "", faults: Faulty | None = None, seed: str = "", checked: str = "",
    differs: list[str] | None = None,
) -> str:  # fmt: skip
    """Draw the page; ``faults`` stand under the step ``at`` that they are of."""
    held = draws.get(db.get(), wave.key)
    areas = [a for a in draws.areas(db.get(), wave.key) if work.within(a.unit)]
    kept = [area for area in areas if not area.dropped_at]
    waiting = [area for area in kept if not area.main and not area.listed]
    lines = _lines(wave.key, held, kept)
    found = {kind: frames.get(db.get(), wave.key, kind) for kind in KINDS.values()}
    return render_template(
        "sampling/index.html",
        wave=wave,
        held=held,
        plan_words=_plan_words(held),
        frame={
            kind: f and (_frame_words(f), _digest(wave.key, held, f)) for kind, f in found.items()
        },
        lines=lines,
        total=_total(lines),
        waiting=waiting[:NAMED],
        more=max(0, len(waiting) - NAMED),
        have=len(kept) - len(waiting),
        all=len(kept),
        ready=sum(1 for area in kept if area.listed and not area.main),
        drawn=_moment(held, held.villages_at),
        drawn_households=_moment(held, held.households_at),
        may_plan=work.within(wave.owner),
        given=bool(areas) and not held.villages_at,
        at=at,
        faults=faults,
        seed=seed,
        checked=checked,
        differs=differs or [],
        days=frames.NAME_DAYS,
        limit=BODY_LIMIT // 1024**2,
        synthetic=wave.synthetic,
    )


def _lines(wave: str, held: Draw, areas: list[Area]) -> list[Line]:
    lines = []
    for row in frames.strata(db.get(), wave):
        if not work.within(row.unit):
            continue
        of = [area for area in areas if area.stratum == row.stratum]
        lines.append(
            Line(
                row.stratum, row.villages, row.households, held.plan.villages(row.stratum),
                len(of), sum(1 for a in of if a.listed), sum(a.main for a in of),
            )
        )  # fmt: skip
    return lines


def _total(lines: list[Line]) -> Line:
    names = ("villages", "households", "take", "drawn", "listed", "cases")
    return replace(
        Line(t("sampling.total"), 0, 0, 0, 0, 0, 0),
        **{name: sum(getattr(line, name) for line in lines) for name in names},
    )


def _plan_words(held: Draw) -> str:
    plan = held.plan
    if not plan.takes:
        return ""
    n = plan.villages()
    return t(
        "sampling.plan_is_communes" if plan.per_commune else "sampling.plan_is",
        communes=thousands(sum(plan.takes.values())), inside=plan.per_commune,
        commune_method=t(f"sampling.method.{plan.commune_method}"),
        villages=thousands(n), method=t(f"sampling.method.{plan.method}"),
        households=plan.households, reserves=plan.reserves, forms=thousands(n * plan.households),
        person=t(f"sampling.person.{plan.person}"),
    )  # fmt: skip


def _frame_words(frame: frames.Frame) -> str:
    at = frame.imported_at
    return t(
        "sampling.frame_was", n=thousands(frame.n), source=frame.source, at=hour(at), on=day(at)
    )


def _digest(wave: str, held: Draw, frame: frames.Frame) -> str:
    """Return what a draw by the plan rests on: with communes, where each village lies, too."""
    if frame.kind == "village" and held.plan.per_commune:
        return frames.digest(db.get(), wave, held.plan.frame)[0]
    return frame.digest


def _moment(held: Draw, at: str | None) -> str:
    if not at:
        return ""
    return t("sampling.drawn_at", at=hour(at), on=day(at), seed=held.seed, algorithm=held.algorithm)
