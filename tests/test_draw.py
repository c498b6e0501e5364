import hashlib
from collections import Counter
from fractions import Fraction
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.sampling.draw import Place, by_size, chance, selected, simple, systematic
from analysis.sampling.frame import BadFrame, Fault, Row, Stage
from analysis.sampling.stages import draw

HERE = Place("2026-11-20", "village", ("01", "00004"))
NAMES = [f"h{n:03d}" for n in range(250)]
PINNED = ["h203", "h025", "h088", "h215", "h207", "h063", "h179", "h133"]
SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=25)

COMMUNES = (("01", "00004"), ("01", "00008"), ("04", "01273"), ("04", "01288"), ("04", "01290"))
FRAME = [
    Row((*commune, f"v{v}", f"h{h:02d}", f"p{p}"))
    for commune in COMMUNES
    for v in range(1, 5)
    for h in range(1, 13 + v)
    for p in range(1, 2 + h % 3)
]
STAGES = (
    Stage("province"),
    Stage("commune", take={("01",): 1, ("04",): 2}, method="size"),
    Stage("village", take=2, method="systematic"),
    Stage("household", take=6, reserves=5),
    Stage("person", take=1),
)


def test_chance_can_be_recomputed_by_hand():
    text = '["sipas-draw-1","2026-11-20","village",["01","00004"],"Th\\u00f4n 1"]'
    expected = int(hashlib.sha256(text.encode()).hexdigest(), 16)

    assert chance(HERE, "Thôn 1") == expected


def test_the_draw_is_the_same_for_decades():
    picks = simple(NAMES, 6, HERE, reserves=2)
    found = [NAMES[pick.index] for pick in picks]
    assert found == PINNED
    assert [pick.number for pick in picks] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_the_order_of_the_list_does_not_change_a_simple_draw():
    there = [NAMES[p.index] for p in simple(NAMES, 15, HERE, reserves=5)]
    back = NAMES[::-1]

    assert [back[p.index] for p in simple(back, 15, HERE, reserves=5)] == there


def test_the_order_of_the_list_is_what_a_systematic_draw_walks_along():
    places = [pick.index for pick in systematic(NAMES, 10, HERE)]

    assert {b - a for a, b in pairwise(places)} == {25}
    assert [pick.index for pick in systematic(NAMES[::-1], 10, HERE)] == places


def test_an_interval_that_is_a_fraction_gives_the_exact_number():
    places = [pick.index for pick in systematic(NAMES[:10], 4, HERE)]

    assert len(set(places)) == 4
    assert {b - a for a, b in pairwise(places)} <= {2, 3}


def test_every_pair_is_drawn_equally_often():
    names = ["a", "b", "c", "d", "e"]
    pairs: Counter[frozenset[int]] = Counter()
    for seed in range(4000):
        pairs[frozenset(p.index for p in simple(names, 2, Place(str(seed), "s")))] += 1

    # 10 pairs, 400 each; the bound is 4.5 binomial standard errors (19).
    assert set(pairs) == {frozenset(pair) for pair in combinations(range(5), 2)}
    assert all(abs(times - 400) < 86 for times in pairs.values())


def test_the_first_number_is_as_random_as_any():
    first = Counter(simple("abcd", 3, Place(str(s), "s"), reserves=1)[0].index for s in range(4000))

    assert all(abs(times - 1000) < 124 for times in first.values())


def test_units_by_size_are_drawn_as_often_as_they_say():
    sizes, runs = [40, 3, 5, 9, 2, 11, 6], 3000
    names = [str(size) for size in sizes]
    drawn: Counter[int] = Counter()
    for seed in range(runs):
        picks = by_size(names, sizes, 3, Place(str(seed), "s"))
        drawn.update(pick.index for pick in picks)
        assert [p.index for p in picks if p.certain] == [0]

    # The largest surely, the others 2 x size / 36, within 4.5 standard errors.
    assert drawn[0] == runs
    for i, size in enumerate(sizes[1:], 1):
        p = 2 * size / 36
        assert abs(drawn[i] - runs * p) < 4.5 * (runs * p * (1 - p)) ** 0.5


@given(sizes=SIZES, data=st.data())
def test_chances_by_size_are_exact_over_all_starts(sizes, data):
    take = data.draw(st.integers(1, len(sizes)))
    # What is drawn changes where the start is a multiple of 1 / (sum of the sizes drawn from).
    sure = {i for i, p in selected(sizes, take, Fraction(0)) if p == 1}
    rest = sum(size for i, size in enumerate(sizes) if i not in sure) or 1
    drawn: Counter[int] = Counter()
    chances: dict[int, Fraction] = {}
    for step in range(rest):
        found = selected(sizes, take, Fraction(2 * step + 1, 2 * rest))
        assert len(found) == take
        drawn.update(i for i, _ in found)
        chances |= dict(found)

    assert sum(chances.values()) == take
    assert {i: Fraction(times, rest) for i, times in drawn.items()} == chances


@given(sizes=SIZES, data=st.data())
def test_the_weighted_total_is_right_on_average(sizes, data):
    take = data.draw(st.integers(1, len(sizes)))
    values = data.draw(st.lists(st.integers(0, 99), min_size=len(sizes), max_size=len(sizes)))
    sure = {i for i, p in selected(sizes, take, Fraction(0)) if p == 1}
    rest = sum(size for i, size in enumerate(sizes) if i not in sure) or 1
    total = Fraction(0)
    for step in range(rest):
        sample = selected(sizes, take, Fraction(2 * step + 1, 2 * rest))
        total += sum(values[i] / p for i, p in sample)

    assert total / rest == sum(values)


def test_large_units_are_found_again_after_each_is_set_aside():
    # 3 of 20: interval 6.7 takes the 12; of the 8 left 2, interval 4, the 4 goes as well.
    found = dict(selected([12, 4, 2, 1, 1], 3, Fraction(1, 4)))

    assert found == {0: 1, 1: 1, 2: Fraction(1, 2)}


def test_a_point_on_an_edge_takes_the_unit_that_begins_there():
    assert selected([1, 1, 1, 1], 2, Fraction(0)) == [(0, Fraction(1, 2)), (2, Fraction(1, 2))]


def test_the_start_of_a_systematic_draw_can_be_recomputed_by_hand():
    text = '["sipas-draw-1","2026-11-20","village",["01","00004"],null]'
    start = int(hashlib.sha256(text.encode()).hexdigest(), 16) * 40 // 2**256  # of 400 / 10
    places = [pick.index for pick in systematic([str(n) for n in range(400)], 10, HERE)]

    assert places == [start + 40 * step for step in range(10)]


def test_the_digest_of_a_frame_can_be_recomputed_by_hand():
    rows = [Row(("02", "Hạ"), 0.5), Row(("01", "a"), 3)]
    lines = b'[["01","a"],"3"]\n[["02","H\\u1ea1"],"1/2"]\n'
    stages = (Stage("province"), Stage("commune", 1))

    assert draw(rows, stages, seed="7").digest == hashlib.sha256(lines).hexdigest()


@pytest.mark.parametrize(
    "ask",
    [
        lambda: simple("abc", 2, HERE, reserves=2),
        lambda: systematic("abc", 4, HERE),
        lambda: by_size("abc", [1, 0, 2], 1, HERE),
        lambda: simple("abc", -1, HERE),
    ],
)
def test_what_a_list_cannot_give_is_refused(ask):
    with pytest.raises(ValueError, match=r"units|above 0"):
        ask()


def test_a_draw_of_five_stages_has_its_numbers():
    sample = draw(FRAME, STAGES, seed="2026-11-20")
    villages = Counter(unit.path[:3] for unit in sample.main)
    waiting = Counter(unit.path[:3] for unit in sample.reserves)

    assert len(villages) == 2 * 3
    assert set(villages.values()) == {6}
    assert set(waiting) == set(villages)
    assert set(waiting.values()) == {5}
    assert {unit.reserve for unit in sample.reserves} == {"household"}
    for village in villages:
        numbers = [u.numbers[3] for u in (*sample.main, *sample.reserves) if u.path[:3] == village]
        assert numbers == list(range(1, 12))


def test_the_weight_is_the_exact_product_of_the_stages():
    sample = draw(FRAME, STAGES, seed="2026-11-20")
    sizes = Counter(row.path[:2] for row in FRAME)
    people = Counter(row.path[:4] for row in FRAME)
    houses = Counter(path[:3] for path in people)

    for unit in sample.main:
        province, commune = unit.path[:1], unit.path[:2]
        of = sum(n for path, n in sizes.items() if path[:1] == province)
        take = 1 if province == ("01",) else 2
        by_hand = (
            Fraction(take * sizes[commune], of)
            * Fraction(2, 4)
            * Fraction(6, houses[unit.path[:3]])
            * Fraction(1, people[unit.path[:4]])
        )
        assert unit.probability == by_hand
        assert unit.weight * by_hand == 1


def test_the_weighted_number_of_persons_is_right_on_average():
    truth = len(FRAME)
    totals = [
        float(sum(unit.weight for unit in draw(FRAME, STAGES, seed=str(seed)).main))
        for seed in range(60)
    ]
    mean = sum(totals) / len(totals)
    error = (sum((t - mean) ** 2 for t in totals) / (len(totals) - 1) / len(totals)) ** 0.5

    assert 0 < error < truth / 20
    assert abs(mean - truth) < 4 * error


def test_the_same_seed_draws_the_same_and_another_does_not():
    one, again = draw(FRAME, STAGES, seed="7"), draw(FRAME, STAGES, seed="7")
    other = draw(FRAME, STAGES, seed="8")

    assert one == again
    assert [u.path for u in one.main] != [u.path for u in other.main]
    assert one.digest == other.digest
    assert (one.seed, one.algorithm) == ("7", "sipas-draw-1")


def test_the_order_of_a_frame_matters_only_where_it_is_walked_along():
    stages = (Stage("province"), Stage("commune", 1), *STAGES[3:4], Stage("person", 1))
    short = [Row((row.path[0], *row.path[1:2], *row.path[3:])) for row in FRAME]
    short = list(dict.fromkeys(short))

    one, other = draw(short, stages, seed="7"), draw(short[::-1], stages, seed="7")
    walked, back = draw(FRAME, STAGES, seed="7"), draw(FRAME[::-1], STAGES, seed="7")

    assert one == other
    assert walked.digest != back.digest
    assert {u.path[:3] for u in walked.main} != {u.path[:3] for u in back.main}


def test_households_drawn_later_are_those_of_one_draw():
    whole = draw(FRAME, STAGES, seed="7")
    areas = [Row(path, n) for path, n in Counter(row.path[:3] for row in FRAME).items()]
    first = draw(areas, STAGES[:3], seed="7")
    drawn = {unit.path: unit.weight for unit in first.main}
    lists = [row for row in FRAME if row.path[:3] in drawn]
    taken = (Stage("province"), Stage("commune"), Stage("village"), *STAGES[3:])
    later = draw(lists, taken, seed="7")

    assert {u.path for u in later.main} == {u.path for u in whole.main}
    assert {u.path: u.weight * drawn[u.path[:3]] for u in later.main} == {
        u.path: u.weight for u in whole.main
    }


def test_a_village_in_reserve_brings_its_own_households():
    stages = (
        Stage("province"),
        Stage("commune"),
        Stage("village", 2, reserves=1),
        Stage("household", 3, reserves=1),
        Stage("person", 1),
    )
    sample = draw(FRAME, stages, seed="7")
    kinds = Counter(unit.reserve for unit in sample.reserves)

    assert kinds == {"village": 5 * 4, "household": 5 * 2}
    assert {unit.numbers[2] for unit in sample.reserves if unit.reserve == "village"} == {3}


def test_communes_taken_surely_are_named():
    stages = (Stage("province"), Stage("commune", {("01",): 1, ("04",): 1}, "size"))
    rows = [Row(("01", "a"), 10), Row(("04", "b"), 5), Row(("04", "c"), 5.5)]
    sample = draw(rows, stages, seed="7")

    assert sample.certain == (("01", "a"),)
    assert {u.path: u.probability for u in sample.main}[("01", "a")] == 1


def test_a_province_may_have_nobody_to_ask():
    stages = (Stage("province"), Stage("commune", {("01",): 0, ("04",): 1}, reserves=1))
    rows = [Row(("01", "a")), Row(("04", "b")), Row(("04", "c"))]
    sample = draw(rows, stages, seed="7")

    assert [unit.path[0] for unit in (*sample.main, *sample.reserves)] == ["04", "04"]


def test_all_faults_of_a_frame_are_named_at_once():
    rows = [
        Row(("01", "a", "1")),
        Row(("01", "a", "1")),
        Row(("01", "a", "2"), 0),
        Row(("01", "b", "1"), float("nan")),
        Row(("01", "b", "")),
        Row(("01", "b", "Tho\u0302n")),
        Row(("01", "c")),
        Row(("02", "d", "1"), -3),
    ]
    stages = (Stage("province"), Stage("commune", {("01",): 1}), Stage("household", 2, reserves=1))
    with pytest.raises(BadFrame, match="duplicate: 01/a/1") as refused:
        draw(rows, stages, seed="7")

    assert refused.value.faults == (
        Fault("depth", (("01", "c"),)),
        Fault("form", (("01", "b", ""), ("01", "b", "Tho\u0302n"))),
        Fault("duplicate", (("01", "a", "1"),)),
        Fault("size", (("01", "a", "2"), ("01", "b", "1"), ("02", "d", "1"))),
        Fault("take", (("02",),)),
        Fault("short", (("01", "a"), ("02", "d"))),
    )


def test_a_village_with_too_few_households_is_refused_whoever_is_drawn():
    rows = [Row((v, f"h{h}")) for v, n in (("v1", 30), ("v2", 20), ("v3", 19)) for h in range(n)]
    stages = (Stage("village", 1), Stage("household", 15, reserves=5))
    for seed in "123":
        with pytest.raises(BadFrame) as refused:
            draw(rows, stages, seed=seed)
        assert refused.value.faults == (Fault("short", (("v3",),)),)


def test_an_empty_frame_is_refused():
    with pytest.raises(BadFrame, match="short"):
        draw([], (Stage("unit", 1),), seed="7")


@pytest.mark.parametrize(
    "stages",
    [
        (),
        (Stage("a"), Stage("a")),
        (Stage("a", 1, "lottery"),),
        (Stage("a", 1, "size", reserves=1),),
        (Stage("a", reserves=1),),
        (Stage("a", 1, reserves=-1),),
    ],
)
def test_stages_nobody_could_draw_by_are_refused(stages):
    with pytest.raises(ValueError, match=r"stages|method|reserves"):
        draw([Row(("x",))], stages, seed="7")
