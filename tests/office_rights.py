"""One of everything that belongs to one province, and how every address is made of it."""

from __future__ import annotations

from contextlib import closing
from datetime import date

import office_people
import onestop_data
from small_wave import COMMUNE, COUNTER, NOW, SURVEY, TUYEN_QUANG
from werkzeug.routing import IntegerConverter

from survey import db
from survey.store import (
    clock,
    feedback,
    invitations,
    jobs,
    keys,
    letters,
    people,
)

ACT = {"now": NOW, "actor": "shell:test"}
#: Stands in everything of the province that another one may not read.
SECRET = "Bí mật Na Hang"
#: What an address may carry where nothing of the province is meant.
VALUES = {
    "digest": "0", "name": "app.css", "number": 1, "code": "x", "questionnaire": "sipas-2026.1",
    "language": "vi", "item": "x", "kind": "villages", "wave": COUNTER, "psu": "x",
    "serial": "00000976", "field": "x", "key": COUNTER, "file": 1, "unit": TUYEN_QUANG,
    "period": "2026-Q3", "form": "counts", "of": "wave", "token": "x",
}  # fmt: skip
#: Views whose number or key names a thing of the province -> what ``fill`` calls it.
THINGS = {
    "apikeys.end": {"number": "key"},
    "calls": {"number": "call"},
    "feedback": {"number": "case"},
    "jobs": {"number": "job"},
    "kiosks.adjust": {"number": "door"},
    "letters": {"number": "letter"},
    "posters.poster": {"number": "door"},
    "staffing.answer": {"number": "invitation"},
    "staffing": {"number": "person"},
}


def fill(settings, facts):
    """Put one of everything into the province; returns the numbers by what they are of."""
    numbers = office_people.add(settings)
    with closing(db.connect(settings.database)) as store, db.write(store):
        onestop_data.make(store, opinions=12, second=6, third=2)
        chief = people.find(store, "chief")
        wish = invitations.Wish(username="moi", name=SECRET, role="viewer", unit=TUYEN_QUANG)
        key = store.execute("SELECT key FROM dossier WHERE receiving_unit = ?", (COMMUNE,))
        letter = letters.Wanted(
            dossier=key.fetchone()["key"], due_on=date(2026, 11, 1), new_due_on=date(2026, 12, 1),
            reason=SECRET, channel="letter",
        )  # fmt: skip
        keys.add(store, SECRET, scopes=("dossiers",), unit=TUYEN_QUANG, **ACT)
        store.execute("UPDATE door SET label = ? WHERE id = ?", (SECRET, facts.doors["counter"]))
        made = {
            "door": facts.doors["counter"],
            "person": numbers["member"],
            "invitation": invitations.make(store, wish, inviter=chief, now=clock.now())[0].id,
            "case": feedback.begin(store, unit=COMMUNE, words=SECRET, kind="hand", days=5, **ACT),
            "job": jobs.add(store, "data", {}, title=SECRET, unit=COMMUNE, staff=chief.id,
                            now=NOW).id,
            "letter": letters.make(store, [letter], **ACT)[0].id,
            "key": keys.all(store)[0].id,
            "call": facts.doors["dossier"],
        }  # fmt: skip
        store.execute("UPDATE staff SET name = ? WHERE id = ?", (SECRET, numbers["member"]))
    return made


def address(rule, made, door_tokens):
    """The address of a rule, about the province's thing where there is one."""
    door = rule.endpoint.split(".")[0]
    named = THINGS.get(rule.endpoint) or THINGS.get(door, {})
    values = {}
    for name in rule.arguments:
        value = made[named[name]] if name in named else VALUES.get(name)
        if door == "datafiles" and name == "key":  # a wave in which the other province answers, too
            value = SURVEY
        if value is None:
            value = 1 if isinstance(rule._converters[name], IntegerConverter) else "x"
        values[name] = door_tokens["counter"] if name == "token" else value
    _, path = rule.build(values)
    return path


def owned(rule):
    """Say whether the address names something of the province, so that others are refused."""
    door = rule.endpoint.split(".")[0]
    named = THINGS.get(rule.endpoint) or THINGS.get(door, {})
    return bool(set(named) & rule.arguments) or "unit" in rule.arguments
