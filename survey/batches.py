"""A lot with all that its papers say, and the form of a wave: what pages and commands print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from forms.language import OFFICIAL
from forms.questionnaire import localized
from survey import serials
from survey.store import Refused, lots, people, plans, prints, units, waves

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import date, datetime

    from forms.questionnaire import Questionnaire
    from survey.printing.form import Issuer
    from survey.store.lots import Household, Lot
    from survey.store.prints import PrintRun
    from survey.store.waves import Wave


@dataclass(frozen=True, slots=True)
class Batch:
    """One lot ready to be printed: ``unit`` its full name, ``carrier`` the interviewer's name,
    ``payment`` dong a form, ``on`` the day of the paper."""

    wave: Wave
    lot: Lot
    unit: str
    carrier: str
    households: tuple[Household, ...]
    payment: int
    on: date


def of(db: sqlite3.Connection, lot: Lot, on: date) -> Batch:
    """Return a lot with everything that its papers say."""
    unit = units.get(db, lot.unit)
    staff = people.get(db, lot.interviewer) if lot.interviewer else None
    return Batch(
        wave=waves.get(db, lot.wave),
        lot=lot,
        unit=unit.title if unit else lot.unit,
        carrier=staff.name if staff else "",
        households=tuple(lots.households(db, lot.id)),
        payment=plans.get(db, lot.wave).payment,
        on=on,
    )


def asked(wave: Wave) -> Questionnaire:
    """Return the questionnaire of a wave with its place words, as it is printed."""
    return localized(wave.questionnaire, OFFICIAL, frozenset(wave.words.items()))


def note(
    db: sqlite3.Connection,
    wave: Wave,
    cases: Iterable[int],
    edition: str,
    *,
    now: datetime,
    actor: str,
) -> PrintRun:
    """Note that the forms of these cases are printed.

    Raises as ``prints.add``, and Refused ``form_too_long`` (422) for a questionnaire that no form
    can hold.
    """
    from survey.printing import form

    q = asked(wave)
    try:
        layout = form.geometry(q, _issuer(wave), edition)
    except form.TooLongError:
        raise Refused("form_too_long", 422, key=q.key) from None
    return prints.add(
        db, wave.key, edition=edition, questionnaire=q.key, digest=q.digest,
        layout=layout, cases=cases, now=now, actor=actor,
    )  # fmt: skip


def write(
    wave: Wave, run: PrintRun, cases: Iterable[int], secret: bytes, file: BinaryIO, sides: int = 2
) -> int:
    """Print the forms of a run into a file; the pages.  Equal input gives equal bytes.

    Raises Refused ``form_changed`` (409) where the wave's words or names have changed since the
    run was noted: its codes would lead a reader to the wrong geometry.
    """
    from survey.printing import form, stream

    q, issuer = asked(wave), _issuer(wave)
    if form.geometry(q, issuer, run.edition) != run.layout:
        raise Refused("form_changed", 409, run=run.id)
    pages = form.lay(q, issuer, run.edition)
    made = (
        stream.Form(serials.printed(case), partial(serials.code, secret, run.id, case))
        for case in cases
    )
    return stream.write(pages, made, file, title=f"Phiếu khảo sát – {wave.name}", sides=sides)


def _issuer(wave: Wave) -> Issuer:
    from survey.printing.form import Issuer

    return Issuer(wave.owner_name or wave.name, wave.parent_name, wave.synthetic)
