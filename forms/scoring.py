"""Points and classes of the nine criteria of Nghị định 61/2018/NĐ-CP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forms.model import NO_ANSWER

QUESTIONNAIRE = "nd61-2018.1"
CRITERIA = tuple(f"n{n}" for n in range(1, 10))

#: Criteria that count for the official who handled the dossier.
OFFICER = ("n1", "n2", "n3", "n4", "n7")

#: Criteria judged once for a unit and period; the others are judged for each dossier.
UNIT = ("n5", "n8", "n9")

MAXIMUM = 2 * len(CRITERIA)


@dataclass(frozen=True, slots=True)
class Grade:
    """A class of results; a total of exactly ``least`` belongs to it."""

    least: int
    name: str
    english: str


#: Classes on 18 points, best first (the edges are planning values: data, not law).
GRADES = (
    Grade(15, "Xuất sắc", "Excellent"),
    Grade(12, "Tốt", "Good"),
    Grade(9, "Khá", "Fair"),
    Grade(6, "Trung bình", "Average"),
    Grade(0, "Yếu", "Weak"),
)


def points(answers: Mapping[str, object]) -> dict[str, int]:
    """Return criterion -> 2, 1 or 0 points; a criterion without an answer has none at all."""
    return {
        name: code - 1
        for name in CRITERIA
        if isinstance(code := answers.get(name), int) and code != NO_ANSWER
    }


def total(answers: Mapping[str, object], criteria: Iterable[str] = CRITERIA) -> int | None:
    """Return the points of these criteria, or None while one of them has no answer.

    An unanswered criterion is never counted as the best one.
    """
    found = points(answers)
    wanted = tuple(criteria)
    return sum(found[name] for name in wanted) if found.keys() >= set(wanted) else None


def grade(total: float) -> Grade:
    """Return the class of a total (or mean total, not rounded before) of 18 points.

    Raises
    ------
    ValueError
        The total is not in 0..18.
    """
    if not 0 <= total <= MAXIMUM:
        raise ValueError(f"{total} is not in 0..{MAXIMUM}")
    return next(grade for grade in GRADES if total >= grade.least)
