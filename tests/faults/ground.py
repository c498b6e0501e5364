"""A small instance for the tests of the store: one open wave, one counter."""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from uuid import UUID

from forms import rules
from forms.questionnaire import load
from survey import config, db
from survey.store import doors, instances, responses, waves

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ACT = {"now": NOW, "actor": "shell:test"}
UNIT = "vn34:08"
QUESTIONNAIRE = "mot-cua-2026.1"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Ground:
    """An instance and the one counter of its one wave."""

    settings: object
    door: object

    def connect(self, **how):
        return closing(db.connect(self.settings.database, **how))


def wave(key="quay", **changes):
    facts = {
        "key": key, "name": "Đánh giá tại quầy", "questionnaire": QUESTIONNAIRE,
        "kind": "self_selected", "year": 2026, "opens_on": date(2026, 11, 1),
        "closes_on": date(2026, 12, 31), "owner": UNIT, "owner_name": "Sở Nội vụ",
    }  # fmt: skip
    return waves.Wave(**facts | changes)


def make(home):
    """A copy of the ground in ``home``."""
    template, door = _template()
    shutil.copytree(template, home, dirs_exist_ok=True)
    return Ground(config.load(home, environ={}), door)


@cache
def _template():
    home = Path(tempfile.mkdtemp(prefix="sipas-ground-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    settings = instances.init(home, at=NOW)
    with closing(db.connect(settings.database)) as store, db.write(store):
        waves.new(store, wave(), **ACT)
        door = doors.add(store, kind="counter", wave="quay", unit=UNIT, counter="3", **ACT)
    return home, door


def answers(comment="", **changes):
    asked = load(QUESTIONNAIRE)
    given = {column.id: 4 for column in asked.columns if column.item.kind == "scale"} | changes
    cleaned, faults = rules.check(asked, given | ({"comment": comment} if comment else {}))
    assert not faults
    return cleaned


def incoming(door, *, id=None, comment="", **changes):
    return responses.Incoming(
        id=id or str(UUID(int=next(_numbers))), door=door, questionnaire=QUESTIONNAIRE,
        answers=answers(comment, **changes), channel="kiosk", language="vi", started_at=NOW,
        submitted_at=NOW,
    )  # fmt: skip
