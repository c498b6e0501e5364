"""The demonstration: the real design, the same answers everywhere, marked as made up."""

from __future__ import annotations

import hashlib
import json
import stat
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from forms import questionnaire, rules
from survey import config, db, tokens
from survey.cli import main
from survey.demonstration import demo, synthetic
from survey.sample import drawing
from survey.store import instances, people, responses, waves

CONTRACT = [
    "kiosk", "qr", "api_token", "questionnaire", "wave", "open_wave", "unit", "login",
    "password", "paper_wave", "paper_staff", "office_staff",
]  # fmt: skip
#: Of the packed answers of the whole wave, and of its weights.
CODES = "443cb781b143fa8c"
WEIGHTS = "a9fbe4345960a19f"


def sipas(folder, *arguments, **more):
    return CliRunner().invoke(main, ["--instance", str(folder), *arguments], **more)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo.make(folder, small=True)


@pytest.fixture
def base(small):
    connection = db.connect(small[0] / config.DATABASE, readonly=True)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def drawn():
    return synthetic.draw(demo.FULL.provinces, demo.FULL.villages, demo.FULL.persons)


@pytest.fixture(scope="module")
def household(drawn):
    return synthetic.household(questionnaire.load("sipas-2026.1"), drawn)


def test_json_prints_one_object_with_the_promised_keys(tmp_path):
    done = sipas(tmp_path, "demo", "--json", "--small")

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found) == CONTRACT
    assert found["kiosk"].startswith("/k/c")
    assert found["qr"] == "/q/" + found["api_token"]
    assert all(found.values())


def test_the_printed_addresses_name_the_port_and_the_first_password(tmp_path):
    done = sipas(tmp_path, "demo", "--small", env={"PORT": "18080"})
    made = demo.known(tmp_path)

    assert "DỮ LIỆU MÔ PHỎNG" in done.stdout
    assert f"http://127.0.0.1:18080{made.kiosk}" in done.stdout
    assert f"http://127.0.0.1:18080{made.qr}" in done.stdout
    assert "http://127.0.0.1:18080/login" in done.stdout
    assert made.password in done.stdout
    assert made.login in done.stdout


def test_an_instance_in_use_is_never_overwritten(small, base):
    before = responses.counts(base, "sipas-2026")
    done = sipas(small[0], "demo", "--small")

    assert done.exit_code == 1
    assert "đã có dữ liệu" in done.output
    assert responses.counts(base, "sipas-2026") == before


def test_if_missing_reuses_what_is_there_and_prints_it_again(small):
    done = sipas(small[0], "demo", "--if-missing", "--json")

    assert done.exit_code == 0
    assert json.loads(done.stdout)["password"] == small[1].password


def test_if_missing_leaves_an_instance_alone_that_is_no_demonstration(tmp_path):
    settings = instances.init(tmp_path)
    connection = db.connect(settings.database)
    people.add(
        connection, username="lan", name="Lan", role="administrator", password_hash="x",
        now=datetime(2026, 11, 22, tzinfo=UTC), actor="shell",
    )  # fmt: skip
    connection.close()
    done = sipas(tmp_path, "demo", "--if-missing")

    assert done.exit_code == 0
    assert "Dùng dữ liệu đang có" in done.stdout
    assert demo.known(tmp_path) is None


def test_the_password_is_forgotten_once_it_was_changed(tmp_path):
    made = demo.make(tmp_path, small=True)
    connection = db.connect(tmp_path / config.DATABASE)
    staff = people.find(connection, made.login)
    assert staff.must_change
    assert people.matches(staff, made.password)
    people.set_password(connection, staff.id, "x", now=datetime(2026, 11, 22, tzinfo=UTC))
    connection.close()
    done = sipas(tmp_path, "demo", "--if-missing")

    assert "mật khẩu đã được đổi" in done.stdout
    assert made.password not in done.stdout
    assert made.password not in (tmp_path / demo.NOTE).read_text("utf-8")


def test_the_note_with_the_password_is_for_its_owner_only(small):
    assert stat.S_IMODE((small[0] / demo.NOTE).stat().st_mode) == 0o600


def test_every_wave_is_marked_as_made_up(base):
    found = waves.all(base)

    assert {wave.key for wave in found} == {
        "sipas-2025", "sipas-2026", "sipas-2027", "sipas-2027-thu", "mot-cua-2026", "qr-2026",
        "nd61-2026", "giay-2026",
    }  # fmt: skip
    assert all(wave.synthetic for wave in found)


def test_the_sample_is_closed_and_the_counter_and_qr_waves_are_open(base):
    now = datetime.now(UTC)

    assert not waves.get(base, "sipas-2026").is_open(now)
    assert waves.get(base, "mot-cua-2026").is_open(now)
    assert waves.get(base, "qr-2026").is_open(now)
    assert waves.get(base, "mot-cua-2026").settled


def test_the_open_waves_are_open_whatever_the_clock_says(tmp_path):
    for year in (2025, 2031):
        at = datetime(year, 12, 31, 12, tzinfo=UTC)
        demo.make(tmp_path / str(year), small=True, now=at)
        connection = db.connect(tmp_path / str(year) / config.DATABASE)
        assert waves.get(connection, "mot-cua-2026").is_open(at)
        assert waves.get(connection, "qr-2026").is_open(at)
        connection.close()


def test_the_addresses_open_the_doors_they_should(small):
    secret = config.load(small[0]).secret
    kiosk, qr = (path.rsplit("/", 1)[1] for path in (small[1].kiosk, small[1].qr))

    assert tokens.read(secret, kiosk)[0] == tokens.read(secret, qr)[0] == "counter"


def test_sipas_check_finds_nothing_wrong(base):
    assert instances.check(base) == []


def test_the_whole_wave_has_the_published_design(drawn):
    assert len(drawn.person_psu) == 36525
    assert len(drawn.psu_stratum) == 1170
    assert len(drawn.provinces) == 34
    assert len(drawn.stratum_villages) == 68
    assert sum(a + b for a, b in synthetic.COMMUNES.values()) == 3321
    by_stratum = [int((drawn.psu_stratum == s).sum()) for s in range(68)]
    assert min(by_stratum) >= 2
    assert all(n < villages for n, villages in zip(by_stratum, drawn.stratum_villages, strict=True))
    assert len(set(drawn.weight.tolist())) > 10000
    assert 60e6 < drawn.weight.sum() < 80e6, "about as many adults as the country has"


def test_the_answers_are_the_same_bytes_on_every_machine(drawn, household):
    assert hashlib.sha256(household.codes.tobytes()).hexdigest()[:16] == CODES
    assert hashlib.sha256(drawn.weight.astype("<f8").tobytes()).hexdigest()[:16] == WEIGHTS


def test_two_demonstrations_hold_the_same_answers(small, tmp_path):
    demo.make(tmp_path, small=True)

    assert stored(tmp_path) == stored(small[0])


def stored(folder):
    connection = db.connect(folder / config.DATABASE)
    try:
        return [
            tuple(row)
            for wave in ("sipas-2026", "mot-cua-2026", "qr-2026")
            for row in connection.execute(
                "SELECT id, case_id, receiving_unit, counter, answers, codes, digest"
                " FROM response WHERE wave = :wave ORDER BY seq",
                {"wave": wave},
            )
        ]
    finally:
        connection.close()


def test_the_answers_pass_the_real_rules_but_for_those_left_blank(household):
    asked = household.questionnaire
    width, packed = household.codes.shape[1], household.codes.tobytes()
    for number, given in enumerate(household):
        if number % 37:
            continue
        clean, faults = rules.check(asked, given)
        assert {fault.code for fault in faults} <= {"unanswered"}
        if not faults:
            assert clean == given
        assert rules.pack(asked, given) == packed[number * width : (number + 1) * width]


def test_about_84_percent_are_satisfied_and_some_answers_are_missing(household, drawn):
    scored = [at for at, c in enumerate(household.questionnaire.columns) if c.item.factor]
    codes = household.codes[:, scored]
    answered = (codes > 0) & (codes < 9)
    weight = drawn.weight[:, None]
    shares = (weight * (answered & (codes >= 4))).sum(0) / (weight * answered).sum(0)

    assert len(scored) == 39
    assert 0.82 < shares.mean() < 0.86
    assert shares.min() > 0.70
    assert shares.max() < 0.95
    assert (codes == 9).any(axis=0).all()
    assert (codes == 0).any(axis=0).all()


def test_more_forms_were_issued_than_came_back_and_more_came_back_than_counted(base):
    issued, returned = base.execute("SELECT SUM(issued), SUM(returned) FROM account").fetchone()

    assert issued > returned > responses.counts(base, "sipas-2026").valid == demo.SMALL.persons


def test_the_wave_on_paper_stands_in_the_middle_of_its_work(base):
    rows = base.execute(
        "SELECT state, COUNT(*) AS n FROM sample_case WHERE wave = 'giay-2026' GROUP BY state"
    )
    n = {row["state"]: row["n"] for row in rows}

    assert {"planned", "assigned", "appointed", "collected", "entered", "entered_twice",
            "compared", "refused", "replaced", "reserve"} <= n.keys()  # fmt: skip
    assert sum(n.values()) == 8 * (12 + 4)
    assert drawing.check(base, "giay-2026") == (8, 128, [])
