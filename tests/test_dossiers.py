"""Dossiers: taken once however often they come, late or not, counted but never told apart."""

from datetime import date

import pytest
from click.testing import CliRunner
from faults import ground
from faults.ground import NOW, UNIT, incoming

from survey.cli import main
from survey.dossiers import Reader
from survey.store import Refused, doors, dossiers, instances, responses, units
from survey.store.clock import day

TODAY = day(NOW)
OTHER = "vn34:12"
HEADING = "Mã hồ sơ,Thủ tục,Đơn vị tiếp nhận,Ngày tiếp nhận,Ngày hẹn trả,Ngày trả kết quả"
LINE = "H08.1,Khai sinh,08,01/11/2026,05/11/2026,04/11/2026"


@pytest.fixture
def place(tmp_path):
    return ground.make(tmp_path / "instance")


@pytest.fixture
def store(place):
    with place.connect() as base:
        yield base


def dossier(key="H08.1", **changes):
    facts = {
        "key": key, "service": "Khai sinh", "receiving_unit": UNIT, "resolving_unit": UNIT,
        "officer": None, "received_on": date(2026, 11, 2), "due_on": date(2026, 11, 10),
        "settled_on": date(2026, 11, 9),
    }  # fmt: skip
    return dossiers.Dossier(**facts | changes)


def put(store, *rows, **how):
    return dossiers.put(store, rows, source="test", **ground.ACT, **how)


def bring(place, text, *words, name="ho-so.csv", encoding="utf-8-sig"):
    """Run the import on a file of this text."""
    file = place.settings.instance.parent / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    home = str(place.settings.instance)
    return CliRunner().invoke(main, ["--instance", home, "dossiers", "import", str(file), *words])


def kept(store):
    return [tuple(row) for row in store.execute("SELECT * FROM dossier ORDER BY key")]


def answer(store, place, key, **changes):
    """Store the answer of a dossier and return its receipt."""
    door = doors.add(store, kind="dossier", wave="quay", unit=UNIT, dossier_key=key, **ground.ACT)
    sent = incoming(door)
    responses.bulk(store, [type(sent)(**{f: getattr(sent, f) for f in sent.__slots__} | changes)])
    return store.execute("SELECT receipt FROM response WHERE id = ?", (sent.id,)).fetchone()[0]


def test_a_dossier_comes_back_as_it_was_put(store):
    given = dossier(officer="Lê Văn Ba", resolving_unit=OTHER)
    assert put(store, given) == dossiers.Put(new=1, changed=0, same=0)
    assert dossiers.get(store, "H08.1") == given
    with pytest.raises(LookupError):
        dossiers.get(store, "H08.2")


def test_the_same_dossiers_again_change_nothing_and_leave_no_trace(store):
    many = [dossier(f"H{n}", phone="0912345678") for n in range(20)]
    put(store, *many)
    audits = store.execute("SELECT COUNT(*) FROM audit").fetchone()[0]
    before = kept(store)
    assert put(store, *many) == dossiers.Put(new=0, changed=0, same=20)
    assert kept(store) == before
    assert store.execute("SELECT COUNT(*) FROM audit").fetchone()[0] == audits


def test_a_dossier_that_was_settled_since_is_changed(store):
    put(store, dossier(settled_on=None), dossier("H2"))
    assert put(store, dossier(), dossier("H2")) == dossiers.Put(new=0, changed=1, same=1)
    assert dossiers.get(store, "H08.1").settled_on == date(2026, 11, 9)


def test_what_would_change_is_known_beforehand(store):
    put(store, dossier("a"), dossier("b"), dossier("c", phone="0912345678"))
    asked = [
        dossier("a"), dossier("b", service="Khai tử"), dossier("c", phone="0912345679"),
        dossier("c", phone="0912345678"), dossier("d"),
    ]  # fmt: skip
    found = dossiers.differing(store, asked, today=TODAY)
    assert [(one.key, one.phone) for one in found] == [
        ("b", None), ("c", "0912345679"), ("d", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settled", "today", "late"),
    [
        (date(2026, 11, 10), TODAY, False),
        (date(2026, 11, 11), TODAY, True),
        (None, date(2026, 11, 10), False),
        (None, date(2026, 11, 11), True),
    ],
)
def test_late_is_settled_after_the_day_or_not_settled_on_it(settled, today, late):
    assert dossier(settled_on=settled).late(today) is late


def test_a_number_is_kept_thirty_days_after_settling_and_not_taken_up_again(store):
    def numbers():
        return [tuple(row) for row in store.execute("SELECT * FROM dossier_contact")]

    put(store, dossier(phone="0912345678"))
    assert numbers() == [("H08.1", "0912345678", "2026-12-09")]
    put(store, dossier())  # says nothing about a number
    assert len(numbers()) == 1
    assert put(store, dossier(phone="")).changed == 1
    assert numbers() == []
    put(store, dossier(phone="0912345678", settled_on=date(2026, 10, 23)))
    assert numbers() == []  # its day was over before it came


def test_a_unit_s_key_can_neither_put_nor_take_over_another_unit_s_dossier(store):
    put(store, dossier("theirs", receiving_unit=OTHER))
    for wished in (dossier("new", receiving_unit=OTHER), dossier("theirs")):
        with pytest.raises(Refused) as caught:
            put(store, dossier("mine"), wished, within=UNIT)
        assert (caught.value.code, caught.value.facts["keys"]) == ("not_yours", [wished.key])
    assert [row[0] for row in kept(store)] == ["theirs"]
    assert put(store, dossier("mine"), within=UNIT).new == 1


def test_units_are_known_by_id_code_and_name_and_today_s_win(store):
    known = dossiers.known_units(store)
    for name in (
        "vn34:08",
        "08",
        units.name_key("Tỉnh Tuyên Quang"),
        units.name_key("TUYÊN QUANG"),
    ):
        assert known[name] == "vn34:08"
    assert known[units.name_key("Lai Châu")] == OTHER
    assert units.name_key("Nơi nào đó") not in known


def test_coverage_counts_settled_dossiers_with_and_without_an_answer(store, place):
    put(store, dossier("a"), dossier("b", settled_on=date(2026, 11, 20)), dossier("c"),
        dossier("d", settled_on=None), dossier("e", receiving_unit=OTHER))  # fmt: skip
    answer(store, place, "a", channel="link")
    answer(store, place, "b", channel="phone")
    november = {"since": date(2026, 11, 1), "until": date(2026, 11, 30)}
    found = dossiers.coverage(store, within=UNIT, **november)
    assert {(cell.channel, cell.late): cell.n for cell in found} == {
        ("link", False): 1, ("phone", True): 1, (None, False): 1,
    }  # fmt: skip
    assert {cell.month for cell in found} == {"2026-11"}
    assert sum(cell.n for cell in dossiers.coverage(store, **november)) == 4
    december = dossiers.coverage(store, since=date(2026, 12, 1), until=date(2026, 12, 31))
    assert (december, dossiers.years(store)) == ([], [2026])
    assert dossiers.waiting(store, today=TODAY) == [(UNIT, 1, 1)]


def test_an_answer_taken_back_no_longer_counts_and_may_be_given_again(store, place):
    put(store, dossier())
    receipt = answer(store, place, "H08.1")
    assert dossiers.answered(store, "H08.1")
    responses.withdraw(store, receipt, now=NOW)
    assert not dossiers.answered(store, "H08.1")
    [cell] = dossiers.coverage(store, since=date(2026, 1, 1), until=TODAY)
    assert cell.channel is None
    answer(store, place, "H08.1")
    assert instances.check(store) == []


def test_a_link_to_an_answer_that_is_not_there_is_named_by_the_check(store, place):
    store.execute("INSERT INTO dossier_answer VALUES ('H08.1', 'nothing')")
    assert instances.check(store) == ["Hồ sơ H08.1: phiếu trả lời không còn"]


def test_a_file_is_taken_once(place, store):
    text = f"{HEADING},Điện thoại\n{LINE},0912 345 678\nH08.2,Khai tử,tỉnh Lai Châu,2026-11-02,,,\n"
    assert "Ngày hẹn trả”: để trống" in bring(place, text).output
    text = text.replace("2026-11-02,,", "2026-11-02,2026-11-20 17:00,")
    assert bring(place, text, "--dry-run").output == (
        "2 hồ sơ: 2 mới, 0 sửa, 0 như cũ (chạy thử, không ghi gì)\n"
    )
    assert kept(store) == []
    assert bring(place, text).output == "2 hồ sơ: 2 mới, 0 sửa, 0 như cũ\n"
    assert bring(place, text).output == "2 hồ sơ: 0 mới, 0 sửa, 2 như cũ\n"
    assert dossiers.get(store, "H08.2").receiving_unit == OTHER
    assert dossiers.get(store, "H08.2").due_on == date(2026, 11, 20)
    assert store.execute("SELECT phone FROM dossier_contact").fetchone()[0] == "0912345678"
    assert instances.check(store) == []


@pytest.mark.parametrize(
    "heading",
    [
        "key;service;receiving_unit;received_on;due_on;settled_on",
        "MÃ HỒ SƠ;Dịch vụ;Nơi tiếp nhận;Ngày nộp;Hạn trả;Ngày hoàn thành",
        "ma ho so;thu tuc;don vi tiep nhan;ngay tiep nhan;ngay hen tra;ngay tra ket qua",
    ],
)
def test_headings_are_read_as_offices_write_them(place, heading):
    assert "1 mới" in bring(place, f"{heading}\n{LINE.replace(',', ';')}\n").output


def test_every_fault_of_a_file_is_told_with_its_line_and_nothing_is_stored(place, store):
    lines = [
        LINE,
        "=1+1,Khai sinh,08,01/11/2026,05/11/2026,",
        "H3,,Nơi nào đó,31/11/2026,05/11/2026,",
        "H4,Khai sinh,08,05/11/2026,04/11/2026,01/11/2026",
        "H5,Khai sinh,08,05/11/2026,14/11/2099,14/11/2099",
        LINE.replace("Khai sinh", "Khai tử"),
    ]
    found = bring(place, "\n".join([HEADING, *lines, LINE]))
    assert found.exit_code == 1
    for line, column, words in (
        (3, "Mã hồ sơ", "phải gồm chữ, số"),
        (4, "Thủ tục", "để trống"),
        (4, "Đơn vị tiếp nhận", "không có đơn vị «Nơi nào đó»"),
        (4, "Ngày tiếp nhận", "«31/11/2026» không phải ngày"),
        (5, "Ngày hẹn trả", "sớm hơn ngày tiếp nhận (05/11/2026)"),
        (5, "Ngày trả kết quả", "(01/11/2026) sớm hơn ngày tiếp nhận"),
        (6, "Ngày trả kết quả", "ngày 14/11/2099 ở tương lai"),
        (7, "Mã hồ sơ", "hồ sơ «H08.1» đã có ở dòng 2, khác ở Thủ tục"),
    ):
        assert f"Dòng {line}, cột “{column}”: " in found.output
        assert words in found.output
    assert "có 8 lỗi trong ho-so.csv, không ghi gì" in found.output
    assert kept(store) == []


def test_a_file_without_a_column_in_another_encoding_or_empty_is_refused(place):
    assert "thiếu cột: Mã hồ sơ." in bring(place, f"{HEADING[9:]}\nx\n").output
    twice = bring(place, f"{HEADING},key\n{LINE},x\n").output
    assert "có hai cột cho “Mã hồ sơ”" in twice
    assert "Windows-1258" in bring(place, "Mã hồ sơ,é\n".encode("cp1258", "ignore")).output
    assert "UTF-16" in bring(place, HEADING, encoding="utf-16").output
    assert "không có dòng dữ liệu" in bring(place, HEADING + "\n").output


@pytest.mark.parametrize("phone", ["12345", "không có", "+1 555 0100", "091234567"])
def test_a_malformed_number_is_a_fault(place, phone):
    found = bring(place, f"{HEADING},phone\n{LINE},{phone}\n")
    assert "cột “Điện thoại”: không phải số điện thoại ở Việt Nam" in found.output


def test_a_row_of_another_program_is_read_as_one_of_a_file(store):
    reader = Reader(dossiers.known_units(store), today=TODAY, language="en")
    row = {"key": "H1", "service": "x", "receiving_unit": "08", "received_on": "2026-11-01",
           "due_on": "2026-11-05", "settled_on": None}  # fmt: skip
    found, faults = reader.read(row)
    assert (faults, found.resolving_unit, found.settled_on, found.phone) == ([], UNIT, None, None)
    nothing, faults = reader.read(row | {"service": 5, "due_on": "\ud800", "officer": "a\nb"})
    assert nothing is None
    assert {(f.field, f.code) for f in faults} == {
        ("service", "not_text"), ("due_on", "day"), ("officer", "unprintable"),
    }  # fmt: skip


def test_a_file_may_name_applicants_who_stand_apart(place, store):
    text = (
        f"{HEADING},Người nộp,Loại người nộp\n{LINE},Trần Thị Mỹ Hạnh,\n"
        f"{LINE.replace('H08.1', 'H08.2')},Hợp tác xã Thành Công,Tổ chức\n"
    )
    assert bring(place, text).exit_code == 0
    rows = store.execute("SELECT dossier, name, kind FROM dossier_person ORDER BY dossier")
    assert [tuple(row) for row in rows] == [
        ("H08.1", "Trần Thị Mỹ Hạnh", "person"),
        ("H08.2", "Hợp tác xã Thành Công", "organisation"),
    ]
    assert "0 mới, 0 sửa, 2 như cũ" in bring(place, text).output
    details = [row["detail"] for row in store.execute("SELECT detail FROM audit")]
    assert not any("Hạnh" in detail for detail in details)


def test_a_file_that_calls_applicants_something_else_is_refused(place, store):
    done = bring(place, f"{HEADING},Người nộp,Loại người nộp\n{LINE},An,mèo\n")

    assert done.exit_code == 1
    assert "Dòng 2, cột “Loại người nộp”" in done.output
    assert kept(store) == []
