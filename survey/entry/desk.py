"""The desk: a form is opened by its serial number and keyed in with one key an answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf

from forms import paper
from forms.language import OFFICIAL
from forms.questionnaire import load, localized
from survey import db, guard, serials, services, work
from survey.entry import keyed, mirror
from survey.store import Refused, cases, clock, entries, lots, prints, waves
from survey.text import catalogue, day, t

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from forms.questionnaire import Questionnaire
    from forms.rules import Fault
    from survey.store.cases import Case
    from survey.store.entries import StoredEntry, Waiting
    from survey.store.lots import Lot
    from survey.store.waves import Wave

bp = Blueprint("desk", __name__)

ROLES = ("administrator", "data_clerk")
#: Words of the script: every text of the catalogue that begins so.
_WORDS = "desk.js."
_LOT = re.compile(r"L[0-9]{1,9}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Open:
    """What the desk works on: the forms of one lot, or a single form outside any lot."""

    wave: Wave
    lot: Lot | None
    forms: tuple[Case, ...]

    @property
    def q(self) -> Questionnaire:
        """The questionnaire as it is printed for this wave."""
        words = frozenset(self.wave.words.items())
        return localized(self.wave.questionnaire, OFFICIAL, words)


@bp.get("/desk")
@guard.roles(*ROLES)
def start() -> str | tuple[str, int] | BaseResponse:
    """Take a serial number, the code of a page or of a lot, and say what waits."""
    typed = request.args.get("q", "").strip()
    wave, staff = work.wave(), work.staff()
    wrong = ""
    if typed:
        try:
            return redirect(_address(typed), 303)
        except LookupError:
            wrong = t("desk.unknown", typed=typed[:40])
        except Refused as refusal:
            known = refusal.status != 404
            wrong = work.said(refusal) if known else t("desk.unknown", typed=typed[:40])
    held = [one for one in entries.waiting(db.get(), wave.key, staff.id) if _mine(one)]
    n, ms = entries.today(db.get(), staff.id, now=clock.now())
    page = render_template(
        "desk/start.html",
        wave=wave,
        lots=held,
        typed=typed,
        wrong=wrong,
        today=n,
        today_ms=ms,
        speeds=entries.speeds(db.get(), wave.key) if staff.role == "administrator" else (),
        synthetic=wave.synthetic,
        shut=_shut(wave),
        words=_words(),
    )
    return (page, 422) if wrong else page


@bp.get("/desk/lot/<code>")
@guard.roles(*ROLES)
def lot(code: str) -> str:
    """Show the one page on which all forms of a lot are keyed in."""
    return _draw(_lot(code.upper()), None)


@bp.get("/desk/form/<serial>")
@guard.roles(*ROLES)
def form(serial: str) -> str:
    """Show one form; without JavaScript it is a form like any other."""
    case = _case(serial)
    entries.round_of(db.get(), case, work.staff().id, now=clock.now())
    return _draw(_around(case), case, values={}, id=str(uuid4()), started=clock.stamp(clock.now()))


@bp.post("/desk/form/<serial>")
@guard.roles(*ROLES)
def send(serial: str) -> tuple[str, int] | BaseResponse:
    """Store a form keyed in without JavaScript, or show it again with every answer kept."""
    case = _case(serial)
    around = _around(case)
    sent = keyed.read_form(around.q, request.form.to_dict(flat=False))
    faults = paper.check(around.q, sent.fields)
    unlikely = [] if faults else paper.warnings(around.q, sent.fields)
    given = {f"{one['name']}:{one['code']}": one["reason"] for one in sent.overrides}
    open_questions = [one for one in unlikely if not given.get(f"{one.name}:{one.code}")]
    if faults or open_questions or not sent.id:
        page = _draw(
            around, case, values=sent.fields, id=sent.id or str(uuid4()), started=sent.started,
            faults=faults, unlikely=unlikely, given=given,
        )  # fmt: skip
        return page, 422
    entry = keyed.entry(sent, case=case, staff=work.staff().id, q=around.q)
    stored = _store(entry)
    flash(t(f"desk.stored.{stored.round}", serial=serials.printed(case.id)))
    if around.lot:
        return redirect(url_for(".lot", code=around.lot.code), 303)
    return redirect(url_for(".start", wave=case.wave), 303)


@bp.post("/desk/entries")
@guard.roles(*ROLES)
def add() -> Response:
    """Store one entry from the queue of a desk: its contract is that of the kiosk's answers."""
    sent = keyed.read_json(request.get_data())
    if sent.by != work.staff().id:  # somebody else has signed in on this machine since
        raise Refused("other_clerk", 401)
    case = _case(sent.serial)
    if sent.wave != case.wave:
        raise Refused("other_wave", 409, serial=serials.printed(case.id))
    q = load(waves.get(db.get(), case.wave).questionnaire)
    stored = _store(keyed.entry(sent, case=case, staff=sent.by, q=q))
    state = "entered" if stored.round == 1 else "entered_twice"  # not whether the two agree
    body = {
        "id": stored.id,
        "serial": serials.serial(case.id),
        "round": stored.round,
        "state": state,
        "said": t(f"case.{state}"),
    }
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, 201 if stored.new else 200, content_type="application/json")


@bp.get("/desk/token")
@guard.roles(*ROLES)
def token() -> Response:
    """Give the desk what it signs its entries with, again after a new login."""
    body = {"by": work.staff().id, "token": generate_csrf()}
    return Response(json.dumps(body), content_type="application/json")


def _store(entry: entries.Entry) -> StoredEntry:
    return services().writer.run(partial(entries.add, incoming=entry, now=clock.now()))


def _address(typed: str) -> str:
    """The page of what was typed or scanned; LookupError or Refused where it names nothing here."""
    if _LOT.fullmatch(typed):
        return url_for(".lot", code=_found(typed).code)
    if typed.upper().startswith("S1/"):
        case = serials.read(services().settings.secret, typed.upper()).case
    else:
        case = serials.case_of(typed)
    found = _case(serials.serial(case))
    entries.round_of(db.get(), found, work.staff().id, now=clock.now())
    return url_for(".form", serial=serials.serial(found.id))


def _case(serial: str) -> Case:
    """The case of a serial number, in the reader's own area; ends the request otherwise.

    Another area's numbers are answered like those that nobody has: the desk is no way to learn
    which there are.
    """
    try:
        case: Case | None = cases.get(db.get(), serials.case_of(serial))
    except LookupError:
        case = None
    if case is None or not work.within(case.unit):
        raise Refused("no_form", 404, serial=serial[:40])
    return case


def _lot(code: str) -> Open:
    """The forms of a lot that lie in the reader's area."""
    found = _found(code)
    return Open(waves.get(db.get(), found.wave), found, _forms(found.id))


def _found(code: str) -> Lot:
    """A lot of the reader's area; ends the request alike for another's and for none."""
    try:
        found: Lot | None = lots.by_code(db.get(), code)
    except LookupError:
        found = None
    if found is None or not work.within(found.unit):
        raise Refused("no_lot", 404)
    return found


def _around(case: Case) -> Open:
    """The form with those of its lot, on which the desk goes on."""
    wave = waves.get(db.get(), case.wave)
    found = None if case.lot is None else lots.get(db.get(), case.lot)
    if found is None or not work.within(found.unit):
        return Open(wave, None, (case,))
    return Open(wave, found, _forms(found.id))


def _forms(lot: int) -> tuple[Case, ...]:
    return tuple(case for case in cases.of_lot(db.get(), lot) if work.within(case.unit))


def _mine(one: Waiting) -> bool:
    return one.lot is not None and work.within(one.unit)


def _draw(opened: Open, current: Case | None, **facts: Any) -> str:
    """The page of a lot or of one form; nothing on it tells what was entered before."""
    n, ms = entries.today(db.get(), work.staff().id, now=clock.now())
    forms = _listed(opened)
    runs = {case.print_run for case in opened.forms}
    run = current.print_run if current else runs.pop() if len(runs) == 1 else None
    pages = mirror.pages_of(prints.get(db.get(), run).layout) if run else ()
    return render_template(
        "desk/entry.html",
        wave=opened.wave,
        synthetic=opened.wave.synthetic,
        shut=_shut(opened.wave),
        lot=opened.lot,
        forms=forms,
        current=next((one for one in forms if current and one["id"] == current.id), None),
        q=opened.q,
        blocks=mirror.blocks(opened.q, pages),
        sheets=max((page for _, page in pages), default=0),
        lines=len(paper.fields(opened.q)),
        words=_words(),
        today=n,
        today_ms=ms,
        reasons=entries.REASONS,
        shown={"values": None, "faults": (), "unlikely": (), "given": {}} | facts,
        wrong={fault.column: _wrong(fault) for fault in facts.get("faults", ())},
    )


def _words() -> dict[str, str]:
    found = catalogue(OFFICIAL)
    return {key.removeprefix(_WORDS): found[key] for key in found if key.startswith(_WORDS)}


def _shut(wave: Wave) -> str:
    """Say beforehand that nothing keyed now will be stored; "" while the wave takes entries."""
    return t("desk.shut", on=day(wave.closed_at)) if wave.closed_at else ""


def _wrong(fault: Fault) -> str:
    return t(f"desk.fault.{fault.code}", **dict[str, Any](fault.facts))


def _listed(opened: Open) -> list[dict[str, object]]:
    """What the page says of each form: its number, where it stands and what may be done."""
    me = work.staff().id
    hands = entries.hands(db.get(), [case.id for case in opened.forms])
    return [
        {
            "id": case.id,
            "serial": serials.serial(case.id),
            "printed": serials.printed(case.id),
            "said": _said(case, hands, me),
            "place": case.psu_name,
            "status": _status(case, hands, me),
        }
        for case in opened.forms
        if case.state not in ("reserve", "replaced")
    ]


def _said(case: Case, hands: dict[int, set[int]], me: int) -> str:
    """Where a form stands, in words that do not tell whether its two entries agree."""
    done = _status(case, hands, me) == "done"
    return t("desk.kept" if done else f"case.{case.state}")


def _status(case: Case, hands: dict[int, set[int]], me: int) -> str:
    """Whether this person may enter a form now: ``first`` or ``second``; else why not."""
    if case.state in cases.ENTERABLE:
        return "first"
    if case.state == "entered":
        return "mine" if me in hands.get(case.id, ()) else "second"
    return "lost" if case.state in cases.LOST else "done"
