"""Interviewers against each other: inventors stand out, the honest do not, keying plays no part."""

import re
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from field_work import lot, settle
from paper_wave import AWAY, HOME, NOW, QUESTIONNAIRE, WAVE

from forms.questionnaire import load
from survey import db
from survey.field import anomalies
from survey.store import cases, progress
from survey.store.progress import Form

Q = load(QUESTIONNAIRE)
SCORED = [k for k, column in enumerate(Q.columns) if column.item.factor]


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def forms(*, honest=5, n=40, seed=1, invented=(), left_blank=(), rushed=()):
    """Forms of several interviewers of one area; each answers a village's own mixture."""
    rng = np.random.default_rng(seed)
    found = []
    for who in range(honest + len(invented)):
        for _ in range(n):
            codes = np.full(len(Q.columns), 1, dtype=np.uint8)
            codes[SCORED] = 4 if who in invented else rng.choice(5, len(SCORED)) + 1
            codes[
                np.array(SCORED)[rng.random(len(SCORED)) < (0.3 if who in left_blank else 0.02)]
            ] = 0
            hours = rng.uniform(0.1, 1) if who in rushed else rng.uniform(20, 50)
            found.append(Form(who, HOME, codes.tobytes(), float(hours)))
    return found


def named(found, name):
    return next(measure for measure in found if measure.name == name)


def judged(given):
    return anomalies.measures(given, Q, lambda unit: unit)


def outliers(given, name):
    return [mark.interviewer for mark in named(judged(given), name).marks if mark.outlier]


def test_honest_interviewers_are_left_in_peace():
    assert [outliers(forms(honest=8), name) for name in anomalies.MEASURES] == [[]] * 4


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("one_answer", {"honest": 20, "invented": (20,)}),
        ("satisfied", {"honest": 20, "invented": (20,)}),
        ("blank", {"honest": 21, "left_blank": (20,)}),
        ("quick", {"honest": 21, "rushed": (20,)}),
    ],
)
def test_who_works_otherwise_stands_first_with_a_usual_range(name, given):
    measure = named(judged(forms(**given)), name)
    first = measure.marks[0]

    assert (first.interviewer, first.outlier) == (20, True)
    assert not first.low <= first.value <= first.high
    assert all(mark.low <= mark.expected <= mark.high for mark in measure.marks)
    assert sum(mark.outlier for mark in measure.marks) == 1


def test_too_few_forms_or_too_few_others_are_not_judged():
    few = judged(forms(honest=2))
    assert named(few, "satisfied").marks == ()
    assert len(named(few, "satisfied").left_out) == 2

    given = [*forms(honest=3), *(form._replace(interviewer=9) for form in forms(honest=1, n=9))]
    measure = named(judged(given), "satisfied")
    assert {mark.interviewer for mark in measure.marks} == {0, 1, 2}
    assert measure.left_out == ((9, HOME, 9),)


def test_a_wave_without_forms_has_nothing_to_compare():
    assert all(not measure.marks and not measure.left_out for measure in judged([]))


def test_forms_whose_times_are_unknown_are_not_called_quick():
    given = [form._replace(hours=None) for form in forms(honest=5)]

    assert named(judged(given), "quick").marks == ()
    assert named(judged(given), "blank").marks != ()


@pytest.fixture
def store(paper, settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


def test_hours_run_from_handing_out_to_collecting_not_from_keying(paper, store):
    [case, unmarked, *_] = held = paper.cases[paper.psus[0]][:6]
    lot(store, 1, HOME, paper.staff["dieutra"], held)
    cases.move(store, [case], "delivered", now=NOW - timedelta(hours=30), actor="x")
    cases.move(store, [case], "collected", now=NOW - timedelta(hours=6), actor="x")
    cases.move(store, [case], "delivered", now=NOW - timedelta(hours=5), actor="x")
    settle(store, case, HOME)
    settle(store, unmarked, HOME, 1)
    found = sorted(progress.forms(store, WAVE, QUESTIONNAIRE), key=lambda form: form.hours or 0)

    assert [form.hours and round(form.hours, 3) for form in found] == [None, 24.0]
    assert {form.interviewer for form in found} == {paper.staff["dieutra"]}


def test_the_page_says_who_could_not_be_compared(client, paper, store):
    held = paper.cases[paper.psus[0]][:3]
    lot(store, 1, HOME, paper.staff["dieutra"], held)
    for n, case in enumerate(held):
        settle(store, case, HOME, n)
    client.login("giamsat")
    page = text(client.get("/field/interviewers"))

    assert "3 phiếu đã đối chiếu" in page
    assert "Dieutra (dieutra), Tỉnh Tuyên Quang: 3" in page
    assert "Chưa so được" in page


def test_a_supervisor_compares_the_own_interviewers_only(client, paper, store):
    for number, (psu, unit, who) in enumerate(
        ((0, HOME, "dieutra"), (4, AWAY, "dieutra2")), 1
    ):  # fmt: skip
        held = paper.cases[paper.psus[psu]][:2]
        lot(store, number, unit, paper.staff[who], held)
        for case in held:
            settle(store, case, unit)
    client.login("giamsat")
    page = text(client.get("/field/interviewers"))

    assert "(dieutra)" in page
    assert "(dieutra2)" not in page


def test_the_page_shows_who_stands_out_with_the_range(staff, paper, monkeypatch):
    given = [form._replace(interviewer=paper.staff["doichieu"] - 20 + form.interviewer)
             for form in forms(honest=20, invented=(20,))]  # fmt: skip
    monkeypatch.setattr(progress, "forms", lambda *_: given)
    page = staff.get("/field/interviewers")
    seen = text(page)

    assert "Doichieu (doichieu)" in seen.partition("Cần xem lại trước")[2].partition("Khác biệt")[0]
    assert re.search(r"Chọn cùng một mức 100,0%, thường gặp [0-9,]+–[0-9,]+, 40 phiếu", seen)
    assert page.text.count('class="band"') >= 4


def test_a_form_of_another_width_is_left_out():
    odd = SimpleNamespace(codes=b"\1", interviewer=1, unit=HOME, hours=None)

    assert named(judged([*forms(honest=4), odd]), "blank").left_out == ()


def test_forty_honest_surveys_accuse_hardly_anybody():
    accused = sum(
        bool(outliers(forms(honest=8, n=20, seed=seed), "satisfied")) for seed in range(40)
    )

    assert accused <= 4
