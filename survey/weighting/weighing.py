"""The staff's page of weights: known totals, how weights are made, what came of it, its seal."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from forms.questionnaire import load
from survey import db, guard, services, work
from survey.store import clock, waves, weighting
from survey.text import clock as hour
from survey.text import day, t
from survey.weighting.margins import CROSS, JOIN, CannotWeigh, read, variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from analysis.weights.making import Settings
    from forms.questionnaire import Questionnaire
    from survey.store.waves import Wave
    from survey.store.weighting import Weighting
    from survey.weighting.margins import Variable
    from survey.weighting.weights import Preview

bp = Blueprint("weighing", __name__)

MAKERS = ("administrator", "field_supervisor")
READERS = (*MAKERS, "supervisor")
#: Fields of the settings with what they hold before anybody chose.
USUAL = {"cells": "psu", "least": "1", "method": "rake", "low": "0,5", "high": "2", "cap": "5",
         "rescale": ""}  # fmt: skip
#: Longest text of margins taken from the page (letters), and of an actor shown.
LONGEST = 200_000


@bp.get("/field/weights")
@guard.roles(*READERS)
def index() -> str:
    """Show the known totals of a wave, its weights and the form to make them."""
    wave = work.wave()
    work.demand(wave.owner)
    return _page(wave)


@bp.post("/field/weights/<key>/margins")
@guard.roles(*MAKERS)
def keep(key: str) -> Response | tuple[str, int]:
    """Put the totals of the text, or of the file, in the place of those there are."""
    wave = _mine(key)
    text = request.form.get("text", "")[:LONGEST]
    try:
        sent = request.files.get("file")
        if sent is not None and sent.filename:
            text = _decoded(sent.read())
        rows = read(text, load(wave.questionnaire))
    except CannotWeigh as fault:
        return _page(wave, faults=fault.faults, at="margins", text=text), 422
    job = partial(weighting.set_margins, wave=key, rows=rows, now=clock.now(), actor=work.actor())
    n = services().writer.run(job)
    flash(t("weights.saved", n=n))
    return redirect(url_for(".index", wave=key), 303)


@bp.post("/field/weights/<key>")
@guard.roles(*MAKERS)
def make(key: str) -> Response | str | tuple[str, int]:
    """Show weights made on trial, store them, or go back to those of the draw."""
    wave, do = _mine(key), request.form.get("do", "")
    act: dict[str, Any] = {"wave": key, "now": clock.now(), "actor": work.actor()}
    if do == "clear":
        services().writer.run(partial(weighting.clear, **act))
        flash(t("weights.cleared"))
        return redirect(url_for(".index", wave=key), 303)
    if do not in ("preview", "apply"):
        abort(400)
    values = {name: request.form.get(name, "") for name in USUAL}
    try:
        made = _made(key, values)
    except CannotWeigh as fault:
        return _page(wave, faults=fault.faults, at="settings", values=values), 422
    if do == "preview":
        return _page(wave, values=values, preview=made)
    job = partial(weighting.put, rows=made.rows, settings=made.settings, report=made.report, **act)
    services().writer.run(job)
    flash(t("weights.applied", n=len(made.rows)))
    return redirect(url_for(".index", wave=key), 303)


def _mine(key: str) -> Wave:
    """The wave of the address; ends the request for one of another unit."""
    try:
        wave = waves.get(db.get(), key)
    except LookupError:
        abort(404)
    work.demand(wave.owner)
    return wave


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CannotWeigh([t("weights.not_utf8")]) from None


def _made(key: str, values: Mapping[str, str]) -> Preview:
    from survey.weighting import weights

    how = _settings(values)
    return weights.preview(db.get(), key, how)


def _settings(values: Mapping[str, str]) -> Settings:
    """The settings of the form; raises CannotWeigh with everything that cannot be used."""
    from analysis.weights.making import Settings
    from survey.weighting.weights import CELLS, METHODS

    numbers, faults = {}, []
    for name in ("least", "low", "high", "cap"):
        try:
            numbers[name] = float(values[name].replace(",", "."))
        except ValueError:
            numbers[name] = -1.0
    wrong = {
        "cells": values["cells"] not in CELLS,
        "method": values["method"] not in METHODS,
        "least": not 1 <= numbers["least"] <= 1000 or numbers["least"] % 1 != 0,
        "cap": not (numbers["cap"] == 0 or 1 < numbers["cap"] <= 1000),
    }
    if values["method"] == "logit":
        wrong |= {"low": not 0 <= numbers["low"] < 1, "high": not 1 < numbers["high"] <= 1000}
    for name, bad in wrong.items():
        if bad:
            faults.append(t("weights.bad_setting", name=t(f"weights.{name}"), value=values[name]))
    if faults:
        raise CannotWeigh(faults)
    bounds = (numbers["low"], numbers["high"]) if values["method"] == "logit" else (0.5, 2.0)
    return Settings(
        cells=values["cells"], least=int(numbers["least"]), method=values["method"], bounds=bounds,
        cap=numbers["cap"], rescale=values["rescale"] == "1",
    )  # fmt: skip


def _page(wave: Wave, **more: Any) -> str:
    asked = load(wave.questionnaire)
    held, rows = weighting.get(db.get(), wave.key), weighting.margins(db.get(), wave.key)
    preview: Preview | None = more.get("preview")
    report = preview.report if preview else (held.report if held else {})
    known = variables(asked)
    facts: dict[str, Any] = {"faults": [], "at": "", "text": _csv(rows), "values": _values(held)}
    facts |= more | {
        "wave": wave,
        "margins": [(r, _named(r.name, known), _category(r, known)) for r in rows],
        "known": ", ".join(known),
        "held": held,
        "state": _state(wave, held),
        "able": guard.may("weighing.make") and not (held and held.frozen_at),
        **_told(report, asked),
    }
    return render_template("staff/weights.html", **facts)


def _told(report: Mapping[str, Any], asked: Questionnaire) -> dict[str, Any]:
    """The report in words and printed numbers."""
    if not report:
        return {"steps": [], "reached": [], "thin": "", "merged": ""}
    from analysis.report.numbers import num
    from survey.weighting.weights import told

    known = variables(asked)
    rows = [
        {
            "name": _named(row["margin"], known),
            "category": _words(row["margin"], row["category"], known),
            **{name: num(row[name], 0) for name in ("n", "target", "before", "after")},
        }
        for row in report.get("margins", ())
    ]
    thin = [
        f"{_named(c['margin'], known)}: {_words(c['margin'], c['category'], known)}"
        for c in report.get("calibration", {}).get("thin", ())
    ]
    merged = [" + ".join(group) for group in report["nonresponse"]["merged"]]
    blank = any(row["category"] == "?" for row in report.get("margins", ()))
    return {"steps": told(report), "reached": rows, "thin": "; ".join(thin),
            "merged": "; ".join(merged[:20]), "blank": blank}  # fmt: skip


def _state(wave: Wave, held: Weighting | None) -> str:
    if held is None:
        return t("weights.none")
    moment = clock.moment(held.frozen_at or held.made_at)
    facts = {
        "at": hour(moment),
        "on": day(moment),
        "digest": held.digest,
        "actor": held.actor.partition(":")[2] or held.actor,
    }
    if held.frozen_at:
        name = "weights.frozen" if held.settings else "weights.frozen_drawn"
        return " ".join([t(name, **facts), t("weights.reopen")])
    said = [t("weights.made", **facts)]
    if n := weighting.stale(db.get(), wave.key):
        said.append(t("weights.stale", n=n))
    elif held.digest != weighting.digest(db.get(), wave.key):
        said.append(t("weights.moved"))
    return " ".join(said)


def _values(held: Weighting | None) -> dict[str, str]:
    """What the form shows: how the weights were made last."""
    if held is None or not held.settings:
        return dict(USUAL)
    how = held.settings
    low, high = how["bounds"]
    numbers = {"least": how["least"], "low": low, "high": high, "cap": how["cap"]}
    return {
        "cells": how["cells"],
        "method": how["method"],
        "rescale": "1" if how["rescale"] else "",
        **{name: f"{value:g}".replace(".", ",") for name, value in numbers.items()},
    }


def _csv(rows: list[weighting.Margin]) -> str:
    """The totals as they may be changed and sent again."""
    lines = [f"{r.name};{r.category};{r.target:.15g};{r.source}".replace("\n", " ") for r in rows]
    return "\n".join(["name;category;target;source", *lines])


def _named(name: str, known: Mapping[str, Variable]) -> str:
    return " × ".join(known[part].words if part in known else part for part in name.split(CROSS))


def _category(row: weighting.Margin, known: Mapping[str, Variable]) -> str:
    return _words(row.name, row.category, known)


def _words(name: str, category: str, known: Mapping[str, Variable]) -> str:
    """A category in words: "1+2" of the age is "18-24 tuổi + 25-34 tuổi"."""
    if category == "?":
        return t("weights.blank")
    pairs = zip(name.split(CROSS), category.split(CROSS), strict=False)
    return " × ".join(
        " + ".join(
            known[part].codes.get(code, code) if part in known else code
            for code in codes.split(JOIN)
        )
        for part, codes in pairs
    )
