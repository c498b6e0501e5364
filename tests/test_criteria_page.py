"""The page of the nine criteria: who may enter what, nothing lost, nothing told of too few."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import onestop_data
import pytest
import small_wave
from onestop_data import QUARTER, SECOND, THIRD
from small_wave import COMMUNE, LAI_CHAU, TUYEN_QUANG
from werkzeug.security import generate_password_hash

from survey import db
from survey.onestop import appraisal
from survey.reporting import periods
from survey.store import criteria, opinions, people, responses, waves

PAGE = f"/criteria/{COMMUNE}/{QUARTER}"
Q3 = periods.of(QUARTER)


@pytest.fixture
def store(settings):
    base = db.connect(settings.database)
    yield base
    base.close()


@pytest.fixture
def filled(store):
    onestop_data.make(store)
    return store


@pytest.fixture
def head(app, filled):
    """A browser signed in as the head of the commune."""
    return signed(app, filled, "head", "supervisor", COMMUNE)


@pytest.fixture
def above(app, filled):
    """A browser signed in as an administrator of the province."""
    return signed(app, filled, "above", "administrator", TUYEN_QUANG)


def signed(app, store, name, role, unit):
    cheap = generate_password_hash(people.plain(small_wave.PASSWORD), method="scrypt:1024:8:1")
    people.add(
        store, username=name, name=name.title(), role=role, unit=unit, password_hash=cheap,
        must_change=False, **onestop_data.ACT,
    )  # fmt: skip
    client = app.test_client()
    assert client.login(name).status_code == 303
    return client


def scores(**changes):
    """The nine points as a form holds them."""
    given = {f"n{n}": "1,5" for n in range(1, 10)} | {f"e_n{n}": "BC 7" for n in (5, 8, 9)}
    return {"version": "0", **given, **changes}


def audits(store, action):
    rows = store.execute("SELECT actor, subject, detail FROM audit WHERE action = ?", (action,))
    return [tuple(row) for row in rows]


def test_opinions_and_counts_make_a_total_and_a_class(filled):
    found = appraisal.one(filled, COMMUNE, Q3)

    assert (found.n, found.settled) == (60, 120)
    assert found.means["n1"].value == Fraction(8, 5)
    assert (found.measured["n5"], found.measured["n8"], found.measured["n9"]) == (2, 2, 2)
    assert found.total == Fraction(8, 5) * 6 + 6
    assert found.grade.name == "Xuất sắc"


def test_a_dossier_settled_on_the_last_day_of_the_quarter_counts(store):
    onestop_data.make(store, opinions=6, second=0, third=0)
    days = {row["settled_on"] for row in store.execute("SELECT settled_on FROM dossier")}

    assert "2026-09-30" in days
    assert appraisal.one(store, COMMUNE, Q3).n == 6
    assert len(list(opinions.of(store, since=Q3.last, until=Q3.last))) == 1


@pytest.mark.parametrize(
    ("received", "inside"),
    [
        (datetime(2026, 6, 30, 16, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 6, 30, 17, 0, tzinfo=UTC), True),
        (datetime(2026, 9, 30, 16, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 9, 30, 17, 0, tzinfo=UTC), False),
    ],
)
def test_an_opinion_at_the_counter_belongs_to_its_day_in_vietnam(store, received, inside):
    onestop_data.make(store, opinions=0, second=0, third=0)
    onestop_data.answer(store, None, COMMUNE, 1, onestop_data.marks(0, 1), received)

    assert len(list(opinions.of(store, since=Q3.first, until=Q3.last))) == inside


def test_what_was_voided_flagged_or_only_tried_out_does_not_count(filled):
    row = filled.execute(
        "SELECT seq FROM response WHERE wave = ? AND receiving_unit = ?",
        (onestop_data.WAVE, COMMUNE),
    ).fetchone()
    responses.judge(filled, row["seq"], "void", "test", **onestop_data.ACT)
    assert appraisal.one(filled, COMMUNE, Q3).n == 59

    filled.execute("UPDATE wave SET trial_of = 'x' WHERE key = ?", (onestop_data.WAVE,))
    assert appraisal.one(filled, COMMUNE, Q3).n == 0
    assert waves.get(filled, onestop_data.WAVE).key


def test_a_unit_with_too_few_opinions_shows_nothing_and_is_not_in_the_one_above(filled):
    third = appraisal.one(filled, THIRD, Q3)
    whole = appraisal.one(filled, TUYEN_QUANG, Q3)

    assert third.hidden
    assert not third.measured.keys() & {"n1", "n2", "n3", "n4", "n6", "n7"}
    assert (third.shown, third.total) == (frozenset(), None)
    assert (whole.n, whole.left_out) == (100, 1)
    assert whole.means["n1"].n == 100


def test_units_are_ranked_by_totals_not_rounded(filled):
    found = {one.unit: one for one in appraisal.scored(filled, Q3)}

    assert (found[COMMUNE].rank, found[SECOND].rank, found[THIRD].rank) == (1, 2, None)
    assert found[SECOND].grade.name == "Tốt"


def test_the_list_shows_points_class_and_rank(filled, staff):
    page = staff.get(f"/criteria?period={QUARTER}")

    assert page.status_code == 200
    for words in ("Phường Minh Xuân", "15,6", "Xuất sắc", "14,6", "Chưa xếp loại"):
        assert words in page.text


def test_a_head_enters_the_own_points_with_evidence(head, filled):
    answer = head.send(PAGE, to=f"{PAGE}/self", **scores())

    assert answer.status_code == 303
    kept = criteria.sheet(filled, COMMUNE, QUARTER).own
    assert (kept.values["n1"], kept.evidence["n5"], kept.version) == ("1.5", "BC 7", 1)
    [(actor, subject, detail)] = audits(filled, "criteria.self")
    assert (actor, subject) == ("staff:head", COMMUNE)
    assert '"n1": "1.5"' in detail
    page = head.get(PAGE)
    assert "13,5" in page.text
    assert "Head ghi lúc" in page.text


def test_the_own_points_change_no_class(head, filled):
    head.send(PAGE, to=f"{PAGE}/self", **scores(**{f"n{n}": "0" for n in range(1, 10)}))

    found = appraisal.one(filled, COMMUNE, Q3)
    assert (found.own_total, found.grade.name) == (0, "Xuất sắc")


def test_nobody_appraises_the_own_unit(head, filled):
    answer = head.send(PAGE, to=f"{PAGE}/appraised", **scores())

    assert answer.status_code == 403
    assert "không tự thẩm định" in answer.text
    assert criteria.sheet(filled, COMMUNE, QUARTER).appraised.version == 0


def test_an_administrator_of_the_unit_does_not_either(app, filled):
    own = signed(app, filled, "own", "administrator", COMMUNE)

    assert own.send(PAGE, to=f"{PAGE}/appraised", **scores()).status_code == 403
    assert "Lưu điểm thẩm định" not in own.get(PAGE).text


def test_the_unit_above_appraises_and_its_points_count(above, filled):
    one = {"n3": "1", "e_n3": "Biên bản 3"}
    answer = above.send(PAGE, to=f"{PAGE}/appraised", version="0", **one)

    assert answer.status_code == 303
    found = appraisal.one(filled, COMMUNE, Q3)
    assert found.points["n3"] == 1
    assert found.points["n1"] == Fraction(8, 5)
    assert found.total == Fraction(8, 5) * 5 + 1 + 6


@pytest.mark.parametrize("name", ["member", "neighbour", "stranger"])
def test_readers_and_strangers_enter_nothing(client, filled, name):
    client.login(name)

    assert client.send("/account", to=f"{PAGE}/self", **scores()).status_code == 403
    assert client.send("/account", to=f"{PAGE}/counts", version="0").status_code == 403
    assert criteria.sheet(filled, COMMUNE, QUARTER).own.version == 0


def test_a_neighbour_sees_neither_the_page_nor_the_list_of_another_unit(client, filled):
    client.login("neighbour")

    assert client.get(PAGE).status_code == 403
    assert "Minh Xuân" not in client.get(f"/criteria?period={QUARTER}").text
    assert client.get(f"/criteria?unit={TUYEN_QUANG}").status_code == 403


def test_a_head_of_another_unit_changes_nothing(app, filled):
    other = signed(app, filled, "other", "supervisor", LAI_CHAU)
    answer = other.send("/board", to=f"{PAGE}/self", **scores())

    assert answer.status_code == 403
    assert "Minh Xuân" not in answer.text


@pytest.mark.parametrize(
    ("field", "text"), [("n1", "2,1"), ("n1", "-1"), ("n2", "hai"), ("n3", "1,25"), ("n4", "NaN")]
)
def test_points_outside_are_refused_and_what_was_typed_stays(head, filled, field, text):
    answer = head.send(PAGE, to=f"{PAGE}/self", **scores(**{field: text, "e_n1": "Giữ lại"}))

    assert answer.status_code == 422
    assert "Điểm từ 0 đến 2" in answer.text
    assert f'value="{text}"' in answer.text
    assert 'value="Giữ lại"' in answer.text
    assert criteria.sheet(filled, COMMUNE, QUARTER).own.version == 0


def test_criteria_of_the_unit_need_evidence(head):
    answer = head.send(PAGE, to=f"{PAGE}/self", **scores(e_n8=""))

    assert answer.status_code == 422
    assert "ghi tài liệu kiểm chứng" in answer.text


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("received", "101", "Lớn hơn"), ("answered", "11", "Lớn hơn"),
        ("procedures", "-3", "số nguyên"), ("required", "120", "0 đến 100"),
        ("e_counts", "x" * 501, "tối đa 500"),
    ],
)  # fmt: skip
def test_counts_that_cannot_be_are_refused(head, field, text, words):
    given = {"version": "1", "procedures": "100", "complaints": "10", field: text}
    answer = head.send(PAGE, to=f"{PAGE}/counts", **given)

    assert answer.status_code == 422
    assert words in answer.text


def test_two_people_at_once_lose_nothing(head, above, filled):
    head.send(PAGE, to=f"{PAGE}/self", **scores())
    late = above.send(PAGE, to=f"{PAGE}/self", **scores(n1="0,5"))

    assert late.status_code == 409
    assert "Head đã sửa mục này lúc" in late.text
    assert 'value="0,5"' in late.text
    assert criteria.sheet(filled, COMMUNE, QUARTER).own.values["n1"] == "1.5"


def test_an_empty_count_is_unknown_and_not_nought(head, filled):
    head.send(PAGE, to=f"{PAGE}/counts", version="1", complaints="0", procedures="")

    counts = criteria.sheet(filled, COMMUNE, QUARTER).counts.values
    assert counts == {"complaints": 0}
    found = appraisal.one(filled, COMMUNE, Q3)
    assert (found.measured["n8"], found.total) == (2, None)


@pytest.mark.parametrize(
    "path", [f"/criteria/{COMMUNE}/2026-Q9", f"/criteria/{COMMUNE}/2026-07", "/criteria/x/2026"]
)
def test_what_is_no_unit_or_period_is_not_found(staff, path):
    assert staff.get(path).status_code == 404


def test_words_somebody_typed_are_text_on_the_page(above, filled):
    given = {"n3": "1", "e_n3": "<script>alert(1)</script>"}
    above.send(PAGE, to=f"{PAGE}/appraised", version="0", **given)

    page = above.get(PAGE).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
