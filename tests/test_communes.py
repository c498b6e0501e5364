"""Communes drawn before villages: exact chances, substitutes, and the error between communes."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction

import numpy as np
import pytest
import small_wave
import weighted_wave
from scipy.special import stdtrit
from test_weights import agree, exported, made

from analysis.design import build
from analysis.report.wording import method_rows
from analysis.sampling.draw import probabilities
from analysis.sampling.frame import Row, Stage
from analysis.sampling.size import BadSize, cluster_deff, staged_deff
from analysis.sampling.stages import draw as draw_all
from analysis.sipas import wave_result
from survey import db, tallies
from survey.sample import drawing, staging
from survey.sample.frames import Faulty
from survey.store import Refused, draws, frames, replacements, units, waves
from survey.store.draws import Plan
from survey.store.frames import Household, Village

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
ACT = {"now": NOW, "actor": "shell:test"}
WAVE, SEED = "xa-2026", "xổ số 22/11"
HOME = small_wave.TUYEN_QUANG
#: Stratum -> commune -> households of its villages.
SIZES = {
    "nt": {"A": [30, 20, 50], "B": [60, 40], "C": [10, 10, 20], "D": [60]},
    "tt": {"X": [100, 90, 110, 100], "Y": [10, 20], "Z": [15, 15], "W": [12, 18]},
}
PLAN = Plan(takes={"nt": 2, "tt": 3}, households=4, reserves=2, per_commune=2)
FRAME = [
    Village(f"{commune}{n}", stratum, f"vn34:9{commune}", "rural", f"Thôn {n}", size)
    for stratum, communes in SIZES.items()
    for commune, sizes in communes.items()
    for n, size in enumerate(sizes, 1)
]
OF = {village.psu: village for village in FRAME}


def homes(psus, count=9):
    return [
        Household(psu, f"h{n:02}", 1 + n % 3, f"Lê Văn {n}", f"Số {n}")
        for psu in psus
        for n in range(1, count + 1)
    ]


@pytest.fixture
def base(instance, settings):
    store = db.connect(settings.database)
    rows = [
        units.Unit("vn34", f"9{c}", "2025-07-01", None, "commune", "xã", c, c.lower(), HOME)
        for communes in SIZES.values()
        for c in communes
    ]
    units.import_rows(store, rows, source="test", **ACT)
    waves.new(
        store,
        waves.Wave(
            key=WAVE, name="Mẫu", kind="probability", year=2026, questionnaire="sipas-2026.1",
            opens_on=date(2026, 1, 1), closes_on=date(2099, 12, 31), owner=HOME,
            owner_name="Sở Nội vụ",
        ),
        **ACT,
    )  # fmt: skip
    frames.put_villages(store, WAVE, FRAME, whole=True, source="thon.csv", **ACT)
    draws.set_plan(store, WAVE, PLAN, **ACT)
    yield store
    store.close()


def draw_villages(base, seed=SEED):
    rows, held = drawing.villages(base, WAVE, seed)
    draws.keep_villages(base, WAVE, rows, draw=held, **ACT)
    return [row["psu"] for row in rows]


def draw_households(base, psus):
    frames.put_households(base, WAVE, psus, homes(psus), source="ho.csv", **ACT)
    rows, held, waiting = drawing.households(base, WAVE)
    draws.keep_cases(base, WAVE, rows, draw=held, done=not waiting, **ACT)


@pytest.fixture
def drawn(base):
    draw_households(base, draw_villages(base))
    return base


def areas(base):
    return {area.psu: area for area in draws.areas(base, WAVE)}


def test_the_chance_of_every_village_is_that_worked_by_hand():
    by_hand = {
        # communes of 300 households, two drawn: 100 -> 2/3, 40 -> 4/15, 60 -> 2/5
        "A1": Fraction(2, 3) * Fraction(3, 5),  # A3 surely (50 of 100), one of 30 and 20 beside it
        "A2": Fraction(2, 3) * Fraction(2, 5),
        "A3": Fraction(2, 3),
        "B1": Fraction(2, 3),
        "B2": Fraction(2, 3),  # both villages of B
        "C1": Fraction(4, 15) * Fraction(1, 2),
        "C3": Fraction(4, 15),
        "D1": Fraction(2, 5),  # all that D has
        # X surely (400 of 490 in three), two of the three communes of 30 beside it
        "X2": Fraction(180, 400),
        "X3": Fraction(220, 400),
        "Y1": Fraction(2, 3),
        "W2": Fraction(2, 3),
    }
    found = {psu: staging.chance(FRAME, PLAN, OF[psu]) for psu in by_hand}

    assert found == by_hand


def test_what_is_drawn_has_these_chances_and_stands_for_every_household():
    for seed in range(30):
        rows = staging.picked(FRAME, PLAN, str(seed))
        for row in rows:
            assert row["probability"] == str(staging.chance(FRAME, PLAN, OF[row["psu"]]))
        for stratum in SIZES:
            communes = {r["unit"] for r in rows if r["stratum"] == stratum}
            assert len(communes) == PLAN.takes[stratum]


def test_villages_come_into_the_sample_as_often_as_their_chance_says():
    n = 2000
    for plan in (PLAN, replace(PLAN, commune_method="simple", method="systematic")):
        seen = Counter(r["psu"] for s in range(n) for r in staging.picked(FRAME, plan, str(s)))
        for village in FRAME:
            p = float(staging.chance(FRAME, plan, village))
            error = (p * (1 - p) / n) ** 0.5
            assert abs(seen[village.psu] / n - p) <= 4 * error, village.psu


def test_the_chances_of_a_list_are_those_of_whoever_is_drawn():
    assert probabilities([100, 10, 20, 30], 2) == [
        1,
        Fraction(1, 6),
        Fraction(1, 3),
        Fraction(1, 2),
    ]
    assert probabilities([1, 1, 1], 3) == [1, 1, 1]


def test_the_sample_is_the_one_that_one_draw_of_everything_gives(drawn):
    psus = set(areas(drawn))
    rows = [
        Row((v.stratum, v.unit, v.psu, home.household))
        for v in FRAME
        if v.psu in psus
        for home in homes([v.psu])
    ]
    stages = [Stage("stratum"), Stage("commune"), Stage("village"),
              Stage("household", 4, reserves=2)]  # fmt: skip
    whole = draw_all(rows, stages, seed=SEED)
    stored = list(draws.rows(drawn, WAVE))

    main = {(r["psu"], r["household"], r["number"]) for r in stored if r["reserve"] is None}
    assert main == {(*unit.path[2:], unit.numbers[-1]) for unit in whole.main}
    for row in stored:
        p = staging.chance(FRAME, PLAN, OF[row["psu"]]) * Fraction(4, 9) / row["adults"]
        assert (row["probability"], row["base"]) == (str(p), float(1 / p))


def test_drawn_again_it_is_the_same_and_another_commune_is_found(drawn):
    villages, cases, differs = drawing.check(drawn, WAVE)
    assert (villages, cases, differs) == (len(areas(drawn)), 6 * villages, [])

    drawn.execute("UPDATE frame_village SET unit = 'vn34:9B' WHERE psu = 'D1'")
    assert "Danh sách thôn khác lúc rút" in drawing.check(drawn, WAVE)[2]


@pytest.mark.parametrize("column", ["cluster", "certain"])
def test_a_cluster_changed_by_hand_is_found(drawn, column):
    sql = {"cluster": "UPDATE sample_psu SET cluster = 'x'",
           "certain": "UPDATE sample_psu SET certain = 'x'"}  # fmt: skip
    drawn.execute(sql[column])

    assert len(drawing.check(drawn, WAVE)[2]) == len(areas(drawn))


def test_a_commune_taken_surely_is_a_stratum_and_the_others_are_clusters():
    rows = staging.picked(FRAME, PLAN, SEED)
    for row in rows:
        label = f"{row['stratum']}/{row['unit']}"
        sure = row["unit"] == "vn34:9X"
        assert (row["cluster"], row["certain"]) == (("", label) if sure else (label, ""))


def test_a_sure_commune_stays_a_cluster_beside_a_single_one_drawn_by_chance():
    rows = staging.picked(FRAME, replace(PLAN, takes={"nt": 2, "tt": 2}), SEED)
    town = [row for row in rows if row["stratum"] == "tt"]

    assert len({row["cluster"] for row in town}) == 2
    assert {row["certain"] for row in town} == {""}


def test_a_sure_commune_with_one_village_stays_a_cluster():
    rows = staging.picked(FRAME, replace(PLAN, per_commune=1), SEED)

    assert {row["certain"] for row in rows} == {""}


def test_only_few_communes_of_equal_chance_correct_for_the_population():
    many = [Village(f"{c}-{n}", "t", f"vn34:{c}", "rural", "T", 9)
            for c in range(100, 140) for n in range(3)]  # fmt: skip
    plan = Plan(takes={"t": 4}, per_commune=2, commune_method="simple")

    assert {row["fpc"] for row in staging.picked(many, plan, "s")} == {40.0}
    more = replace(plan, takes={"t": 5})
    assert {row["fpc"] for row in staging.picked(many, more, "s")} == {None}
    sized = replace(plan, commune_method="size")
    assert {row["fpc"] for row in staging.picked(many, sized, "s")} == {None}


def test_a_dropped_village_gives_its_place_to_one_of_its_commune(drawn):
    gone = next(a for a in areas(drawn).values() if a.unit == "vn34:9X")
    other = drawing.substitute(drawn, WAVE, gone.psu)
    replacements.drop_area(drawn, WAVE, gone.psu, "disaster", substitute=other, **ACT)

    new = areas(drawn)[other["psu"]]
    assert (new.unit, new.certain, new.cluster) == (gone.unit, gone.certain, "")
    assert new.probability == str(staging.chance(FRAME, PLAN, OF[new.psu]))
    draw_households(drawn, [new.psu])
    assert drawing.check(drawn, WAVE)[2] == []


def test_without_another_village_in_the_commune_one_of_the_stratum_is_drawn(base):
    seed = next(str(s) for s in range(99)
                if "D1" in {r["psu"] for r in staging.picked(FRAME, PLAN, str(s))})  # fmt: skip
    draw_households(base, draw_villages(base, seed))
    other = drawing.substitute(base, WAVE, "D1")
    replacements.drop_area(base, WAVE, "D1", "disaster", substitute=other, **ACT)

    new = areas(base)[other["psu"]]
    assert (new.stratum, new.unit != "vn34:9D") == ("nt", True)
    assert new.cluster == f"nt/{new.unit}"
    draw_households(base, [new.psu])
    assert drawing.check(base, WAVE)[2] == []


def test_a_village_dropped_alone_lets_its_stratum_stand_for_it(drawn):
    gone = next(a for a in areas(drawn).values() if a.stratum == "tt" and a.certain)
    before = sum(row["weight"] for row in draws.rows(drawn, WAVE) if row["stratum"] == "nt")
    replacements.drop_area(drawn, WAVE, gone.psu, "disaster", substitute=None, **ACT)

    kept = [a for a in areas(drawn).values() if a.stratum == "tt" and not a.dropped_at]
    grown = replacements.factors(drawn, WAVE)
    stands = sum(OF[a.psu].size / Fraction(a.probability) for a in kept) * grown["tt"]
    assert stands == sum(v.size for v in FRAME if v.stratum == "tt")
    assert sum(r["weight"] for r in draws.rows(drawn, WAVE) if r["stratum"] == "nt") == before
    assert drawing.check(drawn, WAVE)[2] == []


def test_a_plan_of_communes_tells_all_that_keeps_it_from_being_drawn(base):
    plan = replace(PLAN, takes={"nt": 5, "zz": 1})
    draws.set_plan(base, WAVE, plan, **ACT)
    base.execute("UPDATE frame_village SET unit = ? WHERE psu IN ('X1', 'Y1')", [HOME])
    with pytest.raises(Faulty) as wrong:
        drawing.villages(base, WAVE, SEED)

    assert wrong.value.faults == [
        "Tầng tt có 2 thôn không ghi mã xã nên không rút xã trước được.",
        "Tầng nt phải rút 5 xã nhưng chỉ có 4.",
        "Tầng tt chưa có số xã phải rút.",
        "Không có tầng zz trong danh sách thôn.",
    ]


def test_communes_with_fewer_villages_than_wanted_are_counted(base):
    assert drawing.few(base, WAVE, PLAN) == 1
    assert drawing.few(base, WAVE, replace(PLAN, per_commune=0)) == 0


def test_communes_are_shared_out_like_villages_but_no_more_than_there_are(base):
    takes = drawing.allocated(base, WAVE, 6, "proportional", 2, communes=True)
    assert takes == {"nt": 2, "tt": 4}
    with pytest.raises(Faulty, match="9 xã không phân bổ được: phải từ 4 đến 8"):
        drawing.allocated(base, WAVE, 9, "equal", 2, communes=True)


def test_villages_drawn_keep_the_plan_of_communes(base):
    draw_villages(base)
    for change in ({"per_commune": 3}, {"commune_method": "simple"}):
        with pytest.raises(Refused, match="sample_drawn"):
            draws.set_plan(base, WAVE, replace(PLAN, **change), **ACT)


def test_the_design_effect_knows_villages_and_communes():
    # variance of a mean: communes 0,02 / k m n_c, villages 0,03, persons 0,95
    m, k = 30, 3
    by_hand = k * m * 0.02 + m * 0.03 + 0.95
    assert staged_deff(0.05, m, 0.02, k) == pytest.approx(by_hand)
    assert staged_deff(0.05, m, 0.02, 1) == pytest.approx(cluster_deff(0.05, m))
    for bad in ((0.05, 30, 0.06, 2), (0.05, 30, -0.01, 2), (0.05, 30, 0.01, 0)):
        with pytest.raises(BadSize):
            staged_deff(*bad)


def test_the_error_between_communes_is_covered_only_where_communes_are_the_clusters():
    random = np.random.default_rng(7)
    town = [Village(f"{c}-{n}", "t", f"vn34:{c}", "rural", "T", 50)
            for c in range(100, 180) for n in range(6)]  # fmt: skip
    level = np.repeat(random.normal(0, 0.7, 80), 6) + random.normal(0, 0.2, 480)
    share = dict(zip([v.psu for v in town], 1 / (1 + np.exp(-1 - level)), strict=True))
    truth, plan = np.mean(list(share.values())), Plan(takes={"t": 12}, per_commune=4)
    people, hit = 25, Counter()
    for seed in range(400):
        rows = staging.picked(town, plan, str(seed))
        yes = random.binomial(people, [share[row["psu"]] for row in rows])
        weight = np.array([float(1 / Fraction(row["probability"])) * 50 / people for row in rows])
        found = (weight * yes).sum() / (weight * people).sum()
        z = weight * (yes - people * found) / (weight * people).sum()
        strata = np.array([row["stratum"] for row in rows])
        for what in ("cluster", "psu"):
            psu = np.array([row[what] for row in rows])
            sample = build(strata, psu, weight)
            totals = np.bincount(sample.psu, z)[:, None]
            se = sample.design.variances(totals)[0] ** 0.5
            df = sample.design.df(np.ones(len(totals), dtype=bool))
            hit[what] += abs(found - truth) <= stdtrit(df, 0.975) * se

    assert 0.92 <= hit["cluster"] / 400 <= 0.98
    assert hit["psu"] / 400 < 0.84


@pytest.fixture
def weighted(settings):
    """A wave with answers: two communes a stratum, in one stratum a sure commune and two others."""
    store = db.connect(settings.database)
    weighted_wave.make(store, fpc=None)
    for row in store.execute("SELECT psu, stratum FROM sample_psu WHERE wave = ?",
                             [weighted_wave.WAVE]).fetchall():  # fmt: skip
        n, first = int(row["psu"][-1]), row["stratum"] == f"{weighted_wave.UNITS[0]}-rural"
        certain = f"{row['stratum']}/1" if first and n < 2 else ""
        cluster = "" if certain else f"{row['stratum']}/{n if first else n // 2}"
        store.execute("UPDATE sample_psu SET cluster = ?, certain = ? WHERE psu = ?",
                      [cluster, certain, row["psu"]])  # fmt: skip
    yield store
    store.close()


def test_figures_count_communes_and_a_sure_one_by_its_villages(weighted):
    result = wave_result(weighted, weighted_wave.WAVE)
    assert (result.design.n_psu, result.design.n_strata, result.design.df) == (10, 5, 5)
    assert "10 đơn vị mẫu sơ cấp (xã; trong xã chắc chắn" in str(method_rows(result))
    weighted.execute("UPDATE sample_psu SET cluster = '', certain = ''")
    villages = wave_result(weighted, weighted_wave.WAVE)

    assert (villages.design.n_psu, villages.design.n_strata) == (16, 4)
    assert "16 đơn vị mẫu sơ cấp trong 4 tầng" in str(method_rows(villages))
    assert result.total.value == pytest.approx(villages.total.value, rel=1e-14)
    assert result.total.se != villages.total.se


def test_stored_tallies_stay_by_village(weighted):
    before = wave_result(weighted, weighted_wave.WAVE)
    tallies.refresh(weighted, weighted_wave.WAVE)
    after = wave_result(weighted, weighted_wave.WAVE)
    psus = weighted.execute("SELECT COUNT(DISTINCT psu) FROM tally WHERE wave = ?",
                            [weighted_wave.WAVE]).fetchone()[0]  # fmt: skip

    assert psus == 16
    assert after.total.se == pytest.approx(before.total.se, rel=1e-12)


@pytest.mark.parametrize("calibrated", [False, True])
def test_an_exported_file_has_communes_for_psus_and_gives_the_same_figures(
    weighted, instance, tmp_path, calibrated
):
    if calibrated:
        made(weighted, cap=2.4)
    found = exported(instance, tmp_path)

    assert agree(found, wave_result(weighted, weighted_wave.WAVE)) > 300
    head, *rows = (tmp_path / "phieu.csv").read_text("utf-8-sig").splitlines()
    psu, village = (head.split(",").index(name) for name in ("psu", "village"))
    cells = [row.split(",") for row in rows]
    assert (len({c[psu] for c in cells}), len({c[village] for c in cells})) == (10, 16)
