"""Waves stored in memory for the tests of figures: any questionnaire, any sample, any answers."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime

from forms import rules
from forms.questionnaire import load
from survey.migrations import migrate
from survey.store import reference

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@contextmanager
def database():
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.row_factory = sqlite3.Row
    try:
        migrate(db)
        reference.load(db, now=NOW, actor="test")
        yield db
    finally:
        db.close()


def insert(db, table, **row):
    """Store a row; what the table wants beside it and the figures do not need is left blank."""
    wanted = db.execute(
        f"SELECT name, type FROM pragma_table_info('{table}')"
        " WHERE \"notnull\" AND dflt_value IS NULL AND type <> 'INTEGER'"
    )
    row = {name: "" for name, _ in wanted} | row
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", row)


def unit(db, id, kind, name, parent, word=""):
    scheme, code = id.split(":")
    insert(
        db, "unit", scheme=scheme, code=code, valid_from="2025-07-01", kind=kind, word=word,
        name=name, name_key=name.lower(), parent=parent,
    )  # fmt: skip


def wave(db, key="w", questionnaire="sipas-2026.1", kind="probability", **changes):
    insert(
        db, "wave",
        **{
            "key": key, "name": "Đợt thử", "questionnaire": questionnaire, "kind": kind,
            "year": 2026, "opens_on": "2026-09-01", "closes_on": "2026-10-31",
            "owner": "vn34:00", "owner_name": "Bộ Nội vụ", "parent_name": "", "place": "Hà Nội",
            "synthetic": 1, "created_at": "2026-08-01T00:00:00.000Z",
        } | changes,
    )  # fmt: skip


def psu(db, name, stratum, unit, fpc=None, wave="w"):
    insert(
        db, "sample_psu", wave=wave, psu=name, stratum=stratum, fpc=fpc, unit=unit,
        area="urban", name=name,
    )  # fmt: skip


def answer(db, answers, psu="", weight=1.0, unit="vn34:01", wave="w", channel="", **changes):
    """One response; with ``psu`` as the answer of a new sampled case."""
    asked = load(db.execute("SELECT questionnaire FROM wave WHERE key = ?", [wave]).fetchone()[0])
    case = None
    if psu:
        case = 1 + db.execute("SELECT COALESCE(MAX(id), 0) FROM sample_case").fetchone()[0]
        insert(db, "sample_case", id=case, wave=wave, psu=psu, weight=weight, state="locked")
    n = db.execute("SELECT COUNT(*) FROM response").fetchone()[0]
    insert(
        db, "response",
        **{
            "id": f"id-{n}", "wave": wave, "questionnaire": asked.key,
            "channel": channel or ("post" if psu else "kiosk"), "receiving_unit": unit,
            "language": "vi", "case_id": case, "answers": rules.canonical(answers),
            "codes": rules.pack(asked, answers), "receipt": f"r{n}",
            "received_at": "2026-09-02T00:00:00.000Z",
        } | changes,
    )  # fmt: skip
