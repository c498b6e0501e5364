"""Downloads of a wave's report (PDF) and of its figures (CSV); each one leaves an audit row."""

from __future__ import annotations

from functools import partial
from io import BytesIO, StringIO
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, abort, render_template, request

from survey import guard, services
from survey.board import figures
from survey.store import audit, clock
from survey.text import t

if TYPE_CHECKING:
    from analysis.results import Result
    from survey.store.waves import Wave

bp = Blueprint("reports", __name__)


@bp.get("/board/<key>/report.pdf")
@guard.roles(*guard.READERS)
def pdf(key: str) -> Response:
    """Send the report that fits the wave and the scope: national, unit or counter."""
    wave, result = _result(key)
    from analysis.report import REPORTS
    from analysis.report.pdf import write

    file = BytesIO()
    write(REPORTS[kind(result)](result, on=clock.day(clock.now())), file)
    return _sent(wave, result, file.getvalue(), "application/pdf", "pdf")


@bp.get("/board/<key>/report.csv")
@guard.roles(*guard.READERS)
def csv(key: str) -> Response:
    """Send the same figures as a table."""
    wave, result = _result(key)
    from analysis.report.csv import write

    file = StringIO(newline="")
    write(result, file)
    return _sent(wave, result, file.getvalue().encode(), "text/csv; charset=utf-8", "csv")


def kind(result: Result) -> str:
    """Return which report says what ``result`` holds."""
    if result.wave.kind == "self_selected":
        return "counter"
    return "unit" if result.scope else "national"


def _result(key: str) -> tuple[Wave, Result]:
    """Return the wave and its result in the scope asked for, or end the request."""
    wave, scope, result = figures.asked(key, request.args.get("unit", ""), comments=True)
    if isinstance(result, figures.Nothing):
        facts = {"wave": wave, "scope": scope, "nothing": result, "synthetic": wave.synthetic}
        abort(Response(render_template("board/no_report.html", **facts), 409))
    return wave, result


def _sent(wave: Wave, result: Result, body: bytes, type: str, ending: str) -> Response:
    staff = guard.current_staff() or abort(403)
    detail = {"format": ending, "kind": kind(result), "unit": result.scope}
    note = partial(
        audit.append,
        at=clock.now(),
        actor=f"staff:{staff.username}",
        action="report.download",
        subject=wave.key,
        detail=detail,
    )
    services().writer.run(note)
    answer = Response(body, content_type=type)
    answer.headers["Content-Disposition"] = _disposition(wave, result, ending)
    return answer


def _disposition(wave: Wave, result: Result, ending: str) -> str:
    """Name the file twice (RFC 6266): in ASCII for old programs and as people read it."""
    plain = "-".join(part for part in ("sipas", wave.key, result.scope.replace(":", "-")) if part)
    place = f" – {result.scope_name}" if result.scope else ""
    full = t("staff.file_name", wave=wave.name, place=place).replace("/", "-")
    name = quote(f"{full}.{ending}", safe="")
    return f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{name}"
