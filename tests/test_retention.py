"""The daily run: deletes what is past its day, says so, and touches no answer."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from faults import ground
from test_contacts import hand_over, leave

from survey import retention
from survey.cli import main
from survey.store import audit, clock, rates, responses

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


@pytest.fixture
def place(tmp_path):
    return ground.make(tmp_path / "instance")


@pytest.fixture
def store(place):
    with place.connect() as base:
        yield base


@pytest.fixture
def full(store, place):
    """A number of each kind past its day and one that is not, and what else grows old."""
    leave(store, 1, "0912000001", "2026-11-20", wave=place.door.wave)
    leave(store, 2, "0912000002", "2026-12-20", wave=place.door.wave)
    leave(store, 3, "0912000003", "2027-01-20", wave=place.door.wave)
    hand_over(store, "H1", "0912000004", "2026-11-22")
    hand_over(store, "H2", "0912000005", "2026-11-30")
    rates.hit(store, "receipt:x", 600, 5, now=NOW - timedelta(days=2))
    rates.hit(store, "receipt:y", 600, 5, now=NOW)
    store.execute(
        "INSERT INTO phone_call (dossier, at, actor, outcome)"
        " VALUES ('H1', '2026-01-01T00:00:00.000Z', 'staff:a', 'later')"
    )
    responses.bulk(store, [ground.incoming(place.door)], received_at=NOW - timedelta(days=900))
    return store


def count(store, table):
    return store.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]


def test_what_is_past_its_day_goes_and_the_rest_stays(full):
    report = retention.run(full, now=NOW, actor="shell:a")

    assert report.deleted == retention.Deleted(1, 1, 0, 1, 1, 0)
    assert (count(full, "contact"), count(full, "dossier_contact"), count(full, "rate")) == (
        2,
        1,
        1,
    )


def test_a_second_run_finds_nothing_more(full):
    retention.run(full, now=NOW, actor="shell:a")

    assert retention.run(full, now=NOW, actor="shell:a").deleted.total == 0


def test_no_answer_is_touched_however_old(full):
    retention.run(full, now=NOW + timedelta(days=9999), actor="shell:a")

    assert count(full, "response") == 1


def test_a_run_is_in_the_audit_with_its_counts_and_without_numbers(full):
    retention.run(full, now=NOW, actor="shell:a")
    row = full.execute("SELECT * FROM audit ORDER BY seq DESC LIMIT 1").fetchone()

    assert (row["actor"], row["action"], row["subject"]) == (
        "shell:a", "retention.run", "2026-11-22",
    )  # fmt: skip
    assert json.loads(row["detail"])["contacts"] == 1
    assert "0912" not in row["detail"]
    assert list(audit.verify(full)) == []


def test_the_report_says_in_vietnamese_what_went_and_what_is_kept_until_when(full, place):
    text = "\n".join(retention.run(full, now=NOW, actor="shell:a").lines())

    assert "Ngày 22/11/2026. Đã xóa:" in text
    assert "1 số điện thoại người dân để lại, đã đến ngày xóa" in text
    assert "2 số điện thoại đợt " + place.door.wave in text
    assert "xóa từ ngày 20/12/2026 đến ngày 20/01/2027" in text
    assert "1 số điện thoại kèm hồ sơ: xóa ngày 30/11/2026" in text
    assert "0912" not in text


def test_with_nothing_kept_the_report_says_so(store):
    assert "Không còn giữ số điện thoại nào." in retention.run(store, now=NOW, actor="a").lines()


def test_the_day_is_the_one_in_vietnam(full):
    before_midnight = datetime(2026, 11, 29, 16, 59, tzinfo=UTC)
    retention.run(full, now=before_midnight, actor="shell:a")
    assert count(full, "dossier_contact") == 1

    retention.run(full, now=before_midnight + timedelta(minutes=2), actor="shell:a")
    assert count(full, "dossier_contact") == 0


def command(place, *words):
    return CliRunner().invoke(
        main, ["--instance", str(place.settings.instance), "retention", *words]
    )


def test_the_command_prints_the_report(full, place):
    done = command(place)

    assert done.exit_code == 0, done.output
    assert "Đã xóa:" in done.output
    assert count(full, "contact") < 3


def outbox(place):
    """A file of messages of long ago, and one of today."""
    folder = place.settings.instance / "outbox"
    folder.mkdir()
    for on in ("2026-01-01", clock.day(clock.now()).isoformat()):
        (folder / f"{on}.jsonl").write_text("{}\n")
    return folder


def test_the_command_clears_old_files_of_the_outbox(full, place):
    folder = outbox(place)

    assert "1 tệp tin nhắn chờ gửi cũ hơn 7 ngày" in command(place).output
    assert len(list(folder.iterdir())) == 1


def test_a_dry_run_deletes_nothing(full, place):
    folder = outbox(place)
    rows = count(full, "audit")
    done = command(place, "--dry-run")

    assert done.exit_code == 0, done.output
    assert "không ghi gì" in done.output
    assert count(full, "contact") == 3
    assert count(full, "audit") == rows
    assert len(list(folder.iterdir())) == 2
