"""The rooms of the staff side: which pages stand together, in which order, under which words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request, url_for

from survey import guard
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask


@dataclass(frozen=True, slots=True)
class Room:
    """``words`` name it in the head of every page; ``pages`` are endpoints with their words."""

    words: str
    pages: Mapping[str, str]


#: In the order of the head; the first page a person may open is the door of its room.
ROOMS: Mapping[str, Room] = {
    "results": Room(
        "staff.results",
        {
            "board.waves": "room.waves",
            "board.today": "room.today",
            "coverage.coverage": "coverage.title",
            "comments.index": "room.comments",
            "officer.mine": "room.mine",
        },
    ),
    "reports": Room(
        "room.reports",
        {
            "reporting.index": "room.reports",
            "narratives.index": "narratives.title",
            "datafiles.index": "room.data",
            "external.index": "room.external",
        },
    ),
    "counter": Room(
        "room.counter",
        {
            "calls.listed": "calls.title",
            "kiosks.all": "kiosks.title",
            "posters.listed": "doors.title",
            "criteria.index": "room.criteria",
        },
    ),
    "feedback": Room(
        "room.feedback",
        {"feedback.index": "room.feedback", "letters.index": "room.letters"},
    ),
    "field": Room(
        "work.field",
        {
            "field.board": "work.board",
            "field.mine": "work.mine",
            "sampling.index": "work.sample",
            "lots.index": "work.lots",
            "field.reminders": "work.reminders",
            "field.quotas": "work.quotas",
            "callbacks.index": "work.callbacks",
            "field.interviewers": "work.interviewers",
            "weighing.index": "work.weights",
            "field.people": "work.people",
        },
    ),
    "desk": Room(
        "work.desk",
        {
            "desk.start": "work.desk",
            "scans.index": "work.scans",
            "verify.index": "work.compare",
            "verify.errors": "work.errors",
        },
    ),
    "office": Room(
        "room.office",
        {
            "running.index": "room.running",
            "questionnaires.index": "room.questionnaires",
            "staffing.index": "room.staffing",
            "audits.index": "room.audit",
            "alerts.index": "room.alerts",
            "apikeys.index": "room.keys",
        },
    ),
    "account": Room(
        "room.account",
        {"auth.password": "staff.password", "account.factor": "room.factor",
         "account.sessions": "room.sessions"},
    ),
}  # fmt: skip
#: Blueprints whose pages belong to another one's.
PARENTS = {
    "casework": "sampling",
    "planning": "sampling",
    "printouts": "lots",
    "reports": "board",
    "jobs": "reporting",
}


def links(name: str) -> list[tuple[str, str]]:
    """Return the endpoints and words of a room that who is signed in may open."""
    room = ROOMS.get(name)
    return (
        [(page, t(words)) for page, words in room.pages.items() if guard.may(page)] if room else []
    )


def doors() -> list[tuple[str, str, bool]]:
    """Return endpoint, words and whether it is the one shown, for each room open to the reader."""
    shown = current()
    found = ((name, room, links(name)) for name, room in ROOMS.items())
    return [(pages[0][0], t(room.words), name == shown) for name, room, pages in found if pages]


def current() -> str:
    """Return the room that the page shown is in, "" where it is in none."""
    return next((name for name in ROOMS if here(name)), "")


def here(name: str) -> str:
    """Return the page of a room that the one shown belongs to, "" where it is another room's."""
    room, shown = ROOMS.get(name), request.endpoint or ""
    if room is None or shown in room.pages:
        return shown if room else ""
    door = shown.split(".")[0]
    parent = PARENTS.get(door, door)
    return next((page for page in room.pages if page.split(".")[0] == parent), "")


def home() -> str:
    """Return the address of the first page that who is signed in may open."""
    return url_for(next((pages[0][0] for name in ROOMS if (pages := links(name))), "auth.password"))


def init_app(app: Flask) -> None:
    """Give templates the rooms."""
    app.jinja_env.globals.update(
        room_doors=doors,
        room_links=links,
        room_here=here,
        room_home=home,
        current_room=current,
    )
