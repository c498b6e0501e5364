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


def rows(db, key="w", width=WIDTH):
    return reader.rows(db, reader.wave(db, key), width)


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
    found = rows(sampled)

    assert found.codes.dtype == np.uint8
    assert found.codes[:, 0].tolist() == [1, 2, 3, 4]
    assert found.codes[:, 5].tolist() == [9, 9, 9, 9]
    assert found.codes[:, 1].tolist() == [0, 0, 0, 0]


def test_the_sample_comes_with_the_answers(sampled):
    drawn = rows(sampled).drawn

    assert [drawn.strata[code] for code in drawn.stratum] == ["S", "S", "R", "S"]
    assert drawn.psu.tolist() == [0, 1, 2, 0]
    assert drawn.weight.tolist() == [2.5, 3.5, 4.5, 5.5]
    assert drawn.fpc.tolist() == [40, 40, 0, 40]


def test_units_and_channels_are_those_of_the_villages(sampled):
    found = rows(sampled)

    assert [found.units[code] for code in found.unit] == ["vn34:01"] * 2 + ["vn34:08", "vn34:01"]
    assert found.channels == ("post",)


def test_void_answers_stay_out_and_flagged_ones_are_marked(sampled):
    stored.answer(sampled, {"m1": 5}, psu="p3", state="flagged")
    stored.answer(sampled, {"m1": 5}, psu="p3", state="void")

    assert rows(sampled).flagged.tolist() == [False] * 4 + [True]
    assert reader.counts(sampled, "w") == {"valid": 4, "flagged": 1, "void": 1}


def test_an_answer_without_a_case_has_no_weight_and_is_counted_apart(sampled):
    stored.answer(sampled, {"m1": 5})

    assert rows(sampled).seq.size == 4
    assert rows(sampled).loose == 1


def test_rows_can_be_kept_by_a_mask(sampled):
    kept = rows(sampled).keep(np.array([True, False, True, False]))

    assert kept.codes[:, 0].tolist() == [1, 3]
    assert kept.drawn.weight.tolist() == [2.5, 4.5]


def test_a_wave_without_answers_has_no_rows(db):
    stored.wave(db, questionnaire="mot-cua-2026.1", kind="self_selected")
    found = rows(db)

    assert found.codes.shape == (0, WIDTH)
    assert found.units == ()
    assert found.drawn is None


def test_an_answer_of_another_width_is_refused_by_its_number(sampled):
    stored.answer(sampled, {"m1": 5}, psu="p3", codes=b"\1\2")

    with pytest.raises(reader.BadRows, match=f"answer 5 does not have {WIDTH} columns"):
        rows(sampled)


def test_comments_are_those_of_the_asked_rows_and_not_blank(sampled):
    for text in ("Tốt", "  ", "<b>Đẹp</b>"):
        stored.answer(sampled, {"m1": 5, "comment": text}, psu="p3")
    found = rows(sampled)

    assert reader.comments(found, np.arange(7)) == ("Tốt", "<b>Đẹp</b>")
    assert reader.comments(found, np.arange(5)) == ("Tốt",)
    assert reader.comments(found.keep(np.arange(7) > 4), np.arange(2)) == ("<b>Đẹp</b>",)


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
