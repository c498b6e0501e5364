"""Flaws seen in the field, each a test that this product does not have it.

The first part is a form that a ward built for itself in September 2026, the second the tools that
one-stop offices use today.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from uuid import uuid4

import pytest

from forms import rules, scoring
from forms.questionnaire import load
from survey import db
from survey.store import responses

URL = "/api/v1/responses"
MARKS = {f"m{n}": 4 for n in range(1, 6)} | {"m_all": 5}


def body(token, **changes):
    made = {"id": str(uuid4()), "token": token, "questionnaire": "mot-cua-2026.1", "answers": MARKS}
    return made | changes


def stored(app, receipt):
    with app.app_context():
        return responses.by_receipt(db.get(), receipt)


def dossier_of(app, receipt):
    """The dossier that a response answered for: only the database itself says it."""
    with app.app_context():
        row = (
            db.get()
            .execute(
                "SELECT a.dossier FROM response r JOIN dossier_answer a ON a.response = r.id"
                " WHERE r.receipt = ?",
                (receipt,),
            )
            .fetchone()
        )
    return row and row["dossier"]


def page_token(client, address):
    return re.search(r'name="page" value="([^"]+)"', client.get(address).text).group(1)


class TestTheWardsOwnForm:
    def test_receipts_are_not_consecutive_numbers(self, client, door_tokens):
        codes = [
            client.post(URL, json=body(door_tokens["counter"])).json["receipt"] for _ in range(20)
        ]

        assert len(set(codes)) == 20
        assert codes != sorted(codes)
        assert all(re.fullmatch(r"[2-9A-HJ-NP-Z]{8}", code) for code in codes)

    def test_a_receipt_shows_no_answer_not_even_its_own(self, client, door_tokens):
        answers = MARKS | {"comment": "chuyện riêng của tôi"}
        made = client.post(URL, json=body(door_tokens["counter"], answers=answers)).json
        page = client.post("/r", data={"receipt": made["receipt"]}).text

        assert "chuyện riêng" not in page

    def test_storing_waits_for_no_pdf_and_no_other_service(self, client, door_tokens, monkeypatch):
        import sys

        for name in ("reportlab", "numpy", "scipy"):
            monkeypatch.setitem(sys.modules, name, None)  # an import of it would fail

        assert client.post(URL, json=body(door_tokens["counter"])).status_code == 201

    @pytest.mark.parametrize("item", [item.id for item in load("sipas-2026.1").scored])
    def test_none_of_the_39_items_goes_unchecked(self, item):
        q = load("sipas-2026.1")
        faults = {fault.column for fault in rules.check(q, {})[1]}
        wrong = {fault.column: fault.code for fault in rules.check(q, {item: 7})[1]}

        assert len(q.scored) == 39
        assert item in faults
        assert wrong[item] == "off_scale"

    def test_scores_are_codes_in_columns_not_one_text(self, app, client, door_tokens):
        receipt = client.post(URL, json=body(door_tokens["counter"])).json["receipt"]
        row = stored(app, receipt)

        assert rules.unpack(load("mot-cua-2026.1"), row["codes"]) == MARKS
        assert json.loads(row["answers"]) == MARKS

    def test_ethnicity_is_neither_compulsory_nor_taken_without_consent(self):
        q = load("sipas-2026.1")
        without = {fault.column for fault in rules.check(q, {})[1]}
        _, faults = rules.check(q, {"ethnicity": 2})

        assert "ethnicity" not in without
        assert ("ethnicity", "no_consent") in {(f.column, f.code) for f in faults}

    @pytest.mark.parametrize("start", "=+-@\t")
    def test_a_formula_in_a_comment_stays_a_text(self, app, client, door_tokens, start):
        comment = f"a{start}HYPERLINK(1)" if start == "\t" else f"{start}HYPERLINK(1)"
        answers = MARKS | {"comment": comment}
        answer = client.post(URL, json=body(door_tokens["counter"], answers=answers))
        if start == "\t":  # refused as a control character
            assert answer.status_code == 422
            return
        kept = json.loads(stored(app, answer.json["receipt"])["answers"])["comment"]
        assert kept == comment

    def test_a_form_sent_twice_is_one_response(self, app, client, door_tokens):
        sent = body(door_tokens["counter"])
        codes = [client.post(URL, json=sent).status_code for _ in range(3)]
        with app.app_context():
            found = responses.counts(db.get(), "quay-2026").total

        assert codes == [201, 200, 200]
        assert client.post(URL, json=sent).json["receipt"]
        with app.app_context():
            assert responses.counts(db.get(), "quay-2026").total == found

    def test_every_radio_button_has_a_name_and_a_full_label(self, client, door_tokens):
        page = client.get(f"/q/{door_tokens['household']}").text
        radios = re.findall(
            r'<label class="pick[^"]*"><input ([^>]*)><span>([^<]+)</span></label>', page
        )

        assert len(radios) > 400
        assert all(re.search(r'name="[^"]+" value="\w+"', facts) for facts, _ in radios)
        assert len(re.findall(r'<input type="radio"', page)) == len(
            [1 for facts, _ in radios if 'type="radio"' in facts]
        )
        assert {unescape(words) for _, words in radios} >= {
            "Rất không hài lòng", "Không hài lòng", "Bình thường", "Hài lòng", "Rất hài lòng",
        }  # fmt: skip

    @pytest.mark.parametrize("door", ["/", "/privacy", "/r", "/q/household", "/k/counter"])
    def test_no_page_fetches_anything_from_a_third_party(self, client, door_tokens, door):
        path = re.sub(r"(?<=/)(household|counter)$", lambda m: door_tokens[m[0]], door)
        answer = client.get(path)
        outside = re.findall(r'(?:src|href|action)="((?:https?:)?//[^"]+)"', answer.text)

        assert outside == []
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]

    @pytest.mark.parametrize("door", ["/q/household", "/k/counter"])
    def test_a_privacy_notice_stands_before_the_first_question(self, client, door_tokens, door):
        name = door[3:]
        page = client.get(door[:3] + door_tokens[name]).text

        assert ('href="/privacy"' in page) or "<details>" in page  # a kiosk has no way back
        assert "Ai giữ dữ liệu, giữ bao lâu, quyền của Ông/Bà" in page
        assert "không hỏi" in page.lower()


class TestToolsInUse:
    def test_the_form_opens_in_nobodys_session(self, staff, door_tokens):
        """An officer signed in on the same tablet is not known to the citizens' pages."""
        answer = staff.get(f"/k/{door_tokens['counter']}")

        assert "Set-Cookie" not in answer.headers
        assert "administrator" not in answer.text.lower()

    def test_an_answer_names_no_officer(self, app, staff, door_tokens):
        receipt = staff.post(URL, json=body(door_tokens["counter"])).json["receipt"]

        assert "administrator" not in repr(dict(stored(app, receipt))).lower()

    @pytest.mark.parametrize("door", ["/q/household", "/q/counter", "/q/dossier"])
    def test_no_answer_is_set_beforehand(self, client, door_tokens, door):
        page = client.get(door[:3] + door_tokens[door[3:]]).text

        assert not re.search(r"<(?:input|option)[^>]*\b(?:checked|selected)", page)

    def test_an_unanswered_item_is_not_stored_as_the_best(self, client, door_tokens):
        answers = {name: mark for name, mark in MARKS.items() if name != "m3"}
        answer = client.post(URL, json=body(door_tokens["counter"], answers=answers))

        assert answer.status_code == 422
        assert [fault["item"] for fault in answer.json["faults"]] == ["m3"]

    def test_do_not_know_is_no_score(self, app, client, door_tokens):
        answers = MARKS | {"m3": 9}
        made = client.post(URL, json=body(door_tokens["counter"], answers=answers)).json

        assert (
            rules.unpack(load("mot-cua-2026.1"), stored(app, made["receipt"])["codes"])["m3"] == 9
        )

    def test_a_vote_belongs_to_the_dossier_of_its_address(self, app, client, door_tokens):
        of_dossier = client.post(URL, json=body(door_tokens["dossier"])).json
        of_counter = client.post(URL, json=body(door_tokens["counter"])).json

        links = dossier_of(app, of_dossier["receipt"]), dossier_of(app, of_counter["receipt"])
        assert links == ("H08.000-261122-0001", None)

    def test_a_hundred_votes_at_once_for_one_dossier_are_one(self, app, door_tokens):
        def vote(_):
            return app.test_client().post(URL, json=body(door_tokens["dossier"])).status_code

        with ThreadPoolExecutor(8) as people:
            codes = list(people.map(vote, range(100)))

        assert codes.count(201) == 1
        assert codes.count(409) == 99

    def test_level_names_are_the_same_on_screen_and_in_the_data(self, client, door_tokens):
        address = f"/k/{door_tokens['counter']}"
        page = client.post(address, data={"go": "start"}).text
        shown = re.findall(r'name="m1" value="(\d)".*?<span>([^<]+)', page, flags=re.S)
        item = load("mot-cua-2026.1").item("m1")

        assert [(int(code), unescape(words)) for code, words in shown[:5]] == [
            (choice.code, choice.label) for choice in item.choices
        ]

    def test_the_last_day_of_the_quarter_counts(self):
        from datetime import UTC, date, datetime

        from survey.store.waves import Wave

        wave = Wave(
            key="q4", name="Quý IV", questionnaire="mot-cua-2026.1", kind="self_selected",
            year=2026, opens_on=date(2026, 10, 1), closes_on=date(2026, 12, 31),
            owner="vn34:00", owner_name="",
        )  # fmt: skip

        assert wave.is_open(datetime(2026, 12, 31, 16, 59, tzinfo=UTC))
        assert not wave.is_open(datetime(2026, 12, 31, 17, 0, tzinfo=UTC))
        assert wave.is_open(datetime(2026, 9, 30, 17, 0, tzinfo=UTC))

    @pytest.mark.parametrize(
        ("total", "name"),
        [
            (18, "Xuất sắc"),
            (15, "Xuất sắc"),
            (12, "Tốt"),
            (9, "Khá"),
            (6, "Trung bình"),
            (5, "Yếu"),
        ],
    )
    def test_a_total_on_an_edge_falls_into_no_gap(self, total, name):
        assert scoring.grade(total).name == name

    def test_totals_are_not_rounded_before_they_are_judged(self):
        assert scoring.grade(14.96).name == "Tốt"
        assert scoring.grade(15.0).name == "Xuất sắc"
