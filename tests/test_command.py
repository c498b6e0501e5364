import gzip
import json

import numpy as np
import pytest
from oracle import FACTORS, ITEMS, data, reference

from analysis.file.command import BadInput, run

DESIGN = {
    "weight": "w", "stratum": "stratum", "psu": "psu", "fpc": "fpc",
    "beta_cap": False, "by": ["province", "sex"],
}  # fmt: skip
SMALL = "w,h,v,N,x,y\n1,a,1,9,4,5\n2,a,2,9,2,\n1.5,b,3,7,5,1\n3,b,4,7,3,4\n"
PLAN = {"weight": "w", "stratum": "h", "psu": "v", "fpc": "N"}


@pytest.fixture
def files(tmp_path):
    def write(plan=PLAN, text=SMALL, factors=None, tail="", name="data.csv"):
        design, table = tmp_path / "design.toml", tmp_path / name
        lines = [f"{key} = {json.dumps(value)}" for key, value in plan.items()]
        lines += [
            "[factors]",
            *(f"{k} = {json.dumps(v)}" for k, v in (factors or {"F": ["x", "y"]}).items()),
        ]
        design.write_text("\n".join(lines) + "\n" + tail, encoding="utf-8")
        if isinstance(text, str):
            text = text.encode()
        table.write_bytes(text)
        return design, table

    return write


def faults(*paths):
    with pytest.raises(BadInput) as caught:
        run(*paths)
    return caught.value.faults


def by_name(out, domain=None):
    return {row["name"]: row for row in out["estimates"] if row["domain"] == domain}


@pytest.fixture
def base(files):
    def estimate(**plan):
        design, _ = files(DESIGN | plan, factors=FACTORS)
        return run(design, data("v1_base"))

    return estimate


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
def test_provinces_are_ranked_with_their_sets(files, kind):
    design, _ = files(DESIGN, factors=FACTORS, tail=f'[ranks]\nby = "province"\nkind = "{kind}"\n')
    out = run(design, data("v1_base"))["ranks"]
    want = reference("v1_base")["designs"]["fpc"]["province_ranks"]

    assert [row["unit"] for row in out] == want["units"]
    assert [row["rank"] for row in out] == want["rank"]
    assert [row["low"] for row in out] == want[f"{kind}_bonferroni"]["lower"]
    assert [row["high"] for row in out] == want[f"{kind}_bonferroni"]["upper"]


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


@pytest.mark.parametrize("change", [
    lambda text: "\ufeff" + text,
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("\n", "\n\n"),
    lambda text: gzip.compress(text.encode()),
    lambda text: text.replace(",4,5\n", ", 4,5.0\n"),
])  # fmt: skip
def test_marks_line_ends_compression_and_spellings_change_nothing(files, change):
    plain = run(*files())

    assert run(*files(text=change(SMALL))) == plain


def test_the_order_of_rows_changes_no_figure(files):
    head, *rows = SMALL.splitlines()
    a, b = by_name(run(*files())), by_name(run(*files(text="\n".join([head, *rows[::-1]]))))
    for name, row in a.items():
        for key, value in row.items():
            assert b[name][key] == pytest.approx(value) if isinstance(value, float) else True


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("w,h", "W,h", "data.csv: dòng 1: thiếu cột «w»"),
        (",x,y\n", ",x,x\n", "data.csv: dòng 1: cột «x» có mặt hai lần"),
        ("\n2,a", "\n,a", "data.csv: dòng 3, cột «w»: để trống"),
        ("\n2,a", "\nhai,a", "data.csv: dòng 3, cột «w»: «hai» không phải số"),
        ("\n2,a", "\n-2,a", "data.csv: dòng 3, cột «w»: «-2» phải là số hữu hạn lớn hơn 0"),
        ("\n2,a", "\nnan,a", "data.csv: dòng 3, cột «w»: «nan» không phải số"),
        ("\n2,a", "\ninf,a", "data.csv: dòng 3, cột «w»: «inf» phải là số hữu hạn lớn hơn 0"),
        ("\n2,a", "\n2,", "data.csv: dòng 3, cột «h»: để trống"),
        (",5,1\n", ",6,1\n", "data.csv: dòng 4, cột «x»: «6» nằm ngoài thang 1-5"),
        (",5,1\n", ",4.5,1\n", "data.csv: dòng 4, cột «x»: «4.5» nằm ngoài thang 1-5"),
        (",5,1\n", ",NA,1\n", "data.csv: dòng 4, cột «x»: «NA» không phải số"),
        (",5,1\n", ",5\n", "data.csv: dòng 4: có 5 ô, dòng tiêu đề có 6"),
        (
            "3,b,4", "3,b,1",
            "data.csv: dòng 5, cột «v»: «1» thuộc tầng «b» nhưng ở dòng 2 thuộc tầng «a»",
        ),
        (
            "b,4,7", "b,4,8",
            "data.csv: dòng 5, cột «N»: tầng «b» có 8 nhưng ở dòng 4 có 7",
        ),
        (
            "7", "1",
            "data.csv: dòng 4, cột «N»: tầng «b» có 1, ít hơn 2 đơn vị mẫu cấp một trong dữ liệu",
        ),
    ],
)  # fmt: skip
def test_a_fault_in_the_data_is_named_by_line_and_column(files, old, new, expected):
    assert faults(*files(text=SMALL.replace(old, new))) == [
        *([] if ",x,x" not in new else [expected, "data.csv: dòng 1: thiếu cột «y»"]),
        *([expected] if ",x,x" not in new else []),
    ]


def test_all_faults_are_listed_in_the_order_of_the_file(files):
    text = SMALL.replace("\n2,a", "\nx,").replace(",5,1\n", ",0,7\n")

    assert faults(*files(text=text)) == [
        "data.csv: dòng 3, cột «h»: để trống",
        "data.csv: dòng 3, cột «w»: «x» không phải số",
        "data.csv: dòng 4, cột «x»: «0» nằm ngoài thang 1-5",
        "data.csv: dòng 4, cột «y»: «7» nằm ngoài thang 1-5",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "tệp trống"),
        ("w,h,v,N,x,y\n", "không có dòng dữ liệu nào"),
        ("w;h;v;N;x;y\n1;a;1;9;4;5\n", "thiếu cột «w» (tệp dùng dấu chấm phẩy, cần dấu phẩy)"),
        ("w,h,v,N,x,y\n1,Hà Nội,1,9,4,5\n".encode("cp1258", "replace"), "dòng 2: không phải UTF-8"),
        (gzip.compress(SMALL.encode())[:-9], "tệp nén bị hỏng hoặc bị cắt ngắn"),
        (SMALL.encode() + b"9" * 200_000, "không đọc được CSV"),
    ],
)
def test_a_file_that_is_no_table_is_refused(files, text, expected):
    assert expected in faults(*files(text=text))[0]


def test_a_file_that_is_not_there_is_named(files, tmp_path):
    design, _ = files()

    assert "không mở được tệp" in faults(design, tmp_path / "none.csv")[0]
    assert "không mở được tệp" in faults(tmp_path / "none.toml", tmp_path / "none.csv")[0]


@pytest.mark.parametrize("key", ["difference", "calibrate", "replicates"])
def test_what_is_not_built_yet_is_refused_by_name(files, key):
    assert faults(*files(tail=f'[{key}]\nby = "x"\n')) == [
        f"design.toml: {key}: chưa hỗ trợ trong phiên bản này"
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"wave": "wave"}, "wave: chưa hỗ trợ trong phiên bản này"),
        ({"wieght": "w"}, "wieght: khóa không có trong hợp đồng"),
        ({"weight": 3}, "weight: phải là tên một cột"),
        ({"index": "median"}, "index: «median» không thuộc top2, scaled, mean5"),
        ({"lonely": "x"}, "lonely: «x» không thuộc remove, adjust, certainty, average, fail"),
        ({"ci": "wald"}, "ci: «wald» không thuộc beta, logit, wilson, asin, t"),
        ({"aggregate": "mean"}, "aggregate: «mean» không thuộc item, factor, pooled"),
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


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("[ranks]\n", "by: thiếu, cần tên một cột"),
        ('[ranks]\nby = "h"\nmethod = "max_t"\n', "method: «max_t» chưa hỗ trợ"),
        ('[ranks]\nby = "h"\nof = "z"\n', "of: «z» không thuộc total, F, x, y"),
        ('[ranks]\nby = "h"\nseed = 1\n', "seed: khóa không có trong hợp đồng"),
    ],
)
def test_faults_in_the_table_of_ranks_are_named(files, tail, expected):
    assert f"design.toml: [ranks]: {expected}" in faults(*files(tail=tail))[0]


def test_toml_that_is_none_is_refused(files):
    design, table = files()
    design.write_text("weight = \n", encoding="utf-8")

    assert "sai cú pháp TOML" in faults(design, table)[0]


@pytest.mark.parametrize("rule", ["fail", "average"])
def test_strata_with_one_psu_can_be_refused(files, rule):
    text = "w,h,v,N,x,y\n1,a,1,9,4,5\n2,b,2,9,2,1\n"
    [fault] = faults(*files(PLAN | {"lonely": rule}, text=text))

    assert fault.startswith(f'data.csv: lonely = "{rule}": ')


def test_a_scale_of_three_levels(files):
    text = "w,h,v,N,x,y\n1,a,1,9,3,1\n2,a,2,9,2,1\n1.5,b,3,7,2,2\n3,b,4,7,3,3\n"
    row = by_name(run(*files(PLAN | {"levels": 3, "index": "scaled"}, text)))["x"]

    assert len(row["shares"]) == 3
    assert row["estimate"] == pytest.approx((4 * 1 + 3.5 * 0.5) / 7.5)
