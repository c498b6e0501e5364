"""The commands of the sample: from files to the same list again, every refusal in one message."""

import csv
from contextlib import closing

import pytest
from click.testing import CliRunner

from survey import db
from survey.cli import main
from survey.store import units
from survey.store.clock import now

KEY = "mau-2026"
HEAD = "psu,stratum,unit,area,name,size\n"
VILLAGES = HEAD + "".join(
    f"{p}-{n},{p},{p},nông thôn,Thôn {n},{20 + n}\n" for p in ("08", "12") for n in range(1, 7)
)


@pytest.fixture
def run(instance):
    def call(*words):
        done = CliRunner().invoke(main, ["--instance", str(instance), "sample", *map(str, words)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    CliRunner().invoke(
        main,
        ["--instance", str(instance), "wave", "new", KEY, "--name", "Mẫu", "--kind",
         "probability", "--closes", "2099-12-31", "--owner", "vn34:00"],
    )  # fmt: skip
    return call


@pytest.fixture
def villages(tmp_path):
    path = tmp_path / "thon.csv"
    path.write_text(VILLAGES, "utf-8")
    return path


def listed(run, path):
    done = run("export", KEY, "-o", path)
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))


def homes(tmp_path, psus):
    path = tmp_path / "ho.csv"
    rows = "".join(f"{psu},{n},2,Lê {n},Số {n}\n" for psu in psus for n in range(1, 9))
    path.write_text("psu,household,adults,name,address\n" + rows, "utf-8")
    return path


@pytest.fixture
def drawn(run, villages, tmp_path):
    plan = ("plan", KEY, "--villages", 6, "--households", 4, "--reserves", 2)
    for words in (("frame", KEY, "villages", villages), plan):
        assert run(*words).exit_code == 0
    lists = homes(tmp_path, [f"{p}-{n}" for p in ("08", "12") for n in range(1, 7)])
    assert run("frame", KEY, "households", lists).exit_code == 0
    done = run("draw", KEY, "--seed", "xổ số")
    assert done.exit_code == 0, done.output
    return run


def test_one_command_draws_both_stages_and_another_draws_them_again(drawn):
    assert "6 thôn, 36 hộ: rút lại giống hệt." in drawn("check", KEY).output


def test_a_dry_run_says_the_same_and_writes_nothing(run, villages, tmp_path):
    assert "12 thôn trong 2 tầng, 282 hộ (chạy thử" in run(
        "frame", KEY, "villages", villages, "--dry-run"
    ).output  # fmt: skip
    run("frame", KEY, "villages", villages)
    run("plan", KEY, "--villages", 6)
    assert "không ghi gì" in run(
        "draw", KEY, "--stage", "villages", "--seed", "x", "--dry-run"
    ).output  # fmt: skip
    assert run("check", KEY).exit_code == 1


def test_the_list_has_names_only_when_asked(drawn, tmp_path):
    rows = listed(drawn, tmp_path / "mau.csv")
    assert len(rows) == 36
    assert "head" not in rows[0]
    drawn("export", KEY, "-o", tmp_path / "ten.csv", "--names")
    assert "Lê 1" in (tmp_path / "ten.csv").read_text("utf-8-sig")
    assert (tmp_path / "ten.csv").stat().st_mode & 0o077 == 0


def test_every_fault_of_a_file_is_told_and_the_code_is_one(run, tmp_path):
    path = tmp_path / "sai.csv"
    path.write_text(HEAD + "A1,x,99,nt,T,0\nA1,x,08,nt,T,5\nA1,x,08,nt,T,5\n", "utf-8")
    done = run("frame", KEY, "villages", path)

    assert done.exit_code == 1
    for words in ("có 3 lỗi trong sai.csv", "Dòng 2: số hộ “0”", "Dòng 4: thôn A1 đã có ở dòng 3"):
        assert words in done.output
    assert "không có thôn" not in done.output


def test_a_household_and_a_village_are_replaced_from_the_shell(drawn, tmp_path):
    first = listed(drawn, tmp_path / "a.csv")[0]
    done = drawn("replace", first["serial"], "--reason", "absent")
    assert "Hộ dự phòng số 1 thay thế" in done.output
    assert drawn("replace", first["serial"], "--reason", "absent").exit_code == 1
    done = drawn("drop", KEY, first["psu"], "--reason", "disaster")
    assert "thôn thay thế" in done.output
    again = drawn("drop", KEY, first["psu"], "--reason", "disaster")
    assert (again.exit_code, "Không có thôn" in again.output) == (1, True)
    assert drawn("draw", KEY, "--stage", "households").exit_code == 0
    assert "rút lại giống hệt" in drawn("check", KEY).output


def test_a_draw_is_taken_back_with_a_reason(drawn):
    assert drawn("undo", KEY).exit_code == 2
    assert drawn("undo", KEY, "--reason", "nhầm danh sách").exit_code == 0
    done = drawn("undo", KEY, "--reason", "nhầm")
    assert (done.exit_code, "chưa rút mẫu" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("check", "nowhere"), 1, "Không có đợt «nowhere»"),
        (("check", "quay-2026"), 1, "không phải khảo sát theo mẫu"),
        (("plan", KEY, "--villages", 5), 1, "Chưa nạp danh sách thôn"),
        (("plan", KEY, "--take", "x"), 2, "không có dạng TẦNG=SỐ"),
        (("replace", "1234", "--reason", "absent"), 1, "Không có phiếu"),
        (("size", "--half-width", "2"), 1, "half_width"),
        (("draw", KEY, "--seed", "x"), 1, "Chưa nạp danh sách thôn"),
    ],
)
def test_what_cannot_be_is_said_in_one_message(run, words, code, says):
    done = run(*words)

    assert (done.exit_code, says in done.output) == (code, True), done.output


def test_what_the_store_refuses_is_said_as_on_the_pages(drawn, villages):
    done = drawn("frame", KEY, "villages", villages)

    assert done.exit_code == 1
    assert "Danh sách thôn không đổi được nữa" in done.output


def test_the_size_of_a_sample_knows_villages_and_refusals(run):
    text = run("size", "--half-width", "0.04").output

    assert "1123 phiếu hợp lệ, phát 1183 phiếu, 40 thôn" in text
    assert "công thức quy định: 400 phiếu" in text


COMMUNES = HEAD + "".join(
    f"{c}-{n},08,{c},nông thôn,Thôn {n},{20 + n}\n"
    for c in ("90001", "90002", "90003", "90004")
    for n in range(1, 2 if c == "90004" else 5)
)


@pytest.fixture
def communes(run, instance, tmp_path):
    with closing(db.connect(instance / "sipas.sqlite")) as base:
        rows = [
            units.Unit("vn34", f"9000{n}", "2025-07-01", None, "commune", "xã", f"Xã {n}",
                       f"xa{n}", "vn34:08")
            for n in range(1, 5)
        ]  # fmt: skip
        units.import_rows(base, rows, source="test", now=now(), actor="shell:test")
    path = tmp_path / "xa.csv"
    path.write_text(COMMUNES, "utf-8")
    assert run("frame", KEY, "villages", path).exit_code == 0
    return run


def test_communes_are_drawn_before_villages_and_again(communes, tmp_path):
    done = communes("plan", KEY, "--communes", 3, "--households", 4, "--reserves", 2)
    assert "08\t3/4 xã" in done.output
    assert "3 xã (size), mỗi xã 2 thôn, nhiều nhất 6 thôn" in done.output
    assert "1 xã có ít hơn 2 thôn" in done.output
    assert communes("draw", KEY, "--stage", "villages", "--seed", "s").exit_code == 0
    psus = [f"9000{c}-{n}" for c in range(1, 5) for n in range(1, 2 if c == 4 else 5)]
    for psu in psus:  # a list of a village that was not drawn is a fault
        communes("frame", KEY, "households", homes(tmp_path, [psu]))
    assert communes("draw", KEY, "--stage", "households").exit_code == 0
    assert "rút lại giống hệt" in communes("check", KEY).output

    rows = listed(communes, tmp_path / "mau.csv")
    assert {row["cluster"] or row["certain"] for row in rows} == {
        f"08/{row['unit']}" for row in rows
    }
    assert len({row["unit"] for row in rows}) == 3


def test_a_plan_changes_between_villages_and_communes_only_as_a_whole(communes):
    assert communes("plan", KEY, "--communes", 2, "--per-commune", 3).exit_code == 0
    for words in (("--villages", 4), ("--per-commune", 0)):
        assert communes("plan", KEY, *words).exit_code == 1
    assert "xã không phân bổ được" in communes("plan", KEY, "--communes", 9).output
    done = communes("plan", KEY, "--take", "08=3", "--commune-method", "simple")
    assert "3 xã (simple), mỗi xã 3 thôn" in done.output
    done = communes("plan", KEY, "--per-commune", 0, "--villages", 5)
    assert "5 thôn (size), mỗi thôn" in done.output
    done = communes("plan", KEY, "--per-commune", 2, "--take", "08=2")
    assert "2 xã (simple), mỗi xã 2 thôn" in done.output


def test_the_size_of_a_sample_of_communes_is_larger(run):
    text = run("size", "--half-width", "0.04", "--per-commune", 3).output

    assert "1483 phiếu hợp lệ, phát 1562 phiếu, 53 thôn ở 18 xã" in text
    bad = run("size", "--half-width", "0.04", "--per-commune", 3, "--commune-icc", 0.2)
    assert (bad.exit_code, "area_icc" in bad.output) == (1, True)
