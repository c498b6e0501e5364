import json
from functools import partial

import pytest
from any_file import by_name, of_case
from oracle import FOLDER, ITEMS, reference

from analysis.file.command import BadInput


@pytest.fixture
def case(tmp_path):
    return partial(of_case, tmp_path)


#: R survey 4.1-1, v1_base without fpc: share of levels 4 and 5 of c05 by withReplicates of
#: calibrate(as.svrepdesign(d, "JKn", mse = TRUE), ~province + sex + age, population).
CALIBRATED_JACKKNIFE = 0.0254334719154741
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


def test_replicates_of_calibrated_weights_are_calibrated_anew(case):
    tail = calibrated("linear") + '[replicates]\nmethod = "jkn"\n'
    out = case("v1_base", tail, fpc=None)
    taylor, jackknife = by_name(out)["c05"], by_name(out["replicates"])["c05"]

    assert jackknife["estimate"] == taylor["estimate"]
    assert jackknife["se"] == pytest.approx(CALIBRATED_JACKKNIFE, rel=1e-9)
