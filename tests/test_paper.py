"""What is keyed in from a form on paper: fields, faults, warnings, and what becomes an answer."""

from __future__ import annotations

import paper_wave
import pytest

from forms import paper, rules
from forms.questionnaire import keys, load
from survey import serials
from survey.store import Refused, cases, plans

Q = load("sipas-2026.1")
SECRET = b"a secret of the tests, 32 bytes!"


def test_the_2026_form_has_84_fields_of_codes_and_five_texts():
    assert len(paper.coded(Q)) == 84
    assert [f.name for f in paper.fields(Q) if f.kind == "text"] == [
        "ethnicity.other", "education.other", "occupation.other", "c2.other", "comment",
    ]  # fmt: skip


def test_a_row_of_a_matrix_knows_its_number_and_its_words():
    field = next(f for f in paper.fields(Q) if f.name.startswith("c1."))
    assert field.number == "Câu 1.1"
    assert field.text == Q.item("c1").rows[0].label


@pytest.mark.parametrize("key", keys())
def test_every_questionnaire_can_be_keyed_in_and_stored(key):
    q = load(key)
    entered = {
        f.name: f.codes[0] if f.kind == "one" else [f.codes[0]] if f.kind == "several" else ""
        for f in paper.fields(q)
    }
    whole, faults = paper.clean(q, entered)
    assert faults == []
    answers = paper.answers(q, whole)
    assert len(rules.pack(q, answers)) == len(q.columns)
    assert {f.code for f in rules.check(q, answers)[1]} <= {"unanswered"}


def test_blank_and_invalid_are_never_in_the_base_of_an_item():
    entered = paper_wave.fields(1, s01=paper.BLANK, s02=paper.INVALID, c2=[])
    packed = rules.unpack(Q, rules.pack(Q, paper.answers(Q, entered)))
    assert (packed["s01"], packed["s02"], packed["c2.1"]) == (9, 0, 9)


def test_ethnicity_on_paper_is_its_own_consent_and_blank_is_none():
    given = paper.answers(Q, paper_wave.fields(1, ethnicity=2))
    empty = paper.answers(Q, paper_wave.fields(1, ethnicity=paper.BLANK))
    assert (given["consent_ethnicity"], given["ethnicity"]) == (1, 2)
    assert not {"consent_ethnicity", "ethnicity"} & empty.keys()


def test_a_text_beside_other_goes_only_with_that_choice():
    kept = paper.answers(Q, paper_wave.fields(1, **{"c2": [7], "c2.other": "loa phường"}))
    lost = paper.answers(Q, paper_wave.fields(1, **{"c2": [1], "c2.other": "loa phường"}))
    assert kept["c2.other"] == "loa phường"
    assert "c2.other" not in lost


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"s01": 6}, "off_scale"),
        ({"s01": "4"}, "not_a_number"),
        ({"s01": True}, "not_a_number"),
        ({"s01": None}, "unanswered"),
        ({"c2": [1, 1]}, "not_a_list"),
        ({"c2": [8]}, "off_scale"),
        ({"s40": 1}, "unknown_item"),
        ({"comment": "x" * 5000}, "too_long"),
    ],
)
def test_what_cannot_be_on_the_form_is_named(change, code):
    faults = paper.check(Q, paper_wave.fields(0, **change))
    assert [(f.column, f.code) for f in faults] == [(next(iter(change)), code)]


def test_a_straight_line_and_an_empty_scale_are_worth_a_second_look():
    scale = [item.id for item in Q.scored]
    alike = paper.warnings(Q, paper_wave.fields(0, **dict.fromkeys(scale, 4)))
    blank = paper.warnings(Q, paper_wave.fields(0, **dict.fromkeys(scale[:25], 9)))
    assert [w.code for w in alike] == ["alike"]
    assert [(w.code, w.facts["n"]) for w in blank] == [("blank", 25)]
    assert paper.warnings(Q, paper_wave.fields(3)) == []


def test_two_entries_differ_by_field_and_not_by_blanks_in_a_text():
    first = paper_wave.fields(1, comment="Cán bộ  nhiệt tình ")
    second = paper_wave.fields(1, comment="Cán bộ nhiệt tình", s05=9, c2=[2])
    assert paper.differences(Q, first, second) == ("c2", "s05")
    assert paper.digest(Q.key, first) != paper.digest(Q.key, second)


def test_a_mistyped_serial_is_refused():
    good = serials.serial(1234)
    assert serials.case_of(serials.printed(1234)) == 1234
    for at in range(len(good)):
        for digit in "0123456789":
            typed = good[:at] + digit + good[at + 1 :]
            if typed != good:
                with pytest.raises(LookupError):
                    serials.case_of(typed)


@pytest.mark.parametrize("typed", ["", "abc", "1234", "١٢٣٤٥٦٧٨", "9" * 40])
def test_what_is_no_serial_is_refused(typed):
    with pytest.raises(LookupError):
        serials.case_of(typed)


def test_a_code_is_read_back_and_a_forged_one_is_not():
    text = serials.code(SECRET, 17, 1234, 3)
    assert serials.read(SECRET, text) == (17, 1234, 3)
    assert text == text.upper()
    assert len(text) <= 47, "version 3 at level Q"
    for forged in (text.replace("/3/", "/4/"), text[:-1] + "A", "S1/17", ""):
        if forged != text:
            with pytest.raises(LookupError):
                serials.read(SECRET, forged)
    with pytest.raises(LookupError):
        serials.read(b"another secret of another place!", text)


def test_a_case_goes_its_way_and_no_other(app, paper, settings):
    store = app.extensions["sipas"].writer
    act = {"now": paper_wave.NOW, "actor": "staff:giamsat"}
    case = paper.main[0]

    def move(state, **more):
        return store.run(lambda db: cases.move(db, [case], state, **act, **more))

    assert move("assigned") == 1
    assert move("assigned") == 0, "nothing twice"
    assert move("appointed", appointed_on="2026-11-24") == 1
    with pytest.raises(Refused) as refusal:
        move("locked")
    assert refusal.value.facts["former"] == "appointed"
    assert move("absent", reason="absent") == 1
    assert move("collected") == 1, "somebody was mistaken"
    with app.app_context():
        from survey import db

        steps = [row["state"] for row in cases.history(db.get(), case)]
        assert steps == ["assigned", "appointed", "absent", "collected"]
        assert cases.get(db.get(), case).state == "collected"
        counted = {(r["psu"], r["state"]): r["n"] for r in cases.counts(db.get(), paper.wave)}
    assert counted[paper.psus[0], "collected"] == 1


def test_several_cases_move_together_or_not_at_all(app, paper):
    writer = app.extensions["sipas"].writer
    act = {"now": paper_wave.NOW, "actor": "staff:giamsat"}
    reserve = paper.cases[paper.psus[0]][-1]
    with pytest.raises(Refused):
        writer.run(lambda db: cases.move(db, [paper.main[0], reserve], "assigned", **act))
    with app.app_context():
        from survey import db

        assert cases.get(db.get(), paper.main[0]).state == "planned"


def test_the_seed_stays_once_ballots_are_drawn(app, paper):
    writer = app.extensions["sipas"].writer
    act = {"now": paper_wave.NOW, "actor": "staff:giamsat"}
    kept = writer.run(
        lambda db: plans.set(
            db, paper.wave, plans.PaperPlan(double_share=0.2, seed="hat-giong-2026"), **act
        )
    )
    assert kept.double_share == 0.2
    with pytest.raises(Refused) as refusal:
        writer.run(lambda db: plans.set(db, paper.wave, plans.PaperPlan(seed="khác"), **act))
    assert refusal.value.code == "plan_used"
