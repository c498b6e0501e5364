"""Forms as PDF: small, alike to the byte, and read back by a scanner's eyes."""

from __future__ import annotations

from functools import partial
from io import BytesIO

import cv2
import numpy as np
import pypdfium2
import pytest
import zxingcpp
from pypdf import PdfReader

from forms.questionnaire import load
from survey import serials
from survey.printing import form, stream

ISSUER = form.Issuer("Sở Nội vụ", "Ủy ban nhân dân tỉnh Tuyên Quang", True)
SECRET = b"secret of a test, thirty-two byte"
DPI = 150


def written(cases, edition="normal", key="sipas-2026.1", sides=2):
    file = BytesIO()
    made = (
        stream.Form(serials.printed(case), partial(serials.code, SECRET, 7, case)) for case in cases
    )
    pages = form.lay(load(key), ISSUER, edition)
    count = stream.write(pages, made, file, title="Phiếu khảo sát", sides=sides)
    return count, file.getvalue()


def seen(data, at):
    """A page as a scanner sees it, in grey."""
    document = pypdfium2.PdfDocument(data)
    image = np.asarray(document[at].render(scale=DPI / 72, grayscale=True).to_numpy())
    document.close()
    return image.reshape(image.shape[:2])


def test_the_same_forms_give_the_same_bytes():
    assert written(range(1, 4)) == written(range(1, 4))


def test_a_form_without_an_even_number_of_pages_ends_in_an_empty_one():
    assert written([1, 2], key="mot-cua-2026.1")[0] == 4
    assert written([1, 2], key="mot-cua-2026.1", sides=1)[0] == 2


def test_the_file_is_whole_and_its_words_can_be_searched():
    count, data = written(range(1, 71))
    reader = PdfReader(BytesIO(data), strict=True)

    assert count == len(reader.pages) == 280
    assert reader.metadata.title == "Phiếu khảo sát"
    text = reader.pages[276].extract_text()
    assert serials.printed(70) in text
    assert "PHIẾU KHẢO SÁT Ý KIẾN" in text
    assert "DỮ LIỆU MÔ PHỎNG" in text


def test_a_form_adds_its_numbers_and_codes_and_nothing_else():
    few, many = (len(written(range(1, n))[1]) for n in (2, 102))

    assert (many - few) / 100 < 6000


@pytest.mark.parametrize(("edition", "pages"), [("normal", 4), ("large", 6)])
def test_every_page_is_read_back(edition, pages):
    """Marks where the geometry says, the code, a ring about every place to mark."""
    _, data = written([12], edition)
    laid = form.geometry(load("sipas-2026.1"), ISSUER, edition)
    finder = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
    scale, side, edge = DPI / 25.4, laid["mark"]["side"], laid["mark"]["edge"]
    for page in range(1, pages + 1):
        image = seen(data, page - 1)
        found, idents, _ = finder.detectMarkers(image)
        assert sorted(idents.ravel()) == [4 * (page - 1) + corner for corner in range(4)]
        for corner, ident in zip(found, idents.ravel(), strict=True):
            x = edge if ident % 2 == 0 else 210 - edge - side
            y = edge if ident % 4 < 2 else 297 - edge - side
            assert corner[0][0] / scale == pytest.approx([x, y], abs=0.2)
        [code] = zxingcpp.read_barcodes(image)
        assert serials.read(SECRET, code.text) == (7, 12, page)
        for answer in (a for a in laid["answers"] if a["page"] == page):
            assert _ringed(image, answer, laid["radius"], scale), answer


def _ringed(image, answer, radius, scale):
    """Dark on all four sides at the rim, bright between rim and digit."""
    reach = radius * (0.92 if answer["shape"] == "square" else 1)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        rim, inside = (
            image[
                round((answer["y"] + dy * r) * scale) - 1 : round((answer["y"] + dy * r) * scale)
                + 2,
                round((answer["x"] + dx * r) * scale) - 1 : round((answer["x"] + dx * r) * scale)
                + 2,
            ]
            for r in (reach, reach * 0.72)
        )
        if rim.min() > 120 or inside.max() < 230:
            return False
    return True


def test_a_form_upside_down_is_read_all_the_same():
    image = cv2.rotate(seen(written([3])[1], 1), cv2.ROTATE_180)

    assert serials.read(SECRET, zxingcpp.read_barcodes(image)[0].text) == (7, 3, 2)


def test_a_code_that_needs_a_larger_size_is_refused():
    with pytest.raises(ValueError, match="fit"):
        stream.matrix("S1/" + "9" * 60)


def test_the_largest_numbers_still_fit_their_code():
    text = serials.code(SECRET, 9_999_999, 99_999_999_999_999, 12)

    assert len(stream.matrix(text)) == 29
