"""What the comparison of entries shows: forms that wait, forms settled, forms entered twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from forms import paper, rules
from forms.questionnaire import Questionnaire, load
from survey.serials import printed
from survey.store import seals

#: Forms that a page lists.
LISTED = 200


class Waiting(NamedTuple):
    """A form that waits for a third person; ``first`` and ``second`` are staff numbers.

    ``used``: its household has answered by its link.
    """

    case: int
    psu: str
    psu_name: str
    unit: str
    lot: str
    since: str
    first: int | None
    second: int | None
    used: bool


class Settled(NamedTuple):
    """A settled form: its fields, what was decided of those that differed, who did, when."""

    fields: dict[str, object]
    decided: dict[str, int]
    staff: int | None
    response: str | None
    at: str


class Double(NamedTuple):
    """A settled form with both of its entries; ``first`` is None for the scanner."""

    case: int
    unit: str
    first: int | None
    second: int | None
    via: str
    first_fields: dict[str, object]
    second_fields: dict[str, object]
    fields: dict[str, object]


def waiting(db: sqlite3.Connection, wave: str) -> list[Waiting]:
    """The forms of a wave that wait for a third person, the longest wait first.

    A form is listed too whose household answered by its link before it was settled.
    """
    rows = db.execute(
        "SELECT c.id AS \"case\", c.psu, p.name AS psu_name, p.unit, COALESCE(l.code, '') AS lot,"
        " COALESCE(b.received_at, a.received_at) AS since, a.staff AS first, b.staff AS second,"
        " r.id IS NOT NULL AS used"
        " FROM sample_case c JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " JOIN paper_entry a ON a.case_id = c.id AND a.round = 1"
        " LEFT JOIN paper_entry b ON b.case_id = c.id AND b.round = 2"
        " LEFT JOIN lot l ON l.id = c.lot LEFT JOIN response r ON r.case_id = c.id"
        " WHERE c.wave = :wave AND (c.state = 'entered_twice'"
        " OR (c.state = 'entered' AND r.id IS NOT NULL)) ORDER BY since, c.id",
        {"wave": wave},
    )
    return [Waiting(*row) for row in rows]


def differing(db: sqlite3.Connection, case_id: int, q: Questionnaire) -> int:
    """In how many fields the two entries of a form differ, 0 while there is one."""
    rows = db.execute(
        "SELECT fields FROM paper_entry WHERE case_id = :id ORDER BY round", {"id": case_id}
    ).fetchall()
    both = [json.loads(row["fields"]) for row in rows]
    return len(paper.differences(q, both[0], both[-1])) if both else 0


def states(db: sqlite3.Connection, wave: str) -> list[sqlite3.Row]:
    """How many entered forms of a wave each unit has: unit, state, via (of the first entry), n."""
    return db.execute(
        "SELECT p.unit, c.state, e.via, COUNT(*) AS n FROM sample_case c"
        " JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " JOIN paper_entry e ON e.case_id = c.id AND e.round = 1"
        " WHERE c.wave = :wave GROUP BY p.unit, c.state, e.via",
        {"wave": wave},
    ).fetchall()


def settled(db: sqlite3.Connection, case_id: int) -> Settled | None:
    """How a form was settled, None while it is not."""
    row = db.execute(
        "SELECT fields, decided, staff, response, at FROM paper_settled WHERE case_id = :id",
        {"id": case_id},
    ).fetchone()
    if row is None:
        return None
    return Settled(
        json.loads(row["fields"]), json.loads(row["decided"]), row["staff"], row["response"],
        row["at"],
    )  # fmt: skip


def doubles(
    db: sqlite3.Connection, wave: str, inside: Callable[[str], bool] = lambda _: True
) -> Iterator[Double]:
    """Every form of a wave that was entered twice and settled, by case, of the units ``inside``."""
    rows = db.execute(
        "SELECT s.case_id, p.unit, CASE a.via WHEN 'desk' THEN a.staff END AS first,"
        " b.staff AS second, a.via,"
        " a.digest = b.digest AS same, a.fields AS one, b.fields AS two, s.fields"
        " FROM paper_settled s JOIN sample_case c ON c.id = s.case_id"
        " JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " JOIN paper_entry a ON a.case_id = s.case_id AND a.round = 1"
        " JOIN paper_entry b ON b.case_id = s.case_id AND b.round = 2"
        " WHERE s.wave = :wave AND s.response IS NOT NULL ORDER BY s.case_id",
        {"wave": wave},
    )
    for row in rows:
        if not inside(row["unit"]):
            continue
        whole = json.loads(row["fields"])
        one, two = (whole, whole) if row["same"] else map(json.loads, (row["one"], row["two"]))
        yield Double(
            row["case_id"], row["unit"], row["first"], row["second"], row["via"], one, two, whole
        )


def stray(db: sqlite3.Connection) -> Iterator[str]:
    """What is wrong between settled forms, their entries and their responses, in Vietnamese."""
    rows = db.execute(
        "SELECT s.case_id, s.fields, s.response, r.case_id AS held, r.questionnaire, r.digest,"
        " r.state, (SELECT COUNT(*) FROM paper_entry e WHERE e.case_id = s.case_id) AS entries"
        " FROM paper_settled s LEFT JOIN response r ON r.id = s.response ORDER BY s.case_id"
    )
    for row in rows:
        serial = printed(row["case_id"])
        if not row["entries"]:
            yield f"Phiếu giấy {serial}: đã chốt mà không có lần nhập nào"
        if row["response"] is None:
            continue
        if row["held"] != row["case_id"]:
            yield f"Phiếu giấy {serial}: câu trả lời đã chốt không còn"
        elif row["state"] != "void":
            answers = paper.answers(load(row["questionnaire"]), json.loads(row["fields"]))
            if seals.digest(row["questionnaire"], rules.canonical(answers)) != row["digest"]:
                yield f"Phiếu giấy {serial}: câu trả lời khác giá trị đã chốt"
    rows = db.execute(
        "SELECT e.case_id, e.round, e.questionnaire, e.fields, e.digest FROM paper_entry e"
        " ORDER BY e.case_id, e.round"
    )
    for row in rows:
        if paper.digest(row["questionnaire"], json.loads(row["fields"])) != row["digest"]:
            yield f"Phiếu giấy {printed(row['case_id'])}: lần nhập {row['round']} đã bị sửa"
    rows = db.execute(
        "SELECT id FROM sample_case WHERE state IN ('compared', 'called_back')"
        " AND NOT EXISTS (SELECT 1 FROM paper_settled s WHERE s.case_id = sample_case.id)"
    )
    for row in rows:
        yield f"Phiếu giấy {printed(row['id'])}: đã đối chiếu mà chưa có giá trị chốt"


def names(db: sqlite3.Connection) -> Mapping[int, str]:
    """The names of the staff by number."""
    return {row["id"]: row["name"] for row in db.execute("SELECT id, name FROM staff")}
