"""How far the field work of a wave is: cases by place and interviewer, and what judges the work."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from survey.store.cases import BACK, OUT

#: State -> final disposition of AAPOR (2023): "complete", else a known eligible household that
#: "refused", was never met ("no_contact"), gave back a form that is not settled yet ("waiting") or
#: failed otherwise ("other"); "unknown" whether eligible; "ineligible": gone from the village.
DISPOSITIONS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("planned", *OUT, "wrong_address"), "unknown"),
        **dict.fromkeys(("collected", "entered", "entered_twice"), "waiting"),
        **dict.fromkeys(("compared", "called_back", "locked"), "complete"),
        **dict.fromkeys(("moved", "deceased"), "ineligible"),
        **dict.fromkeys(("spoiled", "other"), "other"),
        "refused": "refused",
        "absent": "no_contact",
    }
)
#: Forms that came back in any condition, that somebody has entered, that are settled.
RETURNED = (*BACK, "spoiled")
ENTERED = BACK[1:]
VALID = tuple(state for state, found in DISPOSITIONS.items() if found == "complete")


@dataclass(frozen=True, slots=True)
class Line:
    """``n`` cases alike: of one PSU and interviewer (None = no lot yet), in one ``state``.

    A replaced case is in the state that it was given up in, and ``replaced``.  ``substitute``
    cases stand for another household, or lie in a PSU that was taken in the place of another;
    cases of a ``dropped`` PSU were never reached.  ``handed``: in a lot that was handed out.
    """

    psu: str
    psu_name: str
    unit: str
    interviewer: int | None
    state: str
    replaced: bool
    substitute: bool
    dropped: bool
    handed: bool
    n: int

    @property
    def disposition(self) -> str:
        """What became of these cases, a value of ``DISPOSITIONS``."""
        found = DISPOSITIONS.get(self.state, "other")
        return "unknown" if self.dropped and found != "complete" else found

    @property
    def issued(self) -> bool:
        """Whether these forms have left the office, counted as in the report."""
        return self.handed or self.state in ENTERED

    @property
    def returned(self) -> bool:
        """Whether these forms came back in any condition, counted as in the report."""
        return self.issued and not self.replaced and self.state in RETURNED


_LINES = """
SELECT c.psu, p.name AS psu_name, p.unit, l.interviewer,
       CASE WHEN c.state = 'replaced' THEN COALESCE((SELECT e.former FROM case_event e
         WHERE e.case_id = c.id AND e.state = 'replaced' ORDER BY e.id DESC LIMIT 1), 'other')
         ELSE c.state END AS state,
       c.state = 'replaced' AS replaced,
       c.replaces IS NOT NULL OR p.replaces IS NOT NULL AS substitute,
       p.dropped_at IS NOT NULL AS dropped, l.issued_at IS NOT NULL AS handed, COUNT(*) AS n
FROM sample_case c JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu
     LEFT JOIN lot l ON l.id = c.lot
WHERE c.wave = :wave AND c.state <> 'reserve'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 4, 5"""


def lines(db: sqlite3.Connection, wave: str) -> list[Line]:
    """Every case of a wave but the reserves, counted."""
    flags = ("replaced", "substitute", "dropped", "handed")
    rows = db.execute(_LINES, {"wave": wave})
    return [Line(**dict(row) | {name: bool(row[name]) for name in flags}) for row in rows]


class Form(NamedTuple):
    """A settled form as work of its interviewer: packed answers and hours at the household.

    ``hours`` from handing out to collecting as they were marked, None where one mark is missing.
    Nothing of its entry is here: how fast somebody keys says nothing of who asked.
    """

    interviewer: int
    unit: str
    codes: bytes
    hours: float | None


_FORMS = """
SELECT l.interviewer, p.unit, r.codes,
  (julianday((SELECT MIN(e.at) FROM case_event e
              WHERE e.case_id = c.id AND e.state = 'collected'))
   - julianday((SELECT MIN(e.at) FROM case_event e
                WHERE e.case_id = c.id AND e.state = 'delivered'))) * 24
FROM response r JOIN sample_case c ON c.id = r.case_id AND c.wave = r.wave
     JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu
     JOIN lot l ON l.id = c.lot
WHERE r.wave = :wave AND r.questionnaire = :questionnaire AND r.channel = 'post'
  AND r.state IN ('valid', 'flagged') AND l.interviewer IS NOT NULL"""


def forms(db: sqlite3.Connection, wave: str, questionnaire: str) -> list[Form]:
    """The settled forms of a wave that an interviewer brought."""
    facts = {"wave": wave, "questionnaire": questionnaire}
    return [Form(*row) for row in db.execute(_FORMS, facts)]
