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

bp = Blueprint("printouts", __name__, url_prefix="/field/lots")

ROLES = ("administrator", "field_supervisor")
EDITIONS = ("normal", "large")
SHEETS = ("handover", "cover", "households", "payments")
#: Papers that name people: looking at them is written down.
NAMED = frozenset({"households", "payments"})
#: Forms of one file on the web (4 MB); more are printed by the command.
MOST_FORMS = 1000


@bp.post("/<code>/print")
@guard.roles(*ROLES)
def note(code: str) -> BaseResponse:
    """Note that the forms of a lot are printed, then lead to them."""
    lot, edition = _lot(code), request.form.get("edition", "")
    if edition not in EDITIONS:
        abort(400)
    found = prints.cases_of(db.get(), lot.wave, lot=lot.id)
    if len(found) > MOST_FORMS:
        abort(422, t("lots.too_many", most=MOST_FORMS))
    job = partial(
        batches.note, wave=waves.get(db.get(), lot.wave), cases=found, edition=edition,
        now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    run = services().writer.run(job)
    return redirect(url_for(".forms", code=lot.code, run=run.id), 303)


@bp.get("/<code>/forms.pdf")
@guard.roles(*ROLES)
def forms(code: str) -> Response:
    """Send the forms of a lot as they were noted to be printed."""
    lot = _lot(code)
    try:
        run = prints.get(db.get(), int(request.args.get("run", "0")))
    except (LookupError, ValueError):
        abort(404)
    found = prints.cases_of(db.get(), lot.wave, lot=lot.id)
    held = {case.id: case.print_run for case in cases.of_lot(db.get(), lot.id)}
    found = [id for id in found if held.get(id) == run.id]
    if run.wave != lot.wave or not found:
        abort(404)
    file, wave = BytesIO(), waves.get(db.get(), lot.wave)
    batches.write(wave, run, found, services().settings.secret, file)
    return _pdf(file, f"{lot.code}-phieu")


@bp.get("/<code>/<kind>.pdf")
@guard.roles(*ROLES)
def sheet(code: str, kind: str) -> Response:
    """Send one of the papers that go with a lot; those that name people are logged."""
    from survey.printing import sheets

    lot = _lot(code)
    if kind not in SHEETS:
        abort(404)
    batch = batches.of(db.get(), lot, clock.day(clock.now()))
    if kind == "payments" and not batch.payment:
        abort(409, t("lots.no_payment"))
    if kind in NAMED:
        job = partial(lots.named, lot=lot, kind=kind, now=clock.now(), actor=work.actor())
        services().writer.run(job)
    file = BytesIO()
    sheets.write([batch], kind, file)
    return _pdf(file, f"{lot.code}-{kind}")


def _pdf(file: BytesIO, name: str) -> Response:
    answer = Response(file.getvalue(), content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


def _lot(code: str) -> Lot:
    """Return a lot of the reader's unit, or end the request."""
    try:
        lot = lots.by_code(db.get(), code)
    except LookupError:
        abort(404, t("lots.not_found", code=code[:40]))
    work.demand(lot.unit)
    return lot
