"""Pictures of scanned pages: proved by their digests, and removed when their wave's day is past."""

import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import paper_wave
import pytest
import scanned
from click.testing import CliRunner
from paper_wave import NOW, WAVE

from survey import db, retention
from survey.cli import main
from survey.entry import keeping, reading
from survey.entry.shelf import Shelf
from survey.store import Refused, entries, plans, removal, scans, waves

ACT = {"now": NOW, "actor": "staff:test"}
FIELDS = paper_wave.fields(3)
LATER = NOW + timedelta(days=removal.DAYS)


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def case(base):
    made = paper_wave.make(base)
    plans.set(base, WAVE, plans.PaperPlan(scan_share=0.0, seed="hat-giong-2026"), **ACT)
    return made.main[0]


@pytest.fixture
def upload(base, case, settings, tmp_path):
    """A form that was scanned and read, with a line of handwriting in it."""

    def comment(number, page):
        if number == scanned.PAGES:
            scanned.write(page, "comment")

    run = scanned.printed(base, [case])
    pages = scanned.filled(FIELDS, secret=settings.secret, run=run, case=case, change=comment)
    data = scanned.pdf(tmp_path / "quet.pdf", pages).read_bytes()
    digest = Shelf(settings.instance).take([data], f"0-{uuid4().hex}")
    made, _ = scans.add(base, WAVE, name="quét 1.pdf", digest=digest, staff=None, **ACT)
    reading.work(settings)
    return scans.get(base, made.id)


@pytest.fixture
def shelf(settings):
    return Shelf(settings.instance)


def faults(base, settings):
    return list(keeping.faults(base, settings.instance))


def run(settings, *words):
    return CliRunner().invoke(main, ["--instance", str(settings.instance), *words])


def test_pictures_as_they_were_read_are_no_fault(base, upload, settings):
    assert faults(base, settings) == []
    assert run(settings, "check").exit_code == 0


def test_pictures_that_are_missing_or_changed_are_named_by_file_and_page(
    base, upload, settings, shelf
):
    first, second, *_, last = scans.pages_of(base, upload.id)
    shelf.picture(first.file).unlink()
    shelf.picture(second.file).write_bytes(b"another picture")
    [doubt] = last.doubts.values()
    shelf.picture(doubt["file"]).unlink()

    name = f"Tệp quét số {upload.id} «quét 1.pdf» của đợt {WAVE}"
    assert faults(base, settings) == [
        f"{name}: mất ảnh của trang 1, 4",
        f"{name}: ảnh đã bị sửa hoặc hỏng ở trang 2",
    ]
    told = run(settings, "check")
    assert told.exit_code == 1
    assert "mất ảnh của trang 1, 4" in told.output


def test_an_original_may_go_once_it_is_read_and_must_not_have_changed(
    base, upload, settings, shelf
):
    path = shelf.upload(upload.digest)
    path.write_bytes(b"%PDF-")
    assert [fault.rpartition(": ")[2] for fault in faults(base, settings)] == [
        "tệp gốc đã bị sửa hoặc hỏng"
    ]

    path.unlink()
    assert faults(base, settings) == []
    scans.again(base, upload.id, **ACT)
    assert [fault.rpartition(": ")[2] for fault in faults(base, settings)] == [
        "mất tệp gốc khi chưa đọc xong"
    ]


def test_pictures_are_checked_without_the_reader():
    program = "import survey.entry.keeping, sys; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def cleared(base, settings, moment):
    """What a run of the day does, as the command does it."""
    report = retention.run(base, now=moment, actor="shell:test")
    for path in keeping.expired(base, settings.instance, moment):
        path.unlink()
    return report


def close(base, upload):
    """Decide what is open and close the wave, without the duty of locking its weights."""
    base.execute("UPDATE wave SET closed_at = ? WHERE key = ?", (NOW.isoformat(), WAVE))


def test_pictures_go_some_days_after_their_wave_is_closed_and_marks_stay(
    base, upload, settings, shelf
):
    before = scans.pages_of(base, upload.id)
    close(base, upload)

    early = cleared(base, settings, LATER - timedelta(days=1))
    assert (early.deleted.pages, len(list(shelf.files()))) == (0, 1 + 4 + 1)
    assert early.paper == (removal.Kept(WAVE, 4, 0, LATER.date()),)
    assert f"ảnh của 4 trang quét của đợt {WAVE}: xóa ngày " in "\n".join(early.lines())

    late = cleared(base, settings, LATER)
    assert (late.deleted.pages, late.paper, list(shelf.files())) == (4, (), [])
    assert "ảnh của 4 trang quét của đợt đóng đã 90 ngày" in "\n".join(late.lines())
    assert scans.pages_of(base, upload.id) == before
    assert faults(base, settings) == []
    assert cleared(base, settings, LATER).deleted.pages == 0


def test_pictures_of_a_wave_that_is_not_closed_stay_however_old(base, upload, settings, shelf):
    report = cleared(base, settings, NOW + timedelta(days=999))

    assert len(list(shelf.files())) == 6
    assert f"trang quét của đợt {WAVE}: xóa khi đợt đóng đã 90 ngày" in "\n".join(report.lines())


def test_files_left_behind_by_a_killed_run_go_with_the_next(base, upload, settings, shelf):
    close(base, upload)
    retention.run(base, now=LATER, actor="shell:test")

    assert len(keeping.expired(base, settings.instance, LATER)) == 6


def test_a_picture_that_nothing_names_goes_after_as_long(base, upload, settings, shelf):
    loose = shelf.picture(shelf.put(b"a page that was read anew"))
    now = NOW.fromtimestamp(loose.stat().st_mtime, NOW.tzinfo)

    assert keeping.expired(base, settings.instance, now) == []
    later = now + timedelta(days=removal.DAYS, seconds=1)
    assert keeping.expired(base, settings.instance, later) == [loose]


def test_removed_pages_are_not_read_again_and_say_since_when(base, upload, settings):
    close(base, upload)
    cleared(base, settings, LATER)

    with pytest.raises(Refused, match="scan_removed") as refusal:
        scans.again(base, upload.id, **ACT)
    assert refusal.value.facts["on"] == LATER.date().isoformat()


def test_notes_of_call_backs_go_with_the_pictures_and_outcomes_stay(base, case):
    base.execute(
        "INSERT INTO callback (case_id, wave, drawn_at, outcome, note) VALUES (?, ?, '', 'done',"
        " 'Nhà có chó dữ')",
        (case, WAVE),
    )
    close(base, None)
    report = retention.run(base, now=LATER - timedelta(days=1), actor="shell:test")
    assert f"  1 ghi chú phúc tra của đợt {WAVE}: xóa ngày " in "\n".join(report.lines())

    assert retention.run(base, now=LATER, actor="shell:test").deleted.notes == 1
    row = base.execute("SELECT outcome, note FROM callback").fetchone()
    assert tuple(row) == ("done", "")


def test_the_command_removes_the_files_and_a_dry_run_none(base, upload, settings, shelf):
    base.execute("UPDATE wave SET closed_at = '2020-01-01T00:00:00.000Z' WHERE key = ?", (WAVE,))

    dry = run(settings, "retention", "--dry-run")
    assert "Tệp ảnh quét phải xóa: 6" in dry.output
    assert len(list(shelf.files())) == 6
    assert run(settings, "retention").exit_code == 0
    assert list(shelf.files()) == []
    assert entries.of_case(base, 1) == []
    assert waves.get(base, WAVE).closed_at is not None
