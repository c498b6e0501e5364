"""What is printed of a lot on a page: its forms, and the papers that go with it."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, redirect, request, url_for

from survey import batches, db, guard, services, work
from survey.store import cases, clock, lots, prints, waves
from survey.text import t

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.lots import Lot
    from survey.store.waves import Wave

bp = Blueprint("printouts", __name__, url_prefix="/field/lots")

ROLES = ("administrator", "field_supervisor")
EDITIONS = ("normal", "large")
SHEETS = ("handover", "cover", "households", "payments")
#: Papers that name people: looking at them is written down.
NAMED = frozenset({"households", "payments"})
#: Forms of one file on the web (5 MB, five seconds of work); more are printed by the command.
MOST_FORMS = 1200
#: In the place of a lot's code: every lot of a wave that is not handed out yet.
ALL = "all"


@bp.post("/<code>/print")
@guard.roles(*ROLES)
def note(code: str) -> BaseResponse:
    """Note that the forms of a lot, or of all waiting lots, are printed; then lead to them."""
    wave, found = _lots(code)
    edition = request.form.get("edition", "")
    if edition not in EDITIONS:
        abort(400)
    ids = [case for lot in found for case in prints.cases_of(db.get(), wave.key, lot=lot.id)]
    if len(ids) > MOST_FORMS:
        abort(422, t("lots.too_many", most=MOST_FORMS))
    job = partial(
        batches.note, wave=wave, cases=ids, edition=edition, now=clock.now(), actor=work.actor()
    )
    run = services().writer.run(job)
    of = wave.key if code == ALL else None
    return redirect(url_for(".forms", code=code, run=run.id, wave=of), 303)


@bp.get("/<code>/forms.pdf")
@guard.roles(*ROLES)
def forms(code: str) -> Response:
    """Send the forms of lots as they were noted to be printed."""
    wave, found = _lots(code)
    try:
        run = prints.get(db.get(), int(request.args.get("run", "0")))
    except (LookupError, ValueError):
        abort(404)
    held = {case.id: case.print_run for lot in found for case in cases.of_lot(db.get(), lot.id)}
    ids = [case for lot in found for case in prints.cases_of(db.get(), wave.key, lot=lot.id)]
    ids = [id for id in ids if held[id] == run.id]
    if run.wave != wave.key or not ids or len(ids) > MOST_FORMS:
        abort(404)
    file = BytesIO()
    batches.write(wave, run, ids, services().settings.secret, file)
    return _pdf(file, f"{code}-phieu")


@bp.get("/<code>/<kind>.pdf")
@guard.roles(*ROLES)
def sheet(code: str, kind: str) -> Response:
    """Send one of the papers that go with lots; those that name people are logged."""
    from survey.printing import sheets

    if kind not in SHEETS:
        abort(404)
    _, found = _lots(code)
    made = [batches.of(db.get(), lot, clock.day(clock.now())) for lot in found]
    if kind == "payments" and not made[0].payment:
        abort(409, t("lots.no_payment"))
    if kind in NAMED:
        log = partial(lots.named, kind=kind, now=clock.now(), actor=work.actor())
        for lot in found:
            services().writer.run(partial(log, lot=lot))
    file = BytesIO()
    sheets.write(made, kind, file)
    return _pdf(file, f"{code}-{kind}")


def _pdf(file: BytesIO, name: str) -> Response:
    answer = Response(file.getvalue(), content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


def _lots(code: str) -> tuple[Wave, list[Lot]]:
    """Return a lot with its wave, or all that wait, of the reader's unit; else end the request."""
    if code == ALL:
        wave = work.wave()
        found = lots.of_wave(db.get(), wave.key, guard.scope(""))
        found = [lot for lot in found if lot.issued_at is None]
        return wave, found or abort(404, t("lots.none_waiting"))
    try:
        lot = lots.by_code(db.get(), code)
    except LookupError:
        abort(404, t("lots.not_found", code=code[:40]))
    work.demand(lot.unit)
    return waves.get(db.get(), lot.wave), [lot]
