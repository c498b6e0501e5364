"""The audit as a page and as a file: who did what, who looked at personal data, does it hold."""

from __future__ import annotations

import csv
import json
from datetime import date
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask import redirect as lead

from survey import db, exports, guard, services, work
from survey.store import audit, clock, people, units
from survey.store.clock import VIETNAM
from survey.text import day, has, t, thousands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection

    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.audit import Asked, Entry

bp = Blueprint("audits", __name__, url_prefix="/office/audit")

ROLES = ("administrator", "auditor")
#: Rows on a page.
MOST = 100
LONGEST = 200
FILTERS = ("actor", "action", "subject", "since", "until", "looks")
COLUMNS = ("seq", "at", "actor", "who", "action", "what", "subject", "detail", "previous", "hash")


@bp.get("")
@guard.roles(*ROLES)
def index() -> str:
    """Show the newest rows that were asked for, and whether the chain holds."""
    asked, wrong = _asked()
    before = request.args.get("before", "")
    at = int(before) if before.isascii() and before.isdigit() and len(before) < 12 else 0
    found = [] if wrong else audit.rows(db.get(), asked, before=at, most=MOST + 1)
    names: dict[str, str] = {}
    args = _given()
    return render_template(
        "office/audit.html",
        rows=[_row(entry, names) for entry in found[:MOST]],
        older=url_for(".index", **args, before=found[MOST - 1].seq) if len(found) > MOST else "",
        newest=url_for(".index", **args) if at else "",
        file=url_for(".file", **args),
        actions=[(one, _what(one)) for one in audit.actions(db.get())],
        values=request.args,
        wrong=wrong,
        chain=audit.newest(db.get()),
        count=audit.count(db.get()),
        checked=min(audit.count(db.get()), audit.NEWEST),
        whole=not work.staff().unit,
        looks=asked.looks,
        bare=not args.keys() - {"looks"},
    )


@bp.get("/chain")
@guard.roles(*ROLES)
def chain() -> BaseResponse:
    """Look through the whole chain, row by row, and say what is wrong with it."""
    guard.system()
    faults, n = list(audit.verify(db.get())), audit.count(db.get())
    if faults:
        more = t("audit.more_faults", n=len(faults) - 5) if len(faults) > 5 else ""
        flash(" ".join([t("audit.broken"), *(f"{fault}." for fault in faults[:5]), more]).strip())
    else:
        flash(t("audit.whole", n=thousands(n)))
    return lead(url_for(".index"), 303)


@bp.get("/audit.csv")
@guard.roles(*ROLES)
def file() -> BaseResponse:
    """Send every row that was asked for; that it was sent is a row itself."""
    asked, wrong = _asked()
    if wrong:
        return lead(url_for(".index", **_given()), 303)
    wish = _given()
    job = partial(
        audit.append, at=clock.now(), actor=work.actor(), action="audit.download",
        subject=asked.unit, detail=wish,
    )  # fmt: skip
    services().writer.run(job)
    settings = services().settings
    name = f"nhat-ky-{clock.day(clock.now()).isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}

    def stream() -> Iterator[str]:
        store = db.connect(settings.database, readonly=True, create=False)
        try:
            yield "\ufeff"  # spreadsheets need the mark
            yield from _lines(store, audit.every(store, asked))
        finally:
            store.close()

    return Response(stream(), content_type="text/csv; charset=utf-8", headers=headers)


def _lines(store: Connection, entries: Iterator[Entry]) -> Iterator[str]:
    """Return the file in pieces of some hundred rows."""
    names: dict[str, str] = {}
    text = StringIO()
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow([t(f"audit.csv_{name}") for name in COLUMNS])
    for number, entry in enumerate(entries, 1):
        when = clock.moment(entry.at).astimezone(VIETNAM).isoformat(timespec="seconds")
        cells = (
            entry.seq, when, entry.actor, _who(store, entry.actor, names), entry.action,
            _what(entry.action), entry.subject, entry.detail, entry.previous, entry.hash,
        )  # fmt: skip
        out.writerow([exports.harmless(cell) for cell in cells])
        if number % 500 == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _given() -> dict[str, Any]:
    """Return the conditions of the address, as far as they are ours."""
    return {name: value for name in FILTERS if (value := request.args.get(name, ""))}


def _asked() -> tuple[Asked, str]:
    """Return which rows the address asks for, inside the reader's part, and what is wrong."""
    given = {name: people.plain(request.args.get(name, "")).strip()[:LONGEST] for name in FILTERS}
    days: dict[str, date | None] = {"since": None, "until": None}
    wrong = ""
    for name in days:
        try:
            days[name] = date.fromisoformat(given[name]) if given[name] else None
        except ValueError:
            wrong = t("audit.bad_day", value=given[name])
    since, until = days["since"], days["until"]
    if since and until and until < since:
        wrong = t("audit.days_turned", since=day(since), until=day(until))
    actor = given["actor"]
    if actor and ":" not in actor and actor != "citizen":
        actor = f"staff:{people.login_name(actor)}"
    return audit.Asked(
        unit=work.staff().unit, actor=actor, action=given["action"], subject=given["subject"],
        since=since, until=until, looks=request.args.get("looks") == "1",
    ), wrong  # fmt: skip


def _row(entry: Entry, names: dict[str, str]) -> dict[str, object]:
    moment = clock.moment(entry.at).astimezone(VIETNAM)
    return {
        "seq": entry.seq,
        "at": f"{moment:%H:%M:%S}",
        "on": day(moment),
        "who": _who(db.get(), entry.actor, names),
        "actor": entry.actor,
        "what": _what(entry.action),
        "action": entry.action,
        "subject": entry.subject,
        "detail": _detail(entry.detail),
        "hash": entry.hash[:8],
    }


def _who(store: Connection, actor: str, names: dict[str, str]) -> str:
    """Return an actor as people read it."""
    if actor in names:
        return names[actor]
    kind, _, name = actor.partition(":")
    shown = name
    if kind == "staff" and name:
        staff = people.find(store, name)
        shown = f"{staff.name} ({name})" if staff else name
    words = t(f"audit.by_{kind}", name=shown) if has(f"audit.by_{kind}") and name else ""
    names[actor] = words or t("audit.by_citizen" if actor == "citizen" else "audit.by_nobody")
    return names[actor]


def _what(action: str) -> str:
    """Return the words for an action, its code where there are none yet."""
    return t(f"audit.do.{action}") if has(f"audit.do.{action}") else action


def _detail(text: str) -> list[tuple[str, str]]:
    """Return the facts of a row as pairs, a list of two being before and after."""
    try:
        facts = json.loads(text)
    except ValueError:
        return [("", text)]
    found = []
    for key, value in facts.items() if isinstance(facts, dict) else []:
        if isinstance(value, list):
            shown = (
                " → ".join(map(_plain, value)) if len(value) == 2 else ", ".join(map(_plain, value))
            )
        else:
            shown = _plain(value)
        found.append((t(f"audit.fact.{key}") if has(f"audit.fact.{key}") else key, shown))
    return found


def _plain(value: object) -> str:
    if isinstance(value, str):
        for kind in ("role.", "case.", "feedback.state_"):
            if has(kind + value):
                return t(kind + value)
        return units.name(db.get(), value) if value[:2] == "vn" and ":" in value else value or "—"
    return json.dumps(value, ensure_ascii=False)
