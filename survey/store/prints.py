"""Print runs: which form was printed with which geometry, so that any page can be read back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from survey.db import write
from survey.serials import printed
from survey.store import Refused, audit
from survey.store.clock import stamp

#: Cases whose forms are not printed: they are not, or no longer, in the sample.
NEVER = frozenset({"reserve", "replaced"})


@dataclass(frozen=True, slots=True)
class PrintRun:
    """Forms printed alike: one questionnaire, one edition, one geometry.

    ``layout`` is what ``survey.printing.form.geometry`` said then; ``forms`` how many were
    printed by now, a form printed twice counted twice; ``pages`` of one form.
    """

    id: int
    wave: str
    edition: str
    questionnaire: str
    questionnaire_digest: str
    layout: Mapping[str, object]
    forms: int
    pages: int
    printed_at: str
    actor: str


_SELECT = (
    "SELECT id, wave, edition, questionnaire, questionnaire_digest, layout, forms, pages,"
    " printed_at, actor FROM print_run"
)


def get(db: sqlite3.Connection, id: int) -> PrintRun:
    """The print run of this number; raises LookupError."""
    row = db.execute(_SELECT + " WHERE id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return _run(row)


def of_wave(db: sqlite3.Connection, wave: str) -> list[PrintRun]:
    """Every print run of a wave, the newest first."""
    rows = db.execute(_SELECT + " WHERE wave = :wave ORDER BY id DESC", {"wave": wave})
    return [_run(row) for row in rows]


def find(
    db: sqlite3.Connection, wave: str, edition: str, digest: str, layout: Mapping[str, object]
) -> PrintRun | None:
    """The run that printed this questionnaire of a wave with this geometry, if there was one."""
    rows = db.execute(
        _SELECT + " WHERE wave = :wave AND edition = :edition AND questionnaire_digest = :digest"
        " AND layout = :layout ORDER BY id LIMIT 1",
        {"wave": wave, "edition": edition, "digest": digest, "layout": _text(layout)},
    )
    row = rows.fetchone()
    return _run(row) if row else None


def add(
    db: sqlite3.Connection,
    wave: str,
    *,
    edition: str,
    questionnaire: str,
    digest: str,
    layout: Mapping[str, object],
    cases: Iterable[int],
    now: datetime,
    actor: str,
) -> PrintRun:
    """Note that the forms of these cases are printed; forms printed again go to the same run.

    Raises LookupError for a case that is not of this wave, Refused ``nothing_to_print`` (422)
    for no case at all, ``not_printed`` (409: ``serial``, ``state``) for a reserve or a household
    that was replaced.
    """
    ids = tuple(cases)
    if not ids:
        raise Refused("nothing_to_print", 422)
    with write(db):
        run = find(db, wave, edition, digest, layout)
        if run is None:
            pages = layout["pages"]
            assert isinstance(pages, int)
            number = db.execute(
                "INSERT INTO print_run (wave, edition, questionnaire, questionnaire_digest,"
                " layout, forms, pages, printed_at, actor) VALUES (:wave, :edition,"
                " :questionnaire, :digest, :layout, 0, :pages, :at, :actor)",
                {
                    "wave": wave, "edition": edition, "questionnaire": questionnaire,
                    "digest": digest, "layout": _text(layout), "pages": pages, "at": stamp(now),
                    "actor": actor,
                },
            ).lastrowid  # fmt: skip
            assert number is not None
        else:
            number = run.id
        for id in ids:
            _assign(db, wave, id, number)
        db.execute(
            "UPDATE print_run SET forms = forms + :n WHERE id = :id", {"n": len(ids), "id": number}
        )
        audit.append(
            db, at=now, actor=actor, action="paper.print", subject=wave,
            detail={"run": number, "edition": edition, "forms": len(ids), "cases": ids[:200]},
        )  # fmt: skip
    return get(db, number)


def _assign(db: sqlite3.Connection, wave: str, case: int, run: int) -> None:
    row = db.execute(
        "SELECT state FROM sample_case WHERE id = :id AND wave = :wave", {"id": case, "wave": wave}
    ).fetchone()
    if row is None:
        raise LookupError(case)
    if row["state"] in NEVER:
        raise Refused("not_printed", 409, serial=printed(case), state=row["state"])
    db.execute("UPDATE sample_case SET print_run = :run WHERE id = :id", {"run": run, "id": case})


def cases_of(
    db: sqlite3.Connection, wave: str, *, unit: str = "", psu: str = "", lot: int | None = None
) -> list[int]:
    """The cases of a wave whose forms may be printed, by lot, area and number.

    ``unit`` takes what lies under it, too; each of the three narrows the list.
    """
    rows = db.execute(
        "SELECT c.id FROM sample_case c JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " WHERE c.wave = :wave AND c.state NOT IN ('reserve', 'replaced')"
        " AND p.dropped_at IS NULL AND (:psu = '' OR c.psu = :psu)"
        " AND (:lot IS NULL OR c.lot = :lot)"
        " AND (:unit = '' OR p.unit = :unit OR p.unit IN (WITH RECURSIVE below (id) AS ("
        " SELECT :unit UNION SELECT u.scheme || ':' || u.code FROM unit u JOIN below"
        " ON u.parent = below.id) SELECT id FROM below))"
        " ORDER BY c.lot IS NULL, c.lot, c.psu, c.number, c.id",
        {"wave": wave, "unit": unit, "psu": psu, "lot": lot},
    )
    return [row["id"] for row in rows]


def _text(layout: Mapping[str, object]) -> str:
    return json.dumps(layout, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _run(row: sqlite3.Row) -> PrintRun:
    return PrintRun(**dict(row) | {"layout": json.loads(row["layout"])})
