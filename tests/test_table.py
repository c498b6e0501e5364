import gzip
from functools import partial

import pytest
from any_file import PLAN, SMALL, by_name, faults, write

from analysis.file import source
from analysis.file.command import run


def plainly(text: str) -> str:
    """As it is: cut straight from the bytes."""
    return text


def oddly(text: str) -> str:
    """With a quoted comma in a column nobody asks for: read by the csv module."""
    head, *rows = text.splitlines()
    return "\n".join([f"{head},note", f'{rows[0]},"a, b"', *(f"{row}," for row in rows[1:])])


WAYS = [plainly, oddly]


@pytest.fixture
def files(tmp_path):
    return partial(write, tmp_path)


@pytest.mark.parametrize("change", [
    lambda text: "\ufeff" + text,
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("\n", "\n\n"),
    lambda text: gzip.compress(text.encode(), mtime=0),
    lambda text: text.replace(",4,5\n", ", 4,5.0\n"),
    lambda text: text.replace("\n", "\r"),
    lambda text: text.replace(",4,5\n", ',"4","5"\n'),
    lambda text: text.replace("a,", '"a",'),
    lambda text: text.replace("h,v", '"h","v"'),
    lambda text: text.rstrip("\n"),
])  # fmt: skip
def test_marks_line_ends_compression_and_spellings_change_nothing(files, change):
    plain = run(*files())

    assert run(*files(text=change(SMALL))) == plain


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
@pytest.mark.parametrize("way", WAYS)
def test_a_fault_in_the_data_is_named_by_line_and_column(files, way, old, new, expected):
    assert faults(*files(text=way(SMALL.replace(old, new))))[0] == expected


@pytest.mark.parametrize("way", WAYS)
def test_all_faults_are_listed_in_the_order_of_the_file(files, way):
    text = SMALL.replace("\n2,a", "\nx,").replace(",5,1\n", ",0,7\n")

    assert faults(*files(text=way(text))) == [
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
        ("w;h;v;N;x;y\n1;a;1;9;4;5\n", "dòng 1: tệp dùng dấu chấm phẩy, cần dấu phẩy"),
        ("w,h,v,N,x,y\n1,Hà Nội,1,9,4,5\n".encode("cp1258", "replace"), "dòng 2: không phải UTF-8"),
        (gzip.compress(SMALL.encode(), mtime=0)[:-9], "tệp nén bị hỏng hoặc bị cắt ngắn"),
        (SMALL.encode() + b"9" * 200_000, "không đọc được CSV"),
    ],
)
def test_a_file_that_is_no_table_is_refused(files, text, expected):
    assert expected in faults(*files(text=text))[0]


def test_a_file_that_is_not_there_is_named(files, tmp_path):
    design, _ = files()

    assert "không mở được tệp" in faults(design, tmp_path / "none.csv")[0]
    assert "không mở được tệp" in faults(tmp_path / "none.toml", tmp_path / "none.csv")[0]


def test_a_row_of_another_width_is_named_by_its_line(files):
    assert faults(*files(text=SMALL.replace(",5,1\n", ",5\n"))) == [
        "data.csv: dòng 4: có 5 ô, dòng tiêu đề có 6"
    ]


@pytest.mark.parametrize("size", [1, 7, 40])
@pytest.mark.parametrize(
    "change",
    [
        plainly,
        oddly,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: oddly(text).replace("a, b", 'a\n""b""\n, c'),
    ],
)
def test_where_the_file_is_cut_changes_nothing(files, monkeypatch, change, size):
    plain = run(*files())
    monkeypatch.setattr(source, "CHUNK", size)

    assert run(*files(text=change(SMALL))) == plain


def test_lines_are_counted_through_cells_of_several_lines(files, monkeypatch):
    text = oddly(SMALL.replace("3,b,4", "-3,b,4")).replace("a, b", "a\n, \nb")
    for size in (1 << 20, 5):
        monkeypatch.setattr(source, "CHUNK", size)

        assert faults(*files(text=text)) == [
            "data.csv: dòng 7, cột «w»: «-3» phải là số hữu hạn lớn hơn 0"
        ]


def units(out):
    return list(dict.fromkeys(row["domain"]["p"] for row in out["estimates"] if row["domain"]))


@pytest.mark.parametrize("way", WAYS)
def test_labels_of_any_length_and_language_stay_apart(files, way):
    names = ["Thành phố Hồ Chí Minh", "Thành phố Hồ Chí Min", "x" * 70, "x" * 71]
    text = "w,h,v,N,x,y,p\n"
    rows = "\n".join(f"1,a,{k},9,4,5,{names[k % 4]}" for k in range(8))
    out = run(*files(PLAN | {"by": ["p"]}, way(text + rows)))

    assert units(out) == sorted(names)


def test_numbers_as_labels_stand_in_their_order(files):
    text = "w,h,v,N,x,y,p\n" + "".join(f"1,a,{k},29,4,5,{k}\n" for k in (10, 9, 2, 11))
    out = run(*files(PLAN | {"by": ["p"]}, text))

    assert units(out) == ["2", "9", "10", "11"]


def test_faults_beyond_a_thousand_are_counted(files):
    rows = "".join(f"1,a,{k % 5},9,7,5\n" for k in range(1_500))
    found = faults(*files(text="w,h,v,N,x,y\n" + rows))

    assert len(found) == 1_001
    assert found[999] == "data.csv: dòng 1001, cột «x»: «7» nằm ngoài thang 1-5"
    assert found[1_000] == "data.csv: và 500 lỗi nữa"


WAVES = (
    "w,h,v,N,q,x\n1,a,1,9,1,4\n1,a,2,9,1,2\n1,b,3,7,1,5\n1,b,4,7,1,3\n"
    "1,a,1,9,2,5\n1,a,2,9,2,4\n1,b,3,7,2,5\n1,b,5,7,2,3\n"
)


def test_a_village_may_stand_in_two_waves(files):
    out = run(*files(PLAN | {"wave": "q"}, WAVES, {"F": ["x"]}))

    assert (out["design"]["n_psu"], out["design"]["n_strata"], out["design"]["df"]) == (5, 2, 3)
    assert by_name(out, {"q": "1"})["x"]["estimate"] == 0.5
    assert by_name(out, {"q": "2"})["x"]["estimate"] == 0.75


def test_one_label_in_two_strata_is_another_village_in_another_wave(files):
    text = WAVES.replace("1,a,2,9,2,4\n", "").replace("1,b,5,7,2,3", "1,b,2,7,2,3")

    assert run(*files(PLAN | {"wave": "q"}, text, {"F": ["x"]}))["design"]["n_psu"] == 5
    assert faults(*files(text=text, factors={"F": ["x"]})) == [
        "data.csv: dòng 8, cột «v»: «2» thuộc tầng «b» nhưng ở dòng 3 thuộc tầng «a»"
    ]


def test_one_label_in_two_strata_of_a_wave_is_a_fault(files):
    text = WAVES.replace("1,b,5,7,2,3", "1,b,2,7,2,3")

    assert faults(*files(PLAN | {"wave": "q"}, text, {"F": ["x"]})) == [
        "data.csv: dòng 9, cột «v»: «2» thuộc tầng «b» nhưng ở dòng 7 thuộc tầng «a»"
    ]


def test_a_stratum_drawn_anew_is_a_stratum_of_each_wave(files):
    text = WAVES.replace("1,b,3,7,2,5\n1,b,5,7,2,3", "1,b,6,8,2,5\n1,b,5,8,2,3")
    design = run(*files(PLAN | {"wave": "q"}, text, {"F": ["x"]}))["design"]

    assert (design["n_psu"], design["n_strata"], design["df"]) == (6, 3, 3)


@pytest.mark.parametrize("rule", ["fail", "average"])
def test_strata_with_one_psu_can_be_refused(files, rule):
    text = "w,h,v,N,x,y\n1,a,1,9,4,5\n2,b,2,9,2,1\n"
    [fault] = faults(*files(PLAN | {"lonely": rule}, text=text))

    assert fault.startswith(f'data.csv: lonely = "{rule}": ')


def test_the_bytes_read_are_told_up_to_the_last(files):
    for text in (SMALL.encode(), gzip.compress(SMALL.encode(), mtime=0)):
        design, table = files(text=text)
        told = []
        run(design, table, told.append)

        assert told == sorted(set(told))
        assert told[-1] == table.stat().st_size
