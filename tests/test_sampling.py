"""The draw of a wave: exact, the same again, and replaced on record where the field fails."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
import small_wave

from analysis.sampling.frame import Row, Stage
from analysis.sampling.stages import draw as draw_all
from survey import db, retention
from survey.sample import drawing
from survey.sample.frames import Faulty
from survey.store import Refused, cases, draws, frames, plans, replacements, waves
from survey.store.draws import Plan
from survey.store.frames import Household, Village

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
ACT = {"now": NOW, "actor": "shell:test"}
WAVE, SEED = "mau-2026", "xổ số 21/11"
HOME = small_wave.TUYEN_QUANG
PLAN = Plan(takes={"nt": 3, "tt": 2}, households=4, reserves=2)
SIZES = {"nt": [40, 7, 80, 12, 33, 21, 60], "tt": [10, 11, 12, 13, 100]}


def village(stratum, n, size):
    area = "rural" if stratum == "nt" else "urban"
    return Village(f"{stratum}{n}", stratum, HOME, area, f"Thôn {n}", size)


FRAME = [village(s, n, size) for s, sizes in SIZES.items() for n, size in enumerate(sizes, 1)]


def homes(psus, count=9):
    return [
        Household(psu, f"h{n:02}", 1 + n % 3, f"Lê Văn {n}", f"Số {n}")
        for psu in psus
        for n in range(1, count + 1)
    ]


@pytest.fixture
def base(instance, settings):
    store = db.connect(settings.database)
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
    rows, made = drawing.villages(base, WAVE, seed)
    draws.keep_villages(base, WAVE, rows, draw=made, **ACT)
    return [row["psu"] for row in rows]


def draw_households(base, **more):
    rows, made, waiting = drawing.households(base, WAVE, **more)
    draws.keep_cases(base, WAVE, rows, draw=made, done=not waiting, **ACT)
    return rows


@pytest.fixture
def drawn(base):
    psus = draw_villages(base)
    frames.put_households(base, WAVE, psus, homes(psus), source="ho.csv", **ACT)
    draw_households(base)
    return base


def stored(base):
    return [dict(row) for row in draws.rows(base, WAVE)]


def actions(base):
    return [row["action"] for row in base.execute("SELECT action FROM audit ORDER BY seq")]


def test_villages_and_households_are_what_one_whole_draw_gives(drawn):
    psus = {row["psu"] for row in stored(drawn)}
    rows = [Row((v.stratum, v.psu), v.size) for v in FRAME]
    takes = {("nt",): 3, ("tt",): 2}
    villages = draw_all(rows, [Stage("stratum"), Stage("village", takes, "size")], seed=SEED)
    lists = [
        Row((v.stratum, v.psu, home.household))
        for v in FRAME
        if v.psu in psus
        for home in homes([v.psu])
    ]
    stages = [Stage("stratum"), Stage("village"), Stage("household", 4, reserves=2)]
    whole = draw_all(lists, stages, seed=SEED)

    assert psus == {unit.path[-1] for unit in villages.main}
    main = {(row["psu"], row["household"], row["number"]) for row in stored(drawn)
            if row["reserve"] is None}  # fmt: skip
    assert main == {(*unit.path[1:], unit.numbers[-1]) for unit in whole.main}
    spare = {(row["psu"], row["household"], row["reserve"] + 4) for row in stored(drawn)
             if row["reserve"]}  # fmt: skip
    assert spare == {(*unit.path[1:], unit.numbers[-1]) for unit in whole.reserves}


def test_probabilities_are_exact_and_weights_are_their_inverse(drawn):
    areas = {area.psu: area for area in draws.areas(drawn, WAVE)}
    for row in stored(drawn):
        p = Fraction(areas[row["psu"]].probability) * Fraction(4, 9) / row["adults"]
        assert row["probability"] == str(p)
        assert row["base"] == row["weight"] == float(1 / p)
    sure = {v.psu for v in FRAME if areas.get(v.psu) and areas[v.psu].probability == "1"}
    assert sure == {"tt5"}, "100 of 146 households reach the interval of 73"


def test_weights_of_a_household_that_answers_as_one_know_no_adults(base):
    draws.set_plan(base, WAVE, replace(PLAN, person="any"), **ACT)
    psus = draw_villages(base)
    frames.put_households(base, WAVE, psus, homes(psus), source="ho.csv", **ACT)
    draw_households(base)

    for psu in psus:
        assert len({row["weight"] for row in stored(base) if row["psu"] == psu}) == 1


def test_drawn_again_it_is_the_same_sample(drawn):
    assert drawing.check(drawn, WAVE) == (5, 30, [])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sample_case SET weight = weight, probability = '1/2' WHERE id ="
        " (SELECT MAX(id) FROM sample_case)",
        "UPDATE sample_case SET household = 'h99' WHERE id = (SELECT MAX(id) FROM sample_case)",
        "UPDATE sample_case SET double_ballot = 0 WHERE id = (SELECT MAX(id) FROM sample_case)",
        "UPDATE frame_village SET size = size + 1 WHERE psu = 'nt1'",
        "UPDATE sample_plan SET seed = 'other'",
        "DELETE FROM sample_case WHERE id = (SELECT MAX(id) FROM sample_case)",
    ],
)
def test_whatever_was_changed_by_hand_is_found(drawn, change):
    drawn.execute(change)

    assert drawing.check(drawn, WAVE)[2]


def test_ballots_follow_from_the_seed_and_not_from_the_number_of_the_case(drawn):
    again = [row["double_ballot"] for row in stored(drawn)]
    assert all(0 <= ballot < 1 for ballot in again)
    assert plans.get(drawn, WAVE).seed == SEED
    draws.undo(drawn, WAVE, reason="sai", **ACT)
    draw_villages(drawn)
    draw_households(drawn)

    assert [row["double_ballot"] for row in stored(drawn)] == again


def test_another_seed_is_another_sample(base):
    first = {tuple(row["psu"] for row in drawing.villages(base, WAVE, str(s))[0]) for s in range(9)}

    assert len(first) > 1


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (replace(PLAN, takes={"nt": 3}), "Tầng tt chưa có số thôn"),
        (replace(PLAN, takes={"nt": 8, "tt": 2}), "phải rút 8 thôn nhưng chỉ có 7"),
        (replace(PLAN, takes={"nt": 3, "tt": 2, "x": 1}), "Không có tầng x"),
    ],
)
def test_a_plan_that_does_not_fit_the_frame_says_all_that_is_wrong(base, plan, says):
    draws.set_plan(base, WAVE, plan, **ACT)
    with pytest.raises(Faulty) as wrong:
        drawing.villages(base, WAVE, SEED)

    assert says in " ".join(wrong.value.faults)


def test_a_draw_needs_a_seed(base):
    with pytest.raises(Faulty, match="hạt giống"):
        drawing.villages(base, WAVE, "  ")


def test_villages_without_a_list_are_named_or_wait(base):
    psus = draw_villages(base)
    frames.put_households(base, WAVE, psus[:2], homes(psus[:2]), source="ho.csv", **ACT)
    with pytest.raises(Faulty) as wrong:
        drawing.households(base, WAVE)
    assert len(wrong.value.faults) == 3

    assert len(draw_households(base, ready=True)) == 12
    assert draws.get(base, WAVE).households_at is None
    frames.put_households(base, WAVE, psus[2:], homes(psus[2:]), source="ho2.csv", **ACT)
    draw_households(base)
    assert draws.get(base, WAVE).households_at
    assert drawing.check(base, WAVE)[1:] == (30, [])


def test_a_short_list_has_fewer_reserves_and_a_shorter_one_is_refused(base):
    psus = draw_villages(base)
    frames.put_households(base, WAVE, psus, homes(psus, 5), source="ho.csv", **ACT)
    rows = drawing.households(base, WAVE)[0]
    assert sum(row["reserve"] is not None for row in rows) == len(psus)

    frames.put_households(base, WAVE, psus[:1], homes(psus[:1], 3), source="ho.csv", **ACT)
    with pytest.raises(Faulty, match="ít hơn 4 hộ"):
        drawing.households(base, WAVE)


def test_nothing_of_a_frame_or_plan_moves_under_a_draw(base):
    rows, made = drawing.villages(base, WAVE, SEED)
    frames.put_villages(base, WAVE, FRAME[:-1], whole=True, source="thon2.csv", **ACT)
    with pytest.raises(Refused, match="frame_changed"):
        draws.keep_villages(base, WAVE, rows, draw=made, **ACT)
    assert draws.areas(base, WAVE) == []


def test_after_the_draw_lists_and_plan_stand_still(drawn):
    with pytest.raises(Refused, match="frame_drawn"):
        frames.put_villages(drawn, WAVE, FRAME, whole=True, source="x", **ACT)
    with pytest.raises(Refused, match="list_drawn"):
        frames.put_households(drawn, WAVE, ["tt5"], homes(["tt5"]), source="x", **ACT)
    with pytest.raises(Refused, match="sample_drawn"):
        draws.set_plan(drawn, WAVE, replace(PLAN, households=5), **ACT)


def test_a_file_replaces_the_strata_it_names_and_leaves_the_others(base):
    frames.put_villages(base, WAVE, [village("tt", 9, 50)], whole=False, source="tt.csv", **ACT)

    assert [(s.stratum, s.villages) for s in frames.strata(base, WAVE)] == [("nt", 7), ("tt", 1)]
    with pytest.raises(Refused, match="frame_twice"):
        frames.put_villages(
            base, WAVE, [replace(FRAME[0], stratum="tt")], whole=False, source="x", **ACT
        )


def test_shares_of_villages_never_exceed_a_stratum_and_add_up(base):
    takes = drawing.allocated(base, WAVE, 11, "proportional", 2)

    assert sum(takes.values()) == 11
    assert takes["tt"] <= 5
    assert takes["nt"] <= 7
    with pytest.raises(Faulty, match="từ 4 đến 12"):
        drawing.allocated(base, WAVE, 13, "equal", 2)


def test_the_next_reserve_takes_the_place_of_a_household(drawn):
    psu = draws.areas(drawn, WAVE)[0].psu
    first, *_ = cases.of_psu(drawn, WAVE, psu)
    spare = [case for case in cases.of_psu(drawn, WAVE, psu) if case.reserve == 1]
    done = replacements.replace_case(drawn, first.id, "absent", **ACT)

    assert done.id == spare[0].id
    assert (done.state, done.replaces, done.number) == ("planned", first.id, first.number)
    assert done.reason == ""
    gone = cases.get(drawn, first.id)
    assert (gone.state, gone.reason) == ("replaced", "absent")
    assert [row["state"] for row in cases.history(drawn, first.id)] == ["absent", "replaced"]
    assert actions(drawn)[-1] == "case.replace"
    assert drawing.check(drawn, WAVE)[2] == []


def test_a_chain_of_replacements_ends_when_the_reserves_do(drawn):
    psu = draws.areas(drawn, WAVE)[0].psu
    at = cases.of_psu(drawn, WAVE, psu)[0]
    for _ in range(2):
        at = replacements.replace_case(drawn, at.id, "moved", **ACT)
    with pytest.raises(Refused, match="no_reserve"):
        replacements.replace_case(drawn, at.id, "moved", **ACT)
    assert cases.get(drawn, at.id).state == "planned"
    with pytest.raises(Refused, match="replaced"):
        replacements.replace_case(drawn, at.replaces, "moved", **ACT)


def test_a_case_with_answers_is_not_replaced(drawn):
    case = cases.of_psu(drawn, WAVE, draws.areas(drawn, WAVE)[0].psu)[0]
    for state in ("collected", "entered"):
        cases.move(drawn, [case.id], state, **ACT)
    with pytest.raises(Refused, match="case_back"):
        replacements.replace_case(drawn, case.id, "absent", **ACT)


def test_a_village_under_water_gives_its_place_to_one_drawn_by_the_same_seed(drawn):
    gone = next(a for a in draws.areas(drawn, WAVE) if a.stratum == "nt")
    other = drawing.substitute(drawn, WAVE, gone.psu)
    replacements.drop_area(drawn, WAVE, gone.psu, "disaster", substitute=other, **ACT)

    held = {area.psu: area for area in draws.areas(drawn, WAVE)}
    assert held[gone.psu].dropped_at
    assert held[other["psu"]].replaces == gone.psu
    sizes = {v.psu: v.size for v in FRAME}
    rate = Fraction(gone.probability) / sizes[gone.psu]
    assert Fraction(other["probability"]) == rate * sizes[other["psu"]]
    states = {case.state for case in cases.of_psu(drawn, WAVE, gone.psu)}
    assert states == {"replaced", "reserve"}
    assert draws.get(drawn, WAVE).households_at is None
    frames.put_households(
        drawn, WAVE, [other["psu"]], homes([other["psu"]]), source="them.csv", **ACT
    )
    assert len(draw_households(drawn)) == 6
    assert drawing.check(drawn, WAVE) == (6, 36, [])
    assert "area.drop" in actions(drawn)


def test_villages_that_stay_stand_for_one_that_nobody_replaces(drawn):
    gone = next(a for a in draws.areas(drawn, WAVE) if a.stratum == "nt")
    before = {row["id"]: row for row in stored(drawn)}
    replacements.drop_area(drawn, WAVE, gone.psu, "disaster", substitute=None, **ACT)

    for row in stored(drawn):
        was = before[row["id"]]
        grown = Fraction(3, 2) if row["stratum"] == "nt" and row["psu"] != gone.psu else 1
        assert Fraction(row["probability"]) * grown == Fraction(was["probability"])
        assert row["weight"] == pytest.approx(was["weight"] * float(grown))
    assert drawing.check(drawn, WAVE)[2] == []
    detail = json.loads(
        drawn.execute("SELECT detail FROM audit WHERE action = 'area.drop'").fetchone()[0]
    )
    assert detail["factor"] == "3/2"


def test_a_village_with_forms_back_is_not_replaced_as_a_whole(drawn):
    psu = draws.areas(drawn, WAVE)[0].psu
    cases.move(drawn, [cases.of_psu(drawn, WAVE, psu)[0].id], "collected", **ACT)
    with pytest.raises(Refused, match="area_answered"):
        replacements.drop_area(drawn, WAVE, psu, "disaster", substitute=None, **ACT)


def test_the_last_village_of_a_stratum_stays(drawn):
    one, two = (a.psu for a in draws.areas(drawn, WAVE) if a.stratum == "tt")
    replacements.drop_area(drawn, WAVE, one, "disaster", substitute=None, **ACT)
    with pytest.raises(Refused, match="area_last"):
        replacements.drop_area(drawn, WAVE, two, "disaster", substitute=None, **ACT)


def test_a_closed_wave_is_not_changed(drawn):
    waves.close(drawn, WAVE, **ACT)
    case = cases.of_psu(drawn, WAVE, draws.areas(drawn, WAVE)[0].psu)[0]
    with pytest.raises(Refused, match="sample_closed"):
        replacements.replace_case(drawn, case.id, "absent", **ACT)


def test_a_draw_is_taken_back_only_before_anything_went_out(drawn):
    cases.move(drawn, [stored(drawn)[0]["id"]], "delivered", **ACT)
    with pytest.raises(Refused, match="sample_used"):
        draws.undo(drawn, WAVE, reason="sai", **ACT)
    assert len(stored(drawn)) == 30


def test_names_go_ninety_days_after_a_wave_has_closed_and_the_draw_still_holds(drawn):
    assert frames.purge(drawn, date(2027, 1, 1)) == 0
    waves.close(drawn, WAVE, **ACT)
    [kept] = [one for one in frames.kept(drawn) if one[0] == WAVE]
    assert kept == (WAVE, 45, date(2027, 2, 20))
    assert frames.purge(drawn, date(2027, 2, 19)) == 0
    assert frames.purge(drawn, date(2027, 2, 20)) == 45

    assert {(row["head"], row["address"]) for row in stored(drawn)} == {("", "")}
    assert drawing.check(drawn, WAVE)[2] == []


def test_no_name_and_no_address_is_in_the_audit(drawn):
    everything = json.dumps([dict(row) for row in drawn.execute("SELECT * FROM audit")])

    assert "Lê Văn" not in everything


def test_villages_drawn_by_size_stand_for_every_household_whatever_the_seed(base):
    sizes = {v.psu: v.size for v in FRAME}
    for seed in range(30):
        for stratum, all_of in SIZES.items():
            rows = [r for r in drawing.villages(base, WAVE, str(seed))[0]
                    if r["stratum"] == stratum]  # fmt: skip
            assert sum(sizes[r["psu"]] / Fraction(r["probability"]) for r in rows) == sum(all_of)


def test_the_daily_run_counts_the_names_it_removed(drawn):
    waves.close(drawn, WAVE, **ACT)
    before = retention.run(drawn, now=NOW, actor="shell:test")
    after = retention.run(drawn, now=NOW + timedelta(days=90), actor="shell:test")

    assert (before.deleted.households, after.deleted.households) == (0, 45)
    assert f"45 họ tên, địa chỉ hộ của đợt {WAVE}: xóa ngày 20/02/2027" in "\n".join(before.lines())
    assert after.households == ()
