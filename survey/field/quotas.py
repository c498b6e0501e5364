"""Quotas of a wave against what came: a way to see gaps, never a way to choose who answers."""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for

from forms.questionnaire import load
from survey import db, guard, services, work
from survey.board import charts
from survey.field.places import Places
from survey.store import quotas as store
from survey.store import units
from survey.store.clock import now
from survey.store.quotas import Quota
from survey.text import t, thousands

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from werkzeug.wrappers import Response

    from forms.questionnaire import Item, Questionnaire
    from survey.store.waves import Wave

#: Columns of a file, in their order: unit, item, code of the answer, persons.
COLUMNS = ("don_vi", "muc", "ma", "chi_tieu")
#: Largest file in bytes, most lines, most persons of one quota, faults that are printed.
LARGEST, MOST_LINES, MOST, FAULTS = 256 * 1024, 5000, 1_000_000, 50


@guard.roles("administrator", "field_supervisor")
def quotas() -> str:
    """Show the quotas of the reader's areas and what came of them."""
    return _page(work.wave())


@guard.roles("administrator", "field_supervisor")
def change() -> Response | tuple[str, int]:
    """Set quotas by a form or a file, or take one away."""
    wave, do = work.wave(), request.form.get("do", "")
    if do == "remove":
        return _remove(wave)
    if do == "file":
        rows, faults = _File(wave).read(_sent())
    elif do == "one":
        item, _, code = request.form.get("answer", "").partition("=")
        cells = (request.form.get("unit", ""), item, code, request.form.get("target", "").strip())
        rows, faults = _File(wave).rows([(0, cells)])
    else:
        abort(400)
    if faults:
        return _page(wave, faults, one=do == "one"), 422
    job = partial(store.put, wave=wave.key, rows=rows, now=now(), actor=work.actor())
    n = services().writer.run(job)
    flash(t("field.quotas_set", n=thousands(n)))
    return _back(wave)


def _sent() -> bytes:
    """Return the file that was sent, or as much of it as shows that it is too large."""
    sent = request.files.get("file")
    if sent is None:
        return b""
    with sent.stream as stream:
        return bytes(stream.read(LARGEST + 1))


def _remove(wave: Wave) -> Response:
    key = request.form.get("key", "").split("=")
    if len(key) != 3 or not key[2].isdecimal():
        abort(400)
    unit, item, code = key
    guard.scope(unit)
    job = partial(
        store.remove, wave=wave.key, unit=unit, item=item, code=int(code), now=now(),
        actor=work.actor(),
    )  # fmt: skip
    if services().writer.run(job):
        flash(t("field.quota_gone"))
    return _back(wave)


def _back(wave: Wave) -> Response:
    return redirect(url_for("field.quotas", wave=wave.key), 303)


class _File:
    """Reads quotas as somebody wrote them and names every fault with its line."""

    def __init__(self, wave: Wave) -> None:
        self._items = {item.id: item for item in _items(load(wave.questionnaire))}

    def read(self, content: bytes) -> tuple[list[Quota], list[str]]:
        """Return the quotas of a CSV file with a heading line, or its faults."""
        if not content:
            return [], [t("field.no_file")]
        if len(content) > LARGEST:
            return [], [t("field.large_file", kb=LARGEST // 1024)]
        try:
            text = unicodedata.normalize("NFC", content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return [], [t("field.not_utf8")]
        first = text.partition("\n")[0]
        reader = csv.reader(StringIO(text), delimiter=max(",;\t", key=first.count), strict=True)
        lines: list[tuple[int, Sequence[str]]] = []
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    lines.append((reader.line_num, [cell.strip() for cell in cells]))
        except csv.Error:
            return [], [t("field.broken_csv", line=reader.line_num)]
        heading = [cell.casefold() for cell in lines[0][1]] if lines else []
        if missing := [name for name in COLUMNS if name not in heading]:
            return [], [t("field.no_columns", names=", ".join(missing))]
        if len(lines) - 1 > MOST_LINES:
            return [], [t("field.many_lines", most=thousands(MOST_LINES))]
        order = [heading.index(name) for name in COLUMNS]
        return self.rows(
            (line, [cells[k] if k < len(cells) else "" for k in order]) for line, cells in lines[1:]
        )

    def rows(
        self, lines: Iterable[tuple[int, Sequence[str]]]
    ) -> tuple[list[Quota], list[str]]:  # fmt: skip
        """Return the quotas of lines (number, cells in the order of ``COLUMNS``), or the faults."""
        found: dict[tuple[str, str, int], Quota] = {}
        faults: list[str] = []
        for line, cells in lines:
            quota, wrong = self._row(cells)
            if quota and quota[:3] in found:
                wrong = [t("field.twice")]
            faults += [
                t("field.in_line", line=line, fault=each) if line else each for each in wrong
            ]
            if quota and not wrong:
                found[quota[:3]] = quota
        if not found and not faults:
            faults.append(t("field.no_lines"))
        return ([], faults) if faults else (list(found.values()), [])

    def _row(self, cells: Sequence[str]) -> tuple[Quota | None, list[str]]:
        unit, item, code, target = cells
        wrong = []
        if units.get(db.get(), unit) is None:
            wrong.append(t("field.bad_unit", unit=unit[:40]))
        elif not work.within(unit):
            wrong.append(t("field.other_unit", unit=units.name(db.get(), unit)))
        known = self._items.get(item)
        if known is None:
            wrong.append(t("field.bad_item", item=item[:40]))
        elif not _whole(code) or int(code) not in {choice.code for choice in known.choices}:
            wrong.append(t("field.bad_code", item=item, code=code[:40]))
        if not _whole(target) or int(target) > MOST:
            wrong.append(t("field.bad_target", target=target[:40]))
        return (None, wrong) if wrong else (Quota(unit, item, int(code), int(target)), [])


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 7


def _items(q: Questionnaire) -> list[Item]:
    """Return the items that a quota may be of: one closed answer about the person."""
    return [item for item in q.items if item.kind == "single"]


@dataclass(frozen=True, slots=True)
class Row:
    """One quota as the page prints it."""

    unit: str
    item: str
    answer: str
    target: str
    came: str
    share: str
    bar: object
    key: str


def _page(wave: Wave, faults: Sequence[str] = (), *, one: bool = False) -> str:
    scope, places = guard.scope(request.args.get("unit", "")), Places()
    q = load(wave.questionnaire)
    held = [quota for quota in store.all(db.get(), wave.key) if places.inside(quota.unit, scope)]
    came: Counter[tuple[str, str, int]] = Counter()
    for unit, item, code, n in store.achieved(db.get(), wave.key):
        for above in places.path(unit):
            came[above, item, code] += n
    names = {item.id: item for item in q.items}
    return render_template(
        "field/quotas.html",
        wave=wave,
        synthetic=wave.synthetic,
        scope=scope,
        scope_name=places.name(scope),
        rows=[_row(quota, came[quota[:3]], names, places) for quota in held],
        faults=faults[:FAULTS],
        more=max(0, len(faults) - FAULTS),
        one=one,
        values=request.form if one else {},
        columns=", ".join(COLUMNS),
        choices=_choices(wave, scope, places),
        items=_items(q),
        charts=charts,
    )


def _row(quota: Quota, n: int, names: Mapping[str, Item], places: Places) -> Row:
    item = names.get(quota.item)
    labels = {choice.code: choice.label for choice in item.choices} if item else {}
    part = n / quota.target if quota.target else 1.0
    return Row(
        unit=places.name(quota.unit),
        item=item.text if item else quota.item,
        answer=labels.get(quota.code, str(quota.code)),
        target=thousands(quota.target),
        came=thousands(n),
        share=f"{100 * part:.1f}".replace(".", ",") if quota.target else "\u2014",
        bar=charts.length(min(part, 1.0)),
        key=f"{quota.unit}={quota.item}={quota.code}",
    )


def _choices(wave: Wave, scope: str, places: Places) -> list[tuple[str, str]]:
    """Return the units that a quota may be set for: those of the sample and all above them."""
    from survey.store import progress

    found = {
        above
        for line in progress.lines(db.get(), wave.key)
        for above in places.path(line.unit)
        if places.inside(above, scope)
    }
    return sorted(
        ((id, places.name(id)) for id in found), key=lambda one: units.name_key(one[1])
    )  # fmt: skip
