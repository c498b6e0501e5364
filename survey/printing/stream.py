"""Thousands of forms as one PDF: what all share is written once, each form as it comes.

The pages of the questionnaire are drawn once (form XObjects, PDF 1.7, 8.10); of every single
form only its number and its QR codes are written.  Nothing of a form is kept but the places of
its objects in the file, so memory does not grow with their number.
"""

from __future__ import annotations

import re
import threading
import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import BinaryIO, NamedTuple

import segno
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from survey.printing import drawing, faces
from survey.printing.drawing import HEIGHT, Page
from survey.printing.faces import MEDIUM, MM, STRONG

#: Version, level and mask of every QR code: 29 modules, a quarter of them may be lost.
VERSION, LEVEL, MASK = 3, "q", 2
#: Pages under one node of the page tree.
NODE = 256
ONE_AT_A_TIME = threading.Lock()  # reportlab keeps its settings in modules
_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj\n", re.DOTALL)


class Form(NamedTuple):
    """What differs from form to form: its number as people read it, the code of each page."""

    serial: str
    code: Callable[[int], str]


def write(
    pages: Sequence[Page], forms: Iterable[Form], file: BinaryIO, *, title: str, sides: int = 2
) -> int:
    """Print every form into ``file``, one after the other; the pages written.

    With ``sides`` 2 a form of an odd number of pages ends in an empty one, so that no form
    begins on the back of another.  Equal input gives equal bytes.
    """
    template = _Template(pages, title)
    out = _File(file, template)
    padded = sides == 2 and len(pages) % 2 == 1
    for form in forms:
        for page in pages:
            out.page(template.content(page, form))
        if padded:
            out.page(b"")
    return out.close()


class _Template:
    """The objects that all forms share, as reportlab writes them."""

    def __init__(self, pages: Sequence[Page], title: str) -> None:
        faces.register()
        with ONE_AT_A_TIME:
            made = BytesIO()
            canvas = Canvas(
                made, pagesize=A4, pdfVersion=(1, 4), invariant=1, pageCompression=1,
                initialFontName=MEDIUM, lang="vi-VN",
            )  # fmt: skip
            canvas.setTitle(title)
            canvas.setAuthor("SIPAS")
            canvas.setSubject(title)
            canvas.setCreator("SIPAS")
            for page in pages:
                canvas.beginForm(f"P{page.number}", 0, 0, *A4)
                drawing.draw(canvas, page.ink)
                canvas.endForm()
                canvas.doForm(f"P{page.number}")
            for face in (MEDIUM, STRONG):
                canvas.setFont(face, 9)
                canvas.drawString(0, 0, "0123456789 ")
            doc = canvas._doc
            self.faces = {
                face: pdfmetrics.getFont(face).getSubsetInternalName(0, doc)[1:]
                for face in (MEDIUM, STRONG)
            }
            canvas.save()
            numbers = doc.idToObjectNumberAndVersion
        self.objects = {int(n): body for n, body in _OBJECT.findall(made.getvalue())}
        self.forms = {page.number: numbers[f"FormXob.P{page.number}"][0] for page in pages}
        self.fonts = numbers["BasicFonts"][0]
        self.info = next(n for n, body in self.objects.items() if b"/Producer" in body)
        own = (b"/Type /Page\n", b"/Type /Pages", b"/Type /Catalog", b"/Type /Outlines")
        kept = {n: body for n, body in self.objects.items() if not any(t in body for t in own)}
        self.objects = kept

    def content(self, page: Page, form: Form) -> bytes:
        """The drawing instructions of one page of one form."""
        out = [f"/P{page.number} Do 0 g BT"]
        for x, y, size in page.serial:
            face = self.faces[STRONG if size == 8.6 else MEDIUM]
            out.append(f"/{face} {size:.4g} Tf 1 0 0 1 {x * MM:.2f} {(HEIGHT - y) * MM:.2f} Tm")
            out.append(f"({form.serial}) Tj")
        out.append("ET")
        left, top, side = page.code
        rows = matrix(form.code(page.number))
        module = side * MM / len(rows)
        out.append(f"q {module:.5f} 0 0 {-module:.5f} {left * MM:.3f} {(HEIGHT - top) * MM:.3f} cm")
        for y, row in enumerate(rows):
            out += [f"{x} {y} {length} 1 re" for x, length in _runs(row)]
        out.append("f Q")
        return " ".join(out).encode("ascii")


def matrix(text: str) -> Sequence[bytes]:
    """The modules of the QR code of a page, 1 = dark; all codes have one size.

    Raises ValueError for a text that needs a larger code.
    """
    code = segno.make_qr(
        text, error=LEVEL, version=VERSION, mask=MASK, mode="alphanumeric", boost_error=False
    )
    return [bytes(row) for row in code.matrix]


def _runs(row: bytes) -> Iterable[tuple[int, int]]:
    at = row.find(1)
    while at >= 0:
        end = row.find(0, at)
        end = len(row) if end < 0 else end
        yield at, end - at
        at = row.find(1, end)


class _File:
    """A PDF written from front to back: header, shared objects, pages, page tree, xref table."""

    def __init__(self, file: BinaryIO, template: _Template) -> None:
        self.file, self.template, self.at = file, template, 0
        last = max(template.objects)
        self.root, self.resources, self.catalog = last + 1, last + 2, last + 3
        self.offsets = array("Q", [0] * (last + 4))
        self.nodes: list[int] = []
        self.kids: list[int] = []
        self.pages = 0
        self._put(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        for number, body in sorted(template.objects.items()):
            self._object(number, body)
        names = " ".join(f"/P{page} {number} 0 R" for page, number in template.forms.items())
        shared = f"<< /Font {template.fonts} 0 R /XObject << {names} >> >>"
        self._object(self.resources, shared.encode())

    def page(self, content: bytes) -> None:
        """Write one page."""
        if not self.kids:
            self.nodes.append(self._new())
        packed = zlib.compress(content, 6)
        stream = self._new()
        head = f"<< /Filter /FlateDecode /Length {len(packed)} >>\nstream\n".encode()
        self._object(stream, head + packed + b"\nendstream")
        page = self._new()
        self._object(
            page,
            f"<< /Type /Page /Parent {self.nodes[-1]} 0 R /MediaBox [0 0 {A4[0]:.4f} {A4[1]:.4f}]"
            f" /Resources {self.resources} 0 R /Contents {stream} 0 R >>".encode(),
        )
        self.kids.append(page)
        self.pages += 1
        if len(self.kids) == NODE:
            self._node()

    def close(self) -> int:
        """Write the page tree and the table of all objects; how many pages there are."""
        counts = [NODE] * (self.pages // NODE)
        if self.kids:
            counts.append(len(self.kids))
            self._node()
        kids = " ".join(f"{node} 0 R" for node in self.nodes)
        self._object(self.root, f"<< /Type /Pages /Count {sum(counts)} /Kids [{kids}] >>".encode())
        self._object(
            self.catalog,
            f"<< /Type /Catalog /Pages {self.root} 0 R /Lang (vi-VN)"
            " /ViewerPreferences << /DisplayDocTitle true /PrintScaling /None >> >>".encode(),
        )
        start, size = self.at, len(self.offsets)
        self._put(f"xref\n0 {size}\n0000000000 65535 f \n".encode())
        for offset in self.offsets[1:]:
            self._put(b"%010d 00000 n \n" % offset if offset else b"0000000000 00000 f \n")
        self._put(
            f"trailer\n<< /Size {size} /Root {self.catalog} 0 R"
            f" /Info {self.template.info} 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
        )
        return self.pages

    def _node(self) -> None:
        kids = " ".join(f"{kid} 0 R" for kid in self.kids)
        body = f"<< /Type /Pages /Parent {self.root} 0 R /Count {len(self.kids)} /Kids [{kids}] >>"
        self._object(self.nodes[-1], body.encode())
        self.kids = []

    def _new(self) -> int:
        self.offsets.append(0)
        return len(self.offsets) - 1

    def _object(self, number: int, body: bytes) -> None:
        self.offsets[number] = self.at
        self._put(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _put(self, data: bytes) -> None:
        self.file.write(data)
        self.at += len(data)
