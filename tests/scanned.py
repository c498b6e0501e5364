"""Forms of the small paper wave printed, filled by made-up hands and scanned, as files."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random

import cv2
import paper_wave
import pypdfium2
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from forms.questionnaire import load
from survey import serials
from survey.printing import form, stream
from survey.store import prints

sys.path.append(str(Path(__file__).resolve().parent.parent))  # benchmarks are not installed
pens = importlib.import_module("benchmarks.pens")

DPI, RADIUS, PAGES = 200, 2.4, 4
ISSUER = form.Issuer("Sở Nội vụ", "Ủy ban nhân dân tỉnh Tuyên Quang", synthetic=True)
LAYOUT = form.geometry(load(paper_wave.QUESTIONNAIRE), ISSUER, "normal")
#: A scanner that works: nothing but its own noise.
PLAIN = pens.Damage(
    angle=0.8, perspective=0.001, turned=0.0, noise=4.0, shadow=0.02, blur=0.06, dim=0.95
)


def printed(store, cases, wave=paper_wave.WAVE, **changes) -> int:
    """Note that these cases' forms are printed; returns the print run."""
    q = load(paper_wave.QUESTIONNAIRE)
    facts = {"questionnaire": q.key, "digest": q.digest} | changes
    run = prints.add(
        store, wave, edition="normal", layout=LAYOUT, cases=cases, now=paper_wave.NOW,
        actor="shell:test", **facts,
    )  # fmt: skip
    return run.id


@cache
def clean(secret=b"x" * 32, run=1, case=1, dpi=DPI):
    """The printed pages of a case's form, as pictures."""
    one = stream.Form(serials.printed(case), lambda page: serials.code(secret, run, case, page))
    made = BytesIO()
    stream.write(form.lay(load(paper_wave.QUESTIONNAIRE), ISSUER), [one], made, title="")
    with pypdfium2.PdfDocument(made.getvalue()) as document:
        return tuple(page.render(scale=dpi / 72).to_numpy().copy() for page in document)


def places(page, field=None, layout=LAYOUT):
    """The answers of a page, of one field."""
    found = [at for at in layout["answers"] if at["page"] == page]
    return [at for at in found if field in (None, at["field"])]


def hand(picture, seed=1, pen="blue"):
    """A hand that marks, blackens and writes on a page."""
    return pens._Hand(picture, DPI, RADIUS, Random(seed), pen, "cross")


def filled(fields, *, secret, run, case, seed=1, how=None, change=lambda number, page: None):
    """The pages of a form on which somebody marked ``fields``, as a perfect scanner gives them."""
    made = []
    for number, page in enumerate(clean(secret, run, case), 1):
        rnd = Random(f"{seed}/{number}")
        marked, _ = pens.fill(page, places(number), DPI, RADIUS, rnd, wanted=fields)
        change(number, marked)
        made.append(pens.scan(marked, DPI, rnd, how) if how else marked)
    return made


def write(page, field, seed=1):
    """Scribble words into a line of the form."""
    [at] = [text for text in LAYOUT["texts"] if text["field"] == field]
    rnd, k = Random(seed), DPI / 25.4
    x, y = at["x"] + 6, at["y"] + min(at["h"], 8) * 0.6
    for _ in range(12):
        to = (x + rnd.uniform(0.6, 1.8), y + rnd.uniform(-1.6, 1.2))
        ends = [(round(a * k), round(b * k)) for a, b in ((x, y), to)]
        cv2.line(page, *ends, (120, 40, 30), 3, cv2.LINE_AA)
        x, y = to[0], at["y"] + min(at["h"], 8) * 0.6


def jpeg(picture, quality=88) -> bytes:
    """A picture as a scanner saves it."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def pdf(path, pages, **more) -> Path:
    """A PDF of scanned pages; bytes that are no picture become a page of nonsense."""
    canvas = Canvas(str(path), invariant=1, **more)
    for page in pages:
        if page is not None:
            picture = ImageReader(BytesIO(jpeg(page)))
            canvas.drawImage(picture, 0, 0, *canvas._pagesize)
        canvas.showPage()
    canvas.save()
    return Path(path)
