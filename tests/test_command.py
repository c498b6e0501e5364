import json
import os
import pty
import re
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from any_file import ORACLE, PLAN, SMALL, by_name, design, faults, write
from oracle import FACTORS, FOLDER, ITEMS, data, reference

from analysis.file.command import BadInput, run

#: R survey 4.1-1, v1_base without fpc: share of levels 4 and 5 of c05 by withReplicates of
#: calibrate(as.svrepdesign(d, "JKn", mse = TRUE), ~province + sex + age, population).
CALIBRATED_JACKKNIFE = 0.0254334719154741


@pytest.fixture
def files(tmp_path):
    return partial(write, tmp_path)


@pytest.fixture
def case(tmp_path):
    """The command on a case of the oracle; ``plan`` changes keys, None leaves one out."""

    def estimate(name, tail="", **plan):
        keys = {k: v for k, v in (ORACLE | plan).items() if v is not None}
        return run(design(tmp_path, keys, tail=tail), data(name))

    return estimate


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


MARGINS = json.loads((FOLDER / "v1_base" / "data.meta.json").read_text("utf-8"))["margins"]


def calibrated(method, columns=tuple(MARGINS), **changes):
    rows = [f'[calibrate]\nmethod = "{method}"\n']
    for column in columns:
        counts = MARGINS[column] | changes.get(column, {})
        rows.append(f"[calibrate.margins.{column}]\n")
        rows += [f"{label} = {count}\n" for label, count in counts.items() if count]
    return "".join(rows)


@pytest.mark.parametrize("fpc", ["fpc", "nofpc"])
@pytest.mark.parametrize(
    ("key", "tail"),
    [
        ("calibrate_raking", calibrated("rake")),
        ("calibrate_linear", calibrated("linear")),
        ("calibrate_logit_0.5_2", calibrated("logit")),
        ("poststratify_province", calibrated("linear", ["province"])),
    ],
)
def test_calibrated_figures_and_weights_equal_r(case, key, tail, fpc):
    want = reference("v1_base")["designs"][fpc][key]
    column = "fpc" if fpc == "fpc" else None
    out = case("v1_base", tail, fpc=column, aggregate="factor")
    got, weights = by_name(out), out["weights"]

    assert got["c05"]["estimate"] == pytest.approx(want["top2_c05"]["p"], rel=1e-12)
    assert got["c05"]["se"] == pytest.approx(want["top2_c05"]["se"], rel=1e-10)
    assert got["total"]["estimate"] == pytest.approx(want["composite"]["est"], rel=1e-12)
    assert got["total"]["se"] == pytest.approx(want["composite"]["se"], rel=1e-10)
    assert weights["sum"] == pytest.approx(want["weights_sum"], rel=1e-7)
    assert weights["sum_squares"] == pytest.approx(want["weights_ss"], rel=1e-7)
    assert weights["min"] == pytest.approx(want["weights_min"], rel=1e-7)
    assert weights["max"] == pytest.approx(want["weights_max"], rel=1e-7)


def test_calibration_says_what_it_did(case):
    out = case("v1_base", calibrated("logit"))["calibration"]

    assert (out["method"], out["bounds"]) == ("logit", [0.5, 2.0])
    assert out["margins"] == MARGINS
    assert 0.5 < out["factor_min"] < 1 < out["factor_max"] < 2
    assert out["error"] <= 1e-10
    assert out["design_weights"]["sum"] == 136450.3104


def test_calibrated_domains_and_their_difference_equal_r(case):
    """R survey 4.1-1: svycontrast of the calibrated totals of c05 by sex (fpc, calfun linear)."""
    out = case("v1_base", calibrated("linear") + '[difference]\nby = "sex"\n', by=["sex"])
    men, women = (by_name(out, {"sex": label})["c05"] for label in "12")
    [change] = [row for row in out["differences"] if row["name"] == "c05"]

    assert men["estimate"] == pytest.approx(0.680026717378523, rel=1e-12)
    assert women["estimate"] == pytest.approx(0.695666528927695, rel=1e-12)
    assert men["se"] == pytest.approx(0.0333076992120509, rel=1e-10)
    assert women["se"] == pytest.approx(0.0298462968407798, rel=1e-10)
    assert change["se"] == pytest.approx(0.0436076417256427, rel=1e-10)


def test_what_else_is_asked_changes_no_figure(case):
    alone = [case("v1_base", by=[column]) for column in ("sex", "province", "age")]
    together = case("v1_base", by=["age", "province", "area", "sex"])
    found = {(str(row["domain"]), row["name"]): row for row in together["estimates"]}

    for row in (row for out in alone for row in out["estimates"]):
        other = found[str(row["domain"]), row["name"]]
        for key in ("estimate", "se", "low", "high", "df", "n"):
            assert other[key] == pytest.approx(row[key], rel=1e-12)


def test_domains_of_calibrated_weights_add_up_to_the_margin(case):
    out = case("v1_base", calibrated("rake"), by=["sex"], index="scaled")
    whole, parts = by_name(out), [by_name(out, {"sex": label}) for label in "12"]

    for item in ITEMS:
        assert sum(p[item]["n"] for p in parts) == whole[item]["n"]
        low, high = sorted(p[item]["estimate"] for p in parts)
        assert low <= whole[item]["estimate"] <= high


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (
            calibrated("rake", province={"6": 0}),
            "[calibrate.margins.province]: thiếu số dân của «6»",
        ),
        (
            calibrated("rake", sex={"3": 9}),
            "[calibrate.margins.sex]: không ai trong mẫu thuộc «3»; hãy gộp nhóm",
        ),
        (
            calibrated("rake", ["sex", "age"], sex={"1": 67543}),
            "[calibrate]: tổng số dân của các biến phải bằng nhau: sex 136451, age 136450",
        ),
        (
            calibrated("logit", ["sex"], sex={"1": 6754, "2": 129696}),
            "[calibrate]: không hội tụ",
        ),
        (
            calibrated("linear", ["sex", "age"], sex={"1": 50, "2": 136400}),
            "[calibrate]: ",
        ),
    ],
)
def test_totals_that_cannot_be_met_are_named(case, tail, expected):
    with pytest.raises(BadInput) as caught:
        case("v1_base", tail)

    assert caught.value.faults[0].startswith(f"design.toml: {expected}")


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
def test_the_jackknife_equals_r(case, fpc):
    column = "fpc" if fpc == "fpc" else None
    out = case(
        "v1_base", '[replicates]\nmethod = "jkn"\n', fpc=column, aggregate="factor", by=["sex"]
    )
    want = reference("v1_base")["designs"][fpc]["jkn"]["mse_true"]
    found = by_name(out["replicates"])

    assert out["replicates"]["n"] == 60
    assert found["c05"]["se"] == pytest.approx(want["se"], rel=1e-10)
    assert found["total"]["se"] == pytest.approx(want["composite_se"], rel=1e-10)
    assert found["total"]["estimate"] == by_name(out)["total"]["estimate"]
    for label in "12":
        one, taylor = by_name(out["replicates"], {"sex": label}), by_name(out, {"sex": label})
        assert one["total"]["se"] == pytest.approx(taylor["total"]["se"], rel=0.02)


@pytest.mark.parametrize("fpc", ["fpc", "nofpc"])
def test_given_factors_equal_r(case, fpc):
    file = FOLDER / "v1_base" / f"raowu_psu_factors_{fpc}.csv.gz"
    out = case(
        "v1_base",
        f'[replicates]\nmethod = "raowu"\nfactors = "{file}"\n',
        fpc="fpc" if fpc == "fpc" else None,
    )["replicates"]
    want = reference("v1_base")["designs"][fpc]["raowu_bootstrap"]

    assert (out["n"], out["factors"]) == (200, file.name)
    assert by_name(out)["c05"]["se"] == pytest.approx(want["se"], rel=1e-10)


def test_the_bootstrap_is_drawn_from_its_seed(case):
    def errors(seed):
        tail = f'[replicates]\nmethod = "raowu"\ndraws = 50\nseed = {seed}\n'
        return [row["se"] for row in case("v1_base", tail)["replicates"]["estimates"]]

    assert errors(1) == errors(1) != errors(2)


def test_replicates_of_calibrated_weights_are_calibrated_anew(case):
    tail = calibrated("linear") + '[replicates]\nmethod = "jkn"\n'
    out = case("v1_base", tail, fpc=None)
    taylor, jackknife = by_name(out)["c05"], by_name(out["replicates"])["c05"]

    assert jackknife["estimate"] == taylor["estimate"]
    assert jackknife["se"] == pytest.approx(CALIBRATED_JACKKNIFE, rel=1e-9)


PAIRS = "w,h,v,N,x\n1,a,1,9,4\n2,a,2,9,2\n1.5,b,3,7,5\n3,b,4,7,3\n"


def test_half_samples_need_two_psus_a_stratum(files):
    for method in ("brr", "fay"):
        tail = f'[replicates]\nmethod = "{method}"\n'
        out = run(*files(text=PAIRS, factors={"F": ["x"]}, tail=tail))

        assert by_name(out["replicates"])["x"]["se"] > 0
        text = PAIRS + "1,b,5,7,4\n"
        assert faults(*files(text=text, factors={"F": ["x"]}, tail=tail)) == [
            f"design.toml: [replicates]: {method} cần đúng hai đơn vị mẫu mỗi tầng, khác ở tầng «b»"
        ]


def test_half_samples_of_a_file_equal_those_made_here(files, tmp_path):
    halves = ["1.5,1.5,0.5,0.5", "0.5,0.5,1.5,1.5", "1.5,0.5,1.5,0.5", "0.5,1.5,0.5,1.5"]
    text = "".join(f"{psu},{row}\n" for psu, row in enumerate(halves, 1))
    (tmp_path / "f.csv").write_text(text, encoding="utf-8")
    plan = {k: v for k, v in PLAN.items() if k != "fpc"}
    given, made = (
        by_name(run(*files(plan, PAIRS, {"F": ["x"]}, tail))["replicates"])["x"]["se"]
        for tail in (
            '[replicates]\nmethod = "fay"\nfactors = "f.csv"\n',
            '[replicates]\nmethod = "fay"\n',
        )
    )

    assert given == pytest.approx(made)


def test_a_lonely_stratum_has_no_replicates_unless_it_adds_nothing(files):
    text, tail = PAIRS + "1,c,5,7,4\n", '[replicates]\nmethod = "jkn"\n'
    [fault] = faults(*files(text=text, factors={"F": ["x"]}, tail=tail))
    out = run(*files(PLAN | {"lonely": "certainty"}, text, {"F": ["x"]}, tail))

    assert fault.startswith("design.toml: [replicates]: tầng chỉ có một đơn vị mẫu: «c»")
    assert out["replicates"]["silent_strata"] == ["c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,1,2\n2,1,2\n3,1,2\n", "thiếu 1 đơn vị mẫu: «4»"),
        ("1,1,2\n2,1,2\n3,1,2\n9,1,2\n", "dòng 4: «9» không phải đơn vị mẫu trong số liệu"),
        ("1,1,2\n1,1,2\n", "dòng 2: «1» có mặt hai lần"),
        ("1,1,2\n2,1\n", "dòng 2: có 1 hệ số, dòng đầu có 2"),
        ("1,1\n2,1\n", "dòng 1: cần ít nhất hai hệ số"),
        ("1,1,x\n", "dòng 1: «x» không phải hệ số từ 0 trở lên"),
        ("1,1,-1\n", "dòng 1: «-1» không phải hệ số từ 0 trở lên"),
        ("1,1,nan\n", "dòng 1: «nan» không phải hệ số từ 0 trở lên"),
        ("", "thiếu 4 đơn vị mẫu: «1», «2», «3», «4»"),
    ],
)
def test_a_file_of_factors_that_does_not_fit_is_refused(files, tmp_path, text, expected):
    (tmp_path / "f.csv").write_text(text, encoding="utf-8")
    tail = '[replicates]\nmethod = "raowu"\nfactors = "f.csv"\n'

    assert faults(*files(tail=tail))[0] == f"f.csv: {expected}"


def test_a_file_of_factors_that_is_not_there_is_named(files):
    tail = '[replicates]\nmethod = "raowu"\nfactors = "none.csv"\n'

    assert faults(*files(tail=tail))[0].startswith("none.csv: không mở được tệp")


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
