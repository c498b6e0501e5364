"""The pages of data out: choose a wave, take a file, set what may leave, read a table."""

from __future__ import annotations

import tempfile
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)

from survey import db, exports, guard, queueing, services
from survey.datafiles import asking, crosstab, csvfile, extract, given, making
from survey.store import Refused, audit, clock, datafiles, people, responses, units, waves
from survey.text import clock as hour
from survey.text import day, t, thousands
from survey.tree import Tree

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from survey.datafiles.asking import Ask
    from survey.store.people import Staff
    from survey.store.waves import Wave

bp = Blueprint("datafiles", __name__)

#: Who takes files of single answers; tables of counts are for all who read figures.
TAKERS = ("administrator", "analyst")
#: Up to so many responses a file is made at once, more of them are long work.
AT_ONCE = 3_000
#: Leaf units offered by name.
OFFERED = 400
MIMES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "sav": "application/x-spss-sav",
    "dta": "application/x-stata-dta",
    "zip": "application/zip",
}


@bp.get("/data")
@guard.roles(*guard.READERS)
def index() -> str:
    """List the waves that hold responses of the reader's units."""
    scope = guard.scope("")
    rows = []
    for wave in waves.all(db.get()):
        counts = responses.counts(db.get(), wave.key)
        if counts.total and (not scope or _offered(wave, scope)):
            rows.append({"wave": wave, "n": thousands(counts.total) if not scope else ""})
    return render_template("data/index.html", rows=rows, able=_able(), scope=scope)


@bp.get("/data/<key>")
@guard.roles(*guard.READERS)
def one(key: str) -> str:
    """Show what can be taken of a wave, what was, and its rule."""
    return _page(_wave(key), {})


@bp.get("/data/<key>/file")
@guard.roles(*TAKERS)
def take(key: str) -> BaseResponse | tuple[str, int]:
    """Send a file, or have a long one made."""
    wave, asked = _wave(key), request.args
    scope = guard.scope(asked.get("unit", ""))
    form = asked.get("form", "csv")
    try:
        if form not in asking.FORMS:
            raise Refused("data_form", 422, given=form[:40])
        also = asked.getlist("also") if form == "zip" else []
        ask = asking.read({**asked.to_dict(), "wave": key, "unit": scope, "also": also})
        found = extract.heading(db.get(), ask, services().settings.secret)
        if ask.unit or ask.since or ask.until:
            extract.demand(db.get(), ask)
    except Refused as refusal:
        return _page(wave, asked.to_dict(), refusal), refusal.status
    if form == "csv":
        return _stream(wave, ask, ",".join(map(csvfile.cell, found[1])))
    if responses.counts(db.get(), key).total > AT_ONCE:
        staff = guard.current_staff() or abort(403)
        facts = {**ask.facts(), "form": form, "actor": f"staff:{staff.username}"}
        title = f"{making.label(facts, wave.name)}, {form.upper()}"
        return queueing.queued("data", facts, title=title, unit=scope)
    try:
        return _whole(wave, ask, form)
    except Refused as refusal:
        return _page(wave, asked.to_dict(), refusal), refusal.status


@bp.post("/data/<key>/rule")
@guard.roles("administrator")
def keep(key: str) -> BaseResponse | tuple[str, int]:
    """Set how many must be alike in a public file, and who may have what people wrote."""
    wave = _wave(key)
    staff = guard.owns(wave.owner)
    k, comments = request.form.get("k", "").strip(), request.form.get("comments", "")
    if not k.isascii() or not k.isdigit() or not 2 <= int(k) <= 100:
        return _page(wave, {"k": k}, Refused("data_k", 422)), 422
    if comments not in ("", "internal", "research"):
        abort(400)
    rule = datafiles.Rule(int(k), comments)
    actor = f"staff:{staff.username}"
    services().writer.run(
        partial(datafiles.set_rule, wave=key, to=rule, now=clock.now(), actor=actor)
    )
    flash(t("data.rule_kept"))
    return redirect(url_for(".one", key=key), 303)


@bp.get("/data/<key>/table")
@guard.roles(*guard.READERS)
def table(key: str) -> str | tuple[str, int]:
    """Show counts of one question by a fact, small cells hidden."""
    wave = _wave(key)
    scope = guard.scope(request.args.get("unit", ""))
    rows, columns = crosstab.choices(wave)
    chosen = request.args.get("rows", rows[0][0]), request.args.get("columns", columns[0][0])
    facts = {"wave": wave, "rows": rows, "columns": columns, "chosen": chosen, "scope": scope,
             "place": units.name(db.get(), scope) if scope else t("data.proof.whole"),
             "synthetic": wave.synthetic, "printed": crosstab.printed,
             "percent": crosstab.percent}  # fmt: skip
    try:
        found = crosstab.table(db.get(), wave, rows=chosen[0], columns=chosen[1], unit=scope)
    except Refused as refusal:
        fault = _said(refusal)
        return render_template("data/table.html", fault=fault, **facts), refusal.status
    return render_template("data/table.html", table=found, **facts)


@bp.get("/data/<key>/table.csv")
@guard.roles(*guard.READERS)
def table_csv(key: str) -> Response:
    """Send the same table as a file."""
    wave = _wave(key)
    scope = guard.scope(request.args.get("unit", ""))
    rows, columns = request.args.get("rows", ""), request.args.get("columns", "")
    found = crosstab.table(db.get(), wave, rows=rows, columns=columns, unit=scope)
    out = StringIO(newline="")
    exports.write(out, found.heading(), found.cells())
    detail = {"rows": rows, "columns": columns, "unit": scope}
    _audit("data.table", wave, detail)
    title = t("data.table.file", wave=wave.name)
    return _sent((csvfile.MARK + out.getvalue()).encode(), f"{wave.key}-bang", title, "csv")


def _stream(wave: Wave, ask: Ask, heading: str) -> Response:
    now, staff = clock.now(), guard.current_staff() or abort(403)
    run = services().writer.run
    number = run(given.noted(ask, "csv", now=now, actor=f"staff:{staff.username}"))
    body = given.streamed(
        services().settings, ask, heading=heading, on=clock.day(now), run=run, number=number
    )
    answer = Response(body, content_type=MIMES["csv"])
    answer.headers["Content-Disposition"] = _disposition(*_names(wave, ask), "csv")
    answer.headers["X-Accel-Buffering"] = "no"  # a proxy hands the rows on as they come
    return answer


def _whole(wave: Wave, ask: Ask, form: str) -> Response:
    """Make a small file now; it is gone from the disk when it has been sent."""
    now, staff, run = clock.now(), guard.current_staff() or abort(403), services().writer.run
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        found, digest = given.made(
            db.get(), ask, form, path, lambda _done, _whole: None,
            secret=services().settings.secret, on=clock.day(now),
        )  # fmt: skip
        number = run(given.noted(ask, form, now=now, actor=f"staff:{staff.username}"))
        run(partial(datafiles.seal, number=number, digest=digest, n=found.n,
                    upto=found.counted.upto))  # fmt: skip
        body = path.read_bytes()
    return _sent(body, *_names(wave, ask), form)


def _names(wave: Wave, ask: Ask) -> tuple[str, str]:
    """The name of a file for old programs, and as people read it."""
    unit = ask.unit.replace(":", "-")
    stamp = "mo-phong" if wave.synthetic else ""
    plain = "-".join(part for part in (wave.key, ask.level, unit, stamp) if part)
    place = f" – {units.name(db.get(), ask.unit)}" if ask.unit else ""
    name = wave.name if not wave.synthetic else t("data.synthetic", name=wave.name)
    return plain, making.label(ask.facts(), name) + place


def _sent(body: bytes, plain: str, title: str, form: str) -> Response:
    answer = Response(body, content_type=MIMES[form])
    answer.headers["Content-Disposition"] = _disposition(plain, title, form)
    return answer


def _disposition(plain: str, title: str, form: str) -> str:
    """Name the file twice (RFC 6266): in ASCII for old programs and as people read it."""
    name = quote(f"{title.replace('/', '-')}.{form}", safe="")
    return f"attachment; filename=\"{plain}.{form}\"; filename*=UTF-8''{name}"


def _audit(action: str, wave: Wave, detail: dict[str, str]) -> None:
    staff = guard.current_staff() or abort(403)
    note = partial(audit.append, at=clock.now(), actor=f"staff:{staff.username}", action=action,
                   subject=wave.key, detail=detail)  # fmt: skip
    services().writer.run(note)


def _wave(key: str) -> Wave:
    try:
        return waves.get(db.get(), key)
    except LookupError:
        abort(404, t("staff.no_wave"))


def _able() -> bool:
    staff = guard.current_staff()
    return staff is not None and staff.role in TAKERS


def _offered(wave: Wave, scope: str) -> list[str]:
    """The units of a wave inside a scope."""
    tree = Tree()
    return [unit for unit in datafiles.units(db.get(), wave.key) if tree.inside(unit, scope)]


def _places(wave: Wave, scope: str) -> list[tuple[str, str]]:
    """Units that a file may be cut to, by name: those of the wave, and what they are part of."""
    every: dict[str, None] = {}
    for unit in _offered(wave, scope)[:OFFERED]:
        for above in units.path(db.get(), unit)[:-1] or (unit,):
            if not scope or scope in units.path(db.get(), above):
                every[above] = None
    found = ((unit, units.name(db.get(), unit)) for unit in every)
    return sorted(
        ((unit, name[:1].upper() + name[1:]) for unit, name in found), key=lambda one: one[1]
    )


def _page(wave: Wave, values: dict[str, str], refusal: Refused | None = None) -> str:
    scope = guard.scope("")
    rule, staff = datafiles.rule(db.get(), wave.key), guard.current_staff()
    counts = responses.counts(db.get(), wave.key)
    fault = _said(refusal) if refusal else ""
    held = datafiles.exports(db.get(), wave.key) if _able() else []
    if scope:
        held = [one for one in held if one.unit and scope in units.path(db.get(), one.unit)]
    return render_template(
        "data/wave.html",
        wave=wave,
        values=values,
        fault=fault,
        at="rule" if refusal and refusal.code == "data_k" else "file",
        able=_able(),
        places=_places(wave, scope),
        scope=scope,
        whole=units.name(db.get(), scope) if scope else t("data.proof.whole"),
        rule=rule,
        levels=asking.LEVELS,
        forms=asking.FORMS,
        comments=[level for level in asking.LEVELS if extract.may_write_out(rule, level)],
        exports=[_told(one) for one in held],
        counts=None if scope else counts,
        long=counts.total > AT_ONCE,
        rules=_rules(wave, staff),
        synthetic=wave.synthetic,
    )


def _said(refusal: Refused) -> str:
    """A refusal as the page says it."""
    facts = {name: str(value) for name, value in refusal.facts.items()}
    return t(f"refused.{refusal.code}", **facts)


def _rules(wave: Wave, staff: Staff | None) -> bool:
    """Whether the reader may change the rule: who administers the wave's owner."""
    if staff is None or staff.role != "administrator":
        return False
    return not staff.unit or staff.unit in units.path(db.get(), wave.owner)


def _told(one: datafiles.Export) -> dict[str, object]:
    unit = units.name(db.get(), one.unit) if one.unit else t("data.proof.whole")
    return {
        "at": f"{hour(one.at)} {day(one.at)}",
        "form": one.form.upper(),
        "level": t(f"data.level.{one.level}"),
        "unit": unit,
        "n": thousands(one.n) if one.digest else "",
        "digest": one.digest[:12],
        "who": _who(one.actor),
    }


def _who(actor: str) -> str:
    """The name of who took a file; from the shell it is the login there."""
    kind, _, name = actor.partition(":")
    if kind != "staff":
        return t("data.from_shell", name=name or kind)
    found = people.find(db.get(), name)
    return found.name if found else name
