"""Pages put together: what was read of a form, what a person decided, and its first entry."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from forms import paper
from forms.questionnaire import Questionnaire, load
from survey.db import write
from survey.serials import Code, printed
from survey.store import Refused, audit, cases, entries, prints, scans, units, waves
from survey.store.cases import Case
from survey.store.scans import Page, Upload

#: A form's entry by the scanner has an id of its own, so it can never be made twice.
_SPACE = UUID("6f0c5f0e-3f0a-5f0a-9c52-5ca9f0215ca9")
#: A page that comes again after its form was entered.
ENTERED = "entered"
#: The same while the form waits for its second entry.
BLIND = "blind"
#: Pages of one form that were printed with different geometries.
MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as the reader saw it.

    ``digest`` and ``file`` name the picture that is kept; ``doubts`` field -> kind, codes and
    the file of its crop.  A page that was refused has a ``fault`` and its ``facts``.
    """

    number: int
    digest: str
    reader: str
    file: str
    case_id: int | None = None
    print_run: int | None = None
    page: int | None = None
    fields: Mapping[str, object] | None = None
    confidence: Mapping[str, float] | None = None
    doubts: Mapping[str, Mapping[str, object]] | None = None
    fault: str = ""
    facts: Mapping[str, object] | None = None


class Open(NamedTuple):
    """A doubtful field that waits: its page, its name, and how many more there are."""

    page: Page
    field: str
    left: int


class Waiting(NamedTuple):
    """A form that cannot be entered yet: pages missing, or why its entry was refused."""

    case_id: int
    serial: str
    missing: tuple[int, ...]
    fault: tuple[str, dict[str, object]]


def layout(db: sqlite3.Connection, upload: Upload, code: Code) -> tuple[Case, Mapping[str, object]]:
    """The form of a page's code: its case and the geometry it was printed with.

    Raises Refused with the page's fault: ``no_case``, ``other_wave`` (``wave``), ``other_unit``
    (``serial``), ``other_form`` (``questionnaire``), ``state`` (``serial``, ``state``).
    """
    try:
        case, run = cases.get(db, code.case), prints.get(db, code.print_run)
    except LookupError:
        raise Refused("no_case", 422) from None
    serial = printed(case.id)
    if case.wave != upload.wave or run.wave != case.wave:
        raise Refused("other_wave", 422, serial=serial, wave=waves.get(db, case.wave).name)
    allowed = scans.unit_of(db, upload)
    if allowed and allowed not in units.path(db, case.unit):
        raise Refused("other_unit", 422, serial=serial)
    asked = waves.get(db, case.wave).questionnaire
    if (run.questionnaire, run.questionnaire_digest) != (asked, load(asked).digest):
        raise Refused("other_form", 422, serial=serial, questionnaire=run.questionnaire)
    if case.state not in (*cases.ENTERABLE, *cases.BACK):
        raise Refused("state", 422, serial=serial, state=case.state)
    return case, run.layout


def keep(db: sqlite3.Connection, upload: Upload, seen: Seen, *, now: datetime) -> int:
    """Store one page of a file once, and enter its form when that was the last piece of it.

    A page that is there already is kept beside it and does not count; where the two differ a
    person is asked.  Pages of another print of the form (spoiled, or in large type) are another
    form until one of the two is whole.  Returns the number of the page's row.
    """
    with write(db):
        if seen.number in scans.numbers(db, upload.id):
            return 0
        facts: dict[str, object] = {
            "upload": upload.id, "number": seen.number, "digest": seen.digest,
            "reader": seen.reader, "file": seen.file, "case_id": seen.case_id,
            "print_run": seen.print_run, "page": seen.page,
        }  # fmt: skip
        if seen.fault:
            facts |= {"state": "refused", "fault": scans.fault(seen.fault, seen.facts)}
            return scans.insert(db, facts, now=now)
        assert seen.case_id is not None
        assert seen.page is not None
        fields, doubts = dict(seen.fields or {}), dict(seen.doubts or {})
        facts["confidence"] = scans.text(dict(seen.confidence or {}))
        if verdict := _known(db, seen.case_id, fields):
            return scans.insert(db, facts | verdict | _columns(fields, doubts, {}), now=now)
        solved: dict[str, object] = {}
        if held := _prints(db, seen.case_id).get(seen.print_run, {}).get(seen.page):
            differing = _differing(held, fields)
            if not differing and len(doubts) >= len(held.open):
                kept = {"state": "superseded", "fault": scans.fault("again")}
                return scans.insert(db, facts | kept | _columns(fields, doubts, {}), now=now)
            _ask(fields, doubts, differing)
            solved = {name: said for name, said in held.solved.items() if name in doubts}
            solved = {name: said for name, said in solved.items() if name not in differing}
            scans.set_state(db, held.id, "superseded", scans.fault("newer"))
        id = scans.insert(db, facts | {"state": "read"} | _columns(fields, doubts, solved), now=now)
        finish(db, seen.case_id, now=now)
        return id


def _columns(
    fields: Mapping[str, object], doubts: Mapping[str, object], solved: Mapping[str, object]
) -> dict[str, object]:
    return {
        "fields": scans.text(fields),
        "doubts": scans.text(doubts),
        "solved": scans.text(solved),
    }


def _known(
    db: sqlite3.Connection, case_id: int, fields: Mapping[str, object]
) -> dict[str, object] | None:
    """What a page is when its form was entered before: the same again, or another one.

    While the second entry is awaited nothing is compared: nobody learns from another scan, or
    from one that was made for it, what the first entry holds.
    """
    entered = entries.of_case(db, case_id)
    if not entered:
        return None
    if cases.get(db, case_id).state == "entered":  # whether it is the same would tell the first
        return {"state": "refused", "fault": scans.fault(BLIND, {"serial": printed(case_id)})}
    first = entered[0].fields
    differing = [name for name, value in fields.items() if first.get(name) != value]
    if not differing:
        return {"state": "superseded", "fault": scans.fault("again")}
    facts = {"serial": printed(case_id), "n": len(differing)}
    return {"state": "refused", "fault": scans.fault(ENTERED, facts)}


def _differing(held: Page, fields: Mapping[str, object]) -> list[str]:
    before = held.fields | {name: said["value"] for name, said in held.solved.items()}
    return [name for name, value in fields.items() if name in before and before[name] != value]


def _ask(
    fields: dict[str, object], doubts: dict[str, Mapping[str, object]], differing: list[str]
) -> None:
    """Fields that two scans of one page show differently become doubtful ones."""
    for name in differing:
        value = fields.pop(name)
        codes = value if isinstance(value, list) else [value] if isinstance(value, int) else []
        doubts[name] = {"kind": "conflict", "codes": codes, "file": ""}


#: Pages of a wave with doubtful fields that nobody has decided, of a unit and what lies under it.
_OPEN = (
    " FROM scan_page p JOIN sample_case c ON c.id = p.case_id"
    " JOIN sample_psu v ON v.wave = c.wave AND v.psu = c.psu"
    " WHERE c.wave = :wave AND p.state = 'read' AND p.doubts <> '{}'"
    " AND (:upload IS NULL OR p.upload = :upload)"
    " AND (:unit = '' OR v.unit = :unit OR v.unit IN (WITH RECURSIVE below (id) AS ("
    " SELECT :unit UNION SELECT u.scheme || ':' || u.code FROM unit u JOIN below"
    " ON u.parent = below.id) SELECT id FROM below))"
    " AND NOT EXISTS (SELECT 1 FROM paper_entry e WHERE e.case_id = p.case_id)"
    " AND EXISTS (SELECT 1 FROM json_each(p.doubts) d WHERE NOT EXISTS"
    " (SELECT 1 FROM json_each(p.solved) s WHERE s.key = d.key))"
)

_FIRST, _SUM = (
    "SELECT p.id, p.upload, p.number, p.digest, p.reader, p.case_id, p.print_run, p.page, p.state,"
    " p.fault, p.file, p.fields, p.confidence, p.doubts, p.solved",
    "SELECT SUM((SELECT COUNT(*) FROM json_each(p.doubts) d WHERE NOT EXISTS"
    " (SELECT 1 FROM json_each(p.solved) s WHERE s.key = d.key)))",
)
_NEXT, _LEFT = _FIRST + _OPEN + " ORDER BY p.id > :after DESC, p.id LIMIT 1", _SUM + _OPEN


def open_doubts(
    db: sqlite3.Connection, wave: str, *, unit: str = "", after: int = 0, upload: int | None = None
) -> Open | None:
    """The next doubtful field of a wave that a person of ``unit`` may decide, None when done.

    ``after`` passes over the pages up to that one (somebody else may be at them).
    """
    asked = {"wave": wave, "unit": unit, "upload": upload, "after": after}
    row = db.execute(_NEXT, asked).fetchone()
    if row is None:
        return None
    (left,) = db.execute(_LEFT, asked).fetchone()
    page = scans.page_row(row)
    return Open(page, page.open[0], left)


def decide(
    db: sqlite3.Connection,
    id: int,
    field: str,
    value: object,
    *,
    staff: int | None,
    now: datetime,
    actor: str,
) -> str:
    """Keep what a person says a doubtful field holds; returns the state of its form then.

    Raises LookupError (no such page or doubt), or Refused ``faulty_entry`` (422) for a value
    that this field cannot have, ``scan_decided`` (409) when somebody decided otherwise meanwhile,
    ``scan_gone`` (409) when another scan took this one's place.
    """
    with write(db):
        page = scans.page(db, id)
        if field not in page.doubts or page.case_id is None:
            raise LookupError(field)
        if page.state != "read":
            raise Refused("scan_gone", 409)
        case = cases.get(db, page.case_id)
        _check(_asked(db, case), field, value, case.id)
        if said := page.solved.get(field):
            if said["value"] != value:
                raise Refused("scan_decided", 409, serial=printed(case.id))
            return case.state
        solved = page.solved | {field: {"value": value, "staff": staff}}
        scans.set_solved(db, id, solved, staff)
        audit.append(
            db, at=now, actor=actor, action="scan.decide", subject=printed(case.id),
            detail={"page": id, "field": field, "kind": page.doubts[field]["kind"]},
        )  # fmt: skip
        return finish(db, case.id, now=now)


def undo(
    db: sqlite3.Connection, id: int, field: str, *, staff: int, now: datetime, actor: str
) -> bool:
    """Take one's own decision back while its form is not entered; False when it is too late."""
    with write(db):
        page = scans.page(db, id)
        said = page.solved.get(field)
        if said is None or said["staff"] != staff or page.case_id is None or page.state != "read":
            return False
        if entries.of_case(db, page.case_id):
            return False
        solved = {name: one for name, one in page.solved.items() if name != field}
        scans.set_solved(db, id, solved, staff)
        audit.append(
            db, at=now, actor=actor, action="scan.undo", subject=printed(page.case_id),
            detail={"page": id, "field": field},
        )  # fmt: skip
        return True


def finish(db: sqlite3.Connection, case_id: int, *, now: datetime) -> str:
    """Enter a form whose pages are all read and decided; returns the state of its case.

    What stands in the way of the entry (the wave is closed, the household answered by its link)
    is kept beside the pages and shown: nothing that was read is lost.
    """
    case = cases.get(db, case_id)
    held, others = _best(db, case_id)
    if not held or _missing(db, held) or any(page.open for page in held.values()):
        return case.state
    if entries.of_case(db, case_id):
        return case.state
    try:
        if len({page.print_run for page in held.values()}) > 1:
            raise Refused(MIXED, 409)  # a field may stand on neither sheet
        with write(db):
            stored = entries.add(db, _entry(db, case, held, now), now=now)
    except Refused as refusal:
        why = scans.fault(refusal.code, {"serial": printed(case_id)})
        for page in held.values():
            scans.set_state(db, page.id, "read", why)
        return case.state
    for page in held.values():
        scans.set_state(db, page.id, "read", "")
    for page in others:
        scans.set_state(db, page.id, "superseded", scans.fault("other_print"))
    return stored.state


def _prints(db: sqlite3.Connection, case_id: int) -> dict[int | None, dict[int, Page]]:
    """The pages of a form that count, by print run and page number."""
    found: dict[int | None, dict[int, Page]] = {}
    for page in scans.read_of(db, case_id):
        assert page.page is not None
        found.setdefault(page.print_run, {})[page.page] = page
    return found


def _best(db: sqlite3.Connection, case_id: int) -> tuple[Mapping[int, Page], list[Page]]:
    """The pages of the print that is whole and decided, the newest; else of whichever lacks least;
    and the pages of the other prints.  Where no print is whole alone, all pages together."""
    every = _prints(db, case_id)
    whole = [held for held in every.values() if not _missing(db, held)]
    ready = [held for held in whole if not any(page.open for page in held.values())]
    if not whole and len(every) > 1:
        return scans.current(db, case_id), []
    held = max(
        ready or whole or list(every.values()),
        key=lambda pages: max(page.id for page in pages.values()),
        default={},
    )
    return held, [page for pages in every.values() if pages is not held for page in pages.values()]


def waiting(db: sqlite3.Connection, wave: str, *, unit: str = "") -> list[Waiting]:
    """Forms of which pages are missing, or whose entry was refused, by serial number."""
    rows = db.execute(
        "SELECT p.case_id, s.unit, COUNT(*) AS n, MAX(p.fault) AS fault FROM scan_page p"
        " JOIN sample_case c ON c.id = p.case_id"
        " JOIN sample_psu s ON s.wave = c.wave AND s.psu = c.psu"
        " WHERE c.wave = :wave AND p.state = 'read'"
        " AND NOT EXISTS (SELECT 1 FROM paper_entry e WHERE e.case_id = p.case_id)"
        " GROUP BY p.case_id ORDER BY p.case_id",
        {"wave": wave},
    ).fetchall()
    found = []
    for row in rows:
        if unit and unit not in units.path(db, row["unit"]):
            continue
        held, _ = _best(db, row["case_id"])
        missing = _missing(db, held)
        fault = next(iter(held.values())).fault
        if missing or fault[0]:
            found.append(Waiting(row["case_id"], printed(row["case_id"]), missing, fault))
    return found


def retry(db: sqlite3.Connection, wave: str, *, unit: str = "", now: datetime) -> int:
    """Try again to enter the forms that were refused; returns how many went through."""
    with write(db):
        done = 0
        for one in waiting(db, wave, unit=unit):
            if not one.missing:
                done += finish(db, one.case_id, now=now) not in cases.ENTERABLE
    return done


def _missing(db: sqlite3.Connection, held: Mapping[int, Page]) -> tuple[int, ...]:
    """Pages of a form that hold something to read and were not scanned yet."""
    if not held:
        return ()
    run = next(iter(held.values())).print_run
    assert run is not None
    wanted = _pages(prints.get(db, run).layout)
    return tuple(sorted(wanted - held.keys()))


def _pages(layout: Mapping[str, object]) -> set[int]:
    found: set[int] = set()
    for kind in ("answers", "texts"):
        places = layout.get(kind, ())
        assert isinstance(places, (list, tuple))
        found |= {place["page"] for place in places}
    return found


def _entry(
    db: sqlite3.Connection, case: Case, held: Mapping[int, Page], now: datetime
) -> entries.Entry:
    q = _asked(db, case)
    read: dict[str, object] = {}
    staff: list[int] = []
    for page in held.values():
        read |= page.fields
        for name, said in page.solved.items():
            read[name] = said["value"]
            if isinstance(said["staff"], int):
                staff.append(said["staff"])
    whole = {field.name: read.get(field.name, _empty(field)) for field in paper.fields(q)}
    unlikely = [
        {"name": one.name, "code": one.code, "reason": "as_paper"}
        for one in paper.warnings(q, whole)
    ]
    return entries.Entry(
        id=str(uuid5(_SPACE, str(case.id))), case_id=case.id, via="scan",
        staff=staff[-1] if staff else None, questionnaire=q.key, fields=whole,
        overrides=unlikely, submitted_at=now, keys=len(staff),
    )  # fmt: skip


def _empty(field: paper.Field) -> object:
    """What a field without any place on the paper holds."""
    return {"one": paper.BLANK, "several": [], "text": "", "number": ""}[field.kind]


def _check(q: Questionnaire, name: str, value: object, case_id: int) -> None:
    """Refuse what a field of this name cannot hold."""
    whole = {field.name: _empty(field) for field in paper.fields(q)} | {name: value}
    if faults := paper.check(q, whole):
        names = [one.column for one in faults]
        raise Refused("faulty_entry", 422, serial=printed(case_id), faults=names)


def _asked(db: sqlite3.Connection, case: Case) -> Questionnaire:
    return load(waves.get(db, case.wave).questionnaire)
