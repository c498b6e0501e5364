from functools import partial

import pytest
from any_file import PLAN, by_name, faults, of_case, write
from oracle import FOLDER, reference

from analysis.file.command import run


@pytest.fixture
def files(tmp_path):
    return partial(write, tmp_path)


@pytest.fixture
def case(tmp_path):
    return partial(of_case, tmp_path)


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
