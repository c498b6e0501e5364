"""Weights of a wave made from its cases, their answers and the known totals of the population.

Loads ``analysis``, so views and commands import this module when they are called and not before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from analysis.report.numbers import num, pct
from analysis.weights import calibrate as c
from analysis.weights.making import BLANK, Drawn, Known, Made, Settings, make
from analysis.weights.nonresponse import BadOutcomes, NoRespondents, Outcomes
from analysis.weights.trim import CapTooTight
from forms.questionnaire import Questionnaire, load
from survey.store import units, waves, weighting
from survey.store.progress import DISPOSITIONS
from survey.store.weighting import Margin
from survey.text import t
from survey.weighting.margins import CROSS, JOIN, CannotWeigh, merged

#: What is known of a case without asking; a unit is the one above the case that has a target.
DRAWN = ("area", "stratum", "unit")
CELLS = ("psu", "stratum", "unit", "none")
METHODS = ("rake", "linear", "logit", "")
#: Outcomes after which nobody who belongs to the survey is left at the place.
INELIGIBLE = tuple(state for state, found in DISPOSITIONS.items() if found == "ineligible")


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """Weights ready to be stored: ``rows`` (id, start, weight, cell), settings and report."""

    rows: list[dict[str, object]]
    settings: dict[str, object]
    report: dict[str, Any]


def preview(db: sqlite3.Connection, wave: str, how: Settings) -> Preview:
    """Make the weights of a wave without storing them.

    Raises LookupError (no such wave) or CannotWeigh.
    """
    asked = load(waves.get(db, wave).questionnaire)
    drawn = weighting.places(db, wave)
    eligible = [c for c in drawn if _eligible(c)]
    answered = [c for c in eligible if c["codes"] is not None]
    if not answered:
        raise CannotWeigh([t("weights.nobody")])
    known = margins(db, weighting.margins(db, wave), answered, asked) if how.method else []
    if how.method and not known:
        how = replace(how, method="")
    made = _made(_drawn(eligible, how), known, how)
    rows: list[dict[str, object]] = [
        {"id": case["id"], "start": start, "weight": weight, "cell": cell}
        for case, start, weight, cell in zip(
            answered, made.start.tolist(), made.weight.tolist(), made.cell, strict=True
        )
    ]
    settings = asdict(how) | {"margins": [each.name for each in known]}
    return Preview(rows, settings, made.report | {"response": _response(drawn)})


def _made(drawn: Drawn, known: Sequence[Known], how: Settings) -> Made:
    try:
        return make(drawn, known, how)
    except NoRespondents as fault:
        wrong = t("weights.no_respondents", cells=", ".join(fault.cells[:5]), least=how.least)
    except CapTooTight as fault:
        wrong = t("weights.cap_tight", trimmed=fault.trimmed, of=fault.of)
    except c.CannotCalibrate as fault:
        wrong = _sentence(fault)
    raise CannotWeigh([wrong])


def _sentence(fault: c.CannotCalibrate) -> str:
    if isinstance(fault, c.MarginsDiffer):
        pairs = zip(fault.names, fault.totals, strict=True)
        return t("weights.differ", totals="; ".join(f"{n}: {total:.15g}" for n, total in pairs))
    if isinstance(fault, c.EmptyCategory):
        return t("weights.empty", name=fault.margin, category=fault.category)
    if isinstance(fault, c.NotConverged):
        return t("weights.not_converged", name=fault.margin, category=fault.category)
    if isinstance(fault, c.NegativeFactor):
        return t("weights.negative", n=fault.cells)
    return str(fault)


def _eligible(case: Mapping[str, Any]) -> bool:
    """A place in the sample that is not given to another and not known to be empty."""
    if case["codes"] is not None:
        return True
    return case["state"] not in ("replaced", *INELIGIBLE)


def _drawn(cases: Sequence[Mapping[str, Any]], how: Settings) -> Drawn:
    """The eligible cases in their cells; PSUs are merged along their list, inside a stratum."""
    cells = [case[how.cells] if how.cells != "none" else "" for case in cases]
    strata = {cell: case["stratum"] for cell, case in zip(cells, cases, strict=True)}
    labels = sorted(strata, key=lambda cell: (strata[cell], cell))
    place = {label: k for k, label in enumerate(labels)}
    number = {name: k for k, name in enumerate(sorted(set(strata.values())))}
    return Drawn(
        base=np.array([case["base"] for case in cases], dtype=np.float64),
        responded=np.array([case["codes"] is not None for case in cases], dtype=bool),
        cell=np.array([place[cell] for cell in cells], dtype=np.int64),
        labels=labels,
        within=np.array([number[strata[label]] for label in labels], dtype=np.int64)
        if how.cells == "psu"
        else None,
    )


def margins(
    db: sqlite3.Connection,
    rows: Sequence[Margin],
    answered: Sequence[Mapping[str, Any]],
    asked: Questionnaire,
) -> list[Known]:
    """The margins with the category of every respondent, in the order they were entered.

    Raises CannotWeigh: respondents of a category without a target.
    """
    place = {column.id: k for k, column in enumerate(asked.columns)}
    found, faults = [], []
    for name in dict.fromkeys(row.name for row in rows):
        targets = {row.category: row.target for row in rows if row.name == name}
        parts = [
            _reader(part, place, _above(db, answered, targets, at))
            for at, part in enumerate(name.split(CROSS))
        ]
        whole = {code: row for row in targets for code in merged(row)}
        values = []
        for case in answered:
            codes = [part(case) for part in parts]
            label = "".join(CROSS + code for code in codes)
            values.append(BLANK if "" in codes else whole.get(label, label))
        strangers = sorted(set(values) - targets.keys() - {BLANK})
        faults += [
            t("weights.no_target", name=name, category=label.removeprefix(CROSS))
            for label in strangers
        ]
        found.append(Known(name, values, targets))
    if faults:
        raise CannotWeigh(faults)
    return found


def _reader(
    name: str, place: Mapping[str, int], above: Mapping[str, str]
) -> Callable[[Mapping[str, Any]], str]:
    """What a case has of a variable; "" where a question was left blank."""
    if name == "unit":
        return lambda case: above.get(case["unit"], case["unit"])
    if name in DRAWN:
        return lambda case: str(case[name])
    at = place[name]
    return lambda case: str(case["codes"][at]) if 0 < case["codes"][at] < 9 else ""


def _above(
    db: sqlite3.Connection,
    cases: Sequence[Mapping[str, Any]],
    targets: Mapping[str, float],
    at: int,
) -> dict[str, str]:
    """For each unit of the cases, the one above (or itself) that a target names."""
    wanted = {code for row in targets for code in row.split(CROSS)[at].split(JOIN)}
    found = {}
    for unit in {case["unit"] for case in cases}:
        path = [unit] if unit in wanted else units.path(db, unit)
        found[unit] = next((id for id in path if id in wanted), unit)
    return found


def _response(cases: Sequence[Mapping[str, Any]]) -> dict[str, float | int | None]:
    """Final dispositions of every case that was tried, whoever took its place, and their rates."""
    count = dict.fromkeys(("complete", "refused", "no_contact", "other", "unknown", "gone"), 0)
    for case in cases:
        count[_disposition(case)] += 1
    rates: dict[str, float | int | None] = {**count, "rr1": None, "rr3": None}
    try:
        met = Outcomes(
            complete=count["complete"], refused=count["refused"], no_contact=count["no_contact"],
            other=count["other"], unknown=count["unknown"], ineligible=count["gone"],
        )  # fmt: skip
        rates |= {"rr1": met.rr1, "rr3": met.rr3()}
    except BadOutcomes:
        pass
    return rates


def _disposition(case: Mapping[str, Any]) -> str:
    if case["codes"] is not None:
        return "complete"
    lost = case["reason"] if case["state"] == "replaced" else case["state"]
    if case["dropped"]:  # nobody went there any more
        return "unknown"
    found = DISPOSITIONS.get(lost, "other")
    return {"waiting": "other", "complete": "other", "ineligible": "gone"}.get(found, found)


def told(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was done, step by step, in words for a page or a command."""
    found = [_told_response(report["response"])]
    step = report["nonresponse"]
    found.append(_row("nonresponse", responded=_n(step["responded"]), eligible=_n(step["eligible"]),
                      cells=_n(step["cells"]), merged=_n(len(step["merged"])),
                      low=num(step["factor_min"], 2), high=num(step["factor_max"], 2)))  # fmt: skip
    if step := report.get("calibration"):
        method = t(f"weights.method_{step['method']}")
        found.append(_row("calibration", method=method,
                          cycles=step["cycles"], error=_missed(step["error"]),
                          low=num(step["factor_min"], 2),
                          high=num(step["factor_max"], 2)))  # fmt: skip
    if step := report.get("trimming"):
        words = t("weights.r_trimming_v", cap=num(step["cap"], 1), capped=_n(step["capped"]),
                  rounds=step["rounds"], moved=pct(step["moved"], 2))  # fmt: skip
        none = t("weights.r_trimming_none", cap=num(step["cap"], 1))
        found.append((t("weights.r_trimming"), words if step["rounds"] else none))
    step = report["weights"]
    found.append(_row("weights", sum=_n(step["sum"]), least=num(step["least"], 1),
                      median=num(step["median"], 1), most=num(step["most"], 1)))  # fmt: skip
    start = report["nonresponse"]["kish_after"]
    found.append(_row("kish", base=num(step["kish_base"], 3), start=num(start, 3),
                      final=num(step["kish"], 3)))  # fmt: skip
    return found


def _missed(error: float) -> str:
    return t("weights.exact") if error < 1e-6 else pct(error, 4)


def _told_response(step: Mapping[str, Any]) -> tuple[str, str]:
    rates = {name: pct(step[name], 1) for name in ("rr1", "rr3")}
    return _row(
        "response", **{name: _n(n) for name, n in step.items() if name not in rates}, **rates
    )


def _row(name: str, **facts: Any) -> tuple[str, str]:
    return t(f"weights.r_{name}"), t(f"weights.r_{name}_v", **facts)


def _n(value: float) -> str:
    return num(value, 0)
