"""Reading one page: what is certain is taken, everything else goes before a person."""

import importlib
import sys

import cv2
import numpy as np
import paper_wave
import pytest
import scanned
from scanned import LAYOUT, PAGES, hand, places

from forms.questionnaire import load
from survey import scanning
from survey.printing import form
from survey.scanning import reader
from survey.scanning.judging import Doubt
from survey.scanning.registration import Unreadable

scan = importlib.import_module("benchmarks.scan")
WANTED = paper_wave.fields(3)


def page(number=1, change=lambda page: None, how=scanned.PLAIN, seed=1, wanted=None):
    clean = scanned.clean()[number - 1].copy()
    rnd = scanned.Random(seed)
    marked, _ = scanned.pens.fill(
        clean, places(number), scanned.DPI, scanned.RADIUS, rnd, wanted=wanted or {}
    )
    change(marked)
    return scanned.pens.scan(marked, scanned.DPI, rnd, how)


def read(picture, number=1, layout=LAYOUT):
    return reader.read(reader.find(picture), reader.of(layout, number))


@pytest.mark.parametrize("number", range(1, PAGES + 1))
def test_an_empty_form_is_blank_and_without_doubt(number):
    judged = read(page(number), number)

    assert judged.doubts == {}
    assert all(value in (9, [], "") for value in judged.fields.values())


@pytest.mark.parametrize("number", range(1, PAGES + 1))
def test_what_was_marked_is_read(number):
    judged = read(page(number, wanted=WANTED), number)

    assert judged.doubts == {}
    assert judged.fields == {name: WANTED[name] for name in judged.fields}
    assert min(judged.confidence.values()) > 0.5


def test_a_page_upside_down_or_on_its_side_is_read_alike():
    picture = page(2, wanted=WANTED)
    expected = read(picture, 2).fields
    for turn in (cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE):
        assert read(cv2.rotate(picture, turn), 2).fields == expected


def test_two_marks_are_never_taken():
    def twice(picture):
        for place in places(1, "sex"):
            hand(picture).mark(place)

    doubt = read(page(change=twice)).doubts["sex"]

    assert doubt.kind == "double"
    assert set(doubt.codes) == {1, 2}


def test_a_choice_taken_back_is_asked_about_and_the_other_mark_comes_first():
    def mend(picture):
        wrong, right = places(1, "sex")
        hand(picture).mark(wrong)
        hand(picture).blacken(wrong)
        hand(picture).mark(right)

    doubt = read(page(change=mend)).doubts["sex"]

    assert doubt.kind == "crossed"
    assert doubt.codes[0] == 2


def test_a_mark_that_can_hardly_be_seen_is_asked_about():
    def faint(picture):
        place = places(1, "sex")[0]
        k = scanned.DPI / 25.4
        ends = [(round((place["x"] + d) * k), round((place["y"] + d) * k)) for d in (-1.2, 1.2)]
        cv2.line(picture, *ends, (180, 180, 180), 2, cv2.LINE_AA)

    assert read(page(change=faint)).doubts["sex"].kind == "faint"


def test_a_ring_around_an_answer_is_asked_about():
    def ring(picture):
        place = places(1, "sex")[0]
        k = scanned.DPI / 25.4
        centre = round(place["x"] * k), round(place["y"] * k)
        cv2.circle(picture, centre, round(3.1 * k), (120, 40, 30), 4, cv2.LINE_AA)

    assert read(page(change=ring)).doubts["sex"].kind == "beside"


@pytest.mark.parametrize("field", ["c2.other", "ethnicity.other"])
def test_handwriting_waits_for_a_person(field):
    judged = read(page(change=lambda picture: scanned.write(picture, field)))

    assert judged.doubts[field].kind == "text"
    assert field not in judged.fields


def test_a_line_of_dirt_on_the_glass_is_not_taken_for_a_mark():
    picture = page(2)
    spot = reader.find(picture).sheet.at(np.array([(places(2)[0]["x"], 150.0)]))[0]
    picture[:, int(spot[0]) : int(spot[0]) + 2] //= 2

    judged = read(picture, 2)

    assert judged.doubts == {}
    assert set(judged.fields.values()) == {9}


def test_three_corner_marks_are_enough_and_two_are_not():
    picture = page(2, wanted=WANTED)
    expected = read(picture, 2).fields
    picture[:150, :150] = 255
    assert read(picture, 2).fields == expected

    picture[-170:, -170:] = 255
    with pytest.raises(Unreadable, match="marks"):
        reader.find(picture)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda picture: picture[: picture.shape[0] // 2], "marks"),
        (lambda picture: np.full_like(picture, 250), "blank"),
        (lambda picture: cv2.resize(picture, None, fx=0.6, fy=0.6), "coarse"),
        (lambda picture: np.hstack([picture, picture]), "pages"),
    ],
)
def test_a_picture_that_cannot_be_trusted_is_refused(spoil, code):
    with pytest.raises(Unreadable) as refusal:
        read(spoil(page()))
    assert refusal.value.code == code


def test_a_page_cut_off_beside_its_answers_is_refused():
    picture = page(1)
    sheet = reader.find(picture).sheet
    right = int(sheet.at(np.array([(196.0, 150.0)]))[0][0])
    sheet = reader.Page(reader.registration.Sheet(
        sheet.gray[:, :right], sheet.matrix, sheet.page, 4, 0.0, sheet.scale
    ), ())  # fmt: skip
    with pytest.raises(Unreadable, match="cut"):
        reader.read(sheet, reader.of(LAYOUT, 1))


def test_a_form_of_another_geometry_is_refused_not_guessed():
    large = form.geometry(load(paper_wave.QUESTIONNAIRE), scanned.ISSUER, "large")

    with pytest.raises(Unreadable, match="geometry"):
        read(page(2), 2, large)


def test_a_crop_shows_the_doubtful_field():
    found = reader.find(page())
    shown = cv2.imdecode(
        np.frombuffer(reader.crop(found, Doubt("double", (1, 2), (5, 60, 200, 12))), np.uint8), 0
    )

    assert shown.shape == (72, 1200)


@pytest.mark.slow
@pytest.mark.parametrize(("damage", "dpi"), [("normal", 200), ("normal", 300), ("heavy", 200)])
def test_many_made_up_hands_are_read_without_one_wrong_answer(damage, dpi):
    count = scan.tried(scan.Count(), scan.DAMAGES[damage], dpi, range(2))

    assert count.wrong == []
    assert count.of("double", "doubt") == count.of("double") > 0
    assert count.of("plain", "right") > 0.97 * count.of("plain") > 100
    assert sum(count.refused.values()) <= 1


def test_a_machine_without_the_extra_says_which_packages_it_lacks(monkeypatch):
    assert scanning.missing() == []
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setitem(sys.modules, "zxingcpp", None)

    assert scanning.missing() == ["opencv-python-headless", "zxing-cpp"]
