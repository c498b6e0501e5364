"""Letters of apology for late dossiers: whom one is owed, the register, the printed letters."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from survey import db, guard, services
from survey.reporting import periods
from survey.store import Refused, applicants, clock, dossiers, late, units, waves
from survey.store import letters as store
from survey.text import day, t, thousands
from survey.typed import changed, line, name_of, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.late import Owed
    from survey.store.letters import Letter
    from survey.store.people import Staff

bp = Blueprint("letters", __name__)

WRITERS = ("administrator", "supervisor")
#: Who sees the lists; the auditor changes nothing.
ROLES = (*WRITERS, "auditor")
#: Dossiers on one page, and letters made at once.
PAGE = 50
LONGEST = 300
#: Fields of the letter head, with their longest text.
HEAD = {"agency": 150, "parent": 150, "place": 80, "symbol": 40, "title": 120, "signer": 80,
        "contact": 150}  # fmt: skip
STATES = ("soon", "late", "settled")


@bp.get("/letters")
@guard.roles(*ROLES)
def index() -> str:
    """List the dossiers that need a letter now, with the form that makes them."""
    return _owed({}, {})


@bp.post("/letters")
@guard.roles(*WRITERS)
def make() -> BaseResponse | tuple[str, int]:
    """Enter letters for the dossiers chosen into the register."""
    today = clock.day(clock.now())
    asked = request.form.getlist("dossier")[:PAGE]
    faults: dict[str, str] = {}
    reason, channel = line(request.form.get("reason", "")), request.form.get("channel", "")
    if not asked:
        faults["dossier"] = t("letters.fault_none")
    if not reason or len(reason) > LONGEST:
        faults["reason"] = t("letters.fault_reason", most=LONGEST)
    if channel not in store.CHANNELS:
        faults["channel"] = t("letters.fault_channel")
    wanted = _wanted(asked, reason, channel, today, faults)
    if faults:
        return _owed(request.form.to_dict() | {"chosen": asked}, faults), 422
    staff = _staff()
    job = partial(store.make, wanted=wanted, now=clock.now(), actor=f"staff:{staff.username}")
    made = services().writer.run(job)
    flash(t("letters.made", n=len(made), numbers=", ".join(_numbers(made))))
    return redirect(url_for(".register", year=made[0].year), 303)


@bp.get("/letters/register")
@guard.roles(*ROLES)
def register() -> str:
    """Show the register of a year: numbers, channels, what went out and when."""
    scope, today = guard.scope(request.args.get("unit", "")), clock.day(clock.now())
    year = request.args.get("year", today.year, type=int)
    found = store.register(db.get(), year=year, within=scope)
    page = max(request.args.get("page", 1, type=int), 1)
    shown = found[(page - 1) * PAGE : page * PAGE]
    states = Counter(letter.state for letter in found)
    return render_template(
        "letters/register.html",
        rows=[_line(letter) for letter in shown],
        year=year,
        years=sorted({*store.years(db.get()), today.year}, reverse=True),
        states={state: thousands(states[state]) for state in store.STATES},
        page=page,
        more=len(found) > page * PAGE,
        share=_share(scope, today),
        channels=store.CHANNELS,
        writer=_staff().role in WRITERS,
        synthetic=waves.made_up(db.get()),
    )


@bp.post("/letters/register")
@guard.roles(*WRITERS)
def mark() -> BaseResponse:
    """Note that letters went out, or print several in one file."""
    staff = _staff()
    chosen = [_letter(number(text) or 0) for text in request.form.getlist("letter")[:PAGE]]
    if not chosen:
        raise Refused("letters_none", 422)
    if request.form.get("do") == "print":
        return _printed(chosen, staff)
    channel = request.form.get("channel", "")
    if channel not in store.CHANNELS:
        raise Refused("letters_none", 422)
    job = partial(
        store.sent, ids=[letter.id for letter in chosen], channel=channel, now=clock.now(),
        actor=f"staff:{staff.username}",
    )  # fmt: skip
    n = services().writer.run(job)
    flash(t("letters.noted", n=n, channel=t(f"letters.channel_{channel}")))
    return redirect(url_for(".register", year=chosen[0].year), 303)


@bp.post("/letters/<int:number>/pdf")
@guard.roles(*WRITERS)
def pdf(number: int) -> Response:
    """Print one letter; the name on it is looked at, so it is written down."""
    return _printed([_letter(number)], _staff())


@bp.post("/letters/<int:number>/void")
@guard.roles(*WRITERS)
def void(number: int) -> BaseResponse:
    """Strike a letter out that has not gone; its number stays used."""
    letter, reason = _letter(number), line(request.form.get("reason", ""))
    if not reason or len(reason) > LONGEST:
        raise Refused("letter_reason", 422, most=LONGEST)
    job = partial(
        store.void, id=letter.id, reason=reason, now=clock.now(),
        actor=f"staff:{_staff().username}",
    )  # fmt: skip
    services().writer.run(job)
    flash(t("letters.voided", number=letter.number))
    return redirect(url_for(".register", year=letter.year), 303)


@bp.get("/letters/head/<unit>")
@guard.roles(*ROLES)
def head(unit: str) -> str:
    """Show how a unit writes: agencies, place, letters of the number, who signs."""
    _owned(unit)
    return _head(unit, None, {}, "")


@bp.post("/letters/head/<unit>")
@guard.roles(*WRITERS)
def keep_head(unit: str) -> BaseResponse | tuple[str, int]:
    """Keep how a unit writes."""
    staff = _owned(unit)
    facts = {name: line(request.form.get(name, "")) for name in HEAD}
    faults = {
        name: t("letters.fault_long", n=len(text), most=HEAD[name])
        for name, text in facts.items()
        if len(text) > HEAD[name]
    }
    if not facts["agency"]:
        faults["agency"] = t("letters.fault_agency")
    days = request.form.get("days", -1, type=int)
    if not 0 <= days <= 30:
        faults["days"] = t("letters.fault_days")
    if faults:
        return _head(unit, request.form.to_dict(), faults, ""), 422
    job = partial(
        store.put_head, unit=unit, facts=facts, days=days, now=clock.now(),
        version=request.form.get("version", 0, type=int), actor=f"staff:{staff.username}",
    )  # fmt: skip
    try:
        services().writer.run(job)
    except Refused as refusal:
        return _head(unit, request.form.to_dict(), {}, changed(refusal)), 409
    flash(t("letters.head_kept"))
    return redirect(url_for(".index"), 303)


def _owed(values: dict[str, object], faults: dict[str, str]) -> str:
    scope, today = guard.scope(request.args.get("unit", "")), clock.day(clock.now())
    held = store.head(db.get(), scope) if scope else store.Head()
    found = list(late.owed(db.get(), today=today, ahead=held.days, within=scope))
    states = Counter(one.state(today) for one in found)
    state = request.values.get("state", "")
    if state not in STATES:
        state = next((name for name in ("late", "soon", "settled") if states[name]), "late")
    mine = [one for one in found if one.state(today) == state]
    page = max(request.values.get("page", 1, type=int), 1)
    return render_template(
        "letters/index.html",
        rows=[_row(one, today) for one in mine[(page - 1) * PAGE : page * PAGE]],
        states={name: thousands(states[name]) for name in STATES},
        state=state,
        page=page,
        more=len(mine) > page * PAGE,
        share=_share(scope, today),
        days=held.days,
        head=scope if scope and _staff().role in WRITERS else "",
        channels=store.CHANNELS,
        writer=_staff().role in WRITERS,
        values=values,
        faults=faults,
        today=today.isoformat(),
        longest=LONGEST,
        synthetic=waves.made_up(db.get()),
    )


def _row(one: Owed, today: date) -> dict[str, object]:
    gone = (one.settled_on or today) - one.due_on
    return {
        "dossier": one.dossier, "service": one.service, "unit": units.name(db.get(), one.unit),
        "resolving": units.name(db.get(), one.resolving) if one.resolving != one.unit else "",
        "due": day(one.due_on), "late": gone.days, "second": one.second,
        "settled": day(one.settled_on) if one.settled_on else "",
    }  # fmt: skip


def _wanted(
    keys: Sequence[str], reason: str, channel: str, today: date, faults: dict[str, str]
) -> list[store.Wanted]:
    """Return what the letters say; every dossier must be the reader's and still owed one."""
    text = request.form.get("new_due_on", "")
    try:
        new = date.fromisoformat(text) if text else None
    except ValueError:
        new = None
    open_keys = False
    wanted: list[store.Wanted] = []
    known: dict[str, Owed] = {}
    for key in keys:
        try:
            guard.owns(dossiers.get(db.get(), key).receiving_unit)
        except LookupError:
            abort(404, t("letters.no_dossier"))
    if keys:
        known = {o.dossier: o for o in late.owed(db.get(), today=today, ahead=30)}
    for key in keys:
        one = known.get(key)
        if one is None:
            faults["dossier"] = t("letters.fault_has", dossier=key)
            continue
        open_keys = open_keys or one.settled_on is None
        if one.settled_on is None and (new is None or new <= max(one.due_on, today)):
            faults["new_due_on"] = t("letters.fault_day", dossier=key, due=day(one.due_on))
        on = one.settled_on or new or one.due_on
        wanted.append(store.Wanted(key, one.due_on, max(on, one.due_on), reason, channel))
    return wanted


def _printed(chosen: Sequence[Letter], staff: Staff) -> Response:
    """Return the letters as one PDF, each from page 1; who they are for is written down."""
    from analysis.report import apology
    from survey.onestop import letterheads

    look = partial(
        applicants.look, dossiers=[letter.dossier for letter in chosen], why="letter",
        now=clock.now(), actor=f"staff:{staff.username}",
    )  # fmt: skip
    names = services().writer.run(look)
    chosen = sorted(chosen, key=lambda letter: (letter.unit, letter.year, letter.number))
    file, base = BytesIO(), db.get()
    made_up = waves.made_up(base)
    apology.write(letterheads.letters_of(base, chosen, names, synthetic=made_up), file)
    answer = Response(file.getvalue(), content_type="application/pdf")
    name = f"thu-xin-loi-{chosen[0].year}-{chosen[0].number:03d}.pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _line(letter: Letter) -> dict[str, object]:
    in_time = (
        letter.sent_at is not None and clock.day(clock.moment(letter.sent_at)) <= letter.due_on
    )
    return {
        "letter": letter, "unit": units.name(db.get(), letter.unit), "due": day(letter.due_on),
        "new": day(letter.new_due_on), "dated": day(letter.dated_on),
        "sent": day(letter.sent_at) if letter.sent_at else "", "in_time": in_time,
        "by": name_of(letter.sent_by or letter.made_by),
    }  # fmt: skip


def _share(scope: str, today: date) -> dict[str, str]:
    """Return how many late dossiers of this quarter have a letter that went out."""
    from analysis.report.numbers import pct

    quarter = periods.containing(today, "quarter")
    n = with_letter = 0
    for one in late.of(
        db.get(), since=quarter.first, until=quarter.last, today=today, within=scope
    ):
        n += 1
        with_letter += one.state == "sent"
    return {
        "n": thousands(n), "sent": thousands(with_letter), "period": quarter.words,
        "share": pct(with_letter / n if n else None, 1),
    }  # fmt: skip


def _head(unit: str, typed: dict[str, str] | None, faults: dict[str, str], lead: str) -> str:
    held = store.head(db.get(), unit)
    own = held.unit == unit
    values: dict[str, object] = dict(typed or held.facts)
    if typed is None:
        values |= {"days": held.days, "version": held.version if own else 0}
    values["agency"] = values.get("agency") or _capital(units.name(db.get(), unit))
    return render_template(
        "letters/head.html",
        unit=unit,
        name=units.name(db.get(), unit),
        values=values,
        faults=faults,
        lead=lead,
        fields=list(HEAD),
        writer=_staff().role in WRITERS,
        inherited=units.name(db.get(), held.unit) if held.unit and not own else "",
    )


def _owned(unit: str) -> Staff:
    guard.known(unit)
    return guard.owns(unit)


def _letter(number: int) -> Letter:
    """Return a letter of the reader's units, or end the request."""
    try:
        letter = store.get(db.get(), number)
    except LookupError:
        raise Refused("no_letter", 404) from None
    guard.owns(letter.unit)
    return letter


def _numbers(made: Sequence[Letter]) -> list[str]:
    numbers = [str(letter.number) for letter in made]
    return numbers if len(numbers) < 4 else [f"{numbers[0]}–{numbers[-1]}"]


def _staff() -> Staff:
    return guard.current_staff() or abort(403)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
