"""League tables: every rank set, the same places as the wave's result, thousands of units."""

from __future__ import annotations

import numpy as np
import pytest
import stored

from analysis import crowd, parts, ranks
from analysis.league import ALL, WITHIN, leagues
from analysis.ranks import bands, rank_sets
from analysis.sipas import wave_result


@pytest.fixture
def db():
    with stored.database() as made:
        stored.wave(made, questionnaire="mot-cua-2026.1")
        rng = np.random.default_rng(2)
        for u, code in enumerate(("01", "08", "12", "22", "24", "31")):
            for p in range(4):
                stored.psu(made, f"{code}-{p}", f"{code}-{p % 2}", f"vn34:{code}")
            for n in range(48):
                level = 3 + (rng.random() < 0.4 + 0.08 * u)
                stored.answer(made, {f"m{k}": int(level) for k in range(1, 6)},
                              psu=f"{code}-{n % 4}")  # fmt: skip
        yield made


def test_the_first_set_is_that_of_the_result(db):
    result, found = wave_result(db, "w", comments=False), leagues(db, "w")
    first = found.sets[0]

    assert first.key == ALL
    assert [(p.unit, p.rank, p.low, p.high, p.against) for p in first.places] == [
        (u.unit, u.rank, u.rank_low, u.rank_high, u.differs) for u in result.units
    ]


def test_regions_and_groups_are_sets_of_their_own_members(db):
    found = {one.key: one for one in leagues(db, "w").sets}

    assert {"vn34-tdmnpb", "cities"} <= found.keys()
    for key in found.keys() - {ALL}:
        places = [p.rank for p in found[key].places]
        assert places[0] == 1
        assert len(places) < 6
        assert all(p.low <= p.rank <= p.high <= len(places) for p in found[key].places)


def test_bands_are_runs_that_cover_everybody(db):
    for one in leagues(db, "w").sets:
        held = [set(range(p.bands[0], p.bands[1] + 1)) for p in one.places]
        assert set.union(*held) == set(range(1, one.bands + 1))
        assert [p.bands[0] for p in one.places] == sorted(p.bands[0] for p in one.places)


def test_ones_own_unit_is_compared_with_the_others(db):
    found = leagues(db, "w", unit="vn34:01")
    places = {p.unit: p for p in found.sets[0].places}

    assert found.mine == "vn34:01"
    assert places["vn34:01"].against == 0
    assert places["vn34:31"].against == 1


def test_a_commune_is_read_against_the_province_it_lies_in(db):
    stored.unit(db, "vn34:08000", "commune", "Minh Xuân", "vn34:08", "phường")

    assert leagues(db, "w", unit="vn34:08000").mine == "vn34:08"


def test_the_parts_of_a_province_are_ranked_inside_it(db):
    for n in range(3):
        stored.unit(db, f"vn34:0800{n}", "commune", f"Xã {n}", "vn34:08", "xã")
    for psu in range(3):
        db.execute("UPDATE sample_psu SET unit = ? WHERE psu = ?", [f"vn34:0800{psu}", f"08-{psu}"])
    db.execute("UPDATE wave SET min_n = 5")
    found = {one.key: one for one in leagues(db, "w", unit="vn34:08").sets}

    assert WITHIN not in found or len(found[WITHIN].places) == 3


def test_self_selected_answers_are_refused():
    with stored.database() as base:
        stored.wave(base, kind="self_selected", questionnaire="mot-cua-2026.1")
        with pytest.raises(ValueError, match="no sample"):
            leagues(base, "w")


def test_a_wave_without_answers_has_no_set():
    with stored.database() as base:
        stored.wave(base, questionnaire="mot-cua-2026.1")
        stored.psu(base, "p", "S", "vn34:01")

        assert leagues(base, "w").sets == ()


@pytest.fixture
def standing():
    rng = np.random.default_rng(4)
    root = rng.normal(size=(60, 60)) * 0.004
    return rng.normal(0.8, 0.05, 60), root @ root.T + np.diag(np.full(60, 1e-4))


@pytest.mark.parametrize("kind", ["marginal", "simultaneous"])
@pytest.mark.parametrize("df", [None, 6])
def test_many_units_are_ranked_as_few_are(standing, kind, df, monkeypatch):
    values, joint = standing
    own = None if df is None else np.full(60, df)
    few = rank_sets(values, joint, kind=kind, df=own)
    monkeypatch.setattr(ranks, "MANY", 10)
    monkeypatch.setattr(crowd, "ROWS", 7)
    many = rank_sets(values, joint, kind=kind, df=own)

    assert (many.rank == few.rank).all()
    assert (many.low <= few.low).all()
    assert (many.high >= few.high).all()
    if df is None:
        assert (many.sure == few.sure).all()


def test_bands_of_many_are_those_found_one_by_one(standing):
    sets = rank_sets(*standing, kind="simultaneous")
    order = np.argsort(sets.rank, kind="stable")
    apart = sets.sure[np.ix_(order, order)] != 0
    slow, reach = [], 0
    for start in range(order.size):
        end = start + 1
        while end < order.size and not apart[start:end, end].any():
            end += 1
        if end > reach:
            slow.append(order[start:end].tolist())
            reach = end

    assert [band.tolist() for band in bands(sets)] == slow


def test_the_covariance_of_many_units_is_that_of_few(db, monkeypatch):
    few = leagues(db, "w", unit="vn34:01")
    seen = {}

    def noted(*args, **kwargs):
        found = real(*args, **kwargs)
        seen["joint"], seen["apart"] = found.joint, found.apart_se
        return found

    real = parts.standing
    monkeypatch.setattr(parts, "standing", noted)
    leagues(db, "w")
    dense = dict(seen)
    monkeypatch.setattr(parts, "MANY", 1)
    leagues(db, "w")

    assert np.allclose(seen["joint"], dense["joint"], rtol=1e-9, atol=1e-15)
    assert np.allclose(seen["apart"], dense["apart"], rtol=1e-9, atol=1e-15)
    assert few.sets
