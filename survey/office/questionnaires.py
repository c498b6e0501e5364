"""The office's pages of questionnaires: versions, what stayed the same, XLSForm in and out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from forms import document, xlsform, xlsform_write
from forms import questionnaire as forms
from forms.language import LANGUAGES, OFFICIAL
from forms.questionnaire import Faulty
from survey import db, guard, services, work
from survey.store import Refused, clock, people, questionnaires, waves
from survey.text import day, t

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage
    from werkzeug.wrappers import Response as BaseResponse

    from forms.questionnaire import Questionnaire

bp = Blueprint("questionnaires", __name__, url_prefix="/office/questionnaires")

READERS = ("administrator", "analyst", "auditor")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Faults that the page shows.
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Kinship:
    """How many items of a questionnaire are the same as in an older one."""

    key: str
    n: int


@bp.get("")
@guard.roles(*READERS)
def index() -> str:
    """List every questionnaire with its versions and the waves that ask it."""
    return _list()


@bp.get("/<key>")
@guard.roles(*READERS)
def one(key: str) -> str:
    """Show what a questionnaire asks, and which items are the same elsewhere."""
    q = _load(key)
    held = {one.key: one for one in questionnaires.all(db.get())}
    others = [other for other in forms.keys() if other != key]  # noqa: SIM118 - a module
    kin = {other: forms.lineage(key, other) for other in others if forms.lineage(key, other)}
    return render_template(
        "questionnaires/one.html",
        q=forms.localized(key, OFFICIAL, frozenset()),
        origin=_origin(held.get(key)),
        kin=kin,
        used=[wave for wave in _mine() if wave.questionnaire == key],
        languages=[LANGUAGES[tag].vietnamese for tag in q.languages if tag in LANGUAGES],
        by_factor={factor.id: factor.name for factor in q.factors},
    )


@bp.get("/<key>/xlsform.xlsx")
@guard.roles(*READERS)
def export(key: str) -> Response:
    """Send a questionnaire as an XLSForm workbook."""
    _load(key)
    file = BytesIO()
    xlsform_write.write(key, file)
    answer = Response(file.getvalue(), content_type=XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="{key}.xlsx"'
    return answer


@bp.get("/check")
@guard.roles("administrator")
def back() -> BaseResponse:
    """Lead back to the list from the address of its form."""
    return redirect(url_for(".index"), 303)


@bp.post("/check")
@guard.roles("administrator")
def check() -> str | tuple[str, int]:
    """Read a workbook and show what it would ask, or every fault of it; nothing is stored."""
    guard.system()
    file = request.files.get("file")
    if file is None or not file.filename:
        return _list(faults=[t("questionnaires.no_file")]), 422
    try:
        form = _read(file)
    except Faulty as wrong:
        return _list(faults=wrong.faults, name=file.filename), 422
    key = form.questionnaire.key
    if key in forms.keys():  # noqa: SIM118 - a module
        return _list(faults=[t("questionnaires.taken", name=key)], name=file.filename), 409
    kin = [Kinship(other, n) for other, n in _kin(form.questionnaire)]
    return render_template(
        "questionnaires/check.html",
        q=form.questionnaire,
        text=form.text,
        translations=json.dumps(form.translations, ensure_ascii=False),
        kin=kin,
        by_factor={factor.id: factor.name for factor in form.questionnaire.factors},
    )


@bp.post("")
@guard.roles("administrator")
def publish() -> BaseResponse | tuple[str, int]:
    """Keep a questionnaire that was looked at; from now on it never changes."""
    guard.system()
    try:
        form = _sent(request.form.get("text", ""), request.form.get("translations", "{}"))
    except Faulty as wrong:
        return _list(faults=wrong.faults), 422
    key = form.questionnaire.key
    job = partial(
        questionnaires.publish, key=key, text=form.text, translations=form.translations,
        now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    try:
        services().writer.run(job)
    except Refused as refusal:
        return _list(faults=[work.said(refusal)]), refusal.status
    flash(t("questionnaires.published", name=key))
    return redirect(url_for(".one", key=key), 303)


def _read(file: FileStorage) -> xlsform.Form:
    name = file.filename or ""
    if not name.lower().endswith(".json"):
        return xlsform.read(file.stream, name[:80])  # type: ignore[arg-type]
    try:
        text = file.stream.read().decode("utf-8")
    except UnicodeDecodeError as fault:
        raise Faulty([t("questionnaires.not_utf8")]) from fault
    return _sent(text, "{}")


def _sent(text: str, translations: str) -> xlsform.Form:
    """Return a questionnaire from its text, checked as any file of one is; raises Faulty."""
    q = forms.parse(text)
    faults = forms.sameness_faults(q)
    try:
        given = json.loads(translations)
        assert isinstance(given, dict)
        kept = {str(tag): str(words) for tag, words in given.items() if tag in LANGUAGES}
    except (ValueError, AssertionError):
        raise Faulty([t("questionnaires.bad_translations")]) from None
    for words in kept.values():
        faults += forms.catalogue_faults(document.decode(text), document.decode(words))
    if lost := [tag for tag in q.languages if tag != OFFICIAL and tag not in kept]:
        faults.append(t("questionnaires.no_translation", tags=", ".join(lost)))
    if faults:
        raise Faulty(faults)
    return xlsform.Form(text, kept, q)


def _list(faults: list[str] | None = None, name: str = "") -> str:
    held = {one.key: one for one in questionnaires.all(db.get())}
    asked = _mine()
    rows = []
    for key in sorted(forms.keys(), key=_version):
        try:
            q = forms.load(key)
        except Faulty:
            continue
        rows.append(
            {
                "key": key,
                "q": q,
                "origin": _origin(held.get(key)),
                "kin": [Kinship(other, n) for other, n in _kin(q)],
                "used": sum(wave.questionnaire == key for wave in asked),
            }
        )
    staff = work.staff()
    return render_template(
        "questionnaires/list.html",
        rows=rows,
        faults=(faults or [])[:SHOWN],
        more=max(0, len(faults or []) - SHOWN),
        name=name,
        may_publish=staff.role == "administrator" and not staff.unit,
    )


def _mine() -> list[waves.Wave]:
    return [wave for wave in waves.all(db.get()) if work.within(wave.owner)]


def _kin(q: Questionnaire) -> list[tuple[str, int]]:
    """Return the questionnaires that items name as older ones, with how many items do."""
    named = [item.same_as.partition(":")[0] for item in q.items if item.same_as]
    return [(key, named.count(key)) for key in dict.fromkeys(named)]


def _version(key: str) -> tuple[str, int]:
    name, _, number = key.rpartition(".")
    return name, int(number)


def _origin(held: questionnaires.Published | None) -> str:
    if held is None:
        return t("questionnaires.shipped")
    names = {f"staff:{one.username}": one.name for one in people.all(db.get())}
    who = names.get(held.actor) or t("running.shell")
    return t("questionnaires.published_by", who=who, on=day(held.published_at))


def _load(key: str) -> Questionnaire:
    try:
        return forms.load(key)
    except (LookupError, Faulty):
        abort(404)
