import json
import os
import pty
import re
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from any_file import PLAN, SMALL, by_name, faults, of_case, write
from oracle import FACTORS, ITEMS, reference

from analysis.file.command import run


@pytest.fixture
def files(tmp_path):
    return partial(write, tmp_path)


@pytest.fixture
def case(tmp_path):
    return partial(of_case, tmp_path)


@pytest.fixture
def base(case):
    return partial(case, "v1_base", by=["province", "sex"])


@pytest.mark.parametrize(
    ("method", "key", "interval", "name", "scale"),
    [
        ("top2", "top2", "beta", "beta", 1),
        ("top2", "top2", "logit", "xlogit", 1),
        ("top2", "top2", "wilson", "wilson", 1),
        ("scaled", "score", "t", "t", 100),
    ],
)
def test_the_command_gives_what_r_gives(base, method, key, interval, name, scale):
    out = base(index=method, ci=interval)
    found, expected = by_name(out), reference("v1_base")["designs"]["fpc"][key]
    for item in ITEMS:
        got, want = found[item], expected[item]
        assert got["estimate"] * scale == pytest.approx(want.get("p", want.get("mean")), rel=1e-12)
        assert got["se"] * scale == pytest.approx(want["se"], rel=1e-10)
        assert got["deff"] == pytest.approx(want["deff"], rel=1e-9)
        limits = [got["low"] * scale, got["high"] * scale]
        assert limits == pytest.approx(want[f"ci_{name}"], rel=1e-9)
    assert out["design"]["df"] == 48
    assert out["weights"]["sum"] == 136450.3104


def test_domains_stand_behind_the_whole_with_their_labels(base):
    out = base()
    expected = reference("v1_base")["designs"]["fpc"]["domain_province"]
    domains = [row["domain"] for row in out["estimates"]][:: len(ITEMS) + 6]

    assert domains == [
        None,
        *({"province": str(p)} for p in range(1, 7)),
        {"sex": "1"},
        {"sex": "2"},
    ]
    for label, want in expected.items():
        found = by_name(out, {"province": label})
        assert found["F3"]["se"] == pytest.approx(want["composite"]["se"]["F3"], rel=1e-10)
        assert found["c05"]["df"] == want["df"]


def test_the_covariance_is_that_of_items_factors_and_the_total(base):
    out = base(aggregate="factor")["covariance"]
    want = reference("v1_base")["designs"]["fpc"]["composite_top2"]["vcov"]
    at = [want["names"].index(n) for n in [*ITEMS, *FACTORS, "overall_mean_of_factors"]]

    assert out["names"] == [*ITEMS, *FACTORS, "total"]
    matrix = np.array(want["matrix"])[np.ix_(at, at)]
    assert np.array(out["matrix"]) == pytest.approx(matrix, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("kind", ["marginal", "simultaneous"])
def test_provinces_are_ranked_with_their_sets(base, kind):
    out = base(f'[ranks]\nby = "province"\nkind = "{kind}"\n')["ranks"]
    want = reference("v1_base")["designs"]["fpc"]["province_ranks"]

    assert [row["unit"] for row in out] == want["units"]
    assert [row["rank"] for row in out] == want["rank"]
    assert [row["low"] for row in out] == want[f"{kind}_bonferroni"]["lower"]
    assert [row["high"] for row in out] == want[f"{kind}_bonferroni"]["upper"]


def ranked(files, rows, method):
    plan = {"weight": "w", "stratum": "h", "psu": "v"}
    tail = f'[ranks]\nby = "h"\nkind = "simultaneous"\nmethod = "{method}"\n'
    out = run(*files(plan, "w,h,v,x\n" + "".join(rows), {"F": ["x"]}, tail))["ranks"]
    return [(row["low"], row["high"]) for row in out]


def test_rank_sets_by_draws_are_sharper_than_by_bonferroni(files):
    rows = [
        f"1,{unit},{unit}{k},{5 if (k * 7 + 3) % 10 < 5 + unit else 1}\n"
        for unit in range(4)
        for k in range(80)
    ]

    assert ranked(files, rows, "bonferroni") == [(2, 4), (2, 4), (1, 4), (1, 2)]
    assert ranked(files, rows, "max_t") == [(3, 4), (2, 4), (1, 3), (1, 2)]


def test_rank_sets_by_draws_are_told_how_few_villages_know(files):
    rows = [
        f"1,{unit},{unit}{k},{5 if person < 3 * unit + k else 1}\n"
        for unit in range(3)
        for k in range(2)
        for person in range(10)
    ]

    assert ranked(files, rows, "bonferroni") == [(3, 3), (2, 2), (1, 1)]
    assert ranked(files, rows, "max_t") == [(2, 3), (1, 3), (1, 2)]


def test_items_are_ranked_as_well_as_the_total(base):
    out = base('[ranks]\nby = "province"\nof = "c05"\n')
    values = [by_name(out, {"province": row["unit"]})["c05"]["estimate"] for row in out["ranks"]]

    assert [row["rank"] for row in out["ranks"]] == [
        1 + sum(other > value for other in values) for value in values
    ]


def test_what_else_is_asked_changes_no_figure(case):
    alone = [case("v1_base", by=[column]) for column in ("sex", "province", "age")]
    together = case("v1_base", by=["age", "province", "area", "sex"])
    found = {(str(row["domain"]), row["name"]): row for row in together["estimates"]}

    for row in (row for out in alone for row in out["estimates"]):
        other = found[str(row["domain"]), row["name"]]
        for key in ("estimate", "se", "low", "high", "df", "n"):
            assert other[key] == pytest.approx(row[key], rel=1e-12)


@pytest.mark.parametrize("rule", ["remove", "certainty", "adjust", "average"])
def test_strata_with_one_psu_follow_the_rule_as_in_r(case, rule):
    want = reference("v2_lonely")["lonely"][rule]["top2_c05"]
    out = case("v2_lonely", lonely=rule)

    assert by_name(out)["c05"]["se"] == pytest.approx(want["se"], rel=1e-10)
    assert len(out["design"]["lonely_strata"]) == 3


def test_a_province_where_everybody_is_satisfied_has_an_honest_interval(case):
    out = case("v4_extreme", fpc=None, by=["province"])
    sure = [row for row in out["estimates"] if "all" in row["flags"]]

    assert {row["domain"]["province"] for row in sure if row["kind"] == "total"} == {"2"}
    for row in sure:
        assert (row["estimate"], row["se"], row["high"]) == (1, 0, 1)
        assert 0.8 < row["low"] < 0.999


@pytest.mark.parametrize("fpc", ["fpc", "nofpc"])
@pytest.mark.parametrize("by", ["sex", "area", "wave", "province"])
def test_differences_carry_the_covariance_as_in_r(case, by, fpc):
    want = reference("v3_waves")["designs"][fpc][f"diff_{by}"]
    out = case(
        "v3_waves",
        f'[difference]\nby = "{by}"\n',
        fpc="fpc" if fpc == "fpc" else None,
        index="scaled",
        wave="wave",
    )
    [row] = [row for row in out["differences"] if row["name"] == "c05"]

    assert (row["by"], row["levels"]) == (by, ["1", "2"])
    assert row["estimate"] * 100 == pytest.approx(want["diff_1_minus_2"], rel=1e-11)
    assert row["se"] * 100 == pytest.approx(want["se_diff"], rel=1e-10)
    assert row["low"] < row["estimate"] < row["high"]


def test_every_wave_is_a_domain_of_the_joined_sample(case):
    out = case("v3_waves", wave="wave")
    expected = reference("v3_waves")["designs"]["fpc"]["domain_wave"]
    for label, want in expected.items():
        found = by_name(out, {"wave": label})
        assert found["F3"]["se"] == pytest.approx(want["composite"]["se"]["F3"], rel=1e-10)
        assert found["c05"]["high"] == pytest.approx(want["top2"]["ci_beta"][1], rel=1e-9)
        assert found["c05"]["df"] == want["df"]


def test_waves_of_villages_drawn_anew_are_independent(files):
    rows = ["1,a,{}1,{},4\n2,a,{}2,{},2\n1.5,b,{}3,{},5\n3,b,{}4,{},3\n1,b,{}5,{},1\n"]
    first, second = (rows[0].format(*[wave] * 10) for wave in "12")
    plan = {"weight": "w", "stratum": "h", "psu": "v"}
    alone = [
        by_name(run(*files(plan, "w,h,v,q,x\n" + text, {"F": ["x"]})))["x"]
        for text in (first, second)
    ]
    tail = '[difference]\nby = "q"\n'
    out = run(*files(plan | {"wave": "q"}, "w,h,v,q,x\n" + first + second, {"F": ["x"]}, tail))
    one = next(row for row in out["differences"] if row["name"] == "x")

    assert one["se"] == pytest.approx((alone[0]["se"] ** 2 + alone[1]["se"] ** 2) ** 0.5)


@pytest.mark.parametrize("section", ["difference", "ranks"])
def test_a_comparison_needs_two_values(files, section):
    text = "w,h,v,N,x,y,p\n1,a,1,9,4,5,m\n2,a,2,9,2,4,m\n"

    assert faults(*files(text=text, tail=f'[{section}]\nby = "p"\n')) == [
        f"data.csv: cột «p»: [{section}] cần ít nhất hai giá trị, ở đây chỉ có «m»"
    ]


def test_units_of_one_psu_are_not_ranked(files):
    tail = '[ranks]\nby = "p"\n'
    text = "w,h,v,x,p\n1,a,1,4,m\n2,a,2,2,m\n1,b,3,5,n\n1,b,4,3,n\n1,c,5,5,k\n1,c,6,1,l\n"
    plan = {"weight": "w", "stratum": "h", "psu": "v"}
    out = run(*files(plan, text, {"F": ["x"]}, tail))["ranks"]

    assert [(row["unit"], row["flags"]) for row in out if row["rank"] is None] == [
        ("k", ["not_ranked"]),
        ("l", ["not_ranked"]),
    ]
    [fault] = faults(*files(plan, text.split("1,b,3")[0], {"F": ["x"]}, '[ranks]\nby = "v"\n'))
    assert "cần ít nhất hai đơn vị có sai số" in fault


def test_a_unit_where_everybody_is_satisfied_is_not_ranked_as_if_that_were_sure(files):
    rows = [
        f"1,{h},{h}{k},{x}"
        for h in "ab"
        for k in range(8)
        for x in (5, 5 - 3 * (h == "b" and k == 0))
    ]
    text = "w,h,v,x\n" + "\n".join(rows)
    plan = {"weight": "w", "stratum": "h", "psu": "v"}
    out = run(*files(plan, text, {"F": ["x"]}, '[ranks]\nby = "h"\n'))

    assert [(row["rank"], row["low"], row["high"]) for row in out["ranks"]] == [
        (1, 1, 2),
        (2, 1, 2),
    ]


def test_a_domain_of_one_psu_has_no_interval_and_says_so(files):
    out = run(*files(PLAN | {"by": ["v"]}))
    found = by_name(out, {"v": "1"})["x"]

    assert (found["low"], found["high"], found["flags"]) == (
        None, None, ["all", "low_df", "no_interval"],
    )  # fmt: skip


def test_an_item_nobody_answered_is_flagged(files):
    out = run(
        *files(text=SMALL.replace(",5\n", ",\n").replace(",1\n", ",\n").replace(",4\n", ",\n"))
    )
    found = by_name(out)

    assert (found["y"]["estimate"], found["y"]["flags"]) == (None, ["no_answer"])
    assert (found["F"]["estimate"], "incomplete" in found["F"]["flags"]) == (
        found["x"]["estimate"], True,
    )  # fmt: skip
    json.dumps(out, allow_nan=False)


def test_the_output_is_plain_json_with_shares_0_to_1(base):
    out = json.loads(json.dumps(base(index="mean5"), allow_nan=False))
    for row in out["estimates"]:
        assert 0 <= row["low"] <= row["estimate"] <= row["high"] <= 1
        assert ("shares" in row) == (row["kind"] == "item")
    assert out["estimates"][0]["estimate"] == float(f"{out['estimates'][0]['estimate']:.15g}")


def test_everybody_satisfied_has_doubt_in_the_output(files):
    text = "w,h,v,N,x,y\n1,a,1,9,4,1\n2,a,2,9,5,1\n1.5,b,3,7,5,2\n3,b,4,7,4,3\n"
    row = by_name(run(*files(text=text)))["x"]

    assert (row["estimate"], row["se"], row["high"], row["flags"]) == (1, 0, 1, ["all", "low_df"])
    assert row["low"] < 0.5


def test_the_order_of_rows_changes_no_figure(files):
    head, *rows = SMALL.splitlines()
    a, b = by_name(run(*files())), by_name(run(*files(text="\n".join([head, *rows[::-1]]))))
    for name, row in a.items():
        for key, value in row.items():
            assert b[name][key] == pytest.approx(value) if isinstance(value, float) else True


def test_a_scale_of_three_levels(files):
    text = "w,h,v,N,x,y\n1,a,1,9,3,1\n2,a,2,9,2,1\n1.5,b,3,7,2,2\n3,b,4,7,3,3\n"
    row = by_name(run(*files(PLAN | {"levels": 3, "index": "scaled"}, text)))["x"]

    assert len(row["shares"]) == 3
    assert row["estimate"] == pytest.approx((4 * 1 + 3.5 * 0.5) / 7.5)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_long_file_shows_how_far_it_is_on_a_terminal_only(files, terminal):
    note = "x" * 4_000
    rows = "".join(f"1,{k % 2},{k % 8},4,{note}\n" for k in range(1_100))
    plan = {"weight": "w", "stratum": "h", "psu": "v"}
    paths = files(plan, "w,h,v,x,note\n" + rows, {"F": ["x"]})
    program = [sys.executable, "-c", "from survey.cli import main; main()", "estimate"]
    master, slave = pty.openpty()
    end = slave if terminal else subprocess.PIPE
    with subprocess.Popen([*program, *paths], stdout=subprocess.PIPE, stderr=end) as done:
        printed, shown = done.communicate()
    os.close(slave)
    if terminal:
        shown = os.read(master, 10_000)
    os.close(master)

    assert json.loads(printed)["design"]["n"] == 1_100
    told = re.findall(r"([\d.]+)/([\d.]+)", shown.decode())
    size = f"{paths[1].stat().st_size:,}".replace(",", ".")
    assert told[-1:] == [(size, size)] * terminal
    assert len(told) == 5 * terminal
