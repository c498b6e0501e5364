"""A wave's answers and its DESIGN.toml, so that ``sipas estimate`` gives the report's figures.

Loads ``analysis``, so commands import this module when they are called and not before.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import parts, reader
from analysis.frame import Frame
from analysis.keying import WAYS
from analysis.paper import Paper, paper
from analysis.sipas import wave_result
from analysis.study import Study, study
from analysis.weights.making import BETWEEN
from forms.questionnaire import NO_ANSWER, Questionnaire, load, localized
from survey.store import responses, weighting

if TYPE_CHECKING:
    from survey.datafiles.design import Design
    from survey.datafiles.extract import Extract

#: Column of the part of the wave a row belongs to, and what stands before a margin's name.
PART, MARGIN = "part", "margin."
#: PSUs of a stratum's population where nobody knows them: so many that nothing is corrected.
ENDLESS = 1e15


class NoDesign(ValueError):
    """The wave carries no figures that a file could give again; says why, in Vietnamese."""


@dataclass(frozen=True, slots=True, eq=False)
class DesignFile:
    """What is to be written: ``toml``, ``columns`` after the facts of a row, ``people`` rows."""

    wave: str
    toml: str
    columns: tuple[str, ...]
    people: int
    _frame: Frame
    _margins: tuple[str, ...]
    _parts: Mapping[str, str]

    def rows(self, db: sqlite3.Connection) -> Iterator[dict[str, Any]]:
        """The answers that count, with the levels that count; fpc and start always there."""
        asked = self._frame.questionnaire
        names = [column.id for column in asked.columns]
        items, levels = self._frame.scheme.items, self._frame.layout.levels
        for row in responses.export(db, self.wave):
            if row["state"] == "void" or row["psu"] is None:
                continue
            codes = np.array([[row[name] or 0 for name in names]], dtype=np.uint8)
            row |= dict(zip(names, self._frame.codes(codes)[0].tolist(), strict=True))
            row |= {item: row[item] if 0 < row[item] <= levels else "" for item in items}
            row |= {"fpc": row["fpc"] or ENDLESS, "start": row["start"] or row["weight"]}
            row |= {PART: self._parts.get(row["psu_unit"], row["psu_unit"])}
            cell = str(row["cell"]).split(BETWEEN) if row["cell"] else ()
            row |= dict(zip(self._margins, cell, strict=False))
            yield row


def opened(db: sqlite3.Connection, wave: str) -> DesignFile:
    """Lay the two files of a wave out; raises LookupError (no such wave) or NoDesign."""
    of = reader.wave(db, wave)
    if of.kind != "probability":
        raise NoDesign(f"Đợt «{wave}» không phải điều tra chọn mẫu nên không có tệp thiết kế.")
    made = weighting.get(db, wave)
    if made and made.settings.get("margins") and weighting.stale(db, wave):
        raise NoDesign(
            f"Quyền số của đợt «{wave}» cũ hơn phiếu: chạy «sipas weights make {wave}» trước."
        )
    asked = localized(of.questionnaire, "vi", frozenset(of.words.items()))
    ready = study(db, of, asked)
    if ready.tally is None:
        raise NoDesign(f"Đợt «{wave}» chưa có phiếu nào được tính.")
    margins = tuple(MARGIN + name for name in (made.settings.get("margins", ()) if made else ()))
    names = [column.id for column in load(of.questionnaire).columns]
    units = reader.Units(db, of.closes_on)
    every = parts.inside(units, ready.answers, "")
    divided = {
        unit: part.unit
        for part in parts.split(units, ready.answers, every, "")
        for unit in {ready.answers.units[u] for u in ready.answers.unit[part.cells].tolist()}
    }
    return DesignFile(
        wave=wave,
        toml=_toml(ready, made, divided) + _ranks(db, wave),
        columns=(PART, *margins, *names),
        people=ready.answers.people(every),
        _frame=ready.frame,
        _margins=margins,
        _parts=divided,
    )


def _toml(ready: Study, made: weighting.Weighting | None, divided: Mapping[str, str]) -> str:
    wave = ready.wave
    calibrated = bool(made and made.settings.get("margins"))
    fpc = bool(ready.design and ready.design.fpc)
    inside = set(ready.frame.scheme.items)
    weight = "start" if calibrated else "weight"
    lines = [
        *_head(wave, weight, fpc=fpc, levels=ready.frame.layout.levels),
        f"by = {_text([PART] if len(set(divided.values())) > 1 else [])}",
        *_scored(wave, ready.questionnaire, list(ready.frame.scheme.items), inside),
    ]
    if made and calibrated:
        lines += _calibrate(made)
    return "\n".join([*lines, *_keying(ready.paper)]) + "\n"


def _head(wave: reader.Wave, weight: str, *, fpc: bool, levels: int) -> list[str]:
    return [
        f"# {_text(wave.name)} {wave.key}",
        f"weight = {_text(weight)}",
        'stratum = "stratum"',
        'psu = "psu"',
        *(['fpc = "fpc"'] if fpc else []),
        f"lonely = {_text(wave.lonely)}",
        f"index = {_text(wave.index_method)}",
        f"aggregate = {_text(wave.aggregate)}",
        f"ci = {_text(wave.interval)}",
        f"level = {wave.level!r}",
        f"levels = {levels}",
    ]


def _scored(
    wave: reader.Wave, asked: Questionnaire, items: list[str], inside: Container[str]
) -> list[str]:
    """Items, factors, areas, and the weights among them where the wave has its own."""
    lines = [
        f"items = {_text(items)}",
        "",
        "[factors]",
        *(f"{_text(f.id)} = {_text([i for i in f.items if i in inside])}" for f in asked.factors),
        "",
        "[areas]",
        *(f"{_text(area.id)} = {_text(list(area.factors))}" for area in asked.areas),
    ]
    if wave.aggregate == "explicit" and wave.weights:
        lines += ["", "[weights]", *(f"{_text(k)} = {v!r}" for k, v in wave.weights.items())]
    return lines


def _keying(forms: Paper | None) -> list[str]:
    """What keying may have changed, where it is known."""
    if forms is None or not (limits := forms.limits):
        return []
    pairs = (f"{name} = {_text(list(getattr(limits, name)))}" for name in WAYS)
    return ["", "[keying]", *pairs]


def settings(extract: Extract, design: Design, db: sqlite3.Connection) -> str:
    """DESIGN.toml for a file of responses as it is handed out: raw codes, 9 for "no answer"."""
    wave, asked = reader.wave(db, extract.wave.key), extract.questionnaire
    inside = set(design.items)
    divided = len(set(extract.divided.values())) > 1
    lines = [
        *_head(wave, design.weight, fpc=design.fpc, levels=len(design.points)),
        f"missing = [{NO_ANSWER}]",
        f"by = {_text([PART] if divided else [])}",
        *_scored(wave, asked, list(design.items), inside),
    ]
    if design.experienced:
        columns, only = design.experienced
        lines += ["", "[experienced]", f"columns = {_text(list(columns))}",
                  f"items = {_text(list(only))}"]  # fmt: skip
    made = weighting.get(db, wave.key)
    if made and design.margins:
        lines += _calibrate(made)
    if not design.partial:
        lines += _keying(paper(db, wave, asked, extract.n))
    text = "\n".join(lines) + "\n"
    return text + (_ranks(db, wave.key) if divided and not design.partial else "")


def _ranks(db: sqlite3.Connection, wave: str) -> str:
    """Ranks as the report has them, when it ranks every part."""
    found = wave_result(db, wave, comments=False).units
    if len(found) < 2 or any(unit.rank is None for unit in found):
        return ""
    return f'\n[ranks]\nby = {_text(PART)}\nkind = "marginal"\nmethod = "max_t"\n'


def _calibrate(made: weighting.Weighting) -> list[str]:
    """The targets really used; the final weights where trimming changed what calibration gave."""
    how, report = made.settings, made.report
    lines = ["", "[calibrate]", f"method = {_text(how['method'])}"]
    if how["method"] == "logit":
        lines.append(f"bounds = {_text(list(how['bounds']))}")
    if report.get("trimming", {}).get("rounds"):
        lines.append('final = "weight"')
    for name in how["margins"]:
        lines += ["", f"[calibrate.margins.{_text(MARGIN + name)}]"]
        lines += [
            f"{_text(row['category'])} = {row['target']!r}"
            for row in report["margins"]
            if row["margin"] == name
        ]
    return lines


def _text(value: object) -> str:
    """A value as TOML writes it; JSON writes texts and lists of them alike."""
    return json.dumps(value, ensure_ascii=False)
