"""Comments: counted by theme, found with and without diacritics, shown by the rule."""

import re
from contextlib import closing
from datetime import timedelta

import pytest
from citizens import hidden
from said import TOMORROW, crowd, read, say
from small_wave import COMMUNE, COUNTER, LAI_CHAU, NOW, TUYEN_QUANG

from survey import db
from survey.store import clock, comments
from survey.store.comments import Wish

_act = {"now": TOMORROW, "actor": "staff:administrator"}


@pytest.fixture
def base(settings, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: TOMORROW)
    with closing(db.connect(settings.database)) as opened:
        yield opened


def n(base, **wish):
    return comments.find(base, Wish(COUNTER, **wish)).bit_count()


@pytest.mark.parametrize(
    ("words", "hits"),
    [("chờ", 2), ("cho", 3), ("CHO LAU", 2), ("chờ lâu", 2), ("đ", 0), ("duong", 1),
     ("đường", 1), ("đương", 0), ("không có", 0), ("", 4)],
)  # fmt: skip
def test_search_with_and_without_diacritics(base, words, hits):
    for text in ("Chờ rất lâu", "cho lau qua", "Cho tôi hỏi", "Sửa đường thôn"):
        say(base, text)
    read(base)
    assert n(base, words=words) == hits


def test_comments_are_narrowed_by_unit_month_theme_and_what_was_seen(base):
    say(base, "chờ lâu")
    say(base, "rất nhiệt tình", unit=LAI_CHAU)
    say(base, "ghế hỏng", at=NOW - timedelta(days=40))
    read(base)

    assert n(base, units=(LAI_CHAU,)) == 1
    assert n(base, months=("2026-10",)) == 1
    assert n(base, theme="cho-doi") == 1
    assert comments.see(base, COUNTER, [0], **_act) == 1
    assert comments.see(base, COUNTER, [0, 1], **_act) == 1
    assert n(base, unseen=True) == 1


def test_a_theme_by_hand_stays_when_the_dictionary_is_read_anew(base):
    say(base, "chờ lâu")
    read(base)
    comments.theme(base, COUNTER, 0, ["khen"], **_act)
    assert n(base, theme="cho-doi") == 0
    assert n(base, theme="khen") == 1

    base.execute("UPDATE feedback_mark SET dictionary = ''")
    read(base)
    assert n(base, theme="cho-doi") == 0
    assert n(base, theme="khen") == 1


def test_blocks_of_bits_join_where_they_meet(base, monkeypatch):
    monkeypatch.setattr(comments, "BLOCK", 8)
    for k in range(20):
        say(base, f"ý kiến số {k} {'lẻ' if k % 2 else 'chẵn'}")
    read(base)

    assert n(base, words="lẻ") == 10
    assert n(base, words="le") == 10
    assert n(base) == 20
    assert comments.top(0b1011, 2) == [3, 1]
    assert comments.top(0b1011, 9, below=3) == [1, 0]


def page(client, **query):
    return client.get("/comments", query_string=query | {"wave": COUNTER}).text


def test_the_page_shows_comments_as_text_and_counts_only_what_may_be_counted(base, staff):
    for _ in range(5):
        say(base, "chờ lâu <script>alert(1)</script>")
    say(base, "=cmd() ghế hỏng")
    read(base)
    shown = page(staff)

    assert "&lt;script&gt;" in shown
    row = re.search(r"Chờ đợi lâu</a></th><td>([^<]+)</td>", shown)
    few = re.search(r"trang thiết bị</th><td>([^<]+)</td>", shown)
    assert few.group(1) == "—"
    assert row is None or row.group(1) == "5"
    assert "Dưới 5 ý kiến: không công bố." in page(staff, theme="co-so")


def test_a_comment_waits_until_enough_people_have_answered_at_its_unit(base, staff):
    say(base, "chuyện của riêng một người", unit=LAI_CHAU)
    crowd(base, 3, unit=LAI_CHAU)
    read(base)
    shown = page(staff, unit=LAI_CHAU)
    assert "riêng một người" not in shown
    assert "hiện khi đơn vị có đủ 5 người" in shown

    crowd(base, 1, unit=LAI_CHAU)
    read(base)
    assert "riêng một người" in page(staff, unit=LAI_CHAU)


def test_the_day_is_told_only_where_enough_answered_on_it(base, staff):
    say(base, "ghế hỏng", unit=LAI_CHAU, at=NOW - timedelta(days=3))
    crowd(base, 4, unit=LAI_CHAU)
    read(base)
    shown = page(staff, unit=LAI_CHAU)

    assert "19/11/2026" not in shown
    assert "Tỉnh Lai Châu · 11/2026" in shown


def test_a_member_sees_the_comments_of_the_own_unit_only(base, client):
    say(base, "ở phường Minh Xuân")
    say(base, "ở Lai Châu", unit=LAI_CHAU)
    crowd(base, 4, unit=LAI_CHAU)
    read(base)
    client.login("member")
    shown = page(client)

    assert "ở phường Minh Xuân" in shown
    assert "ở Lai Châu" not in shown
    assert client.get(f"/comments?unit={LAI_CHAU}").status_code == 403
    assert client.post(f"/comments/{COUNTER}/seen", data={}).status_code == 403


def test_staff_mark_a_page_as_seen_and_a_theme_by_hand(base, staff):
    say(base, "chờ lâu")
    read(base)
    token = dict(hidden(page(staff)))["csrf_token"]

    sent = {"csrf_token": token, "n": "0", "q": "chờ"}
    answer = staff.post(f"/comments/{COUNTER}/seen", data=sent)
    assert (answer.status_code, answer.location) == (303, f"/comments?wave={COUNTER}&q=ch%E1%BB%9D")
    sent = {"csrf_token": token, "theme": ["khen", "nowhere"]}
    assert staff.post(f"/comments/{COUNTER}/0/theme", data=sent).status_code == 303
    shown = page(staff)
    assert "đã xem: Administrator" in shown
    assert "Khen ngợi (chọn tay)" in shown
    assert staff.post(f"/comments/{COUNTER}/9/theme", data=sent).status_code == 404


def test_older_comments_follow_by_their_number(base, staff):
    for k in range(30):
        say(base, f"ý kiến {k}")
    read(base)
    first = page(staff)
    assert first.count("<article") == 25
    older = re.search(r"below=(\d+)", first).group(1)

    assert page(staff, below=older).count("<article") == 5


def test_a_broken_phrase_is_told_with_its_line_and_nothing_is_lost(base, staff):
    words = "chờ lâu\n(chờ"
    answer = staff.send("/comments/themes/moi", name="Thử", tone="neutral", words=words, version=0)

    assert answer.status_code == 422
    assert "Chủ đề “Thử” chưa được lưu" in answer.text
    assert "Dòng 2 «(chờ»" in answer.text
    assert "chờ lâu\n(chờ</textarea>" in answer.text
    made = staff.send("/comments/themes/moi", name="Thử", tone="neutral", words="chờ", version=0)
    assert made.status_code == 303
    assert "Thử" in staff.get("/comments/themes").text


def test_only_the_whole_instance_changes_the_dictionary(base, client):
    client.login("member")

    assert client.get("/comments/themes").status_code == 200
    assert client.get("/comments/themes/khen").status_code == 403


def test_the_dictionary_is_tried_on_a_text(staff):
    shown = staff.get("/comments/themes?text=toi+phai+cho+lau").text

    assert "Chủ đề: Chờ đợi lâu." in shown


@pytest.mark.parametrize("query", ["period=2020-Q1", "theme=nowhere", "wave=nowhere"])
def test_what_is_not_there_is_not_found(base, staff, query):
    say(base, "ý kiến")
    read(base)

    assert staff.get(f"/comments?{query}").status_code == 404


def test_a_unit_without_comments_is_told_so(base, client):
    client.login("neighbour")

    assert "Chưa có ý kiến nào" in client.get("/comments").text
    assert TUYEN_QUANG not in client.get("/comments").text
    assert COMMUNE not in client.get("/comments").text
