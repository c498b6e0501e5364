import numpy as np
import pytest
import stored

from analysis import reader
from forms.questionnaire import load

WIDTH = len(load("mot-cua-2026.1").columns)


@pytest.fixture
def db():
    with stored.database() as made:
        yield made


@pytest.fixture
def sampled(db):
    stored.wave(db, questionnaire="mot-cua-2026.1", words='{"office": "Điểm phục vụ"}')
    stored.psu(db, "p1", "S", "vn34:01", fpc=40)
    stored.psu(db, "p2", "S", "vn34:01", fpc=40)
    stored.psu(db, "p3", "R", "vn34:08")
    for n, psu in enumerate(("p1", "p2", "p3", "p1")):
        stored.answer(db, {"m1": 1 + n, "m_all": 9}, psu=psu, weight=2.5 + n)
    return db


def blocks(db, state="valid", key="w", after=0, upto=1000):
    return list(reader.blocks(db, reader.wave(db, key), WIDTH, state, (after, upto)))


def test_a_wave_is_read_with_its_method(sampled):
    found = reader.wave(sampled, "w")

    assert (found.kind, found.index_method, found.level) == ("probability", "top2", 0.95)
    assert found.words == {"office": "Điểm phục vụ"}
    assert found.rank_sets == ()
    assert found.synthetic is True


def test_an_unknown_wave_is_a_lookup_error(db):
    with pytest.raises(LookupError):
        reader.wave(db, "none")


def test_answers_come_as_codes_in_the_order_of_the_columns(sampled):
    [found] = blocks(sampled)

    assert found.codes.dtype == np.uint8
    assert found.codes[:, 0].tolist() == [1, 2, 3, 4]
    assert found.codes[:, 5].tolist() == [9, 9, 9, 9]
    assert found.codes[:, 1].tolist() == [0, 0, 0, 0]


def test_each_answer_comes_with_its_village_weight_channel_and_day(sampled):
    stored.answer(sampled, {"m1": 5}, psu="p3", received_at="2026-09-02T17:30:00.000Z")
    [found] = blocks(sampled)

    assert found.psu == ["p1", "p2", "p3", "p1", "p3"]
    assert found.weight.tolist() == [2.5, 3.5, 4.5, 5.5, 1.0]
    assert set(found.channel) == {"post"}
    assert found.day == ["2026-09-02"] * 4 + ["2026-09-03"]  # past midnight in Vietnam


def test_the_sample_is_known_by_its_villages(sampled):
    assert reader.psus(sampled, "w") == {
        "p1": reader.Psu("S", 40, "vn34:01"),
        "p2": reader.Psu("S", 40, "vn34:01"),
        "p3": reader.Psu("R", 0, "vn34:08"),
    }


def test_answers_are_read_by_their_state_and_number(sampled):
    stored.answer(sampled, {"m1": 5}, psu="p3", state="flagged")
    stored.answer(sampled, {"m1": 5}, psu="p3", state="void")

    assert [b.seq.tolist() for b in blocks(sampled, after=1, upto=3)] == [[2, 3]]
    assert [b.seq.tolist() for b in blocks(sampled, "flagged")] == [[5]]
    assert [b.seq.tolist() for b in blocks(sampled, "void")] == [[6]]
    assert reader.last(sampled, "w") == 6
    assert reader.void(sampled, "w") == 1


def test_an_answer_without_a_case_has_no_village(sampled):
    stored.answer(sampled, {"m1": 5})

    assert blocks(sampled, after=4)[0].psu == [""]


def test_self_selected_answers_lie_at_their_counter(db):
    stored.wave(db, questionnaire="mot-cua-2026.1", kind="self_selected")
    stored.answer(db, {"m1": 5}, counter="3")
    stored.answer(db, {"m1": 4})

    assert blocks(db)[0].psu == ["vn34:01|3", "vn34:01|"]
    assert blocks(db)[0].weight.tolist() == [1, 1]


def test_one_village_is_read_alone(sampled):
    of = reader.wave(sampled, "w")
    [found] = reader.of_place(sampled, of, WIDTH, "valid", "p1", (0, 3))

    assert found.seq.tolist() == [1]
    assert found.weight.tolist() == [2.5]


def test_one_counter_is_read_alone(db):
    stored.wave(db, questionnaire="mot-cua-2026.1", kind="self_selected")
    for counter in ("3", None, "4", "3"):
        stored.answer(db, {"m1": 5}, counter=counter)
    of = reader.wave(db, "w")

    def numbers(psu):
        return [b.seq.tolist() for b in reader.of_place(db, of, WIDTH, "valid", psu, (0, 9))]

    assert numbers("vn34:01|3") == [[1, 4]]
    assert numbers("vn34:01|") == [[2]]
    assert numbers("vn34:02|3") == []


def test_a_wave_without_answers_has_no_blocks(db):
    stored.wave(db, questionnaire="mot-cua-2026.1", kind="self_selected")

    assert blocks(db) == []
    assert reader.last(db, "w") == 0


def test_an_answer_of_another_width_is_refused_by_its_number(sampled):
    stored.answer(sampled, {"m1": 5}, psu="p3", codes=b"\1\2")

    with pytest.raises(reader.BadRows, match=f"answer 5 does not have {WIDTH} columns"):
        blocks(sampled)


def test_comments_are_those_of_the_asked_units_and_not_blank(sampled):
    for text in ("Tốt", "  ", "<b>Đẹp</b>"):
        stored.answer(sampled, {"m1": 5, "comment": text}, psu="p3")
    stored.answer(sampled, {"m1": 5, "comment": "Chậm"}, psu="p1", state="flagged")
    stored.answer(sampled, {"m1": 5, "comment": "Ngoài mẫu"})
    of = reader.wave(sampled, "w")

    said = reader.comments(sampled, of, flagged=True, units=None)
    assert said == ("Tốt", "<b>Đẹp</b>", "Chậm")
    assert reader.comments(sampled, of, flagged=False, units=None) == said[:2]
    assert reader.comments(sampled, of, flagged=True, units={"vn34:01"}) == ("Chậm",)


def test_units_are_named_as_they_were_on_the_day(db):
    then, now = reader.Units(db, "2024-12-31"), reader.Units(db, "2026-10-31")

    assert now.title("vn34:08") == "tỉnh Tuyên Quang"
    assert now.title("vn34:00") == "cả nước"
    assert now.title("vn34:zz") == "vn34:zz"
    assert now.path("vn34:08") == ("vn34:08", "vn34:00")
    assert then.title("vn63:46") == "tỉnh Thừa Thiên Huế"


def test_rank_sets_are_those_of_the_day(db):
    sets = {s.key: s for s in reader.rank_sets(db, "2026-10-31")}
    regions = [s for s in sets.values() if s.kind == "region"]

    assert len(regions) == 6
    assert sum(len(s.members) for s in regions) == 34
    assert {s.name for s in regions} >= {"Đồng bằng sông Hồng", "Bắc Trung Bộ"}
