"""The staff's page of kiosks: which one is silent, what it still holds, and how it is set."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from forms.language import LANGUAGES
from survey import db, guard, services
from survey.board import silence
from survey.citizen import screens
from survey.store import clock, doors, kiosks, units
from survey.store.doors import IDLE, Settings
from survey.text import clock as time_of
from survey.text import day, offered, t

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from sqlite3 import Connection

    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.kiosks import Kiosk

bp = Blueprint("kiosks", __name__)

#: A clock may be so many minutes wrong before it is worth a word.
WRONG_CLOCK = 2
#: Rows on the page; the longest silent come first.
MOST = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One counter as the page shows it; ``state`` is "alive", "silent", "closed" or "never"."""

    kiosk: Kiosk
    unit: str
    counter: str
    state: str
    words: str
    since: str
    oldest: str
    current: bool
    clock: str


@bp.get("/kiosks")
@guard.roles("administrator", "supervisor", "viewer")
def all() -> str:
    """List the kiosks of the reader's unit, the silent ones first."""
    within, now = guard.scope(request.args.get("unit", "")), clock.now()
    names: dict[str, str] = {}
    found = []
    for kiosk in kiosks.all(db.get()):
        if not within or within in units.path(db.get(), kiosk.unit):
            if kiosk.unit not in names:
                names[kiosk.unit] = units.name(db.get(), kiosk.unit)
            found.append(_row(kiosk, names[kiosk.unit], now))
    facts: dict[str, object] = {
        "n": sum(row.state != "never" for row in found),
        "silent": sum(row.state == "silent" for row in found),
        "unsent": sum(row.kiosk.unsent for row in found),
    }
    return render_template(
        "staff/kiosks.html",
        rows=found[:MOST],
        more=max(0, len(found) - MOST),
        count=t("kiosks.count", "vi", **facts),
        may_set=_may_set(),
    )


@bp.route("/kiosks/<int:number>", methods=["GET", "POST"])
@guard.roles("administrator")
def adjust(number: int) -> BaseResponse | str | tuple[str, int]:
    """Set the kiosk of one counter."""
    try:
        door = doors.get(db.get(), number)
    except LookupError:
        abort(404)
    if door.kind != "counter":
        abort(404)
    guard.owns(door.unit)
    if request.method == "GET":
        return _form(number, asdict(door.kiosk), {})
    values: dict[str, object] = {
        "idle": request.form.get("idle", "").strip(),
        "language": request.form.get("language", ""),
        "large": "large" in request.form,
        "contrast": "contrast" in request.form,
        "sound": "sound" in request.form,
    }
    settings, faults = _settings(values)
    if settings is None:
        return _form(number, values, faults), 422
    staff = guard.current_staff()
    actor, now = f"staff:{staff.username if staff else ''}", clock.now()

    def job(store: Connection) -> None:
        doors.adjust(store, number, settings, now=now, actor=actor)

    services().writer.run(job)
    flash(t("kiosks.saved", door=_spot(door.label, door.counter, number)))
    return redirect(url_for("kiosks.all"), 303)


def _form(number: int, values: Mapping[str, object], faults: Mapping[str, str]) -> str:
    door = doors.get(db.get(), number)
    unit = units.name(db.get(), door.unit)
    return render_template(
        "staff/kiosk.html",
        unit=unit[:1].upper() + unit[1:],
        counter=_spot(door.label, door.counter, number),
        values=values,
        faults=faults,
        languages=[LANGUAGES[tag] for tag in offered()],
    )


def _settings(values: Mapping[str, object]) -> tuple[Settings | None, dict[str, str]]:
    """Return the settings a form asks for, or what is wrong with it by field."""
    idle, language, faults = str(values["idle"]), str(values["language"]), {}
    if not (idle.isascii() and idle.isdigit() and len(idle) <= 4 and int(idle) in IDLE):
        faults["idle"] = t("kiosks.idle_wrong")
    if language and language not in offered():
        faults["language"] = t("kiosks.language_wrong")
    if faults:
        return None, faults
    return Settings(
        idle=int(idle),
        language=language,
        large=bool(values["large"]),
        contrast=bool(values["contrast"]),
        sound=bool(values["sound"]),
    ), {}


def _row(kiosk: Kiosk, unit: str, now: datetime) -> Row:
    state, since = silence.state(kiosk.seen_at, now), ""
    words = t(f"kiosks.{state}") if state != "silent" else ""
    if kiosk.seen_at is not None:
        words = words or _silence(silence.minutes(kiosk.seen_at, now))
        since = f"{time_of(kiosk.seen_at)} {day(kiosk.seen_at)}"
    oldest = ""
    if kiosk.oldest_at and kiosk.unsent:
        oldest = t("kiosks.since", at=time_of(kiosk.oldest_at), on=day(kiosk.oldest_at))
    return Row(
        kiosk=kiosk,
        unit=unit[:1].upper() + unit[1:],
        counter=_spot(kiosk.label, kiosk.counter, kiosk.door),
        state=state,
        words=words,
        since=since,
        oldest=oldest,
        current=kiosk.version == screens.version(),
        clock=_clock(kiosk.clock_offset),
    )


def _silence(minutes: int) -> str:
    if minutes < 120:
        return t("kiosks.silent", minutes=minutes)
    if minutes < 48 * 60:
        return t("kiosks.silent_hours", hours=minutes // 60)
    return t("kiosks.silent_days", days=minutes // (24 * 60))


def _clock(offset: int) -> str:
    minutes, way = round(abs(offset) / 60), "ahead" if offset > 0 else "behind"
    if abs(offset) <= 60 * WRONG_CLOCK:
        return ""
    if minutes < 120:
        return t(f"kiosks.{way}", minutes=minutes)
    return t(f"kiosks.{way}_hours", hours=round(minutes / 60))


def _spot(label: str, counter: str | None, number: int) -> str:
    return label or counter or f"{number}"


def _may_set() -> bool:
    staff = guard.current_staff()
    return staff is not None and staff.role == "administrator"
