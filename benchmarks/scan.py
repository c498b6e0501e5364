"""How well scanned forms are read: made-up hands and scanners, counted against the truth."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import cv2
import pypdfium2

from benchmarks import pens
from forms.questionnaire import load
from survey import serials
from survey.printing import form, stream
from survey.scanning import images, reader
from survey.scanning.registration import Unreadable

#: Forms filled and scanned for each resolution and each damage.
FORMS = 12
QUESTIONNAIRE = "sipas-2026.1"
DAMAGES = {"normal": pens.NORMAL, "heavy": pens.HEAVY}
_SECRET = b"only for measuring, never for forms"
_CASE, _RUN = 2_600_123, 26


@dataclass
class Count:
    """What came of the answers of many pages.

    ``marks`` by (what was on the paper, what the reader said); ``seconds`` of processor time.
    """

    pages: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    marks: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def of(self, kind: str, said: str = "") -> int:
        """How many answers were of a kind, "" for any."""
        return sum(
            n for (is_, read), n in self.marks.items() if kind in ("", is_) and said in ("", read)
        )


def run() -> list[tuple[str, float, str]]:
    """Measure reading at normal and at heavy damage."""
    rows: list[tuple[str, float, str]] = []
    for name, how in DAMAGES.items():
        count = Count()
        for dpi in (200, 300):
            tried(count, how, dpi, range(FORMS))
        rows += _rows(name, count)
    return rows


def _rows(name: str, count: Count) -> Iterator[tuple[str, float, str]]:
    right, wrong = count.of("", "right"), count.of("", "wrong")
    doubles = count.of("double")
    odd = count.of("crossed") + count.of("pale")
    yield f"Scanned answers accepted, {name} damage", right + wrong, ""
    yield f"Scanned answers accepted that are right, {name}", 100 * right / (right + wrong), "%"
    yield f"Scanned answers accepted that are wrong, {name}", wrong, ""
    yield f"Double marks flagged, {name}", 100 * count.of("double", "doubt") / doubles, "%"
    settled = sum(
        count.of(kind, said) for kind in ("crossed", "pale") for said in ("doubt", "right")
    )
    yield f"Crossed-out and pale marks flagged or right, {name}", 100 * settled / odd, "%"
    asked = 100 * count.of("plain", "doubt") / count.of("plain")
    yield f"Ordinary answers put before a person, {name}", asked, "%"
    yield f"Scanned pages refused, {name}", sum(count.refused.values()), f"of {count.pages}"
    read = count.pages - sum(count.refused.values())
    yield f"Processor time a scanned page, {name}", count.seconds / max(1, read), "s"


def tried(count: Count, how: pens.Damage, dpi: int, seeds: Sequence[int]) -> Count:
    """Print, fill, scan and read forms; what came of it is added to ``count``."""
    layout = form.geometry(load(QUESTIONNAIRE), _issuer(), "normal")
    clean = printed(dpi)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            for number, page in enumerate(clean, 1):
                rnd = Random(f"{seed}/{number}/{dpi}")
                places = [at for at in _answers(layout) if at["page"] == number]
                radius = float(str(layout["radius"]))
                filled, truth = pens.fill(page, places, dpi, radius, rnd, odd=0.06)
                path = Path(folder) / "page.jpg"
                cv2.imwrite(str(path), pens.scan(filled, dpi, rnd, how))
                _read(count, path, layout, number, truth, f"{dpi}/{seed}/{number}")
    return count


def _read(
    count: Count, path: Path, layout: Mapping[str, Any], number: int, truth: pens.Truth, at: str
) -> None:
    """Read one page and compare it with what the hand did."""
    count.pages += 1
    began = time.process_time()
    try:
        with images.File(path) as file:
            page = reader.find(file.picture(1))
        if [serials.read(_SECRET, text) for text in page.texts] != [(_RUN, _CASE, number)]:
            raise Unreadable("code")
        read = reader.read(page, reader.of(layout, number))
    except Unreadable as fault:
        count.refused[fault.code] += 1
        return
    count.seconds += time.process_time() - began
    for name, chosen in truth.chosen.items():
        kind = next(
            (kind for kind in ("double", "crossed", "pale") if name in _set(truth, kind)), "plain"
        )
        said = "doubt"
        if name not in read.doubts:
            value = read.fields[name]
            codes = set(value) if isinstance(value, list) else {value} - {9}
            said = "right" if codes == chosen and kind != "double" else "wrong"
        count.marks[kind, said] += 1
        if said == "wrong":
            count.wrong.append(
                f"{at} {name} ({kind}): {sorted(chosen)} read as {read.fields[name]}"
            )


def _set(truth: pens.Truth, kind: str) -> set[str]:
    return {"double": truth.doubles, "crossed": truth.crossed, "pale": truth.pale}[kind]


def _answers(layout: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = layout["answers"]
    return found


def _issuer() -> form.Issuer:
    return form.Issuer("Sở Nội vụ", "Ủy ban nhân dân tỉnh Tuyên Quang", synthetic=True)


@cache
def printed(dpi: int) -> list[pens.Picture]:
    """The pages of one printed form, as a printer and a perfect scanner would give them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "form.pdf"
        one = stream.Form(
            serials.printed(_CASE), lambda page: serials.code(_SECRET, _RUN, _CASE, page)
        )
        with path.open("wb") as file:
            stream.write(form.lay(load(QUESTIONNAIRE), _issuer()), [one], file, title="")
        with pypdfium2.PdfDocument(path) as document:
            return [page.render(scale=dpi / 72).to_numpy().copy() for page in document]
