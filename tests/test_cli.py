"""The command line: exit codes, dry runs, Vietnamese messages, copies made and put back."""

import csv
import json
import os
import resource
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from faults import ground

from survey import config, db, migrations, tokens
from survey.cli import COMMANDS, main, tables
from survey.store import clock, copies, doors, factors, people, responses, waves

ROOT = Path(__file__).parent.parent


@pytest.fixture
def place(tmp_path):
    return ground.make(tmp_path / "instance")


@pytest.fixture
def store(place):
    with place.connect() as base:
        yield base


def run(home, *words, **how):
    instance = getattr(getattr(home, "settings", None), "instance", home)
    return CliRunner().invoke(main, ["--instance", str(instance), *words], **how)


def answered(store, place, count=3, comment="Tốt"):
    responses.bulk(store, [ground.incoming(place.door, comment=comment) for _ in range(count)])


def dump(path):
    with closing(db.connect(path, readonly=True)) as base:
        return list(base.iterdump())


def test_init_makes_a_secret_only_its_owner_can_read_and_keeps_it(tmp_path):
    home = tmp_path / "new"
    assert run(home, "init").exit_code == 0
    secret = home / "secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "sipas.sqlite").stat().st_mode) == 0o600
    before = secret.read_bytes()
    assert len(before) == 64
    assert run(home, "init").exit_code == 0
    assert secret.read_bytes() == before
    assert sorted(p.name for p in home.iterdir()) == ["secret", "sipas.sqlite", "write.lock"]


def test_an_instance_that_was_never_made_is_told_so(tmp_path):
    for words in (["wave", "list"], ["check"], ["serve"], ["user", "add", "lan"]):
        found = run(tmp_path / "none", *words)
        assert found.exit_code == 1
        assert "Hãy chạy «sipas init» trước" in found.output
    assert list(tmp_path.iterdir()) == []


def test_the_instance_comes_from_the_option_the_environment_or_the_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config.directory(None, {}) == tmp_path / "instance"
    assert config.directory(None, {"SIPAS_INSTANCE": "/srv/sipas"}).as_posix() == "/srv/sipas"
    assert config.directory(tmp_path, {"SIPAS_INSTANCE": "/srv/sipas"}) == tmp_path


def test_settings_come_from_the_environment(place):
    home = place.settings.instance
    assert not config.load(home, {}).secure_cookies
    assert config.load(home, {}).trusted_hosts == ()
    found = config.load(home, {"SIPAS_BEHIND_TLS": "1", "SIPAS_TRUSTED_HOSTS": "a.vn, b.vn"})
    assert (found.behind_tls, found.secure_cookies) == (True, True)
    assert found.trusted_hosts == ("a.vn", "b.vn")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bogus"], "Lỗi: không có lệnh «bogus»."),
        (["wave", "new"], "Lỗi: thiếu 'KEY'."),
        (["wave", "list", "--x"], "Lỗi: không có tùy chọn «--x»."),
        (["wave", "open", "quay", "--until", "mai"], "«mai» không phải ngày"),
        (["units", "import", "/x"], "'FILE'"),
    ],
)
def test_wrong_usage_is_exit_two_and_shows_how(place, words, message):
    found = run(place, *words)
    assert found.exit_code == 2
    assert found.output.startswith("Cách dùng: ")
    assert message in found.output


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself_in_vietnamese(name):
    if find_spec(f"survey.cli.{COMMANDS[name][0]}") is None:
        pytest.skip("not installed")
    found = CliRunner().invoke(main, [name, "--help"])
    assert found.exit_code == 0
    assert any(letter in found.output for letter in "ăâêôơưđạảấầậộợ")


WRITES = {
    "user add": ["user", "add", "lan"],
    "user reset": ["user", "reset", "minh"],
    "user end": ["user", "end", "minh"],
    "user disable": ["user", "disable", "lan"],
    "wave new": ["wave", "new", "w", "--name", "W", "--closes", "2027-01-01", "--owner", "vn34:08"],
    "wave open": ["wave", "open", "quay"],
    "wave close": ["wave", "close", "quay"],
    "wave settle": ["wave", "settle", "quay", "900"],
    "door add": ["door", "add", "quay", "vn34:08"],
    "door close": ["door", "close", "1"],
    "migrate": ["migrate"],
    "init": ["init"],
}


@pytest.mark.parametrize("name", WRITES)
def test_a_dry_run_of_a_write_changes_nothing(place, name):
    run(place, "user", "add", "minh")
    if name == "user disable":
        run(place, "user", "add", "lan")
    before = dump(place.settings.database)
    found = run(place, *WRITES[name], "--dry-run")
    assert found.exit_code == 0, found.output
    assert "không ghi gì" in found.output
    assert "Mật khẩu" not in found.output
    assert dump(place.settings.database) == before


def test_a_new_user_gets_a_first_password_that_works_and_must_be_changed(place, store):
    found = run(place, "user", "add", "Lan", "--name", "Lan", "--unit", "vn34:08")
    password = found.output.split("Mật khẩu đầu tiên: ")[1].strip()
    staff = people.find(store, "lan")
    assert people.matches(staff, password)
    assert (staff.must_change, staff.unit, staff.role) == (True, "vn34:08", "administrator")
    assert "lan\tadministrator\tvn34:08" in run(place, "user", "list").output
    again = run(place, "user", "add", "LAN")
    assert (again.exit_code, again.output) == (1, "Lỗi: «lan» đã có.\n")
    reset = run(place, "user", "reset", "lan").output.split("Mật khẩu đầu tiên: ")[1].strip()
    assert people.matches(people.find(store, "lan"), reset)
    assert run(place, "user", "add", "x", "--unit", "vn34:999").exit_code == 1


def test_an_account_is_shut_ended_and_freed_of_its_factor(place, store):
    for name in ("lan", "minh"):
        run(place, "user", "add", name, "--officer", "TT-01")
    lan = people.find(store, "lan")
    begun = factors.begin(store, lan.id, now=clock.now())
    factors.confirm(store, begun, step=1, codes=["x"], username="lan", now=clock.now())

    assert lan.officer == "TT-01"
    assert "(hai bước)" in run(place, "user", "list").output
    assert run(place, "user", "factor-off", "lan").exit_code == 0
    assert factors.held(store, lan.id) is None
    again = run(place, "user", "factor-off", "lan")
    assert (again.exit_code, "chưa bật" in again.output) == (1, True)
    assert run(place, "user", "end", "lan").exit_code == 0
    assert run(place, "user", "disable", "lan").exit_code == 0
    assert people.find(store, "lan").disabled
    last = run(place, "user", "disable", "minh")
    assert (last.exit_code, "quản trị viên cuối cùng" in last.output) == (1, True)
    assert run(place, "user", "disable", "lan", "--undo").exit_code == 0
    assert not people.find(store, "lan").disabled
    assert run(place, "user", "end", "none").exit_code == 1


def test_a_wave_speaks_of_its_owner_s_place_and_keeps_its_publication_rule(place, store, tmp_path):
    file = tmp_path / "xa.csv"
    file.write_text("code,name,kind,province\n00301,Trung Sơn,xã,Tuyên Quang\n", "utf-8")
    assert run(place, "units", "import", str(file)).exit_code == 0
    made = run(
        place, "wave", "new", "w", "--name", "W", "--closes", "31/12/2099", "--owner",
        "vn34:00301", "--word", "hamlet_word=bản", "--min-n", "50", "--hide-n", "10",
        "--level", "0.9", "--lonely", "remove",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    wave = waves.get(store, "w")
    assert dict(wave.words) == {"commune_word": "xã", "province_word": "tỉnh", "hamlet_word": "bản"}
    assert (wave.min_n, wave.hide_n, wave.level, wave.lonely) == (50, 10, 0.9, "remove")


def test_a_wave_is_made_listed_closed_and_opened(place, store):
    made = run(
        place, "wave", "new", "w", "--name", "Đợt 1", "--opens", "01/11/2026", "--closes",
        "31/12/2099", "--owner", "vn34:08", "--word", "commune_word=phường", "--aggregate",
        "explicit", "--weight", "II.A=0,5", "--rank-set", "cities",
    )  # fmt: skip
    assert made.output == "Đợt w: Đợt 1, từ 01/11/2026 đến 31/12/2099\n"
    wave = waves.get(store, "w")
    assert (wave.owner_name, wave.place, wave.year) == ("tỉnh Tuyên Quang", "Tuyên Quang", 2026)
    assert (wave.weights, wave.rank_sets) == ({"II.A": 0.5}, ("cities",))
    assert run(place, "wave", "close", "w").exit_code == 0
    assert "w\tđóng" in run(place, "wave", "list").output
    assert run(place, "wave", "open", "w").output == "Đợt w mở đến hết ngày 31/12/2099\n"
    assert waves.events(store, "w")[0].reason == "Mở lại bằng dòng lệnh, không ghi lý do."
    assert run(place, "wave", "settle", "w", "900").exit_code == 0
    assert waves.get(store, "w").settled == 900
    assert "w\tđang mở" in run(place, "wave", "list").output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["wave", "close", "none"], "Không có đợt «none»"),
        (["wave", "open", "quay", "--until", "2020-01-01"], "01/01/2020 đã qua"),
        (["door", "add", "none", "vn34:08"], "Không có đợt «none»"),
        (["door", "add", "quay", "vn34:999"], "Không có đơn vị «vn34:999»"),
        (["door", "close", "99"], "Không có địa chỉ số 99"),
        (["units", "list", "vn34:999"], "Không có đơn vị"),
        (["responses", "export", "none", "-o", "x.csv"], "Không có đợt «none»"),
        (["user", "reset", "none"], "Không có tài khoản «none»"),
        (["restore", "none.sqlite"], "Không có tệp"),
    ],
)
def test_bad_input_is_exit_one_with_one_clear_line(place, words, message):
    found = run(place, *words)
    assert found.exit_code == 1
    assert message in found.output
    assert len(found.output.splitlines()) == 1


def test_every_fault_of_a_new_wave_is_listed(place):
    found = run(
        place, "wave", "new", "W!", "--name", "W", "--questionnaire", "none", "--closes",
        "2020-01-01", "--owner", "vn34:999",
    )  # fmt: skip
    assert found.exit_code == 1
    assert found.output.startswith("Lỗi: có 4 lỗi, không ghi gì:\n")


def test_a_door_prints_the_addresses_its_token_opens(place, store):
    found = run(place, "door", "add", "quay", "vn34:08", "--counter", "5")
    token = found.output.split("/k/")[1].split()[0]
    assert f"/q/{token}" in found.output
    kind, number = tokens.read(place.settings.secret, token)
    assert (kind, doors.get(store, number).counter) == ("counter", "5")
    assert f"/k/{token}" in run(place, "door", "list", "quay").output


def test_an_export_opens_in_a_spreadsheet_and_runs_no_formula(place, store, tmp_path):
    answered(store, place, comment='=HYPERLINK("http://x","y")')
    file = tmp_path / "out.csv"
    assert run(place, "responses", "export", "quay", "-o", str(file)).exit_code == 0
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == 3
    assert {row["comment"][:2] for row in rows} == {"'="}
    assert {row["m1"] for row in rows} == {"4"}
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\n=x"])
def test_a_cell_that_could_be_a_formula_is_made_harmless(text):
    assert tables.harmless(text) == "'" + text


@pytest.mark.parametrize(("value", "cell"), [(-1.5, -1.5), (None, ""), ("a=b", "a=b"), (3, 3)])
def test_other_cells_stay_as_they_are(value, cell):
    assert tables.harmless(value) == cell


def test_a_copy_is_one_verified_file_that_never_replaces_another(place, store, tmp_path):
    answered(store, place)
    file = tmp_path / "copy.sqlite"
    assert run(place, "backup", str(file)).output == f"Đã sao lưu 3 phiếu vào {file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert copies.verify(file) == 3
    assert [p.name for p in tmp_path.iterdir() if "copy" in p.name] == ["copy.sqlite"]
    again = run(place, "backup", str(file))
    assert again.exit_code == 1
    assert "đã có" in again.output


def test_a_copy_is_put_back_under_the_feet_of_who_reads(place, store, tmp_path):
    answered(store, place)
    run(place, "backup", str(tmp_path / "copy.sqlite"))
    answered(store, place, 4)
    count = "SELECT COUNT(*) FROM response"
    assert store.execute(count).fetchone()[0] == 7
    found = run(place, "restore", str(tmp_path / "copy.sqlite"))
    assert found.exit_code == 0, found.output
    assert store.execute(count).fetchone()[0] == 3
    [kept] = (place.settings.instance / "backups").iterdir()
    assert copies.verify(kept) == 7
    assert run(place, "check").output == "Dữ liệu nguyên vẹn: 3 phiếu, không có lỗi\n"


def test_a_restore_heals_a_database_beyond_reading(place, store, tmp_path):
    answered(store, place)
    run(place, "backup", str(tmp_path / "copy.sqlite"))
    store.close()
    place.settings.database.write_bytes(b"rubbish" * 4_000)
    broken = run(place, "check")
    assert broken.exit_code == 1
    assert "hỏng" in broken.output
    assert run(place, "restore", str(tmp_path / "copy.sqlite")).exit_code == 0
    assert run(place, "check").exit_code == 0
    assert len(list((place.settings.instance / "backups").iterdir())) == 1


def test_a_copy_makes_a_new_instance_and_the_missing_secret_is_told(place, store, tmp_path):
    answered(store, place)
    run(place, "backup", str(tmp_path / "copy.sqlite"))
    home = tmp_path / "elsewhere"
    assert run(home, "restore", str(tmp_path / "copy.sqlite"), "--dry-run").exit_code == 0
    assert not home.exists()
    found = run(home, "restore", str(tmp_path / "copy.sqlite"))
    assert found.exit_code == 0, found.output
    assert "tệp «secret» cũ" in found.output
    assert stat.S_IMODE((home / "sipas.sqlite").stat().st_mode) == 0o600
    assert run(home, "check").exit_code == 0


def test_a_damaged_or_foreign_copy_is_refused_before_anything_is_touched(place, store, tmp_path):
    answered(store, place, 200)
    file = tmp_path / "copy.sqlite"
    run(place, "backup", str(file))
    before = dump(place.settings.database)
    content = bytearray(file.read_bytes())
    content[20_000:24_000] = os.urandom(4_000)
    file.write_bytes(content)
    with closing(sqlite3.connect(tmp_path / "foreign.sqlite")) as other:
        other.execute("CREATE TABLE x (y)")
    for name in ("copy.sqlite", "foreign.sqlite"):
        found = run(place, "restore", str(tmp_path / name))
        assert found.exit_code == 1
        assert found.output.startswith("Lỗi: ")
    assert dump(place.settings.database) == before


def test_a_check_names_what_was_changed(place, store):
    answered(store, place)
    store.execute("UPDATE response SET answers = '{}' WHERE seq = 2")
    found = run(place, "check")
    assert found.exit_code == 1
    assert "Phiếu số 2: nội dung trả lời không khớp mã kiểm tra" in found.output


def test_a_database_of_an_older_program_asks_for_its_migration(tmp_path):
    home = config.create(tmp_path / "old")
    (home / config.DATABASE).touch()
    found = run(home, "wave", "list")
    assert found.exit_code == 1
    assert "sipas migrate" in found.output
    assert run(home, "migrate").output.startswith(
        f"{len(migrations.schema._migrations)} bước: m001_units"
    )
    assert run(home, "migrate").output == "Không có bước nào phải làm\n"
    assert run(home, "wave", "list").exit_code == 0


def test_a_full_disk_is_told_and_nothing_changes(place):
    before = dump(place.settings.database)
    home = str(place.settings.instance)
    found = subprocess.run(
        [sys.executable, "-m", "survey.cli", "--instance", home, "wave", "close", "quay"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )  # fmt: skip
    assert found.returncode == 1
    assert found.stderr.startswith("Lỗi: không ghi được dữ liệu, không có gì thay đổi")
    assert dump(place.settings.database) == before


@pytest.mark.parametrize(("form", "start"), [("pdf", b"%PDF-1.4"), ("csv", b"\xef\xbb\xbf")])
def test_a_report_is_written_whole_under_its_name(instance, tmp_path, form, start):
    file = tmp_path / f"report.{form}"
    words = ["report", "unit", "--wave", "ho-2026", "--format", form, "-o", str(file)]
    found = run(instance, *words, "--dry-run")
    assert (found.exit_code, file.exists()) == (0, False)
    found = run(instance, *words)
    assert found.exit_code == 0, found.output
    assert file.read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["unit", "--wave", "none"], 1, "Lỗi: Không có đợt «none»."),
        (["unit", "--wave", "ho-2026", "--unit", "vn34:99"], 1, "không có số liệu"),
        (["counter", "--wave", "ho-2026"], 1, "là mẫu xác suất"),
        (["yearly", "--wave", "ho-2026"], 2, "«yearly» không phải national, unit, counter"),
    ],
)
def test_a_report_that_cannot_be_is_refused(instance, tmp_path, words, code, message):
    found = run(instance, "report", *words, "-o", str(tmp_path / "r.pdf"))
    assert found.exit_code == code
    assert message in found.output
    assert not (tmp_path / "r.pdf").exists()


DESIGN = 'weight = "w"\nstratum = "h"\npsu = "v"\n[factors]\nF = ["x", "y"]\n'
DATA = "w,h,v,x,y\n1,a,1,4,5\n2,a,2,2,\n1.5,b,3,5,1\n3,b,4,3,4\n"


def estimate(tmp_path, design, data, *words):
    (tmp_path / "d.toml").write_text(design, encoding="utf-8")
    (tmp_path / "d.csv").write_text(data, encoding="utf-8")
    return CliRunner().invoke(
        main, ["estimate", str(tmp_path / "d.toml"), str(tmp_path / "d.csv"), *words]
    )


def test_an_estimate_of_any_file_needs_no_instance(tmp_path):
    printed = estimate(tmp_path, DESIGN, DATA)
    assert printed.exit_code == 0, printed.output
    assert json.loads(printed.output)["design"]["n"] == 4
    file = tmp_path / "out.json"
    assert estimate(tmp_path, DESIGN, DATA, "-o", str(file)).exit_code == 0
    assert json.loads(file.read_text("utf-8")) == json.loads(printed.output)


def test_every_fault_of_an_estimate_is_listed(tmp_path):
    found = estimate(
        tmp_path, DESIGN, DATA.replace("2,a,2,2", "2,a,2,7").replace("3,b,4", "-3,b,4")
    )
    assert found.exit_code == 1
    assert found.output.startswith("Lỗi: có 2 lỗi")
    assert "7" in found.output
    assert "-3" in found.output


def test_two_that_start_at_once_end_with_one_secret(tmp_path, monkeypatch):
    home = config.create(tmp_path / "i")
    kept = (home / "secret").read_bytes()
    monkeypatch.setattr("pathlib.Path.exists", lambda self: False)  # seen as missing by the second
    config.create(home)
    assert (home / "secret").read_bytes() == kept
    assert [p.name for p in home.iterdir()] == ["secret"]


def test_now_is_in_utc():
    from survey.store import clock

    assert abs(clock.now() - datetime.now(UTC)).total_seconds() < 5
