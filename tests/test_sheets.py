"""Papers that go with a lot: what they count, whom they name, and what they must not say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO

import numpy as np
import paper_wave
import pypdfium2
import pytest
import zxingcpp
from pypdf import PdfReader

from survey import batches, db, serials
from survey.printing import sheets
from survey.store import cases, lots, plans

ACT = {"now": paper_wave.NOW, "actor": "shell:test"}
DAY = date(2026, 11, 22)


@pytest.fixture
def store(settings):
    opened = db.connect(settings.database)
    yield opened
    opened.close()


@pytest.fixture
def facts(store):
    made = paper_wave.make(store)
    plan = replace(plans.get(store, made.wave), payment=50_000)
    plans.set(store, made.wave, plan, **ACT)
    return made


@pytest.fixture
def lot(store, facts):
    ids = [case for psu in facts.psus[:2] for case in facts.cases[psu][: paper_wave.MAIN]]
    made = lots.make(
        store, facts.wave, cases=ids, interviewer=facts.staff["dieutra"], unit=paper_wave.HOME,
        due_on=date(2026, 12, 1), **ACT,
    )  # fmt: skip
    return lots.issue(store, made, **ACT)


def returned(store, lot):
    first, second, *rest = [case.id for case in cases.of_lot(store, lot.id)]
    outcomes = dict.fromkeys(rest, ("collected", ""))
    outcomes |= {first: ("refused", "refused"), second: ("spoiled", "spoiled")}
    return lots.take_back(store, lot, outcomes, **ACT)


def printed(store, lot, kind):
    file = BytesIO()
    sheets.write([batches.of(store, lot, DAY)], kind, file)
    return file.getvalue()


def words(data):
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(data)).pages)
    return " ".join(text.split())


def test_a_hand_over_sheet_counts_what_goes_out(store, lot):
    text = words(printed(store, lot, "handover"))

    assert "giao 12 phiếu (bằng chữ: mười hai phiếu)" in text
    assert "Tổ dân phố 1" in text
    assert "Tuyên Quang, ngày 22 tháng 11 năm 2026" in text
    assert "DỮ LIỆU MÔ PHỎNG" in text
    assert "Nguyễn Văn" not in text


def test_a_sheet_of_what_came_back_counts_it(store, lot):
    text = words(printed(store, returned(store, lot), "handover"))

    assert "giao trả 11 phiếu (bằng chữ: mười một phiếu), trong đó 10 phiếu có trả lời" in text


def test_the_code_of_a_sheet_opens_its_lot(store, lot):
    for kind in ("handover", "cover", "households"):
        document = pypdfium2.PdfDocument(printed(store, lot, kind))
        image = np.asarray(document[0].render(scale=2, grayscale=True).to_numpy())
        document.close()
        [code] = zxingcpp.read_barcodes(image)
        assert code.text == lot.code


def test_the_list_of_payments_names_people_and_no_form(store, lot):
    text = words(printed(store, lot, "payments"))

    assert "Nguyễn Văn 1" in text
    assert "50.000" in text
    for case in cases.of_lot(store, lot.id):
        assert serials.printed(case.id) not in text
        assert serials.serial(case.id) not in text


def test_payments_are_listed_by_given_name_and_summed_when_back(store, lot):
    text = words(printed(store, returned(store, lot), "payments"))
    places = [text.index(f"Nguyễn Văn {n}") for n in range(3, 7)]

    assert places == sorted(places)
    assert "500.000" in text
    assert "năm trăm nghìn đồng./." in text


def test_the_list_of_households_has_everything_for_a_visit(store, lot):
    text = words(printed(store, lot, "households"))

    first = cases.of_lot(store, lot.id)[0].id
    assert serials.printed(first) in text
    assert "Số 1, 08-u1, Tổ dân phố 1" in text
    assert "dữ liệu cá nhân" in text


def test_names_that_were_deleted_leave_room_to_write(store, facts, lot):
    store.execute("DELETE FROM frame_household")

    assert "……" in words(printed(store, lot, "households"))


def test_many_lots_go_into_one_file_each_from_its_own_page_one(store, facts, lot):
    ids = facts.cases[facts.psus[2]][: paper_wave.MAIN]
    other = lots.make(
        store, facts.wave, cases=ids, interviewer=None, unit=paper_wave.HOME, due_on=None, **ACT
    )
    file = BytesIO()
    made = [batches.of(store, one, DAY) for one in (lot, other)]

    assert sheets.write(made, "cover", file) == 2
    with pytest.raises(ValueError, match="cover"):
        sheets.write([], "cover", file)
    with pytest.raises(ValueError, match="poem"):
        sheets.write(made, "poem", file)


def test_a_long_list_goes_on_over_pages_with_its_head(store, facts):
    lot = lots.make(
        store, facts.wave, cases=facts.cases[facts.psus[0]][:1], interviewer=None,
        unit=paper_wave.HOME, due_on=None, **ACT,
    )  # fmt: skip
    batch = batches.of(store, lot, DAY)
    [one] = batch.households
    many = tuple(replace(one, case=n, name=f"Trần Thị {n}") for n in range(1, 61))
    for kind in ("households", "payments"):
        file = BytesIO()
        assert sheets.write([replace(batch, households=many)], kind, file) >= 3
        pages = [page.extract_text() for page in PdfReader(file).pages]
        assert sum("Địa chỉ" in page for page in pages) >= 3


@pytest.mark.parametrize("rows", range(8, 17))
def test_signatures_never_stand_without_rows(store, lot, rows):
    batch = batches.of(store, lot, DAY)
    one = batch.households[0]
    many = tuple(replace(one, case=n, name=f"Trần Thị {n:03}") for n in range(1, rows + 1))
    file = BytesIO()
    sheets.write([replace(batch, households=many)], "payments", file)
    pages = [page.extract_text() for page in PdfReader(file).pages]

    assert "KẾ TOÁN" in pages[-1]
    assert "Trần Thị" in pages[-1]
    assert all(f"Trần Thị {n:03}" in "".join(pages) for n in range(1, rows + 1))


def test_equal_lots_give_equal_bytes(store, lot):
    for kind in sheets.KINDS:
        assert printed(store, lot, kind) == printed(store, lot, kind)
