"""The page of weights: known totals entered, weights tried, made, refused, sealed."""

from __future__ import annotations

import io
import re

import pytest
import weighted_wave
from weighted_wave import ACT, WAVE

from survey import db
from survey.store import Refused, waves, weighting

PAGE = f"/field/weights?wave={WAVE}"
TEXT = """name,category,target,source
sex,Nam,6900,Tổng điều tra 2024
sex,2,"7.100",Tổng điều tra 2024
area,urban,5000,Niên giám 2025
area,rural,9000,Niên giám 2025
"""
USUAL = {"cells": "psu", "least": "1", "method": "rake", "low": "0,5", "high": "2", "cap": "5"}


@pytest.fixture
def store(settings):
    """The instance's database with a wave to be weighted."""
    opened = db.connect(settings.database)
    weighted_wave.make(opened)
    yield opened
    opened.close()


def main(page):
    """The words of a page without its marks."""
    text = re.sub(r"<[^>]+>", " ", page.text.split("<main", 1)[1])
    return re.sub(r"\s+", " ", text)


def test_the_page_shows_the_totals_in_words_with_their_source(store, staff):
    page = main(staff.get(PAGE))

    assert "Chưa lập quyền số." in page
    assert "Độ tuổi 18-24 tuổi + 25-34 tuổi 5.300 Tổng điều tra 2024" in page
    assert "Thành thị, nông thôn Nông thôn 9.000 Niên giám 2025" in page


def test_totals_are_entered_by_code_or_words(store, staff):
    done = staff.send(PAGE, to=f"/field/weights/{WAVE}/margins", text=TEXT)

    assert done.status_code == 303
    assert [(m.name, m.category, m.target) for m in weighting.margins(store, WAVE)] == [
        ("sex", "1", 6900), ("sex", "2", 7100), ("area", "urban", 5000), ("area", "rural", 9000)
    ]  # fmt: skip


def test_totals_come_from_a_file(store, staff):
    file = (io.BytesIO(("\ufeff" + TEXT).encode()), "dan-so.csv")
    done = staff.send(PAGE, to=f"/field/weights/{WAVE}/margins", text="", file=file)

    assert done.status_code == 303
    assert len(weighting.margins(store, WAVE)) == 4


def test_every_fault_of_the_totals_is_named_with_its_line_and_the_text_is_kept(store, staff):
    text = TEXT + "sex,1,10,x\ntuoi,1,10,x\nage,9,10,x\nage,1,-3,x\nage,2,5,\n"
    page = staff.send(PAGE, to=f"/field/weights/{WAVE}/margins", text=text)
    words = main(page)

    assert page.status_code == 422
    for fault in (
        "Dòng 6: nhóm «1» của «sex» có hai lần", "Dòng 7: không có biến «tuoi»",
        "Dòng 8: biến «age» không có nhóm «9»", "Dòng 9: «-3» không phải số người lớn hơn 0",
        "Dòng 10: thiếu nguồn số liệu",
    ):  # fmt: skip
        assert fault in words
    assert "tuoi,1,10,x" in page.text
    assert len(weighting.margins(store, WAVE)) == 7


def test_a_preview_stores_nothing(store, staff):
    page = staff.send(PAGE, to=f"/field/weights/{WAVE}", do="preview", **USUAL)

    assert page.status_code == 200
    assert "xem thử, chưa lưu" in main(page)
    assert "179 trên" in main(page)
    assert weighting.get(store, WAVE) is None


def test_weights_are_made_and_told(store, staff):
    done = staff.send(PAGE, to=f"/field/weights/{WAVE}", do="apply", **USUAL)
    page = main(staff.get(PAGE))

    assert done.status_code == 303
    assert weighting.get(store, WAVE).actor == "staff:administrator"
    assert "Tổng 14.000 người" in page
    assert "RR1" in page
    staff.send(PAGE, to=f"/field/weights/{WAVE}", do="clear")
    assert weighting.get(store, WAVE) is None


def test_a_sample_that_changed_afterwards_is_told(store, staff):
    staff.send(PAGE, to=f"/field/weights/{WAVE}", do="apply", **USUAL)
    assert "Mẫu đã thay đổi" not in main(staff.get(PAGE))
    store.execute("UPDATE sample_case SET base = base * 2 WHERE wave = ?", (WAVE,))

    assert "Mẫu đã thay đổi" in main(staff.get(PAGE))
    with pytest.raises(Refused, match="weights_stale"):
        waves.close(store, WAVE, **ACT)


def test_settings_that_cannot_be_used_are_named_and_kept(store, staff):
    wrong = USUAL | {"method": "logit", "low": "1,5", "least": "hai", "cap": "0,3"}
    page = staff.send(PAGE, to=f"/field/weights/{WAVE}", do="apply", **wrong)

    assert page.status_code == 422
    for value in ("1,5", "hai", "0,3"):
        assert f"«{value}» không dùng được" in main(page)
        assert f'value="{value}"' in page.text


def test_weights_of_a_closed_wave_are_refused(store, staff):
    waves.close(store, WAVE, **ACT)
    page = main(staff.get(PAGE))
    other = "/field/weights?wave=ho-2026"
    done = staff.send(other, to=f"/field/weights/{WAVE}", do="apply", **USUAL)

    assert "quyền số gốc, khóa lúc" in page
    assert "Lập quyền số" not in page
    assert done.status_code == 409


def test_who_may_see_and_who_may_make(store, paper, app, client):
    client.login("giamsat")
    assert client.get(PAGE).status_code == 200
    assert client.send(PAGE, to=f"/field/weights/{WAVE}", do="apply", **USUAL).status_code == 303
    other = app.test_client()
    other.login("dieutra")
    assert other.get(PAGE).status_code == 403


def test_a_supervisor_of_another_unit_sees_nothing(store, paper, client):
    store.execute("UPDATE staff SET unit = 'vn34:12' WHERE username = 'giamsat'")
    client.login("giamsat")

    assert client.get(PAGE).status_code == 403
