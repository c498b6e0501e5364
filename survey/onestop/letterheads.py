"""The head and the foot of papers of a unit, and the letters of apology that carry them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.report import apology, wording
from survey.store import dossiers, letters, units, waves

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from analysis.report.model import Report
    from survey.store.applicants import Applicant
    from survey.store.dossiers import Dossier
    from survey.store.letters import Letter

#: Kinds of units that a people's committee heads; it has no agency above it in the masthead.
GOVERNED = frozenset({"province", "district", "commune"})
#: Where no unit is named and no wave says who holds it.
NOBODY = "Cơ quan báo cáo"
#: Letters of the number of an apology, before the agency's own.
APOLOGY = "TXL"


@dataclass(frozen=True, slots=True)
class Office:
    """Who writes: agencies as they are called, place, who signs and in whose name."""

    agency: str
    parent: str = ""
    place: str = ""
    symbol: str = ""
    titles: tuple[str, ...] = ()
    signer: str = ""
    contact: str = ""


def office(db: sqlite3.Connection, unit: str) -> Office:
    """How a unit writes: as it has set, else as its newest wave does, else by its name."""
    head = letters.head(db, unit)
    if head.unit:
        facts = head.facts
        agency = facts.get("agency", "") or _capital(units.name(db, unit))
        titles = tuple(line for line in facts.get("title", "").split("; ") if line)
        return Office(
            agency, facts.get("parent", ""), facts.get("place", ""), facts.get("symbol", ""),
            titles or wording.signature(agency), facts.get("signer", ""), facts.get("contact", ""),
        )  # fmt: skip
    for wave in waves.all(db):
        if wave.owner == unit or (not unit and wave.kind == "self_selected"):
            titles = wording.signature(wave.owner_name)
            return Office(wave.owner_name, wave.parent_name, wave.place, titles=titles)
    known = units.get(db, unit)
    if known is None:
        return Office(unit or NOBODY, titles=wording.signature(unit))
    if known.kind in GOVERNED:
        agency = f"Ủy ban nhân dân {known.title}"
        return Office(agency, "", known.name, titles=wording.signature(agency))
    above = units.get(db, known.parent) if known.parent else None
    agency = _capital(known.title)
    governed = above is not None and above.kind in GOVERNED
    parent = f"Ủy ban nhân dân {above.title}" if governed and above else ""
    place = above.name if above else ""
    return Office(agency, parent, place, titles=wording.signature(agency))


def letters_of(
    db: sqlite3.Connection,
    chosen: Sequence[Letter],
    names: Mapping[str, Applicant],
    *,
    synthetic: bool,
) -> list[Report]:
    """The papers of letters in the register; whose name is not kept is addressed without it."""
    return [_letter(db, one, names.get(one.dossier), synthetic) for one in chosen]


def _letter(
    db: sqlite3.Connection, letter: Letter, applicant: Applicant | None, synthetic: bool
) -> Report:
    writes, dossier = office(db, letter.unit), dossiers.get(db, letter.dossier)
    own = wording.document_number("", writes.agency).rpartition("-")[2]
    letters_part = writes.symbol or f"{APOLOGY}-{own}"
    said = apology.Said(
        number=f"{letter.number:02d}/{letters_part}", on=letter.dated_on, dossier=letter.dossier,
        service=dossier.service, received_on=dossier.received_on, due_on=letter.due_on,
        settled_on=dossier.settled_on, new_due_on=letter.new_due_on, reason=letter.reason,
        resolving=_resolving(db, dossier), name=applicant.name if applicant else "",
        organisation=bool(applicant and applicant.organisation),
    )  # fmt: skip
    sender = apology.Sender(
        writes.agency, writes.parent, writes.place, writes.titles, writes.signer, writes.contact
    )
    return apology.build(said, sender, synthetic=synthetic)


def _resolving(db: sqlite3.Connection, dossier: Dossier) -> str:
    """The unit that decides, "" where it is the one that received the dossier."""
    same = dossier.resolving_unit == dossier.receiving_unit
    return "" if same else units.name(db, dossier.resolving_unit)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
