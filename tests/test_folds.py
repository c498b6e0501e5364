import numpy as np
import pytest
import stored

from analysis import folds, reader
from analysis.cells import Cells, differences
from analysis.frame import frame, rule
from forms.questionnaire import load


@pytest.fixture
def db():
    with stored.database() as made:
        yield made


@pytest.fixture
def sampled(db):
    stored.wave(db, questionnaire="mot-cua-2026.1")
    for name, stratum in (("p1", "S"), ("p2", "S"), ("p3", "R")):
        stored.psu(db, name, stratum, "vn34:01")
    rng = np.random.default_rng(1)
    for n in range(30):
        answers = {f"m{k}": int(rng.integers(1, 6)) for k in (1, 2)}
        state = ("valid", "flagged", "void")[n % 7 % 3]
        stored.answer(db, answers, psu=f"p{n % 3 + 1}", weight=1.5 + n % 4, state=state)
    stored.answer(db, {"m1": 1})  # of nobody's sample
    return db


@pytest.fixture
def kiosk(db):
    stored.wave(db, questionnaire="mot-cua-2026.1", kind="self_selected")
    for n in range(20):
        stored.answer(
            db, {"m1": 1 + n % 5}, counter=str(n % 2), service=("Hộ tịch", None)[n % 2],
            received_at=f"2026-09-{2 + n // 5:02}T02:00:00.000Z",
        )  # fmt: skip
    return db


def together(db, step, upto=None):
    of = reader.wave(db, "w")
    cells = Cells.of_rows([], frame(of, load(of.questionnaire)).layout)
    for piece in folds.pieces(db, "w", 0, upto=upto, step=step):
        cells = cells.merge(piece.cells)
    return cells


@pytest.mark.parametrize("wave", ["sampled", "kiosk"])
def test_folding_in_pieces_is_folding_at_once(wave, request):
    db = request.getfixturevalue(wave)

    assert differences(together(db, 4), together(db, 1000)) == []
    assert sum(together(db, 4).sums.people) > 0


def test_void_answers_are_counted_by_day_but_are_in_no_cell(sampled):
    [piece] = folds.pieces(sampled, "w", 0)
    void = sum(n for _, _, state, n in piece.days if state == "void")

    assert void > 0
    assert piece.cells.sums.people.sum() == 31 - void
    assert {key.flagged for key in piece.cells.keys} == {False, True}


def test_self_selected_answers_have_cells_by_day_and_for_all_days(kiosk):
    [piece] = folds.pieces(kiosk, "w", 0)
    by_day = piece.cells.keep(lambda key: key.dated)
    whole = piece.cells.keep(lambda key: not key.day)

    assert len(by_day.keys) == 8
    assert differences(by_day.rolled(), whole) == []
    assert sorted(key.psu for key in whole.keys) == ["vn34:01|0", "vn34:01|1"]
    assert [n for *_, n in piece.days] == [5, 5, 5, 5]


def test_months_are_the_sums_of_their_days_and_services_stand_beside(kiosk):
    stored.answer(kiosk, {"m1": 5}, counter="0", received_at="2026-09-30T18:00:00.000Z")
    [piece] = folds.pieces(kiosk, "w", 0)
    months = piece.cells.keep(lambda key: key.day.startswith("m"))
    services = piece.cells.keep(lambda key: key.day.startswith("s"))

    counted = zip(months.keys, months.sums.people, strict=True)

    assert {(key.spot, key.day): n for key, n in counted} == {
        ("0", "m2026-09"): 10, ("1", "m2026-09"): 10, ("0", "m2026-10"): 1,
    }  # fmt: skip
    assert [(key.spot, key.day) for key in services.keys] == [("Hộ tịch", "s2026-09")]
    assert services.sums.people.tolist() == [10]


def test_a_service_in_a_month_is_folded_anew_alone(kiosk):
    one = folds.rebuilt(kiosk, "w", "vn34:01|Hộ tịch", "s2026-09", upto=20)

    wanted = together(kiosk, 1000).keep(lambda key: key.day == "s2026-09")
    assert differences(one, wanted) == []
    assert one.sums.people.sum() == 10


def test_a_place_folded_anew_equals_what_was_folded(sampled):
    psu, day = "p2", ""
    whole = together(sampled, 1000).keep(lambda key: key.psu == psu)

    assert differences(folds.rebuilt(sampled, "w", psu, day, upto=31), whole) == []
    assert differences(folds.rebuilt(sampled, "w", psu, day, upto=5), whole) != []


def test_a_day_at_a_counter_is_folded_anew_alone(kiosk):
    whole = together(kiosk, 1000)
    one = folds.rebuilt(kiosk, "w", "vn34:01|1", "2026-09-03", upto=20)

    wanted = whole.keep(lambda key: (key.psu, key.day) == ("vn34:01|1", "2026-09-03"))
    assert differences(one, wanted) == []


def test_nothing_stored_means_everything_is_folded_from_the_answers(sampled):
    of = reader.wave(sampled, "w")
    how = frame(of, load(of.questionnaire))

    assert folds.stored(sampled, "w")[1] == 0
    assert differences(folds.whole(sampled, of, how), together(sampled, 1000)) == []


def test_the_rule_changes_with_what_the_sums_depend_on(db):
    stored.wave(db, "a", questionnaire="mot-cua-2026.1")
    one = reader.wave(db, "a")
    db.execute("UPDATE wave SET min_n = 50, name = 'Khác' WHERE key = 'a'")
    same = reader.wave(db, "a")
    db.execute("UPDATE wave SET index_method = 'scaled' WHERE key = 'a'")

    assert rule(one) == rule(same) != rule(reader.wave(db, "a"))


def test_service_items_of_the_inexperienced_are_outside_the_base(db):
    stored.wave(db, base="experienced")
    of = reader.wave(db, "w")
    how = frame(of, load(of.questionnaire))
    place = {column.id: c for c, column in enumerate(how.questionnaire.columns)}
    service = next(
        i for i in how.questionnaire.scored if i.factor == "II.A" or i.factor[:2] == "II"
    )
    packed = np.full((2, len(place)), 4, np.uint8)
    packed[:, place["c8.3"]] = [1, 2]
    packed[:, place["c8.4"]] = [2, 2]
    codes = how.codes(packed)

    assert codes[:, place[service.id]].tolist() == [4, 0]
    assert codes[:, place[how.questionnaire.scored[0].id]].tolist() == [4, 4]
    assert packed[1, place[service.id]] == 4
