"""The commands of paper: forms, lots and sheets from the shell."""

from __future__ import annotations

import paper_wave
import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from survey import db, serials
from survey.cli import main
from survey.store import cases, lots

WAVE = paper_wave.WAVE


@pytest.fixture
def store(settings):
    opened = db.connect(settings.database)
    yield opened
    opened.close()


@pytest.fixture
def facts(store):
    return paper_wave.make(store)


@pytest.fixture
def sipas(instance, facts):
    def call(*arguments):
        return CliRunner().invoke(main, ["--instance", str(instance), "paper", *arguments])

    return call


@pytest.fixture
def assigned(sipas, facts, tmp_path):
    """Two lots: two villages together, one alone."""
    file = tmp_path / "giao.csv"
    first, second, third, *_ = facts.psus
    file.write_text(
        "psu,interviewer,due_on,lot\n"
        f"{first},dieutra,2099-12-01,a\n{second},dieutra,2099-12-01,a\n{third},DIEUTRA2,,\n",
        "utf-8",
    )
    done = sipas("lots", "make", WAVE, str(file))
    assert done.exit_code == 0, done.output
    assert "2 lô, 18 phiếu (L000001 đến L000002)" in done.output
    return [f"L00000{n}" for n in (1, 2)]


def test_lots_are_made_from_a_file(store, assigned):
    first, second = lots.of_wave(store, WAVE)

    assert [first.code, second.code] == assigned
    assert first.due_on == "2099-12-01"
    assert len(cases.of_lot(store, first.id)) == 12


def test_every_faulty_line_is_named_and_nothing_is_made(sipas, store, facts, tmp_path):
    file = tmp_path / "giao.csv"
    file.write_text(
        "psu;interviewer;due_on\n"
        f"{facts.psus[0]};nhap1;\n"
        "khong-co;dieutra;\n"
        f"{facts.psus[-1]};dieutra;\n"
        f"{facts.psus[1]};dieutra;mai\n",
        "utf-8",
    )
    done = sipas("lots", "make", WAVE, str(file))

    assert done.exit_code == 1
    for line, words in ((2, "không có điều tra viên"), (3, "không có phiếu nào"),
                        (4, "không thuộc đơn vị"), (5, "phải có dạng")):  # fmt: skip
        assert f"Dòng {line}: " in done.output
        assert words in done.output
    assert lots.of_wave(store, WAVE) == []


def test_a_dry_run_writes_nothing(sipas, store, facts, tmp_path):
    file = tmp_path / "giao.csv"
    file.write_text(f"psu,interviewer\n{facts.psus[0]},dieutra\n", "utf-8")
    out = tmp_path / "phieu.pdf"

    assert "1 lô, 6 phiếu" in sipas("lots", "make", WAVE, str(file), "--dry-run").output
    assert "48 phiếu" in sipas("forms", WAVE, "-o", str(out), "--dry-run").output
    assert lots.of_wave(store, WAVE) == []
    assert not out.exists()
    assert cases.get(store, facts.main[0]).print_run is None


def test_forms_are_printed_alike_each_time(sipas, tmp_path):
    out = tmp_path / "phieu.pdf"
    first = sipas("forms", WAVE, "--psu", "08-u1", "-o", str(out))
    data = out.read_bytes()
    sipas("forms", WAVE, "--psu", "08-u1", "-o", str(out))

    assert "6 phiếu, 24 trang" in first.output
    assert out.read_bytes() == data


def test_a_folder_gets_a_file_for_each_lot_and_one_for_the_rest(sipas, assigned, tmp_path):
    folder = tmp_path / "in"
    done = sipas("forms", WAVE, "--unit", paper_wave.HOME, "--large", "-o", str(folder))

    assert "24 phiếu, 144 trang" in done.output
    assert sorted(path.name for path in folder.iterdir()) == [
        "L000001-phieu-chu-lon.pdf", "L000002-phieu-chu-lon.pdf",
        f"{WAVE}-chua-co-lo-phieu-chu-lon.pdf",
    ]  # fmt: skip


def test_the_forms_of_one_lot(sipas, assigned, tmp_path):
    out = tmp_path / "lo.pdf"

    assert "6 phiếu" in sipas("forms", WAVE, "--lot", "l000002", "-o", str(out)).output
    assert len(PdfReader(out).pages) == 24


@pytest.mark.parametrize(
    "arguments",
    [
        ("forms", "không-có", "-o", "x.pdf"),
        ("forms", WAVE, "--lot", "L999", "-o", "x.pdf"),
        ("forms", WAVE, "--unit", "vn34:99", "-o", "x.pdf"),
        ("forms", WAVE, "--psu", "khong-co", "-o", "x.pdf"),
        ("handover", "L999", "-o", "x.pdf"),
        ("handover", "--wave", WAVE, "-o", "x.pdf"),
        ("lots", "list", "không-có"),
        ("lots", "issue", "L999"),
    ],
)
def test_what_is_not_there_is_said(sipas, arguments):
    done = sipas(*arguments)

    assert done.exit_code == 1
    assert "Không có" in done.output


def test_a_lot_is_issued_and_comes_back_by_file(sipas, store, assigned, tmp_path):
    assert "1 lô đã giao" in sipas("lots", "issue", assigned[1]).output
    [one] = [lot for lot in lots.of_wave(store, WAVE) if lot.code == assigned[1]]
    first, second, *_ = [case.id for case in cases.of_lot(store, one.id)]
    file = tmp_path / "ve.csv"
    file.write_text(f"serial,outcome\n{serials.printed(first)},refused\n", "utf-8")
    done = sipas("lots", "back", assigned[1], str(file), "--rest")

    assert f"{assigned[1]}: 6 phiếu, đã về đủ" in done.output
    assert cases.get(store, first).state == "refused"
    assert cases.get(store, second).state == "collected"
    assert "5 về" in sipas("lots", "list", WAVE).output


def test_every_faulty_line_of_a_return_is_named(sipas, store, assigned, facts, tmp_path):
    sipas("lots", "issue", assigned[1])
    own, other = (serials.serial(facts.cases[facts.psus[n]][0]) for n in (2, 0))
    file = tmp_path / "ve.csv"
    file.write_text(
        f"serial,outcome\n123,collected\n{other},collected\n{own},lost\n{own},absent\n{own},absent\n",
        "utf-8",
    )
    done = sipas("lots", "back", assigned[1], str(file))

    assert done.exit_code == 1
    assert [line for line in (2, 3, 4, 6) if f"Dòng {line}:" in done.output] == [2, 3, 4, 6]
    assert cases.get(store, facts.cases[facts.psus[2]][0]).state == "assigned"


def test_sheets_go_into_one_file_or_a_folder(sipas, assigned, tmp_path):
    for name in ("handover", "cover", "households"):
        assert "2 lô, 2 trang" in sipas(name, "--wave", WAVE, "-o", str(tmp_path / "a.pdf")).output
    sipas("cover", *assigned, "-o", str(tmp_path))

    assert (tmp_path / "L000002-cover.pdf").exists()


def test_a_wave_that_pays_nothing_has_no_list_of_payments(sipas, assigned, tmp_path):
    done = sipas("payments", "--wave", WAVE, "-o", str(tmp_path / "a.pdf"))

    assert done.exit_code == 1
    assert "không trả tiền" in done.output


def test_either_lots_or_a_wave_are_named(sipas, tmp_path):
    assert sipas("cover", "-o", str(tmp_path / "a.pdf")).exit_code == 2
    assert sipas("lots", "back", "L000001").exit_code == 2


def test_printing_names_is_written_down(sipas, store, assigned, tmp_path):
    sipas("households", assigned[0], "-o", str(tmp_path / "a.pdf"))
    sipas("handover", assigned[0], "-o", str(tmp_path / "b.pdf"))
    rows = store.execute("SELECT subject FROM audit WHERE action = 'lot.names'").fetchall()

    assert [row["subject"] for row in rows] == [assigned[0]]


def test_single_forms_are_printed_again_by_their_numbers(sipas, facts, tmp_path):
    out = tmp_path / "lai.pdf"
    first, second = (serials.printed(case) for case in facts.main[:2])
    done = sipas("forms", WAVE, "--serial", first, "--serial", second, "-o", str(out))
    wrong = sipas("forms", WAVE, "--serial", "123", "--serial", "00000018", "-o", str(out))

    assert "2 phiếu, 8 trang" in done.output
    assert wrong.exit_code == 1
    assert "«123» sai" in wrong.output
    assert "không có phiếu «00000018»" in wrong.output
