"""Units as dated rows, names in every spelling, the provinces we ship, and the import of files."""

import unicodedata
from collections import Counter
from datetime import date

import pytest
from click.testing import CliRunner
from faults import ground
from hypothesis import given
from hypothesis import strategies as st

from survey import data
from survey.cli import main
from survey.store import reference, units

TODAY, OLD = date(2026, 11, 22), date(2024, 12, 31)


@pytest.fixture
def place(tmp_path):
    return ground.make(tmp_path / "instance")


@pytest.fixture
def store(place):
    with place.connect() as base:
        yield base


def run(place, *words):
    return CliRunner().invoke(main, ["--instance", str(place.settings.instance), *words])


def table(tmp_path, rows, heading="code,name,kind,province", encoding="utf-8", name="units.csv"):
    file = tmp_path / name
    file.write_text("\n".join([heading, *rows]) + "\n", encoding=encoding)
    return str(file)


# Names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Thanh Hoá", "Thanh Hóa"),
        ("Khánh Hoà", "KHÁNH HÒA"),
        ("Thuỷ Nguyên", "Thủy Nguyên"),
        ("Bà Rịa - Vũng Tàu", "Bà Rịa-Vũng Tàu"),
        ("Đắk Lắk", "\u00d0ắk Lắk"),  # Icelandic eth, as old fonts produced it
        ("Ea H'leo", "Ea H\u2019Leo"),
        ("Quảng  Ninh ", "quảng ninh"),
        ("Huế", unicodedata.normalize("NFD", "Huế")),
    ],
)
def test_two_spellings_of_a_name_share_a_key(one, other):
    assert units.name_key(one) == units.name_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Hà Nam", "Hạ Nam"), ("Đức", "Dức"), ("Hoa", "Hoà"), ("Tân", "Tăn")]
)
def test_two_names_do_not(one, other):
    assert units.name_key(one) != units.name_key(other)


@given(st.text(max_size=30))
def test_a_key_is_the_same_for_every_unicode_form_and_its_own_key_never_grows(text):
    forms = {units.name_key(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert len(forms) == 1


# The provinces


def test_there_are_34_provinces_today_and_were_63(store):
    assert len(units.all(store, kind="province", scheme="vn34", on=TODAY)) == 34
    assert len(units.all(store, kind="province", scheme="vn63", on=OLD)) == 63
    assert units.all(store, kind="province", scheme="vn63", on=date(2025, 7, 1)) == []
    assert units.all(store, kind="province", scheme="vn34", on=date(2025, 6, 30)) == []


def test_seven_codes_changed_their_meaning(store):
    def names(scheme, day):
        return {
            u.code: u.name_key for u in units.all(store, kind="province", scheme=scheme, on=day)
        }

    new, old = names("vn34", TODAY), names("vn63", OLD)
    changed = {code for code, name in new.items() if old[code] != name}
    assert changed - {"46"} == {"15", "24", "44", "52", "80", "82", "91"}  # 46: Thừa Thiên Huế


@pytest.mark.parametrize(
    ("unit", "eve", "day"),
    [
        ("vn34:75", date(2026, 4, 29), date(2026, 4, 30)),
        ("vn34:22", date(2026, 8, 31), date(2026, 9, 1)),
        ("vn34:24", date(2026, 9, 19), date(2026, 9, 20)),
    ],
)
def test_a_province_becomes_a_city_on_its_day_and_keeps_its_code(store, unit, eve, day):
    assert units.get(store, unit, eve).word == "tỉnh"
    assert units.get(store, unit, day).word == "thành phố"
    assert unit not in units.members(store, data.CITIES, eve)
    assert unit in units.members(store, data.CITIES, day)


def test_hue_was_the_sixth_city_of_the_old_scheme_and_changed_its_name(store):
    assert units.name(store, "vn63:46", OLD) == "tỉnh Thừa Thiên Huế"
    assert units.name(store, "vn63:46", date(2025, 1, 1)) == "thành phố Huế"


@pytest.mark.parametrize(
    ("day", "cities"),
    [
        (OLD, 5), (date(2025, 1, 1), 6), (date(2025, 7, 1), 6), (date(2026, 4, 30), 7),
        (date(2026, 9, 1), 8), (TODAY, 9),
    ],
)  # fmt: skip
def test_the_number_of_centrally_governed_cities_is_a_matter_of_the_day(store, day, cities):
    assert len(units.members(store, data.CITIES, day)) == cities


def test_regions_hold_every_province_once(store):
    new = Counter(len(group.members) for group in data.sets() if group.key.startswith("vn34-"))
    assert sorted(new.elements()) == [3, 5, 5, 6, 6, 9]
    sizes = {group.key: len(group.members) for group in data.sets()}
    old = [sizes[f"vn63-{key}"] for key in ["tdmnpb", "dbsh", "btb-dhmt", "tn", "dnb", "dbscl"]]
    assert old == [14, 11, 14, 5, 6, 13]
    assert sizes["vn63-btb"] == 6
    assert units.members(store, "vn63-btb", TODAY) == []


def test_every_old_province_went_into_one_of_today(store):
    found = Counter(origin for _, origin in data.origins())
    assert len(found) == 63
    assert set(found.values()) == {1}
    assert units.origins(store, "vn34:79") == ["vn63:74", "vn63:77", "vn63:79"]


def test_loading_the_provinces_again_changes_nothing(store):
    before = store.execute("SELECT COUNT(*) FROM audit").fetchone()[0]
    done = reference.load(store, **ground.ACT)
    assert (done.new, done.changed) == (0, 0)
    assert store.execute("SELECT COUNT(*) FROM audit").fetchone()[0] == before


@pytest.mark.parametrize(
    "name", ["Thanh Hóa", "thanh hoá", "Tỉnh Thanh Hoá", "TP. Hồ Chí Minh", "thành phố Huế"]
)
def test_a_province_is_found_by_any_spelling(store, name):
    [found] = units.find(store, name, kind="province")
    assert found.name in {"Thanh Hoá", "Hồ Chí Minh", "Huế"}


def test_a_path_leads_from_the_unit_to_the_country(store):
    assert units.path(store, "vn34:08") == ("vn34:08", "vn34:00")
    assert units.path(store, "vn34:xx") == ()
    assert units.name(store, "vn34:xx") == "vn34:xx"


# The import of a file


def communes(count=3_321):
    codes = [row.code for row in data.rows() if row.scheme == "vn34" and row.valid_to is None]
    kinds = ("phường", "xã", "đặc khu")
    return [
        f"{n:05},Tân Hoà {n},{kinds[n % 3]},{codes[1 + n % 34]}" for n in range(1, count + 1)
    ]  # fmt: skip


def test_a_country_of_communes_is_imported_once(place, tmp_path, store):
    file = table(tmp_path, communes())
    found = run(place, "units", "import", file)
    assert (found.exit_code, found.output) == (0, "3321 đơn vị: 3321 mới, 0 sửa, 0 như cũ\n")
    assert len(units.all(store, kind="commune")) == 3_321
    again = run(place, "units", "import", file)
    assert again.output == "3321 đơn vị: 0 mới, 0 sửa, 3321 như cũ\n"


def test_a_dry_run_changes_nothing(place, tmp_path, store):
    found = run(place, "units", "import", table(tmp_path, communes(3)), "--dry-run")
    assert found.output == "3 đơn vị: 3 mới, 0 sửa, 0 như cũ (chạy thử, không ghi gì)\n"
    assert units.all(store, kind="commune") == []


@pytest.mark.parametrize("province", ["38", "Thanh Hóa", "Tỉnh Thanh Hoá", "THANH HOÁ"])
def test_the_province_of_a_line_is_a_code_or_a_name(place, tmp_path, store, province):
    run(place, "units", "import", table(tmp_path, [f"14758,Hạc Thành,Phường,{province}"]))
    unit = units.get(store, "vn34:14758")
    assert (unit.parent, unit.title) == ("vn34:38", "phường Hạc Thành")


@pytest.mark.parametrize(
    ("encoding", "separator"), [("utf-8-sig", ","), ("utf-8", ";"), ("utf-8", "\t")]
)
def test_what_spreadsheets_write_is_read(place, tmp_path, store, encoding, separator):
    heading = separator.join(["Code", "Name", "Kind", "Province"])
    row = separator.join(["00004", "Ba Đình", "phường", "01"])
    found = run(place, "units", "import", table(tmp_path, [row], heading, encoding))
    assert found.exit_code == 0, found.output
    assert units.name(store, "vn34:00004") == "phường Ba Đình"


def test_a_decomposed_name_is_stored_composed(place, tmp_path, store):
    name = unicodedata.normalize("NFD", "Hạc Thành")
    run(place, "units", "import", table(tmp_path, [f"14758,{name},phường,38"]))
    assert units.get(store, "vn34:14758").name == "Hạc Thành"


def test_three_bad_lines_of_3321_are_all_named_and_nothing_is_stored(place, tmp_path, store):
    rows = communes()
    rows[9] = "xx,Tân Hoà,phường,08"
    rows[99] = "00100,Tân Hoà,làng,99"
    rows[2_999] = rows[0]
    found = run(place, "units", "import", table(tmp_path, rows))
    assert found.exit_code == 1
    lines = [line.strip() for line in found.output.splitlines()]
    assert lines[0].startswith("Lỗi: có 4 lỗi trong units.csv, không ghi gì")
    assert lines[1].startswith("Dòng 11, cột code: mã «xx»")
    assert lines[2].startswith("Dòng 101, cột kind: «làng»")
    assert lines[3].startswith("Dòng 101, cột province: không có tỉnh, thành phố «99»")
    assert lines[4] == "Dòng 3001, cột code: mã «00001» đã có ở dòng 2"
    assert units.all(store, kind="commune") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"code,name,kind,province\n00004,\xd0\xf4ng H\xe0,x\xe3,01\n",
            "(dòng 2); có thể là Windows-1258",
        ),
        ("code,name,kind,province\n".encode("utf-16"), "UTF-16"),
        (b"code,name,kind,province\n\x00\n", "byte 0"),
    ],
)
def test_another_encoding_is_refused_with_what_to_do(place, tmp_path, content, message):
    file = tmp_path / "units.csv"
    file.write_bytes(content)
    found = run(place, "units", "import", str(file))
    assert found.exit_code == 1
    assert message in found.output
    assert "CSV UTF-8" in found.output


@pytest.mark.parametrize(
    ("heading", "rows", "message"),
    [
        ("code,name", [], "thiếu cột: kind, province"),
        ("code,name,kind,province,code", [], "cột trùng tên: code"),
        ("code,name,kind,province", [], "không có dòng dữ liệu"),
        ("code,name,kind,province", ["00004,Ba Đình,phường,01,x"], "thừa ô: «x»"),
        ("code,name,kind,province", ["00004,Ba Đình"], "cột kind"),
        ("code,name,kind,province", ['00004,"Ba Đình,phường,01'], "sai dạng CSV"),
        ("code,name,kind,province,valid_from", ["00004,A,xã,01,2025-13-01"], "cột valid_from"),
    ],
)
def test_a_file_of_another_shape_is_refused(place, tmp_path, heading, rows, message):
    found = run(place, "units", "import", table(tmp_path, rows, heading))
    assert found.exit_code == 1
    assert message in found.output


def test_an_empty_file_is_refused(place, tmp_path):
    (tmp_path / "none.csv").write_bytes(b"")
    found = run(place, "units", "import", str(tmp_path / "none.csv"))
    assert (found.exit_code, found.output) == (1, "Lỗi: Tệp «none.csv» trống.\n")


def test_a_later_row_of_a_unit_ends_the_one_before(place, tmp_path, store):
    heading = "code,name,kind,province,valid_from"
    run(place, "units", "import", table(tmp_path, ["00004,Ba Đình,xã,01,2025-07-01"], heading))
    run(place, "units", "import", table(tmp_path, ["00004,Ba Đình,phường,01,2026-10-01"], heading))
    assert units.name(store, "vn34:00004", date(2026, 9, 30)) == "xã Ba Đình"
    assert units.name(store, "vn34:00004", date(2026, 10, 1)) == "phường Ba Đình"
    assert len(units.children(store, "vn34:01", TODAY)) == 1


def test_a_corrected_name_is_changed_in_place(place, tmp_path, store):
    run(place, "units", "import", table(tmp_path, ["00004,Ba Đinh,phường,01"]))
    found = run(place, "units", "import", table(tmp_path, ["00004,Ba Đình,phường,01"]))
    assert found.output == "1 đơn vị: 0 mới, 1 sửa, 0 như cũ\n"
    assert units.name(store, "vn34:00004") == "phường Ba Đình"


def test_offices_are_local_units_under_their_province(place, tmp_path, store):
    run(place, "units", "import", table(tmp_path, ["TT01,Trung tâm PVHCC tỉnh,trung tâm,08"]))
    unit = units.get(store, "local:TT01")
    assert (unit.kind, unit.parent) == ("one_stop_centre", "vn34:08")
