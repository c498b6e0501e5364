"""Links by message: words that fit, each dossier once, the number nowhere but in the message."""

import io
import json
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta

import pytest
from click.testing import CliRunner
from small_wave import COMMUNE, COUNTER, LAI_CHAU, NOW, SURVEY, TUYEN_QUANG

from survey import db, tokens
from survey.cli import main
from survey.counter import messages
from survey.store import doors, dossiers, waves
from survey.store import messages as store

PHONE = "0912345678"
ROOT = "https://hl.tuyenquang.gov.vn"
TODAY = date(2026, 11, 22)


class Gateway:
    """A sender that notes what it was given, refuses some numbers and breaks on others."""

    accents = False
    refused, broken = "0900000001", "0900000002"

    def __init__(self):
        self.got = []

    def send(self, to, text):
        if to == self.refused:
            raise messages.SendError(f"no such number {to}")
        if to == self.broken:
            raise TimeoutError
        self.got.append((to, text))


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


def dossier(n, *, unit=COMMUNE, settled=TODAY, phone=PHONE, officer=None):
    return dossiers.Dossier(
        key=f"H08.000-261122-1{n:03}", service="Khai sinh", receiving_unit=unit,
        resolving_unit=unit, officer=officer, received_on=date(2026, 11, 2),
        due_on=date(2026, 11, 23), settled_on=settled, phone=phone,
    )  # fmt: skip


def put(base, *rows):
    dossiers.put(base, rows, now=NOW, actor="shell:test", source="test")


def send(base, settings, by, unit="", now=NOW, waited=None, rate=5.0):
    wave = waves.get(base, COUNTER)
    job = messages.Job(wave, unit, ROOT, settings.secret, "shell:test", rate)
    pause = waited.append if waited is not None else lambda _: None
    return list(messages.deliver(base, job, "test", by, now=lambda: now, pause=pause))


def rows(base, table):
    return [dict(row) for row in base.execute(f"SELECT * FROM {table}")]


def test_each_settled_dossier_with_a_number_gets_its_link_once(base, settings):
    put(base, dossier(1), dossier(2, phone="0987654321"), dossier(3, settled=None))
    put(base, dossier(4, phone=""), dossier(5, settled=date(2025, 12, 31)))
    gateway = Gateway()

    assert send(base, settings, gateway) == [True, True]
    assert send(base, settings, gateway) == []
    assert [to for to, _ in gateway.got] == [PHONE, "0987654321"]
    sent = rows(base, "message")
    assert [(m["state"], m["fault"], m["via"]) for m in sent] == [("sent", "", "test")] * 2
    for message, (_, words) in zip(sent, gateway.got, strict=True):
        assert words.endswith(
            f"{ROOT}/q/{tokens.issue(settings.secret, 'dossier', message['door'])}"
        )


def test_a_link_of_a_message_opens_the_form(app, base, settings, client):
    put(base, dossier(1))
    gateway = Gateway()
    send(base, settings, gateway)

    assert client.get(gateway.got[0][1].partition(ROOT)[2]).status_code == 200


def test_a_dossier_that_has_answered_is_left_alone(base, settings):
    put(base, dossier(1))
    with db.write(base):
        base.execute("INSERT INTO dossier_answer VALUES (?, 'x')", [dossier(1).key])

    assert send(base, settings, Gateway()) == []


def test_a_number_past_its_day_is_not_used(base, settings):
    put(base, dossier(1))

    assert send(base, settings, Gateway(), now=NOW + timedelta(days=60)) == []


def test_only_the_unit_asked_for_and_what_lies_under_it(base, settings):
    put(base, dossier(1), dossier(2, unit=LAI_CHAU, phone="0987654321"))
    gateway = Gateway()

    assert send(base, settings, gateway, unit=TUYEN_QUANG) == [True]
    assert [to for to, _ in gateway.got] == [PHONE]


def test_a_refusal_is_kept_without_the_number_and_tried_three_times(base, settings):
    put(base, dossier(1, phone=Gateway.refused))

    for _ in range(store.TRIES):
        assert send(base, settings, Gateway()) == [False]
    assert send(base, settings, Gateway()) == []
    assert {m["fault"] for m in rows(base, "message")} == {"no such number •••••••001"}


def test_a_message_nobody_saw_the_end_of_is_never_sent_again(base, settings):
    put(base, dossier(1, phone=Gateway.broken), dossier(2))
    gateway = Gateway()
    with pytest.raises(TimeoutError):
        send(base, settings, gateway)

    assert send(base, settings, gateway) == [True]
    assert [to for to, _ in gateway.got] == [PHONE]
    assert store.counts(base, COUNTER) == {"sent": 1, "unknown": 1, "failed": 0}


def test_two_runs_at_once_send_each_link_once(base, settings):
    put(base, *(dossier(n, phone=f"09123450{n:02}") for n in range(40)))
    gateway = Gateway()

    def run(_):
        with closing(db.connect(settings.database)) as own:
            return len(send(own, settings, gateway))

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(run, range(3)))

    assert sum(done) == 40
    assert len(set(gateway.got)) == len(gateway.got) == 40


def test_a_run_is_paced_and_told_in_the_audit_without_numbers(base, settings):
    put(base, dossier(1), dossier(2), dossier(3, phone=Gateway.refused))
    waited = []
    send(base, settings, Gateway(), waited=waited, rate=4)
    [row] = [r for r in rows(base, "audit") if r["action"] == "links.send"]

    assert waited == [0.25, 0.25]
    assert json.loads(row["detail"]) == {"sent": 2, "failed": 1, "via": "test"}
    everything = json.dumps(rows(base, "audit") + rows(base, "message"))
    assert PHONE not in everything
    assert Gateway.refused not in everything


def door(number=12):
    return doors.Door(id=number, kind="dossier", wave=COUNTER, unit=COMMUNE, dossier_key="H")


@pytest.mark.parametrize("owner", ["Sở Nội vụ", "Ủy ban nhân dân thành phố rất là dài " * 5])
@pytest.mark.parametrize("accents", [True, False])
def test_the_words_fit_whatever_the_office_is_called(base, owner, accents):
    import dataclasses

    wave = dataclasses.replace(waves.get(base, COUNTER), owner_name=owner)
    words = messages.text(
        "000.19.08.H08-261122-0001", door(2**40), wave, secret=b"s" * 32, root=ROOT,
        accents=accents,
    )  # fmt: skip

    assert f"{ROOT}/q/d" in words
    assert "000.19.08.H08-261122-0001" in words
    assert len(words) <= (messages.ACCENTED if accents else messages.PLAIN)
    assert words.isascii() or accents
    assert ("Ông/Bà" if accents else "Ong/Ba") in words


def test_a_committee_is_named_as_everybody_abbreviates_it(base):
    import dataclasses

    wave = dataclasses.replace(
        waves.get(base, COUNTER), owner_name="Ủy ban nhân dân phường Minh Xuân"
    )
    words = messages.text(
        "000.19.08.H08-261122-0001", door(81234), wave, secret=b"s" * 32, root=ROOT, accents=True
    )

    assert words.startswith("UBND phường Minh Xuân mời Ông/Bà đánh giá hồ sơ 000.19.08.H08")


def test_an_address_that_leaves_no_room_is_refused(base):
    with pytest.raises(messages.TooLongError, match="quá dài"):
        messages.text(
            "H", door(), waves.get(base, COUNTER), secret=b"s" * 32, accents=False,
            root="https://" + "x" * 150,
        )  # fmt: skip


def test_vietnamese_without_diacritics_keeps_every_letter():
    assert messages.unaccented("Đặt lịch hẹn – “Ưỡn ẹo”, đường Nguyễn Huệ 😀") == (
        'Dat lich hen - "Uon eo", duong Nguyen Hue ?'
    )


def test_sending_is_off_until_somebody_turns_it_on(tmp_path):
    assert messages.sender(tmp_path, {}) is None
    assert messages.sender(tmp_path, {"SIPAS_SENDER": "off"}) is None


def test_the_file_sender_leaves_lines_that_only_its_owner_reads(tmp_path):
    name, by = messages.sender(tmp_path, {"SIPAS_SENDER": "file", "SIPAS_SENDER_ACCENTS": "1"})
    by.send(PHONE, "Mời Ông/Bà")
    by.send(PHONE, "Lần hai")
    [file] = (tmp_path / "outbox").iterdir()
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]

    assert (name, by.accents) == ("file", True)
    assert [(line["to"], line["text"]) for line in lines] == [
        (PHONE, "Mời Ông/Bà"), (PHONE, "Lần hai"),
    ]  # fmt: skip
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_outbox_forgets_numbers_after_a_week(tmp_path, monkeypatch):
    _, by = messages.sender(tmp_path, {"SIPAS_SENDER": "file"})
    for days in (0, 6, 8):
        monkeypatch.setattr(messages.clock, "now", lambda days=days: NOW + timedelta(days=days))
        by.send(PHONE, "x")

    left = sorted(path.name for path in (tmp_path / "outbox").iterdir())
    assert left == ["2026-11-28.jsonl", "2026-11-30.jsonl"]


def test_a_file_that_cannot_be_written_is_a_refusal(tmp_path):
    (tmp_path / "outbox").write_text("in the way")
    _, by = messages.sender(tmp_path, {"SIPAS_SENDER": "file"})

    with pytest.raises(messages.SendError):
        by.send(PHONE, "x")


def test_the_console_shows_no_whole_number(tmp_path):
    out = io.StringIO()
    messages.ConsoleSender(out, accents=True).send(PHONE, "Mời Ông/Bà")

    assert out.getvalue() == "•••••••678: Mời Ông/Bà\n"


def test_an_office_plugs_in_its_own_sender(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gateway", sys.modules[__name__])
    name, by = messages.sender(tmp_path, {"SIPAS_SENDER": "gateway:Gateway"})

    assert (name, type(by)) == ("gateway:Gateway", Gateway)


@pytest.mark.parametrize(
    "name", ["sms", "nowhere:X", "json:Nothing", "json:JSONDecoder", ":", "x:"]
)
def test_what_is_no_sender_is_refused(tmp_path, name):
    with pytest.raises(messages.SenderError, match="SIPAS_SENDER"):
        messages.sender(tmp_path, {"SIPAS_SENDER": name})


def run(instance, *words, **env):
    env = {"SIPAS_ADDRESS": ROOT, "SIPAS_SENDER": ""} | env
    return CliRunner().invoke(main, ["--instance", str(instance), "links", *words], env=env)


def test_the_command_sends_says_how_many_and_never_a_number(instance, base):
    put(base, dossier(1), dossier(2))
    done = run(instance, "send", "--wave", COUNTER, "--rate", "1000", SIPAS_SENDER="file")

    assert done.exit_code == 0, done.output
    assert "2 đường dẫn đã gửi, 0 chưa gửi được" in done.output
    assert PHONE not in done.output
    assert "2 đã gửi" in run(instance, "status", "--wave", COUNTER).output
    again = run(instance, "send", "--wave", COUNTER, SIPAS_SENDER="file")
    assert "0 đường dẫn đã gửi" in again.output


def test_a_dry_run_counts_and_sends_nothing_even_while_sending_is_off(instance, base):
    put(base, dossier(1))
    done = run(instance, "send", "--wave", COUNTER, "--dry-run")

    assert "1 đường dẫn sẽ được gửi (chạy thử, không ghi gì)" in done.output
    assert rows(base, "message") == []


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (["--wave", COUNTER], {}, "đang tắt"),
        (["--wave", COUNTER], {"SIPAS_SENDER": "bogus"}, "SIPAS_SENDER"),
        (["--wave", COUNTER], {"SIPAS_ADDRESS": ""}, "SIPAS_ADDRESS"),
        (["--wave", "nowhere"], {}, "Không có đợt"),
        (["--wave", SURVEY], {}, "không mở"),
        (["--wave", COUNTER, "--unit", "x"], {}, "Không có đơn vị"),
    ],
)
def test_what_stands_in_the_way_of_sending_is_said(instance, words, env, said):
    found = run(instance, "send", *words, **env)

    assert found.exit_code == 1
    assert said in found.output
