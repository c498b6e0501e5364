"""A third person compares two entries of a paper form; what double entry says about the keying."""

from __future__ import annotations

import io
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from forms import paper
from survey import db, exports, guard, serials, services, work
from survey.entry import marks
from survey.entry.shelf import Shelf
from survey.store import (
    Refused,
    cases,
    clock,
    comparisons,
    entries,
    plans,
    prints,
    scans,
    settling,
    units,
    waves,
)
from survey.text import clock as hour
from survey.text import day, t

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from werkzeug.wrappers import Response as BaseResponse

    from forms.paper import Field
    from survey.store.cases import Case
    from survey.store.comparisons import Settled
    from survey.store.entries import Row
    from survey.store.waves import Wave

bp = Blueprint("verify", __name__)

ROLES = ("administrator", "adjudicator")
#: Who may see how well the keying is done; no single form is shown there.
JUDGES = (*ROLES, "field_supervisor")


#: So many fields that differ look like another form entered under this number.
MANY = 20


@bp.get("/desk/compare")
@guard.roles(*ROLES)
def index() -> str:
    """List the forms whose entries differ: where, since when, in how many fields; no value."""
    wave = work.wave()
    q, mine = marks.asked(wave), work.staff().id
    waiting = [row for row in comparisons.waiting(db.get(), wave.key) if work.within(row.unit)]
    hands = entries.hands(db.get(), [row.case for row in waiting[: comparisons.LISTED]])
    rows = [
        {
            "row": row,
            "serial": serials.printed(row.case),
            "place": f"{row.psu_name}, {units.name(db.get(), row.unit)}",
            "n": comparisons.differing(db.get(), row.case, q),
            "since": f"{hour(row.since)} {day(row.since)}",
            "mine": mine in hands.get(row.case, ()),
        }
        for row in islice(waiting, comparisons.LISTED)
    ]
    ready = [one for one in rows if not one["mine"]]
    return render_template(
        "verify/waiting.html",
        wave=wave,
        synthetic=wave.synthetic,
        rows=rows,
        more=len(waiting) - len(rows),
        first=ready[0] if ready else None,
        free=settling.releasable(db.get(), wave.key) if guard.may("verify.release") else 0,
        **_counts(wave),
    )


@bp.post("/desk/compare")
@guard.roles("administrator")
def release() -> BaseResponse:
    """Settle the forms that wait for a second entry which the plan no longer asks for."""
    wave = work.wave()
    work.demand(wave.owner)
    job = partial(settling.release, wave=wave.key, now=clock.now(), actor=work.actor())
    flash(t("verify.released", n=services().writer.run(job)))
    return redirect(url_for(".index", wave=wave.key), 303)


@bp.get("/desk/compare/<int:number>")
@guard.roles(*ROLES)
def one(number: int) -> str:
    """Show the two entries of one form side by side, or how it was settled."""
    case, wave, entered = _find(number)
    settled = comparisons.settled(db.get(), case.id)
    if settled is not None:
        return _done(case, wave, entered, settled)
    return _page(case, wave, entered)


@bp.post("/desk/compare/<int:number>")
@guard.roles(*ROLES)
def decide(number: int) -> tuple[str, int] | BaseResponse:
    """Settle one form by what was decided of each field, or show the page again."""
    case, wave, entered = _find(number)
    staff, now, actor = work.staff().id, clock.now(), work.actor()
    if request.form.get("aside"):
        aside = partial(settling.set_aside, case_id=case.id, staff=staff, now=now, actor=actor)
        services().writer.run(aside)
        return redirect(url_for(".one", number=case.id), 303)
    if len(entered) < 2:
        raise Refused("not_twice", 409)
    whole, decided, faults = _read(wave, entered)
    if faults:
        return _page(case, wave, entered, faults), 422
    job = partial(
        settling.adjudicate, case_id=case.id, fields=whole, decided=decided, staff=staff,
        now=now, actor=actor,
    )  # fmt: skip
    try:
        services().writer.run(job)
    except Refused as refusal:
        if refusal.code != "already_settled":
            raise
        flash(t("verify.too_late", serial=serials.printed(case.id)))  # the page was old
    return redirect(url_for(".one", number=case.id), 303)


@bp.get("/desk/compare/<int:number>/picture")
@guard.roles(*ROLES)
def picture(number: int) -> Response:
    """Send the scan of one ``page`` of a form to whoever compares it."""
    case, _, _ = _find(number)
    _other(case)
    page = scans.current(db.get(), case.id).get(request.args.get("page", 0, type=int))
    try:
        path = Shelf(services().settings.instance).picture(page.file if page else "")
    except LookupError:
        raise Refused("no_scan", 404) from None
    return Response(path.read_bytes(), content_type="image/jpeg")


@bp.get("/desk/errors")
@guard.roles(*JUDGES)
def errors() -> str:
    """Show the error rate of each operator with its interval, and what was taken for what."""
    from survey.entry import accuracy
    from survey.rates import table

    wave = work.wave()
    found = accuracy.operators(_doubles(wave), marks.asked(wave))
    return render_template(
        "verify/errors.html",
        wave=wave,
        synthetic=wave.synthetic,
        **table(found, comparisons.names(db.get()), marks.asked(wave)),
        **_counts(wave),
    )


@bp.get("/desk/errors.csv")
@guard.roles(*JUDGES)
def errors_csv() -> Response:
    """Send the same table as a file."""
    from survey.entry import accuracy

    wave = work.wave()
    found = accuracy.operators(_doubles(wave), marks.asked(wave))
    names = comparisons.names(db.get())
    file = io.StringIO(newline="")
    columns = ("dot", "nguoi_nhap", "so_phieu", "so_o", "so_o_sai", "ty_le", "can_duoi", "can_tren")
    lines = [
        (wave.key, names.get(one.staff or 0, t("verify.scanner")), one.forms, one.fields, one.wrong,
         *((one.rate.value, one.rate.low, one.rate.high) if one.rate else (None, None, None)))
        for one in found.operators
    ]  # fmt: skip
    exports.write(file, columns, lines)
    name = f"sai-so-nhap-lieu-{wave.key}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    body = file.getvalue().encode("utf-8-sig")
    return Response(body, content_type="text/csv; charset=utf-8", headers=headers)


def _find(number: int) -> tuple[Case, Wave, list[Row]]:
    """Return a form that somebody entered, or end the request."""
    try:
        case = cases.get(db.get(), number)
    except LookupError:
        abort(404)
    work.demand(case.unit)
    entered = entries.of_case(db.get(), case.id)
    if not entered:
        abort(404)
    return case, waves.get(db.get(), case.wave), entered


def _other(case: Case) -> None:
    """Refuse who had a hand in one of the entries."""
    if work.staff().id in entries.hands(db.get(), [case.id]).get(case.id, ()):
        raise Refused("own_entry", 409)


def _page(
    case: Case, wave: Wave, entered: list[Row], faults: Mapping[str, str] | None = None
) -> str:
    """Show what differs, without who entered what and when."""
    _other(case)
    used = settling.answered(db.get(), case.id)
    if len(entered) < 2 and not used:
        raise Refused("not_twice", 409)
    where, scanned = _pages(case), scans.current(db.get(), case.id)
    rows = [
        {
            "name": field.name,
            "page": where.get(field.name),
            "scanned": where.get(field.name) in scanned,
            "number": marks.number(field),
            "label": marks.label(field),
            "kind": field.kind,
            "keys": marks.keys(field),
            "values": [marks.shown(field, entry.fields.get(field.name)) for entry in entered],
            "choice": request.form.get(f"d.{field.name}", ""),
            "other": request.form.get(f"o.{field.name}", ""),
            "fault": (faults or {}).get(field.name, ""),
        }
        for field in _differing(wave, entered)
    ]
    return render_template(
        "verify/compare.html",
        wave=wave,
        synthetic=wave.synthetic,
        case=case,
        serial=serials.printed(case.id),
        place=f"{case.psu_name}, {units.name(db.get(), case.unit)}",
        rows=rows,
        used=used,
        faults=faults or {},
        many=len(rows) >= MANY,
        same=len(paper.fields(marks.asked(wave))) - len(rows),
    )


def _by(entry: Row, names: Mapping[int, str]) -> str:
    """Return who made an entry; of a scan the scanner, and who settled its doubtful marks."""
    name = names.get(entry.staff or 0, "")
    if entry.via == "scan":
        return t("verify.scanner") + (f" ({name})" if name else "")
    return name


def _pages(case: Case) -> dict[str, int]:
    """Return on which page of the printed form each field stands, as far as that is known."""
    if case.print_run is None:
        return {}
    found: dict[str, int] = {}
    layout: Mapping[str, Any] = prints.get(db.get(), case.print_run).layout
    for kind in ("answers", "texts"):
        for spot in layout.get(kind, ()):
            found.setdefault(spot["field"], spot["page"])
    return found


def _done(case: Case, wave: Wave, entered: list[Row], settled: Settled) -> str:
    """Show how a form was settled, by now with who entered it and who decided."""
    names = comparisons.names(db.get())
    people = [
        {
            "round": entry.round,
            "name": _by(entry, names),
            "at": f"{hour(entry.received_at)} {day(entry.received_at)}",
        }
        for entry in entered
    ]
    rows = [
        {
            "number": marks.number(field),
            "label": marks.label(field),
            "values": [marks.shown(field, entry.fields.get(field.name)) for entry in entered],
            "final": marks.shown(field, settled.fields.get(field.name)),
            "taken": settled.decided.get(field.name),
        }
        for field in (_differing(wave, entered) if len(entered) > 1 else ())
    ]
    mine = work.staff().id
    waiting = [
        row
        for row in comparisons.waiting(db.get(), wave.key)
        if mine not in (row.first, row.second) and work.within(row.unit)
    ]
    return render_template(
        "verify/settled.html",
        wave=wave,
        synthetic=wave.synthetic,
        serial=serials.printed(case.id),
        people=people,
        rows=rows,
        by=names.get(settled.staff or 0, ""),
        at=f"{hour(settled.at)} {day(settled.at)}",
        aside=settled.response is None,
        next=waiting[0] if waiting else None,
        left=len(waiting),
    )


def _differing(wave: Wave, entered: list[Row]) -> list[Field]:
    """Return the fields that two entries hold differently, in the order of the form."""
    if len(entered) < 2:
        return []
    q = marks.asked(wave)
    names = set(paper.differences(q, entered[0].fields, entered[1].fields))
    return [field for field in paper.fields(q) if field.name in names]


def _read(
    wave: Wave, entered: list[Row]
) -> tuple[dict[str, object], dict[str, int], dict[str, str]]:
    """Return the form as decided, the decisions, and what is wrong with any of them."""
    whole, decided, faults = dict(entered[0].fields), dict[str, int](), dict[str, str]()
    for field in _differing(wave, entered):
        choice = request.form.get("all", "") or request.form.get(f"d.{field.name}", "")
        if choice not in ("0", "1", "2"):
            faults[field.name] = t("verify.choose")
            continue
        decided[field.name] = int(choice)
        if choice != "0":
            whole[field.name] = entered[int(choice) - 1].fields.get(field.name)
            continue
        try:
            whole[field.name] = marks.read(field, request.form.get(f"o.{field.name}", ""))
        except ValueError:
            faults[field.name] = t("verify.off", keys=marks.keys(field))
    for fault in paper.check(marks.asked(wave), whole):
        faults.setdefault(fault.column, t("refused.faulty_form"))
    return whole, decided, faults


def _doubles(wave: Wave) -> Iterator[comparisons.Double]:
    return comparisons.doubles(db.get(), wave.key, cache(work.within))


def _counts(wave: Wave) -> dict[str, object]:
    """Return how many forms stand where, of the units the reader may see."""
    found = dict.fromkeys(("second", "compare", "settled"), 0)
    for row in comparisons.states(db.get(), wave.key):
        if not work.within(row["unit"]):
            continue
        if row["state"] == "entered":
            found["second"] += row["n"]
        elif row["state"] == "entered_twice":
            found["compare"] += row["n"]
        elif row["state"] in ("compared", "called_back", "locked"):
            found["settled"] += row["n"]
    return {"counts": found, "plan": plans.get(db.get(), wave.key)}
