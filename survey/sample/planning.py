"""The staff's page of a sample's plan: how many are needed, how they are shared out, how drawn."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from survey import db, guard, services, work
from survey.sample.frames import Faulty
from survey.store import clock, draws, frames, waves
from survey.text import t, thousands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from survey.sample.drawing import Wanted
    from survey.store.draws import Plan
    from survey.store.waves import Wave

bp = Blueprint("planning", __name__)

RULES = ("proportional", "power", "equal")
#: Fields of the calculator with what stands in them first: percent where people think in percent.
CALCULATOR = {
    "half_width": "4", "share": "50", "icc": "0,03", "response": "95", "population": "",
    "in_commune": "", "commune_icc": "0,01",
}  # fmt: skip
_MOST = {"half_width": 50, "share": 100, "icc": 1, "response": 100.0001, "commune_icc": 1}
#: The largest number of households, reserves and villages that is no slip of the keyboard.
MOST = {
    "households": 1000, "reserves": 1000, "total": 100_000, "minimum": 1000, "per_commune": 100,
    "in_commune": 100,
}  # fmt: skip
LEAST = {
    "households": 1, "reserves": 0, "total": 1, "minimum": 1, "per_commune": 0, "in_commune": 0,
}  # fmt: skip


@bp.before_request
def other_wave() -> Response | None:
    """Lead whoever chooses another wave to its sample."""
    asked = request.args.get("wave", "")
    if request.method != "GET" or not asked or asked == (request.view_args or {}).get("key"):
        return None
    return redirect(url_for("sampling.index", wave=asked), 303)


@bp.get("/field/sample/<key>/plan")
@guard.roles("administrator", "field_supervisor")
def plan(key: str) -> str | tuple[str, int]:
    """Show the plan; with numbers in the address, compute a sample size first."""
    wave = _wave(key)
    held = draws.get(db.get(), key).plan
    values = _values(held)
    first = CALCULATOR | {"in_commune": str(held.per_commune)}
    asked = {name: request.args.get(name, was).strip() for name, was in first.items()}
    if "half_width" not in request.args:
        return _page(wave, values, asked=asked)
    wanted, faults = _wanted(asked, held.households)
    if wanted is not None:
        values["total"] = str(wanted.communes or wanted.villages)
        values["per_commune"] = asked["in_commune"]
    page = _page(wave, values, asked=asked, wanted=wanted, faults=faults)
    return (page, 422) if faults else page


@bp.post("/field/sample/<key>/plan")
@guard.roles("administrator", "field_supervisor")
def keep(key: str) -> str | tuple[str, int] | Response:
    """Fill in the villages of each stratum by a rule, or keep the plan."""
    wave = _wave(key)
    held = draws.get(db.get(), key)
    values = _values(held.plan) | request.form.to_dict()
    allocate = values.get("go") == "allocate"
    made, faults = _read(values, held.plan, drawn=bool(held.villages_at), allocate=allocate)
    if allocate and not faults:
        values, faults = _allocate(key, values)
    if allocate or faults:
        page = _page(wave, values, faults=faults, filled=allocate and not faults)
        return (page, 422) if faults else page
    job = partial(draws.set_plan, wave=key, plan=made, now=clock.now(), actor=work.actor())
    services().writer.run(job)
    n = made.villages()
    flash(t("sampling.plan_kept", villages=thousands(n), forms=thousands(n * made.households)))
    return redirect(url_for("sampling.index", wave=key), 303)


def _wave(key: str) -> Wave:
    """Return a wave whose sample the reader may plan, or end the request."""
    try:
        wave = waves.get(db.get(), key)
    except LookupError:
        abort(404)
    if wave.kind != "probability":
        abort(404)
    guard.scope(wave.owner)
    return wave


def _values(plan: Plan) -> dict[str, str]:
    return {
        "method": plan.method, "person": plan.person, "households": str(plan.households),
        "reserves": str(plan.reserves), "total": str(sum(plan.takes.values()) or ""),
        "rule": RULES[0], "minimum": "2", "per_commune": str(plan.per_commune),
        "commune_method": plan.commune_method,
        **{f"take.{name}": str(take) for name, take in plan.takes.items()},
    }  # fmt: skip


def _read(
    values: Mapping[str, str], held: Plan, *, drawn: bool, allocate: bool
) -> tuple[Plan, dict[str, str]]:
    """Return the plan that the form says, and what is wrong by field.

    Villages that are drawn stay as they are, whatever the form says.
    """
    faults: dict[str, str] = {}
    households = _whole("households", values, t("sampling.per_village"), faults)
    reserves = _whole("reserves", values, t("sampling.reserves"), faults)
    made = replace(held, households=households or 1, reserves=reserves)
    if values.get("person") in draws.PERSONS:
        made = replace(made, person=values["person"])
    if drawn:
        return made, faults
    inside = _whole("per_commune", values, t("sampling.per_commune"), faults)
    if allocate or "per_commune" in faults:
        return made, faults
    made = replace(made, per_commune=inside)
    if values.get("method") in draws.METHODS:
        made = replace(made, method=values["method"])
    if values.get("commune_method") in draws.METHODS:
        made = replace(made, commune_method=values["commune_method"])
    return replace(made, takes=_takes(values, faults, communes=bool(inside))), faults


def _takes(
    values: Mapping[str, str], faults: dict[str, str], *, communes: bool
) -> dict[str, int]:  # fmt: skip
    takes = {}
    strata = {name.removeprefix("take."): text for name, text in values.items()
              if name.startswith("take.")}  # fmt: skip
    most = _strata_sizes(communes=communes)
    words = "sampling.take_of_communes" if communes else "sampling.take_of"
    for stratum, text in strata.items():
        if stratum not in most:
            continue
        number, high = _number(text), most[stratum]
        if not 1 <= number <= high:
            name = t(words, stratum=stratum)
            faults[f"take.{stratum}"] = t("sampling.fault.number", name=name, low=1, high=high)
        takes[stratum] = number
    return takes


def _strata_sizes(*, communes: bool) -> dict[str, int]:
    key = (request.view_args or {})["key"]
    strata = frames.strata(db.get(), key)
    return {row.stratum: row.communes if communes else row.villages for row in strata}


def _allocate(key: str, values: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the form with the villages or communes shared out, and what is wrong by field."""
    from survey.sample import drawing

    faults: dict[str, str] = {}
    communes = _number(values["per_commune"]) > 0
    words = "sampling.communes_total" if communes else "sampling.villages_total"
    total = _whole("total", values, t(words), faults)
    minimum = _whole("minimum", values, t("sampling.minimum"), faults)
    rule = values.get("rule") if values.get("rule") in RULES else RULES[0]
    if faults:
        return values, faults
    try:
        takes = drawing.allocated(
            db.get(), key, total, rule or RULES[0], minimum, communes=communes
        )
    except Faulty as wrong:
        return values, {"total": " ".join(wrong.faults)}
    return values | {f"take.{name}": str(take) for name, take in takes.items()}, {}


def _wanted(asked: Mapping[str, str], take: int) -> tuple[Wanted | None, dict[str, str]]:
    """Return the sample size that the calculator's numbers ask for, and what is wrong with them."""
    from analysis.sampling.size import BadSize
    from survey.sample import drawing

    faults: dict[str, str] = {}
    inside = _whole("in_commune", asked, t("sampling.in_commune"), faults)
    read = {name: _share(name, asked[name], faults) for name in _MOST}
    people = _number(asked["population"]) if asked["population"] else None
    if people is not None and people < 1:
        faults["population"] = t(
            "sampling.fault.number", name=t("sampling.population"), low=1, high=thousands(10**9)
        )
    if faults:
        return None, faults
    try:
        return drawing.wanted(
            read["half_width"] / 100, share=read["share"] / 100, icc=read["icc"], take=take,
            response=min(1.0, read["response"] / 100), population=people, per_commune=inside,
            commune_icc=read["commune_icc"],
        ), {}  # fmt: skip
    except BadSize as bad:
        if bad.name == "area_icc":
            return None, {"commune_icc": t("sampling.fault.commune_icc")}
        return None, {"population": t("sampling.fault.size")}  # more persons than there are


def _share(name: str, text: str, faults: dict[str, str]) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = 0
    if not 0 < value < _MOST[name]:
        words = t("sampling.fault.share", name=t(f"sampling.{name}"), high=f"{_MOST[name]:.0f}")
        faults[name] = words
    return value


def _whole(name: str, values: Mapping[str, str], words: str, faults: dict[str, str]) -> int:
    low, high = LEAST[name], MOST[name]
    number = _number(values.get(name, ""))
    if not low <= number <= high:
        faults[name] = t("sampling.fault.number", name=words, low=low, high=thousands(high))
    return number


def _number(text: str) -> int:
    """Return a whole number, dots between thousands allowed; -1 for anything else."""
    digits = text.strip().replace(".", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else -1


def _page(
    wave: Wave, values: Mapping[str, str], *, asked: Mapping[str, str] | None = None,
    wanted: Wanted | None = None, faults: Mapping[str, str] | None = None, filled: bool = False,
) -> str:  # fmt: skip
    held = draws.get(db.get(), wave.key)
    return render_template(
        "sampling/plan.html",
        clustered=_number(values["per_commune"]) > 0,
        wave=wave,
        values=values,
        asked=asked or CALCULATOR,
        wanted=wanted,
        faults=faults or {},
        filled=filled,
        strata=frames.strata(db.get(), wave.key),
        drawn=bool(held.villages_at),
        cases=draws.samples_of(db.get(), wave.key),
        methods=draws.METHODS,
        persons=draws.PERSONS,
        rules=RULES,
        synthetic=wave.synthetic,
    )
