from functools import partial

import pytest
from any_file import PLAN, faults, write


@pytest.fixture
def files(tmp_path):
    return partial(write, tmp_path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"wave": 1}, "wave: phải là tên một cột"),
        ({"wieght": "w"}, "wieght: khóa không có trong hợp đồng"),
        ({"weight": 3}, "weight: phải là tên một cột"),
        ({"index": "median"}, "index: «median» không thuộc top2, scaled, mean5"),
        ({"lonely": "x"}, "lonely: «x» không thuộc remove, adjust, certainty, average, fail"),
        ({"ci": "wald"}, "ci: «wald» không thuộc beta, logit, wilson, asin, t"),
        ({"aggregate": "mean"}, "aggregate: «mean» không thuộc item, factor, pooled, explicit"),
        ({"level": 95}, "level: phải là số nằm giữa 0 và 1"),
        ({"beta_cap": "yes"}, "beta_cap: phải là true hoặc false"),
        ({"by": "province"}, "by: phải là danh sách tên cột"),
        ({"levels": 1}, "levels: phải là số nguyên từ 2 đến 9"),
    ],
)
def test_a_fault_in_the_design_is_named_by_its_key(files, change, expected):
    assert faults(*files(PLAN | change)) == [f"design.toml: {expected}"]


def test_missing_keys_are_all_named(files):
    assert faults(*files({"fpc": "N"})) == [
        f"design.toml: {key}: thiếu, cần tên một cột" for key in ("weight", "stratum", "psu")
    ]


@pytest.mark.parametrize(
    ("factors", "expected"),
    [
        ({"F": "x"}, "factors.F: phải là danh sách tên cột, ít nhất một cột"),
        ({"F": ["x"], "G": ["x"]}, "factors: cột «x» có mặt hai lần"),
        ({"x": ["x"]}, "factors: tên «x» dùng cho hai chỉ số"),
        ({"total": ["x"]}, "factors: tên «total» dùng cho hai chỉ số"),
    ],
)
def test_factors_that_do_not_hold_together_are_refused(files, factors, expected):
    assert f"design.toml: {expected}" in faults(*files(factors=factors))


MARGIN = "[calibrate.margins.h]\na = 9\n"


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("[ranks]\n", "[ranks]: by: thiếu, cần tên một cột"),
        ('[ranks]\nby = "h"\nmethod = "t"\n', "[ranks]: method: «t» không thuộc bonferroni, max_t"),
        ('[ranks]\nby = "h"\nof = "z"\n', "[ranks]: of: «z» không thuộc total, F, x, y"),
        ('[ranks]\nby = "h"\nseed = 1\n', "[ranks]: seed: khóa không có trong hợp đồng"),
        ('[areas]\nI = ["K"]\n', "areas.I: phải là danh sách tên nhân tố trong [factors]"),
        ('[areas]\nF = ["F"]\n', "areas: tên «F» dùng cho hai chỉ số"),
        ("[weights]\nF = 1\n", 'weights: chỉ dùng với aggregate = "explicit"'),
        (
            "[keying]\nlost = [0.2, 0.1]\n",
            "[keying]: lost: phải là hai số [dưới, trên] với 0 ≤ dưới ≤ trên < 1",
        ),
        ("[keying]\nwon = 1\n", "[keying]: won: khóa không có trong hợp đồng"),
        (
            f'[calibrate]\nmethod = "rake"\nfinal = 3\n{MARGIN}',
            "[calibrate]: final: phải là tên một cột",
        ),
        ("[difference]\n", "[difference]: by: thiếu, cần tên một cột"),
        ('[difference]\nby = "h"\nof = 1\n', "[difference]: of: khóa không có trong hợp đồng"),
        (
            f"[calibrate]\n{MARGIN}",
            "[calibrate]: method: thiếu, cần một trong rake, linear, logit",
        ),
        (
            f'[calibrate]\nmethod = "rake"\nbounds = [0.5, 2]\n{MARGIN}',
            '[calibrate]: bounds: chỉ dùng với method = "logit"',
        ),
        (
            f'[calibrate]\nmethod = "logit"\nbounds = [1.5, 2]\n{MARGIN}',
            "[calibrate]: bounds: phải là hai số [dưới, trên] với 0 ≤ dưới < 1 < trên",
        ),
        (
            '[calibrate]\nmethod = "rake"\n',
            "[calibrate]: margins: cần ít nhất một bảng [calibrate.margins.CỘT] với số dân",
        ),
        (
            '[calibrate]\nmethod = "rake"\nmargins = 3\n',
            "[calibrate]: margins: phải là một bảng [margins]",
        ),
        (
            '[calibrate]\nmethod = "rake"\n[calibrate.margins.h]\n',
            "[calibrate.margins]: h: cần ít nhất một nhóm với số dân",
        ),
        (
            '[calibrate]\nmethod = "rake"\n[calibrate.margins.h]\na = 0\n',
            "[calibrate.margins.h]: a: phải là số lớn hơn 0",
        ),
        (
            '[calibrate]\nmethod = "rake"\n[calibrate.margins.h]\na = nan\n',
            "[calibrate.margins.h]: a: phải là số lớn hơn 0",
        ),
        (
            f'[calibrate]\nmethod = "rake"\ntrim = 3\n{MARGIN}',
            "[calibrate]: trim: khóa không có trong hợp đồng",
        ),
        ("[replicates]\n", "[replicates]: method: thiếu, cần một trong jkn, raowu, brr, fay"),
        (
            '[replicates]\nmethod = "raowu"\ndraws = 1\n',
            "[replicates]: draws: phải là số nguyên từ 2 đến 10000",
        ),
        (
            '[replicates]\nmethod = "raowu"\nseed = -1\n',
            "[replicates]: seed: phải là số nguyên không âm",
        ),
        (
            '[replicates]\nmethod = "jkn"\ndraws = 9\n',
            '[replicates]: draws: chỉ dùng với method = "raowu" khi không cho factors',
        ),
        (
            '[replicates]\nmethod = "raowu"\nfactors = "f.csv"\nseed = 9\n',
            '[replicates]: seed: chỉ dùng với method = "raowu" khi không cho factors',
        ),
        (
            '[replicates]\nmethod = "jkn"\nfactors = "f.csv"\n',
            '[replicates]: factors: không dùng với method = "jkn", vốn không có gì để chọn',
        ),
    ],
)
def test_a_fault_inside_a_section_is_named_by_section_and_key(files, tail, expected):
    fault = faults(*files(tail=tail))[0]

    assert fault in (f"design.toml: {expected}", f"design.toml: {expected}; hãy gộp nhóm")


def test_sections_must_be_tables(files):
    assert faults(*files(PLAN | {"ranks": 1, "calibrate": "rake"})) == [
        "design.toml: calibrate: phải là một bảng [calibrate]",
        "design.toml: ranks: phải là một bảng [ranks]",
    ]


def test_toml_that_is_none_is_refused(files):
    design, table = files()
    design.write_text("weight = \n", encoding="utf-8")

    assert "sai cú pháp TOML" in faults(design, table)[0]
