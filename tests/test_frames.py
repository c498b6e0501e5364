"""Files of villages and households: every fault with its line, nothing taken from a faulty one."""

import io

import pytest

from survey.sample import frames
from survey.sample.frames import Faulty
from survey.store.frames import Village

PROVINCES = {"vn34:08": "vn34:08", "vn34:12": "vn34:12", "vn34:00691": "vn34:08"}
HEAD = "Mã thôn,Tầng,Mã xã,Khu vực,Tên thôn,Số hộ\n"
KNOWN = {
    psu: Village(psu, "08-nt", "vn34:08", "rural", f"Thôn {psu}", 3) for psu in ("A1", "A2", "A3")
}


def villages(text, **more):
    content = text if isinstance(text, bytes) else text.encode()
    given = {"provinces": PROVINCES, "taken": {}} | more
    return frames.villages(io.BytesIO(content), **given)


def households(text, **more):
    given = {"known": KNOWN, "drawn": None, "take": 2} | more
    return frames.check_households(io.BytesIO(text.encode()), **given)


def faults(call, *given, **more):
    with pytest.raises(Faulty) as wrong:
        call(*given, **more)
    return wrong.value.faults


def test_a_sound_file_of_villages_is_read_in_its_order():
    found = villages(HEAD + "A2,08-nt,08,nông thôn,Thôn 2,120\nA1,08-tt,vn34:00691,TT,Tổ 1,90\n")

    assert found == [
        Village("A2", "08-nt", "vn34:08", "rural", "Thôn 2", 120),
        Village("A1", "08-tt", "vn34:00691", "urban", "Tổ 1", 90),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_spreadsheets_may_part_cells_as_they_like(separator, mark):
    text = (HEAD + "A1,08-nt,08,nông thôn,Thôn 1,120\n").replace(",", separator)

    assert villages(mark + text.encode())[0].psu == "A1"


def test_names_come_out_in_one_unicode_form():
    [found] = villages(HEAD + "A1,08-nt,08,nông thôn,Tho\u0302n Ha\u0300,120\n")

    assert found.name == "Thôn Hà"


def test_every_fault_is_told_with_its_line():
    text = HEAD + (
        "A1,x,99,nông thôn,Thôn 1,100\n"
        "A 2,08-nt,08,đồng,,0\n"
        "\n"
        "B1,t,08,tt,T1,50,thừa\n"
        "B1,t,08,tt,T1,50\n"
        "D,t,12,nt,Đ,5\n"
    )
    said = faults(villages, text)

    assert [line.split(":")[0] for line in said] == [
        "Dòng 2", "Dòng 3", "Dòng 3", "Dòng 3", "Dòng 3", "Dòng 5", "Dòng 6", "Dòng 7",
    ]  # fmt: skip
    assert "mã “99”" in said[0]
    assert "đã có ở dòng 5" in said[6]
    assert "hai tỉnh" in said[7]


def test_a_village_of_a_stratum_that_stays_is_not_taken_again():
    said = faults(villages, HEAD + "A1,08-nt,08,nt,T,9\n", taken={"A1": "08-tt"})

    assert said == ["Dòng 2: thôn A1 đang thuộc tầng 08-tt đã nạp trước"]


def test_units_of_others_are_refused():
    said = faults(villages, HEAD + "A1,12-nt,12,nt,T,9\n", scope={"vn34:08"})

    assert said == ["Dòng 2: đơn vị vn34:12 ngoài phạm vi được giao"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "phải ghi tên cột"),
        (b"a,b,c\n1,2,3\n", "phải ghi tên cột"),
        ("Mã thôn,Tên thôn\nA,B\n".encode(), "Thiếu cột: Tầng, Mã xã, Khu vực, Số hộ"),
        ((HEAD[:-1] + ",ma thon\n").encode(), "hai cột cùng nghĩa: Mã thôn"),
        (HEAD.encode(), "không có dòng dữ liệu nào"),
        ("\ufeff".encode("utf-16-le") + HEAD.encode("utf-16-le"), "UTF-16"),
        (HEAD.encode() + b"A1,t,08,tt,Th\xf4n,5\n", "không phải UTF-8"),
        ((HEAD + 'A1,t,08,tt,"Thôn,5\n').encode(), "sai dạng CSV"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content, says):
    assert says in " ".join(faults(villages, content))


def test_thousands_of_faults_are_counted_not_kept():
    with pytest.raises(Faulty) as wrong:
        villages(HEAD + "A1,08-nt,99,nt,T,9\n" * 1500)

    assert len(wrong.value.faults) == frames.TOLD
    assert wrong.value.more == 500


def test_lists_of_households_are_counted_then_read_again():
    text = "ma thon;ma ho;so nguoi lon;ho ten;dia chi\nA1;1;2;Lê An;Số 1\nA1;2;;;\n"
    text += "A2;1;1;;\nA2;2;3;;\n"
    file = io.BytesIO(text.encode())
    lists = frames.check_households(file, known=KNOWN, drawn=None, take=2)

    assert dict(lists.psus) == {"A1": 2, "A2": 2}
    rows = list(frames.households(file))
    assert [(r.psu, r.household, r.adults) for r in rows] == [
        ("A1", "1", 2), ("A1", "2", 1), ("A2", "1", 1), ("A2", "2", 3),
    ]  # fmt: skip
    assert rows[0].name == "Lê An"


def test_faults_of_households_are_told_with_their_lines():
    said = faults(
        households,
        "psu,household,adults,stratum\nA1,1,2,08-nt\nA1,1,2,08-nt\nA9,1,1,08-nt\nA2,1,0,08-tt\n"
        "A2,a/b,1,08-nt\nA3,1,1,08-nt\nA3,2,1,08-nt\n",
        drawn={"A1", "A2"},
    )

    assert said == [
        "Dòng 3: hộ 1 của thôn A1 đã có ở dòng 2",
        "Dòng 4: không có thôn “A9” trong khung mẫu",
        "Dòng 5: thôn A2 thuộc tầng 08-nt trong khung mẫu",
        "Dòng 5: số người lớn “0” phải là số nguyên từ 1 đến 50",
        "Dòng 6: cột Mã hộ: “a/b” phải gồm chữ, số, dấu . _ : - và không quá 40 ký tự",
        "Dòng 7: thôn A3 không được rút vào mẫu",
        "Dòng 8: thôn A3 không được rút vào mẫu",
        "Dòng 2: thôn A1 có 1 hộ, ít hơn 2 hộ phải rút",
        "Dòng 5: thôn A2 có 1 hộ, ít hơn 2 hộ phải rút",
    ]


def test_a_list_much_longer_than_the_frame_says_is_pointed_out():
    lists = households("psu,household\n" + "".join(f"A1,{n}\n" for n in range(1, 9)))

    assert dict(lists.strange) == {"A1": 8}
