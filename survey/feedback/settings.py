"""What opens a case in each wave, and the days on which offices do not work."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for

from forms import questionnaire as questionnaires
from survey import db, guard, services
from survey.feedback import scan
from survey.store import Refused, arrivals, clock, units, waves, workdays
from survey.store.arrivals import Rule
from survey.text import day, t
from survey.typed import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from survey.store.waves import Wave

#: A date lies at most so many working days ahead.
LONGEST = 60
#: A file of holidays has a few lines.
MOST = 100_000


@guard.roles(*guard.READERS)
def rules() -> str:
    """List the waves with what opens a case in each."""
    held = arrivals.rules(db.get())
    rows = []
    for wave in waves.all(db.get()):
        if getattr(wave, "trial_of", None) or not _within(wave):
            continue
        try:
            rule = scan.rule_of(wave, held)
        except LookupError:
            continue
        rows.append({"wave": wave, "rule": rule, "words": _words(wave, rule)})
    return render_template("feedback/rules.html", rows=rows, may=_may)


@guard.roles("administrator")
def rule(key: str) -> str:
    """Show the form of one wave's rule."""
    wave = _wave(key)
    return _form(wave, scan.rule_of(wave, arrivals.rules(db.get())), {})


@guard.roles("administrator")
def set_rule(key: str) -> Response | tuple[str, int]:
    """Set what opens a case in a wave from now on."""
    wave, form = _wave(key), request.form
    staff = guard.owns(wave.owner)
    q = questionnaires.load(wave.questionnaire)
    known = {item.id for item in q.items if item.kind == "scale"}
    numbers = {name: form.get(name, "").strip() for name in ("level", "least", "days", "version")}
    faults = {
        name: t(f"feedback.rule_{name}_wrong", most=most)
        for name, most in {
            "level": q.index_scale - 1, "least": len(known), "days": LONGEST,
        }.items()
        if not 1 <= (number(numbers[name]) or 0) <= most
    }  # fmt: skip
    items = tuple(item for item in form.getlist("items") if item in known)
    sound = {n: int(numbers[n]) if n not in faults else 1 for n in ("level", "least", "days")}
    wished = Rule(
        wave.key, items, sound["level"], sound["least"], sound["days"], "themes" in form,
        number(numbers["version"]) or 0,
    )  # fmt: skip
    if faults:
        return _form(wave, wished, faults, numbers), 422
    job = partial(arrivals.set_rule, rule=wished, now=clock.now(), actor=f"staff:{staff.username}")
    try:
        services().writer.run(job)
    except Refused as refusal:
        faults = {"level": t(f"refused.{refusal.code}")}
        return _form(wave, wished, faults, numbers), refusal.status
    flash(t("feedback.rule_saved"))
    return redirect(url_for(".rules"), 303)


@guard.roles(*guard.READERS)
def holidays() -> str:
    """List the days that are not as their weekday says."""
    return _days([])


@guard.roles("administrator")
def add_holidays() -> Response | tuple[str, int]:
    """Take over a table of days from a file; all of it or nothing."""
    staff = guard.system()
    sent = request.files.get("file")
    data = sent.read(MOST + 1) if sent else b""
    try:
        if not data or len(data) > MOST:
            raise Refused("faulty_holidays", 422, faults=[t("feedback.no_file")])
        found = workdays.read(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _days([t("feedback.no_utf8")]), 422
    except Refused as refusal:
        faults = refusal.facts["faults"]
        return _days(list(faults) if isinstance(faults, list) else []), 422
    job = partial(
        workdays.put, days=found, now=clock.now(), actor=f"staff:{staff.username}",
        source=sent.filename or "" if sent else "",
    )  # fmt: skip
    flash(t("feedback.holidays_saved", n=services().writer.run(job)))
    return redirect(url_for(".holidays"), 303)


def _days(faults: list[str]) -> str:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    rows = [
        (day(one.day), t(f"feedback.{names[one.day.weekday()]}"), one)
        for one in workdays.known(db.get()).values()
    ]
    staff = guard.current_staff()
    may = staff is not None and staff.role == "administrator" and not staff.unit
    return render_template("feedback/holidays.html", rows=rows, faults=faults, may=may)


def _wave(key: str) -> Wave:
    try:
        wave = waves.get(db.get(), key)
    except LookupError:
        abort(404)
    guard.owns(wave.owner)
    return wave


def _within(wave: Wave) -> bool:
    staff = guard.current_staff()
    return staff is not None and units.related(db.get(), staff.unit, wave.owner)


def _may(wave: Wave) -> bool:
    staff = guard.current_staff()
    return (
        staff is not None
        and staff.role == "administrator"
        and (not staff.unit or staff.unit in units.path(db.get(), wave.owner))
    )


def _words(wave: Wave, rule: Rule) -> list[str]:
    """Return what a rule says, a sentence each."""
    q = questionnaires.load(wave.questionnaire)
    labels = {
        choice.code: choice.label
        for item in q.items
        if item.id in rule.items
        for choice in item.choices
    }
    said = []
    if rule.items:
        level = labels.get(rule.level, str(rule.level))
        if q.index_scale != 5:
            level = t("feedback.level", n=rule.level)
        key = "all" if len(rule.items) == len(q.scored) > 1 else "some"
        numbers = ", ".join(item.number for item in q.items if item.id in rule.items)
        said.append(t(f"feedback.rule_{key}", least=rule.least, level=level, items=numbers))
    if rule.themes:
        said.append(t("feedback.rule_comment"))
    return [*said, t("feedback.rule_due", n=rule.days)] if said else [t("feedback.rule_none")]


def _form(
    wave: Wave, rule: Rule, faults: Mapping[str, str], typed: Mapping[str, str] | None = None
) -> str:
    q = questionnaires.localized(wave.questionnaire, "vi", frozenset(wave.words.items()))
    values: dict[str, object] = {
        "level": rule.level, "least": rule.least, "days": rule.days, "version": rule.version,
    }  # fmt: skip
    return render_template(
        "feedback/rule.html",
        wave=wave,
        rule=rule,
        values=values | dict(typed or {}),
        items=[item for item in q.items if item.kind == "scale"],
        faults=faults,
        days=LONGEST,
    )
