"""Alerts: what raises them, that each is told once, how they go out and who may set them."""

import hmac
import json
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import date, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from said import TOMORROW, cases, read, say
from small_wave import COMMUNE, LAI_CHAU, NOW, PASSWORD, TUYEN_QUANG
from werkzeug.security import generate_password_hash

from survey import db
from survey.alerts import post, rounds, watch, webhooks
from survey.store import alerts, clock, dossiers, feedback, kiosks, people

_act = {"now": NOW, "actor": "shell:test"}
#: A Thursday morning two weeks later, in office hours.
LATER = NOW + timedelta(days=18)


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


def rule(base, kind, threshold, via="email", target="a@example.vn", unit=""):
    return alerts.add(
        base, unit=unit, kind=kind, threshold=threshold, via=via, target=target, **_act
    )


def subjects(base):
    return [one.subject for one in alerts.log(base)]


def test_overdue_cases_are_told_once_a_day(base):
    say(base, m_all=1)
    read(base)
    rule(base, "overdue", 0)
    rule(base, "overdue", 30)
    rule(base, "overdue", 0, unit=LAI_CHAU)
    assert watch.look(base, now=TOMORROW) == 0

    assert [watch.look(base, now=LATER) for _ in range(3)] == [1, 0, 0]
    assert subjects(base) == ["1 phản ánh quá hạn trả lời – tất cả đơn vị"]
    assert watch.look(base, now=LATER + timedelta(days=1)) == 1
    assert watch.look(base, now=LATER + timedelta(days=2)) == 0  # a Saturday


def test_a_silent_kiosk_is_told_once_in_office_hours(base, facts):
    rule(base, "silent", 60)
    beat = kiosks.Beat(unsent=0, oldest_at=None, version="1", clock_offset=0)
    with db.write(base):
        kiosks.heard(base, facts.doors["counter"], beat, now=LATER - timedelta(minutes=90))

    assert watch.look(base, now=LATER - timedelta(minutes=45)) == 0
    assert [watch.look(base, now=LATER) for _ in range(2)] == [1, 0]
    assert subjects(base) == ["Kiosk mất liên lạc: Quầy 3"]
    with db.write(base):
        kiosks.heard(base, facts.doors["counter"], beat, now=LATER + timedelta(hours=5))
    assert watch.look(base, now=LATER + timedelta(hours=12)) == 0  # at night


def test_many_bad_ratings_are_told_at_once_and_few_never(base):
    rule(base, "burst", 5)
    for _ in range(4):
        say(base, m_all=1)
    assert watch.look(base, now=NOW + timedelta(hours=1)) == 0

    say(base, m_all=2)
    assert watch.look(base, now=NOW + timedelta(hours=1)) == 1
    assert feedback.counted(base, clock.day(NOW)) == []
    with pytest.raises(ValueError, match="burst"):
        rule(base, "burst", 4)


def test_low_coverage_is_told_once_a_week_and_counted_once_a_day(base, monkeypatch):
    monkeypatch.setattr(watch, "_counted", {})
    rows = [
        dossiers.Dossier(
            key=f"H08.000-261101-{n:04}", service="Khai sinh", receiving_unit=COMMUNE,
            resolving_unit=COMMUNE, officer=None, received_on=date(2026, 11, 2),
            due_on=date(2026, 11, 20), settled_on=date(2026, 11, 18), phone=None,
        )
        for n in range(20)
    ]  # fmt: skip
    dossiers.put(base, rows, source="test", **_act)
    rule(base, "coverage", 50)
    rule(base, "coverage", 50, unit=LAI_CHAU)

    assert [watch.look(base, now=NOW) for _ in range(2)] == [1, 0]
    assert watch.look(base, now=NOW + timedelta(days=8)) == 1
    assert subjects(base)[-1] == "Chỉ 0,0% hồ sơ có ý kiến – tất cả đơn vị"


def test_failed_work_is_told_once(base):
    rule(base, "job", 1)
    base.execute(
        "INSERT INTO job (kind, ask, title, unit, state, asked_at, ended_at)"
        " VALUES ('x', '{}', 'Báo cáo năm', '', 'failed', :at, :at)",
        {"at": clock.stamp(NOW)},
    )

    assert [watch.look(base, now=NOW) for _ in range(2)] == [1, 0]
    assert subjects(base) == ["Việc bị lỗi: Báo cáo năm"]


def test_a_rule_at_rest_raises_nothing(base):
    held = rule(base, "overdue", 0)
    alerts.switch(base, held.id, False, seen=1, **_act)
    say(base, m_all=1)
    read(base)

    assert watch.look(base, now=LATER) == 0
    with pytest.raises(Exception, match="alert_changed"):
        alerts.switch(base, held.id, True, seen=1, **_act)


class Ear(BaseHTTPRequestHandler):
    """Another program's address: keeps what it is called with and answers as it is told."""

    heard: list = []  # noqa: RUF012
    status = 204

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((dict(self.headers), body))
        self.send_response(type(self).status)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def ear(monkeypatch):
    """A listening address, with what it hears."""
    monkeypatch.setenv("SIPAS_WEBHOOK_PRIVATE", "1")
    Ear.heard, Ear.status = [], 204
    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook?x=1", Ear
        server.shutdown()
        thread.join()


def told(base, held, at=NOW):
    return alerts.put(base, held.id, watch.trial(now=at), now=at)


def test_a_call_is_signed_over_its_time_and_its_body(base, settings, ear):
    url, heard = ear
    held = rule(base, "overdue", 0, via="webhook", target=url)
    number = told(base, held)

    assert post.deliver(base, settings, now=lambda: NOW) == (1, 0)
    [(headers, body)] = heard.heard
    key = webhooks.secret(settings.secret, held.id)
    told_at = headers["X-SIPAS-Timestamp"]
    right = hmac.new(key.encode(), f"{told_at}.".encode() + body, sha256).hexdigest()
    assert headers["X-SIPAS-Signature"] == f"v1={right}"
    assert headers["X-SIPAS-Id"] == str(number)
    assert int(told_at) == int(NOW.timestamp())
    assert json.loads(body)["facts"] == {"kind": "test"}
    assert key != webhooks.secret(settings.secret, held.id + 1)


def test_what_fails_is_tried_again_later_and_given_up_in_the_end(base, settings, ear):
    url, heard = ear
    heard.status = 500
    number = told(base, rule(base, "overdue", 0, via="webhook", target=url))
    now, waited = NOW, []
    for _ in range(12):
        if post.deliver(base, settings, now=lambda: now) == (0, 1):  # noqa: B023
            waited.append(now)
        now += timedelta(hours=13)
    one = alerts.get(base, number)

    assert (one.state, one.tries, len(heard.heard)) == ("failed", 6, 6)
    assert one.fault == "nơi nhận trả lời 500"
    assert post.deliver(base, settings, now=lambda: now) == (0, 0)


def test_it_is_not_tried_again_before_its_time(base, settings, ear):
    url, heard = ear
    heard.status = 302
    told(base, rule(base, "overdue", 0, via="webhook", target=url))
    for seconds in (0, 1, 30, 59, 61):
        post.deliver(base, settings, now=lambda: NOW + timedelta(seconds=seconds))  # noqa: B023

    assert len(heard.heard) == 2


def test_two_who_empty_the_queue_send_an_alert_once(base, settings, ear):
    url, heard = ear
    number = told(base, rule(base, "overdue", 0, via="webhook", target=url))
    one = alerts.get(base, number)

    assert alerts.take(base, one, now=NOW)
    assert not alerts.take(base, one, now=NOW)
    assert heard.heard == []


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://example.vn/", "https"), ("ftp://example.vn/", "https"), ("https://", "không đúng"),
     ("https://u:p@example.vn/", "không đúng"), ("https://example.vn:x/", "không đúng"),
     ("https://exa mple.vn/", "không đúng"), ("https://example.vn/\r\nX: 1", "không đúng"),
     ("https://example.vn/" + "x" * 500, "không đúng"), ("javascript:alert(1)", "không đúng")],
)  # fmt: skip
def test_what_is_no_address_to_call_is_refused(url, words):
    with pytest.raises(ValueError, match=words):
        webhooks.address(url)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]",
     "[fe80::1]", "0.0.0.0", "localhost", "224.0.0.1"],
)  # fmt: skip
def test_an_address_of_the_inner_network_is_not_called(host):
    with pytest.raises(webhooks.CallError, match="nội bộ"):
        webhooks.post(f"https://{host}/", {}, key="k", number="1", now=NOW)


def test_letters_go_through_the_sender_that_is_set(base, settings, monkeypatch):
    held = rule(base, "overdue", 0)
    number = told(base, held)
    assert post.deliver(base, settings, now=lambda: NOW) == (0, 1)
    assert "SIPAS_MAIL" in alerts.get(base, number).fault

    monkeypatch.setenv("SIPAS_MAIL", "file")
    assert post.deliver(base, settings, now=lambda: NOW + timedelta(minutes=2)) == (1, 0)
    [path] = (settings.instance / "mail").iterdir()
    assert json.loads(path.read_text("utf-8"))["subject"] == "[SIPAS] Gửi thử cảnh báo"


def test_a_rule_is_made_tried_and_put_to_rest_in_the_page(base, staff, monkeypatch):
    monkeypatch.setenv("SIPAS_MAIL", "file")
    sent = {"kind": "silent", "threshold": "60", "via": "email", "target": "a@example.vn"}
    assert staff.send("/office/alerts", unit="", **sent).status_code == 303
    number = alerts.rules(base)[0].id
    assert staff.send("/office/alerts", to=f"/office/alerts/{number}", do="test").status_code == 303
    assert "Đã gửi thử." in staff.get("/office/alerts").text
    stop = {"do": "stop", "seen": "1"}
    staff.send("/office/alerts", to=f"/office/alerts/{number}", **stop)

    assert not alerts.rules(base)[0].active
    assert staff.send("/office/alerts", to=f"/office/alerts/{number}", **stop).status_code == 409


def test_a_faulty_rule_is_told_field_by_field_and_kept(staff):
    answer = staff.send(
        "/office/alerts", kind="silent", threshold="1", via="webhook", target="http://x", unit="y"
    )

    assert answer.status_code == 422
    assert answer.text.count('class="wrong"') == 3
    assert 'value="http://x"' in answer.text


def test_a_unit_sets_and_sees_its_own_alerts_only(base, client):
    cheap = generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1")
    people.add(
        base, username="unithead", name="H", role="administrator", unit=TUYEN_QUANG,
        password_hash=cheap, must_change=False, **_act,
    )  # fmt: skip
    far = rule(base, "silent", 60, target="far@example.vn", unit=LAI_CHAU)
    whole = rule(base, "silent", 60, target="whole@example.vn")
    own = rule(base, "silent", 60, target="own@example.vn", unit=COMMUNE)
    client.login("unithead")
    shown = client.get("/office/alerts").text

    assert "own@example.vn" in shown
    assert "far@example.vn" not in shown
    assert "whole@example.vn" not in shown
    for other in (far, whole):
        path = f"/office/alerts/{other.id}"
        assert client.send("/office/alerts", to=path, do="stop", seen="1").status_code == 403
    path = f"/office/alerts/{own.id}"
    assert client.send("/office/alerts", to=path, do="stop", seen="1").status_code == 303
    sent = {"kind": "silent", "threshold": "60", "via": "email", "target": "b@example.vn"}
    assert client.send("/office/alerts", unit=LAI_CHAU, **sent).status_code == 403
    assert client.send("/office/alerts", unit="", **sent).status_code == 303
    assert alerts.rules(base)[-1].unit == TUYEN_QUANG


def test_rounds_read_raise_and_send(base, settings, monkeypatch):
    monkeypatch.setenv("SIPAS_MAIL", "file")
    say(base, m_all=1)
    rule(base, "overdue", 0)
    monkeypatch.setattr(clock, "now", lambda: LATER)
    rounds.walk(settings)

    assert [one.state for one in alerts.log(base)] == ["sent"]
    assert len(list(cases(base))) == 1


def test_the_rounds_end_when_the_server_is_gone(settings):
    child = subprocess.Popen(
        [sys.executable, "-m", "survey.alerts.rounds", str(settings.instance)],
        stdin=subprocess.PIPE,
    )
    time.sleep(0.2)
    child.stdin.close()

    assert child.wait(20) == 0


@pytest.mark.parametrize(("told", "seconds"), [("", 60), ("0", 0), ("5", 5), ("x", 60)])
def test_the_pause_between_rounds_is_a_setting(told, seconds):
    assert rounds.period({"SIPAS_ROUNDS": told}) == seconds


def test_old_alerts_go_and_waiting_ones_stay(base, settings):
    held = rule(base, "overdue", 0)
    told(base, held)

    assert alerts.sweep(base, now=NOW + timedelta(days=200)) == 0
    base.execute("UPDATE alert SET state = 'sent'")
    assert alerts.sweep(base, now=NOW + timedelta(days=179)) == 0
    assert alerts.sweep(base, now=NOW + timedelta(days=181)) == 1
