"""Pages rendered once: the fast way sends what the slow way draws; public pages and receipts."""

import gzip
import re
import zlib

import pytest
from flask.testing import FlaskClient

from survey.citizen import pages
from survey.citizen.pages import Look, cut, hidden_token

PACKED = {"Accept-Encoding": "gzip, deflate, br"}
LOOKS = [("", "vi"), ("?lang=en", "en"), ("?chu=to", "vi"), ("?tuong-phan=cao&lang=en", "en")]


def without_token(page):
    return re.sub(rb'name="page" value="[^"]+"', b"", page)


@pytest.mark.parametrize("splice", [b"", b"x", hidden_token("abc"), b"y" * 60_000])
def test_a_spliced_page_is_one_gzip_member_of_the_plain_page(splice):
    page = cut("<p>Phường Tùng Thiện</p>" * 500 + "<form></form><p>cuối</p>")

    packed = page.gzip(splice)
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)

    assert reader.decompress(packed) == page.plain(splice)
    assert reader.eof
    assert reader.unused_data == b""
    assert gzip.decompress(packed) == page.plain(splice)


def test_the_token_stands_just_before_the_end_of_the_form():
    page = cut("<form>a</form>b").plain(b"<input>")

    assert page == b"<form>a<input></form>b"


def test_a_page_without_a_form_has_no_place_for_a_token():
    with pytest.raises(ValueError, match="form"):
        cut("<p></p>")


@pytest.mark.parametrize("query", [query for query, _ in LOOKS])
@pytest.mark.parametrize("door", ["/q/household", "/k/counter", "/q/counter"])
def test_the_fast_page_is_the_drawn_page(app, client, door_tokens, door, query):
    path, name = door[:3], door[3:]
    address = f"{path}{door_tokens[name]}{query}"

    fast = FlaskClient(app, app.response_class).get(address, headers=PACKED)
    plain = client.get(address)

    assert fast.headers["Content-Encoding"] == "gzip"
    assert without_token(gzip.decompress(fast.data)) == without_token(plain.data)


@pytest.mark.parametrize(("query", "language"), LOOKS)
def test_the_look_stands_in_the_address_and_in_the_page(client, door_tokens, query, language):
    page = client.get(f"/q/{door_tokens['household']}{query}").text

    assert f'<html lang="{language}"' in page
    assert ('data-size="large"' in page) == ("chu=to" in query)
    assert ('data-look="contrast"' in page) == ("cao" in query)


def test_every_page_has_its_own_token(client, door_tokens):
    address = f"/q/{door_tokens['household']}"

    assert client.get(address).data != client.get(address).data


def test_a_browser_without_gzip_gets_the_plain_page(client, door_tokens):
    answer = client.get(
        f"/q/{door_tokens['household']}", headers={"Accept-Encoding": "gzip;q=0, br"}
    )

    assert "Content-Encoding" not in answer.headers
    assert "</html>" in answer.text


def test_the_whole_household_form_is_a_light_first_load(app, door_tokens):
    client = FlaskClient(app, app.response_class)
    page = client.get(f"/q/{door_tokens['household']}", headers=PACKED)
    links = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', gzip.decompress(page.data).decode()))
    weights = [len(client.get(link, headers=PACKED).data) for link in links]

    assert len(links) + 1 <= 4
    assert len(page.data) + sum(weights) <= 22_000


def test_rendered_pages_are_kept_within_bounds():
    assert pages.rendered.cache_info().maxsize == 128


def test_an_unknown_look_is_the_usual_one(client, door_tokens):
    page = client.get(f"/q/{door_tokens['household']}?lang=xx&chu=gi&tuong-phan=1").text

    assert '<html lang="vi">' in page


def test_switches_lead_to_the_other_looks():
    switches = [query for _, _, _, query in Look("en", large=True).switches()]

    assert switches == ["?lang=en", "?chu=to&tuong-phan=cao&lang=en", "?chu=to"]


@pytest.mark.parametrize("path", ["/", "/privacy", "/r"])
@pytest.mark.parametrize("query", ["", "?lang=en"])
def test_public_pages_open_for_everybody_without_a_cookie(client, path, query):
    answer = client.get(path + query)

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def stored(app, receipt):
    from survey import db
    from survey.store import responses

    with app.app_context():
        return responses.by_receipt(db.get(), receipt)


@pytest.fixture
def receipt(client, door_tokens):
    """The receipt of an answer given at the counter."""
    marks = {f"m{n}": "4" for n in range(1, 6)} | {"m_all": "5"}
    start = client.get(f"/k/{door_tokens['counter']}")
    page = re.search(r'name="page" value="([^"]+)"', start.text).group(1)
    thanks = client.post(f"/k/{door_tokens['counter']}", data={"page": page, **marks})
    return re.search(r'class="code"[^>]*>([^<]+)', thanks.text).group(1)


def test_a_receipt_shows_when_it_was_received(client, receipt):
    page = client.post("/r", data={"receipt": receipt.lower().replace("-", " ")})

    assert page.status_code == 200
    assert receipt in page.text
    assert "DỮ LIỆU MÔ PHỎNG" in page.text
    assert re.search(r"Nhận lúc \d\d:\d\d ngày \d\d/\d\d/20\d\d", page.text)


def test_looking_up_changes_nothing_and_erasing_voids(app, client, receipt):
    client.post("/r", data={"receipt": receipt})
    assert stored(app, receipt)["state"] != "void"

    page = client.post("/r", data={"receipt": receipt, "go": "erase"})

    assert f"Đã xóa câu trả lời có mã {receipt}." in page.text
    assert stored(app, receipt)["state"] == "void"


def test_a_withdrawn_receipt_is_not_shown_again(client, receipt):
    client.post("/r", data={"receipt": receipt, "go": "erase"})
    page = client.post("/r", data={"receipt": receipt})

    assert page.status_code == 404
    assert "đã được rút lại trước đó" in page.text


@pytest.mark.parametrize("typed", ["", "ABC", "0O1I-0O1I", "<script>alert(1)</script>", "A" * 999])
def test_what_is_no_receipt_is_named_and_given_back_harmless(client, typed):
    page = client.post("/r", data={"receipt": typed})

    assert page.status_code == 422
    assert "8 chữ và số" in page.text
    assert "<script>alert" not in page.text


def test_a_receipt_nobody_has_is_not_found(client):
    assert client.post("/r", data={"receipt": "ZZZZ-ZZZZ"}).status_code == 404


def test_receipts_cannot_be_tried_out_and_no_address_is_kept(app, client, monkeypatch):
    monkeypatch.setattr(pages, "LOOKUPS", 3)
    codes = [client.post("/r", data={"receipt": "ZZZZ-ZZZZ"}).status_code for _ in range(4)]

    assert codes == [404, 404, 404, 429]
    database = app.extensions["sipas"].settings.database
    held = b"".join(p.read_bytes() for p in database.parent.glob(database.name + "*"))
    assert b"127.0.0.1" not in held
