"""The office's pages of waves: drafts, trials, opening, closing, and what no trend may cross."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from forms.document import PLACE_WORDS
from survey import db, guard, services, typed, work
from survey.office import chosen, closing, wave_doors, wave_form
from survey.store import (
    Refused,
    breaks,
    clock,
    clones,
    counts,
    doors,
    trials,
    units,
    wave_rules,
    waves,
)
from survey.text import day, t

if TYPE_CHECKING:
    from sqlite3 import Connection

    from werkzeug.wrappers import Response

    from survey.store.waves import Wave

bp = Blueprint("running", __name__, url_prefix="/office")
bp.get("/waves/<key>/doors", endpoint="doors")(wave_doors.listed)
bp.post("/waves/<key>/doors", endpoint="add_door")(wave_doors.add)
bp.post("/waves/<key>/doors/<int:number>/close", endpoint="close_door")(wave_doors.close)

READERS = ("administrator", "auditor")
#: In which order a wave's fields stand in its form, by part.
PARTS = {
    "time": ("name", "year", "opens_on", "closes_on"),
    "office": ("owner", "owner_name", "parent_name", "place"),
    "asked": ("questionnaire", "kind", "words"),
    "method": (
        "index_method", "aggregate", "weights", "base", "interval", "level", "lonely",
        "rank_sets", "min_n", "hide_n",
    ),
    "people": ("partial", "contact_days", "settled"),
    "trend": ("series",),
}  # fmt: skip


@bp.get("/waves")
@guard.roles(*READERS)
def index() -> str:
    """List the waves of the reader's unit, each with its trial."""
    mine = [wave for wave in waves.all(db.get()) if work.within(wave.owner)]
    keys = {wave.key for wave in mine}
    tried = {wave.trial_of: wave for wave in mine if wave.trial_of in keys}
    rows = [
        {"wave": wave, "trial": tried.get(wave.key), "state": state(wave), "owner": _unit(wave)}
        for wave in mine
        if wave.trial_of not in keys
    ]
    return render_template("running/list.html", rows=rows)


@bp.get("/waves/<key>")
@guard.roles(*READERS)
def one(key: str) -> str:
    """Show one wave: where it stands, what can be done next, and what happened to it."""
    return _one(chosen.wave(key))


@bp.route("/waves/new", methods=["GET", "POST"])
@guard.roles("administrator")
def new() -> str | Response | tuple[str, int]:
    """Make a draft, from nothing or as the clone of another wave."""
    asked = request.values.get("from", "")
    source = chosen.wave(asked) if asked else None
    if request.method == "GET":
        values = wave_form.shown(source) if source else _first()
        if source:
            values |= {"key": "", "opens_on": "", "closes_on": "", "settled": ""}
            values["year"] = str(clock.day(clock.now()).year)
        return _form(values, source=source)
    values = _first() | wave_form.typed(request.form)
    fields, faults = wave_form.read(values, source)
    key = wave_form.key(values.get("key", ""), faults)
    if "owner" in fields:
        guard.owns(fields["owner"])
    if faults:
        return _form(values, faults=faults, source=source), 422
    try:
        made = waves.Wave(key=key, stage="draft", **fields)
        copied = {name for name in ("doors", "sample") if values.get(name)}
        act = {"now": clock.now(), "actor": work.actor()}
        job = partial(_make, wave=made, source=source, copied=copied, act=act)
        services().writer.run(job)
    except Refused as refusal:
        if refusal.code == "exists":
            return _form(values, faults={"key": t("running.fault.taken")}, source=source), 409
        return _form(values, faults=_stored(refusal), source=source), refusal.status
    flash(t("running.made"))
    return redirect(url_for(".one", key=key), 303)


@bp.route("/waves/<key>/edit", methods=["GET", "POST"])
@guard.roles("administrator")
def edit(key: str) -> str | Response | tuple[str, int]:
    """Change a wave as it was seen; whoever was slower sees what the other one wrote."""
    wave = chosen.wave(key)
    guard.owns(wave.owner)
    if request.method == "GET":
        return _form(wave_form.shown(wave), wave=wave)
    values = wave_form.typed(request.form)
    fields, faults = wave_form.read(values, wave)
    if "owner" in fields:
        guard.owns(fields["owner"])
    if faults:
        return _form(values, faults=faults, wave=wave), 422
    seen = typed.number(values.get("version", "")) or 0
    job = partial(
        waves.change, key=key, changes=fields, version=seen,
        now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    try:
        services().writer.run(job)
    except Refused as refusal:
        if refusal.code == "changed_meanwhile":
            now = waves.get(db.get(), key)
            values = closing.merged(db.get(), now, values, seen)
            return _form(values, wave=now, refusal=refusal), 409
        return _form(values, faults=_stored(refusal), wave=wave), refusal.status
    flash(t("running.saved"))
    return redirect(url_for(".one", key=key), 303)


@bp.post("/waves/<key>/open")
@guard.roles("administrator")
def open_(key: str) -> Response | tuple[str, int]:
    """Open a draft, or open again what was closed, with a reason."""
    wave = chosen.owned(key)
    faults: dict[str, str] = {}
    until = request.form.get("until", "").strip()
    last = wave_form.day_of("until", until, faults) if until else None
    if faults:
        return _one(wave, faults=faults), 422
    job = partial(
        waves.open, key=key, until=last, reason=request.form.get("reason", "")[:1000],
        version=_version(), now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    return _step(wave, job, t("running.opened"))


@bp.route("/waves/<key>/close", methods=["GET", "POST"])
@guard.roles("administrator")
def close(key: str) -> str | Response | tuple[str, int]:
    """Say what is not settled yet, then close the wave when that was read."""
    wave = chosen.owned(key)
    if request.method == "GET":
        if wave.stage == "draft" or wave.closed_at:
            return redirect(url_for(".one", key=key), 303)
        found = closing.found(db.get(), wave)
        return render_template(
            "running/close.html", wave=wave, found=found, state=state(wave),
            stops=any(one.stops for one in found), total=counts.counts(db.get(), key).total,
            synthetic=wave.synthetic,
        )  # fmt: skip
    job = partial(waves.close, key=key, version=_version(), now=clock.now(), actor=work.actor())
    return _step(wave, job, t("running.closed"))


@bp.post("/waves/<key>/trial")
@guard.roles("administrator")
def trial(key: str) -> Response | tuple[str, int]:
    """Open the trial of a wave: its own counters, its own answers, in no figure."""
    wave = chosen.owned(key)
    job = partial(trials.begin, key=key, now=clock.now(), actor=work.actor())
    return _step(wave, job, t("running.tried"))


@bp.post("/waves/<key>/empty")
@guard.roles("administrator")
def empty(key: str) -> Response | tuple[str, int]:
    """Throw away the answers of a trial."""
    wave = chosen.owned(key)
    job = partial(trials.empty, key=key, now=clock.now(), actor=work.actor())
    return _step(wave, job, t("running.emptied"))


@bp.get("/series")
@guard.roles(*READERS)
def series() -> str:
    """Show which waves are one trend, and the years that no trend may cross."""
    return _series()


@bp.post("/series")
@guard.roles("administrator")
def declare() -> Response | tuple[str, int]:
    """Declare a year that no trend of a series may cross, or take it back."""
    guard.system()
    form = request.form
    act: dict[str, Any] = {"now": clock.now(), "actor": work.actor()}
    year = typed.number(form.get("year", "")) or 0
    name = form.get("series", "").strip()[:60]
    job: Any = partial(breaks.withdraw, series=name, year=year, **act)
    if form.get("go") != "withdraw":
        texts = (form.get("reason", "").strip()[:500], form.get("source", "").strip()[:300])
        job = partial(breaks.declare, made=breaks.Break(name, year, *texts), **act)
    try:
        services().writer.run(job)
    except Refused as refusal:
        return _series(wrong=work.said(refusal), typed=form), refusal.status
    except LookupError:
        abort(404)
    flash(t("running.break_saved"))
    return redirect(url_for(".series"), 303)


def _series(**more: object) -> str:
    mine = [wave for wave in waves.live(db.get()) if work.within(wave.owner)]
    held = breaks.all(db.get())
    rows = [
        {
            "name": name,
            "waves": _in_order(mine, name),
            "breaks": [one for one in held if one.series == name],
        }
        for name in breaks.series(db.get())
    ]
    staff = work.staff()
    may_change = staff.role == "administrator" and not staff.unit
    shown: dict[str, object] = {"wrong": "", "typed": {}} | more
    alone = [wave for wave in mine if not wave.series]
    return render_template(
        "running/series.html", rows=rows, alone=alone, may_change=may_change, **shown
    )


def _in_order(held: list[Wave], series: str) -> list[Wave]:
    """Return the waves of a series, the oldest first."""
    return sorted((w for w in held if w.series == series), key=lambda wave: wave.closes_on)


def state(wave: Wave) -> tuple[str, str]:
    """Return the state of a wave as a word for style and as staff read it."""
    now = clock.now()
    if wave.stage == "draft":
        return "draft", t("running.state.draft")
    if wave.closed_at is not None:
        return "closed", t("running.state.closed", on=day(wave.closed_at))
    if wave.closes_on < clock.day(now):
        return "closed", t("running.state.over", on=day(wave.closes_on))
    if wave.opens_on > clock.day(now):
        return "soon", t("running.state.soon", on=day(wave.opens_on))
    return "open", t("running.state.open", on=day(wave.closes_on))


def _make(
    store: Connection, wave: Wave, source: Wave | None, copied: set[str], act: dict[str, Any]
) -> None:
    """Store a draft with what it takes over from the wave it is the clone of."""
    waves.new(store, wave, **act)
    if source and "doors" in copied:
        clones.copy_doors(store, source.key, wave.key, **act)
    if source and "sample" in copied and wave.kind == source.kind == "probability":
        clones.copy_sample(store, source.key, wave.key, **act)


def _step(wave: Wave, job: Any, done: str) -> Response | tuple[str, int]:
    """Do one step of a wave, or show its page with why it cannot be done."""
    try:
        services().writer.run(job)
    except Refused as refusal:
        fresh = waves.get(db.get(), wave.key)
        return _one(fresh, wrong=work.said(refusal), code=refusal.code), refusal.status
    flash(done)
    return redirect(url_for(".one", key=wave.key), 303)


def _one(wave: Wave, **more: object) -> str:
    held = trials.counted(db.get(), wave.key) if wave.trial_of else 0
    staff = work.staff()
    shown: dict[str, object] = {"faults": {}, "wrong": "", "code": ""} | more
    return render_template(
        "running/one.html",
        wave=wave,
        state=state(wave),
        owner=_unit(wave),
        events=closing.events(db.get(), wave.key),
        trials=[(held, state(held)) for held in waves.trials(db.get(), wave.key)],
        doors=sum(not door.closed_at for door in doors.of_wave(db.get(), wave.key)),
        held=held,
        over=wave.is_over(clock.now()),
        until=day(wave.closes_on) if wave.closes_on >= clock.day(clock.now()) else "",
        may_change=staff.role == "administrator",
        typed=request.form if request.method == "POST" else {},
        synthetic=wave.synthetic,
        **shown,
    )


def _form(
    values: dict[str, Any],
    *,
    faults: dict[str, str] | None = None,
    wave: Wave | None = None,
    source: Wave | None = None,
    refusal: Refused | None = None,
) -> str:
    fixed = wave_rules.fixed(db.get(), wave, clock.now()) if wave else wave_rules.STEPS
    theirs = wave_form.shown(wave) if wave else {}
    differ = [
        (name, theirs[name], values[name])
        for name in values
        if refusal and name in theirs and theirs[name] != values[name]
    ]
    return render_template(
        "running/edit.html",
        wave=wave,
        source=source,
        owner=_unit(wave) if wave else "",
        values=wave_form.shown(wave) | values if wave else values,
        faults=faults or {},
        fixed=fixed,
        parts=PARTS,
        choices=wave_rules.CHOICES,
        levels=wave_form.LEVELS,
        known=wave_form.known(),
        sets=wave_rules.rank_sets(db.get()),
        series=breaks.series(db.get()),
        owners=_owners(),
        words=PLACE_WORDS,
        refused=work.said(refusal) if refusal else "",
        differ=differ,
        synthetic=wave.synthetic if wave else False,
    )


def _first() -> dict[str, Any]:
    """Return what stands in the form of a new wave."""
    today, unit = clock.day(clock.now()), work.staff().unit
    draft = waves.Wave(
        key="", name="", questionnaire="sipas-2026.1", kind="self_selected", year=today.year,
        opens_on=today, closes_on=date(today.year, 12, 31), owner=unit, owner_name="",
    )  # fmt: skip
    return wave_form.shown(draft)


def _owners() -> list[tuple[str, str]]:
    """Return code and name of the units that may own a wave, as the form offers them."""
    if mine := work.staff().unit:
        own = units.get(db.get(), mine)
        found = [*([own] if own else []), *units.children(db.get(), mine)]
    else:
        kinds = ("country", "province", "department")
        found = [unit for kind in kinds for unit in units.all(db.get(), kind=kind)]
    return [(unit.id, unit.title) for unit in found]


def _stored(refusal: Refused) -> dict[str, str]:
    """Return what the store found wrong, under the form itself."""
    faults = refusal.facts.get("faults")
    if isinstance(faults, list):
        return {"": "; ".join(str(fault) for fault in faults)}
    names = refusal.facts.get("names")
    if isinstance(names, list):
        words = ", ".join(t(f"running.{name}") for name in names)
        return {"": t("refused.wave_fixed", names=words)}
    return {"": work.said(refusal)}


def _unit(wave: Wave) -> str:
    return units.name(db.get(), wave.owner, wave.closes_on)


def _version() -> int:
    return typed.number(request.form.get("version", "")) or 0
