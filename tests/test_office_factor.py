"""The second step: set up, asked for, spent once, lost, ended, and demanded."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from office_people import audited, give_factor
from small_wave import PASSWORD

from survey import create_app, db
from survey.config import NotInitialised
from survey.office import factor, passwords
from survey.store import factors, people

NEW = "ngựa trắng 9"


@pytest.fixture
def held(settings):
    """The administrator's telephone and codes for its loss."""
    return give_factor(settings, 1)


def half(client, name="administrator"):
    assert client.login(name).location.startswith("/login/code")
    return client


def step(client, typed):
    return client.send("/login/code", code=typed)


def set_up(client):
    """Turn the second step on by the page; returns the telephone and the codes."""
    page = client.send("/account/factor", do="begin", password=PASSWORD)
    telephone = pyotp.TOTP(re.search(r'class="typed">([^<]+)', page.text)[1].replace(" ", ""))
    page = client.send_from(page, "/account/factor", do="confirm", code=telephone.now())
    return telephone, re.findall(r"<li>([a-z2-9-]{14})</li>", page.text)


@pytest.fixture(autouse=True)
def posting(app):
    """Let a page that was posted be posted from."""

    def send_from(self, page, to, **fields):
        token = page.text.rpartition('name="csrf_token" value="')[2].split('"')[0]
        return self.post(to, data={"csrf_token": token, **fields})

    app.test_client_class.send_from = send_from


def test_a_telephone_is_set_up_with_the_password_and_its_first_code(staff, settings):
    telephone, codes = set_up(staff)

    assert len(set(codes)) == factor.CODES
    assert audited(settings, "factor.on") == [("staff:administrator", "administrator")]
    assert "Đang bật từ" in staff.get("/account/factor").text
    assert telephone.secret not in staff.get("/account/factor").text


def test_the_database_alone_makes_no_code_and_keeps_no_recovery_code(staff, settings):
    telephone, codes = set_up(staff)
    with closing(db.connect(settings.database)) as store:
        held = "\n".join(store.iterdump())

    assert telephone.secret not in held
    assert not any(code in held or code.replace("-", "") in held for code in codes)


def test_nothing_changes_without_the_password(staff):
    assert staff.send("/account/factor", do="begin", password="không phải").status_code == 422
    answer = staff.send("/account/factor", do="begin", password="")

    assert answer.status_code == 422
    assert 'href="#begin">Nhập mật khẩu đang dùng.' in answer.text


def test_a_wrong_first_code_leaves_the_picture_standing(staff):
    page = staff.send("/account/factor", do="begin", password=PASSWORD)
    again = staff.send_from(page, "/account/factor", do="confirm", code="000000")

    assert again.status_code == 422
    assert "Kiểm tra đồng hồ" in again.text
    assert re.search(r'src="(data:image[^"]+)', page.text)[1] in again.text


def test_a_factor_in_force_ends_sessions_that_had_none(app):
    here, there = app.test_client(), app.test_client()
    here.login(), there.login()
    set_up(here)

    assert here.get("/board").status_code == 200
    assert there.get("/board").status_code == 303


def test_the_password_alone_opens_nothing(client, held):
    half(client)

    assert client.get("/login/code").status_code == 200
    assert client.get("/board").location.startswith("/login")


def test_the_code_of_the_telephone_lets_in_and_leads_on(client, held):
    asked = client.get("/board/ho-2026").location
    answer = client.send(asked, username="administrator", password=PASSWORD)
    page = client.send(answer.location, code=held[0].now())

    assert page.location == "/board/ho-2026"
    assert client.get("/board").status_code == 200


def test_without_a_password_there_is_no_second_step(client, held):
    assert client.get("/login/code").location.startswith("/login?")
    assert client.send("/login", to="/login/code", code=held[0].now()).status_code == 303
    assert client.get("/board").status_code == 303


def test_a_password_of_long_ago_is_none(client, held, monkeypatch):
    half(client)
    late = time.time() + 301
    monkeypatch.setattr("survey.office.auth.time.time", lambda: late)

    assert client.get("/login/code").location.startswith("/login?")


@pytest.mark.parametrize(("seconds", "status"), [(-30, 303), (30, 303), (-90, 422), (90, 422)])
def test_a_clock_may_be_one_code_wrong(client, held, seconds, status):
    typed = held[0].at(datetime.now(UTC) + timedelta(seconds=seconds))

    assert step(half(client), typed).status_code == status


def test_a_code_counts_once(app, held):
    typed = held[0].now()
    first, second = app.test_client(), app.test_client()

    assert step(half(first), typed).status_code == 303
    answer = step(half(second), typed)
    assert answer.status_code == 422
    assert "đã dùng" in answer.text


def test_an_older_code_counts_no_more_after_a_newer_one(app, held):
    older = held[0].at(datetime.now(UTC) - timedelta(seconds=30))
    assert step(half(app.test_client()), held[0].now()).status_code == 303

    assert step(half(app.test_client()), older).status_code == 422


def test_a_code_sent_from_many_sides_at_once_counts_once(app, held):
    clients = [half(app.test_client()) for _ in range(4)]
    typed = held[0].now()
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda client: step(client, typed).status_code, clients))

    assert sorted(codes) == [303, 422, 422, 422]


def test_five_wrong_codes_pause_the_step_and_not_the_account_of_others(client, held):
    half(client)
    for _ in range(passwords.TRIES):
        assert step(client, "000000").status_code == 422
    answer = step(client, held[0].now())

    assert answer.status_code == 429
    assert "Chờ 15 phút" in answer.text


def test_a_day_has_few_tries(client, held, monkeypatch):
    monkeypatch.setattr(passwords, "CODES_A_DAY", 2)
    half(client)
    for _ in range(2):
        assert step(client, "000000").status_code == 422

    assert step(client, held[0].now()).status_code == 429


def test_wrong_codes_are_written_down(client, held, settings):
    step(half(client), "000000")

    assert audited(settings, "staff.login_password") == [("staff:administrator", "administrator")]
    assert audited(settings, "factor.refused") == [("staff:administrator", "administrator")]
    assert audited(settings, "staff.login") == []


def test_a_recovery_code_works_once_in_any_spelling(app, held):
    code = held[1][0]
    first, second = app.test_client(), app.test_client()

    assert step(half(first), code.replace("-", " ").upper()).status_code == 303
    assert "Còn 9 mã" in first.get("/board").text
    assert step(half(second), code).status_code == 422


def test_new_recovery_codes_end_the_old_ones(client, held):
    step(half(client), held[0].now())
    page = client.send("/account/factor", do="codes", password=PASSWORD)
    fresh = re.findall(r"<li>([a-z2-9-]{14})</li>", page.text)
    client.logout()

    assert len(fresh) == factor.CODES
    assert step(half(client), held[1][0]).status_code == 422
    assert step(half(client), fresh[0]).status_code == 303


def test_beside_a_factor_a_password_may_be_shorter(client, held):
    step(half(client), held[0].now())
    assert (
        client.send("/password", current=PASSWORD, new="ngắn 1", again="ngắn 1").status_code == 422
    )
    assert client.send("/password", current=PASSWORD, new=NEW, again=NEW).status_code == 303

    assert client.get("/board").status_code == 200


def test_a_short_password_is_changed_when_the_factor_goes(client, held):
    step(half(client), held[0].now())
    client.send("/password", current=PASSWORD, new=NEW, again=NEW)
    assert client.send("/account/factor", do="off", password=NEW).status_code == 303

    assert client.get("/board").location == "/password"
    assert client.send("/password", current=NEW, new="ngựa trắng 8", again="x").status_code == 422


def test_a_long_password_stays_when_the_factor_goes(client, held, settings):
    step(half(client), held[0].now())
    client.send("/account/factor", do="off", password=PASSWORD)

    assert client.get("/board").status_code == 200
    assert audited(settings, "factor.off") == [("staff:administrator", "administrator")]
    client.logout()
    assert client.login().location == "/board"


def test_what_is_not_there_cannot_be_ended_or_renewed(staff):
    for do in ("off", "codes"):
        assert staff.send("/account/factor", do=do, password=PASSWORD).status_code == 409
    assert staff.send("/account/factor", do="x", password=PASSWORD).status_code == 400


def test_a_factor_in_force_is_not_begun_anew(client, held):
    step(half(client), held[0].now())
    answer = client.send("/account/factor", do="begin", password=PASSWORD)

    assert answer.status_code == 409
    assert "đã được bật" in answer.text


@pytest.fixture
def strict(settings):
    made = create_app(replace(settings, demand_factor=("administrator",)))
    made.testing = True
    from conftest import CheckingClient

    made.test_client_class = CheckingClient
    yield made
    made.extensions["sipas"].writer.close()


def test_a_demanded_factor_comes_before_everything_else(strict):
    client = strict.test_client()
    client.login()

    assert client.get("/board").location == "/account/factor"
    assert "phải bật xác thực hai bước" in client.get("/account/factor").text
    set_up(client)
    assert client.get("/board").status_code == 200
    assert client.send("/account/factor", to="/account/factor", do="off",
                       password=PASSWORD).status_code in {409}  # fmt: skip


def test_who_need_not_have_one_goes_on(strict):
    client = strict.test_client()
    client.login("member")

    assert client.get("/board").status_code == 200


def test_a_role_that_there_is_not_is_no_demand(settings):
    with pytest.raises(NotInitialised, match="king"):
        create_app(replace(settings, demand_factor=("king",)))


def test_without_the_package_the_page_says_so(staff, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyotp", None)

    assert staff.send("/account/factor", do="begin", password=PASSWORD).status_code == 503


def test_the_seed_is_of_one_account_and_one_instance(settings):
    one = factors.Factor(1, "ab", "x", None, 0)
    other = factors.Factor(2, "ab", "x", None, 0)

    assert len({factor.secret(settings.secret, one), factor.secret(settings.secret, other),
                factor.secret(b"k" * 32, one)}) == 3  # fmt: skip
    assert "ab" not in repr(one)


def test_a_code_of_rfc_6238_is_right():
    totp = factor._totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert totp.generate_otp(59 // 30) == "287082"
    assert totp.generate_otp(1111111109 // 30) == "081804"


def test_an_administrator_resets_the_factor_of_somebody_else(app, settings, client):
    give_factor(settings, 2)
    client.login()
    assert client.send("/office/people/2", do="factor").status_code == 303

    member = app.test_client()
    assert member.login("member").location == "/board"
    with closing(db.connect(settings.database)) as store:
        assert not people.get(store, 2).must_change
