"""Scanned forms are handed in, watched while they are read, and their doubtful marks decided."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from forms import paper
from forms.language import OFFICIAL
from forms.questionnaire import localized
from survey import db, guard, scanning, serials, services, work
from survey.entry import reading
from survey.entry.shelf import PIECE, Shelf
from survey.store import Refused, cases, clock, readings, scans, waves
from survey.text import clock as hour
from survey.text import day, t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.datastructures import FileStorage
    from werkzeug.wrappers import Response as BaseResponse

    from forms.paper import Field
    from survey.store.scans import Counted, Page, Upload
    from survey.store.waves import Wave

bp = Blueprint("scans", __name__)

ROLES = ("administrator", "data_clerk")
#: What a browser without JavaScript may send at once; with it files come in pieces.
AT_ONCE = 11 * 1024 * 1024
#: Seconds between two looks at files that are being read.
_AGAIN = 4


@bp.url_value_preprocessor
def _room(endpoint: str | None, _values: dict[str, object] | None) -> None:
    """Allow a whole file where files are handed in; before anybody reads the body."""
    if endpoint == "scans.hand_in":
        request.max_content_length = AT_ONCE


@bp.get("/desk/scans")
@guard.roles(*ROLES)
def index() -> str:
    """Show what was handed in, what came of it, and what waits for a person."""
    wave, unit = work.wave(), _unit()
    files = scans.counted(db.get(), wave.key, unit=unit)
    found = readings.open_doubts(db.get(), wave.key, unit=unit)
    running = reading.running(services().settings)
    held = readings.waiting(db.get(), wave.key, unit=unit)
    return render_template(
        "scans/index.html",
        wave=wave,
        busy=running and any(_waits(one.upload) for one in files),
        again=_AGAIN,
        synthetic=wave.synthetic,
        files=[_said(one, running) for one in files],
        doubts=found.left if found else 0,
        held=[_held(one) for one in held],
        stuck=any(not one.missing for one in held),
        stopped=not running and any(_waits(one.upload) for one in files),
        missing=", ".join(scanning.missing()),
        piece=PIECE,
        token=f"{work.staff().id}-{uuid4().hex}",
        most=AT_ONCE // 2**20,
    )


@bp.post("/desk/scans")
@guard.roles(*ROLES)
def hand_in() -> BaseResponse:
    """Take whole files, or one that came in pieces, and have them read."""
    reading.demand()
    wave, shelf = work.wave(), Shelf(services().settings.instance)
    if token := request.form.get("token", ""):
        _mine(token)
        try:
            digest = shelf.shelve(token)
        except LookupError:
            raise Refused("upload_none", 422) from None
        _hand_in(wave, request.form.get("name", ""), digest)
    else:
        given = [file for file in request.files.getlist("file") if file.filename]
        if not given:
            raise Refused("upload_none", 422)
        for file in given:
            name = file.filename or ""
            _hand_in(wave, name, shelf.take(_pieces(file), f"{work.staff().id}-{uuid4().hex}"))
    reading.start(services().settings)
    return redirect(url_for(".index", wave=wave.key), 303)


@bp.post("/desk/scans/pieces/<token>")
@guard.roles(*ROLES)
def piece(token: str) -> dict[str, int]:
    """Take one piece of a file at ``offset``; says how much of it is here."""
    _mine(token)
    offset = request.args.get("offset", -1, type=int)
    if offset < 0:
        abort(400)
    shelf = Shelf(services().settings.instance)
    try:
        return {"at": shelf.grow(token, offset, request.get_data())}
    except LookupError:
        abort(404)


@bp.post("/desk/scans/work")
@guard.roles(*ROLES)
def go_on() -> BaseResponse:
    """Go on with what was left half read, and try again to enter what was refused."""
    wave = work.wave()
    retry = partial(readings.retry, wave=wave.key, unit=_unit(), now=clock.now())
    if done := services().writer.run(retry):
        flash(t("scans.entered", n=done))
    reading.start(services().settings)
    return redirect(url_for(".index", wave=wave.key), 303)


@bp.get("/desk/scans/<int:number>")
@guard.roles(*ROLES)
def one(number: int) -> Response:
    """Show one file page by page: what was read, refused and why."""
    upload = _upload(number)
    [count] = scans.counted(db.get(), upload.wave, id=upload.id)
    running = reading.running(services().settings)
    pages = [(page, _page_said(page)) for page in scans.pages_of(db.get(), upload.id)]
    wave = waves.get(db.get(), upload.wave)
    page = render_template(
        "scans/one.html",
        wave=wave,
        synthetic=wave.synthetic,
        file=_said(count, running),
        refused=[said for page, said in pages if page.state == "refused" and said["why"]],
        rest=[said for page, said in pages if page.state != "refused"],
    )
    return _watched(page, _waits(upload) and running)


@bp.post("/desk/scans/<int:number>")
@guard.roles(*ROLES)
def again(number: int) -> BaseResponse:
    """Have the refused pages of a file read once more."""
    upload = _upload(number)
    reading.demand()
    job = partial(scans.again, id=upload.id, now=clock.now(), actor=work.actor())
    services().writer.run(job)
    reading.start(services().settings)
    return redirect(url_for(".one", number=upload.id), 303)


@bp.get("/desk/scans/doubts")
@guard.roles(*ROLES)
def doubts() -> str | BaseResponse:
    """Show the next doubtful field as it stands on the paper, with a key for every answer."""
    wave = work.wave()
    after = request.args.get("after", 0, type=int)
    found = readings.open_doubts(db.get(), wave.key, unit=_unit(), after=after)
    if found is None:
        flash(t("scans.no_doubts"))
        return redirect(url_for(".index", wave=wave.key), 303)
    return _doubt(wave, found)


@bp.post("/desk/scans/doubts/<int:number>/<field>")
@guard.roles(*ROLES)
def decide(number: int, field: str) -> tuple[str, int] | BaseResponse:
    """Keep what a person sees in a doubtful field, and go on to the next."""
    page = _page(number)
    wave = _wave_of(page)
    if field not in page.doubts:
        raise Refused("no_scan", 404)
    if request.form.get("undo"):
        back = partial(
            readings.undo, id=page.id, field=field, staff=work.staff().id, now=clock.now(),
            actor=work.actor(),
        )  # fmt: skip
        if not services().writer.run(back):
            raise Refused("scan_late", 409)
        return redirect(url_for(".doubts", wave=wave.key, after=page.id - 1), 303)
    try:
        value = _value(_field(wave, field))
    except ValueError:
        found = readings.Open(page, field, len(page.open))
        return _doubt(wave, found, wrong=t("scans.not_this")), 422
    job = partial(
        readings.decide, id=page.id, field=field, value=value, staff=work.staff().id,
        now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    services().writer.run(job)
    onward = url_for(".doubts", wave=wave.key, after=page.id - 1, last=page.id, of=field)
    return redirect(onward, 303)


@bp.get("/desk/scans/pictures/<int:number>")
@guard.roles(*ROLES)
def picture(number: int) -> Response:
    """Send the picture of a page, or (``field``) the piece of it with a doubtful field."""
    page = _page(number)
    scans.demand(scans.get(db.get(), page.upload))
    digest = page.file
    if field := request.args.get("field", ""):
        digest = str(page.doubts.get(field, {}).get("file", "")) or digest
    try:
        path = Shelf(services().settings.instance).picture(digest)
    except LookupError:
        raise Refused("no_scan", 404) from None
    return Response(path.read_bytes(), content_type="image/jpeg")


def _doubt(wave: Wave, found: readings.Open, wrong: str = "") -> str:
    page, field = found.page, _field(wave, found.field)
    choices = {choice.code: choice.label for choice in field.item.choices}
    back = request.args.get("last", 0, type=int), request.args.get("of", "")
    return render_template(
        "scans/doubt.html",
        wave=wave,
        synthetic=wave.synthetic,
        page=page,
        field=field,
        kind=page.doubts[found.field]["kind"],
        removed=_removed(scans.get(db.get(), page.upload)),
        piece=bool(page.doubts[found.field].get("file")),
        keys=[(n, code, choices[code]) for n, code in enumerate(field.codes, 1)],
        asked=field.item.text if field.row else "",
        serial=serials.printed(page.case_id or 0),
        left=found.left,
        back=back if all(back) else None,
        wrong=wrong,
    )


def _value(field: Field) -> object:
    """What was sent of a doubtful field; raises ValueError for nothing at all."""
    sent = request.form
    match field.kind:
        case "several":
            if sent.get("invalid"):
                return paper.INVALID
            return sorted({int(code) for code in sent.getlist("value")})
        case "text":
            return sent.get("value", "").strip()
        case "number":
            typed = sent.get("value", "").strip()
            return int(typed) if typed else ""
        case _:
            return int(sent.get("value", ""))


def _field(wave: Wave, name: str) -> Field:
    q = localized(wave.questionnaire, OFFICIAL, frozenset(wave.words.items()))
    found = next((field for field in paper.fields(q) if field.name == name), None)
    return found or abort(404)


def _hand_in(wave: Wave, name: str, digest: str) -> None:
    short = "".join(letter for letter in name.replace("\\", "/") if letter.isprintable())
    short = short.rpartition("/")[2].strip()[:120] or t("scans.nameless")
    job = partial(
        scans.add, wave=wave.key, name=short, digest=digest, staff=work.staff().id,
        now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    _, new = services().writer.run(job)
    flash(t("scans.taken" if new else "scans.taken_before", name=short))


def _pieces(file: FileStorage) -> Iterator[bytes]:
    with closing(file):
        while part := file.stream.read(PIECE):
            yield part


def _mine(token: str) -> None:
    """Refuse to go on with somebody else's file."""
    if token.partition("-")[0] != str(work.staff().id):
        abort(404)


def _unit() -> str:
    return work.staff().unit or ""


def _upload(number: int) -> Upload:
    """One file that the reader's unit handed in, or end the request."""
    try:
        upload = scans.get(db.get(), number)
    except LookupError:
        raise Refused("no_scan", 404) from None
    _allow(scans.unit_of(db.get(), upload))
    return upload


def _page(number: int) -> Page:
    """One page of a form in the reader's area, or of a file of their own unit."""
    try:
        page = scans.page(db.get(), number)
    except LookupError:
        raise Refused("no_scan", 404) from None
    if page.case_id is not None:
        work.demand(cases.get(db.get(), page.case_id).unit)
    else:
        _upload(page.upload)
    return page


def _allow(unit: str) -> None:
    if _unit() and not unit:
        abort(403, t("scans.not_yours"))
    work.demand(unit)


def _wave_of(page: Page) -> Wave:
    return waves.get(db.get(), scans.get(db.get(), page.upload).wave)


def _waits(upload: Upload) -> bool:
    return upload.state in ("waiting", "reading")


def _watched(page: str, busy: bool) -> Response:
    """A page that looks again by itself while something is being read."""
    answer = Response(page, content_type="text/html; charset=utf-8")
    if busy:
        answer.headers["Refresh"] = str(_AGAIN)
    return answer


def _said(one: Counted, running: bool) -> dict[str, object]:
    """A file as people read of it."""
    upload = one.upload
    state = one.state
    if state == "reading" and not running:
        state = "stopped"
    return {
        "one": one,
        "upload": upload,
        "state": state,
        "far": _far(state, one),
        "removed": _removed(upload),
        "why": t(f"scans.fault.{upload.fault}") if upload.fault else "",
        "since": f"{hour(upload.at)} {day(upload.at)}",
    }


def _removed(upload: Upload) -> str:
    return day(upload.removed_on) if upload.removed_on else ""


def _far(state: str, one: Counted) -> str:
    match state:
        case "held":
            return t("scans.some_held", n=one.held)
        case "entered":
            return t("scans.all_entered")
        case _:
            return t(f"scans.{state}")


def _page_said(page: Page) -> dict[str, object]:
    code, facts = page.fault
    said = facts | ({"state": t(f"case.{facts['state']}")} if "state" in facts else {})
    hidden = page.state == "refused" and code == scans.EMPTY
    known = code and (page.state != "read")
    return {
        "page": page,
        "serial": serials.printed(page.case_id) if page.case_id else "",
        "why": t(f"scans.fault.{code}", OFFICIAL, **said) if known and not hidden else "",
        "advice": _advice(code) if known else "",
        "open": len(page.open) if page.state == "read" else 0,
        "least": None if page.least is None else int(100 * page.least),
    }


def _advice(code: str) -> str:
    from survey.text import has

    return t(f"scans.advice.{code}") if has(f"scans.advice.{code}") else ""


def stuck(code: str) -> str:
    """Return why a form that was read cannot be entered, in words."""
    from survey.text import has

    named = f"scans.stuck.{code}"
    return t(named) if has(named) else code and t("scans.stuck", code=code)


def _held(one: readings.Waiting) -> dict[str, object]:
    code, facts = one.fault
    return {
        "one": one,
        "missing": ", ".join(str(page) for page in one.missing),
        "why": stuck(code),
        "facts": facts,
    }
