"""Quotas: entered one by one or from a file, every fault named, counted in one's own areas."""

import re
from contextlib import closing
from io import BytesIO

import pytest
from field_work import ACT, audited, lot, settle
from paper_wave import AWAY, HOME, WAVE

from survey import db
from survey.store import quotas

URL = "/field/quotas"
HEAD = "don_vi,muc,ma,chi_tieu\n"


@pytest.fixture
def store(paper, settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def send(client, content):
    page = client.get(URL).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    data = {"csrf_token": token, "do": "file", "file": (BytesIO(content), "quotas.csv")}
    return client.post(URL, data=data, content_type="multipart/form-data")


def test_a_quota_is_set_changed_and_removed(client, paper, store):
    client.login("giamsat")
    for target in ("290", "300"):
        answer = client.send(URL, do="one", unit=HOME, answer="sex=1", target=target)
        assert answer.status_code == 303
    assert quotas.all(store, WAVE) == [(HOME, "sex", 1, 300)]
    assert [who for who, _, _ in audited(store, "quota.put")] == ["staff:giamsat"] * 2

    assert client.send(URL, do="remove", key=f"{HOME}=sex=1").status_code == 303
    assert quotas.all(store, WAVE) == []
    assert audited(store, "quota.remove")[0][2]["item"] == "sex"


def test_what_came_is_counted_from_settled_forms(client, paper, store):
    village = paper.cases[paper.psus[0]][:3]
    lot(store, 1, HOME, paper.staff["dieutra"], village)
    for case, sex in zip(village, (1, 1, 2), strict=True):
        settle(store, case, HOME, sex=sex)
    client.login("giamsat")
    client.send(URL, do="one", unit=HOME, answer="sex=1", target="4")
    client.send(URL, do="one", unit=HOME, answer="sex=2", target="0")
    page = text(client.get(URL))

    assert re.search(r"Nam \D*2 4 50,0", page)
    assert re.search(r"Nữ \D*1 0 —", page)


def test_a_file_is_taken_whole(client, paper, store):
    client.login("giamsat")
    content = f"\ufeff{HEAD}{HOME},sex,1,290\n\n{HOME},sex,2,310\n".replace(",", ";")

    assert send(client, content.encode()).status_code == 303
    assert [quota.target for quota in quotas.all(store, WAVE)] == [290, 310]


def test_a_file_with_faults_names_them_all_and_nothing_is_taken(client, paper, store):
    client.login("giamsat")
    lines = [
        f"{HOME},sex,1,290", "vn34:999,sex,1,1", f"{AWAY},sex,1,1", f"{HOME},s01x,1,1",
        f"{HOME},sex,7,1", f"{HOME},sex,2,-3", f"{HOME},sex,1,5", f"{HOME},c2,1,5", "x",
    ]  # fmt: skip
    answer = send(client, (HEAD + "\n".join(lines)).encode())
    page = text(answer)

    assert answer.status_code == 422
    for said in (
        "Dòng 3: không có đơn vị “vn34:999”", "Dòng 4: tài khoản này không đặt được cho tỉnh Lai",
        "Dòng 5: không có câu hỏi một lựa chọn “s01x”", "Dòng 6: câu “sex” không có mã “7”",
        "Dòng 7: số cần có “-3”", "Dòng 8: nhóm này đã có ở dòng trên",
        "Dòng 9: không có câu hỏi một lựa chọn “c2”", "Dòng 10: không có đơn vị “x”",
    ):  # fmt: skip
        assert said in page
    assert quotas.all(store, WAVE) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Chọn một tệp CSV"),
        (HEAD.encode(), "không có dòng nào"),
        (b"a,b\n1,2", "Thiếu cột don_vi, muc, ma, chi_tieu"),
        ("đơn vị".encode("utf-16"), "không phải UTF-8"),
        (HEAD.encode() + b'"vn34:08,sex,1,2\n', "sai dạng CSV"),
        (HEAD.encode() + b"x" * 300_000, "lớn hơn 256 kB"),
    ],
)
def test_a_file_that_is_none_is_told(client, paper, content, said):
    client.login("giamsat")
    answer = send(client, content)

    assert answer.status_code == 422
    assert said in text(answer)


def test_what_was_typed_is_kept_with_the_fault(client, paper):
    client.login("giamsat")
    answer = client.send(URL, do="one", unit=HOME, answer="sex=2", target="nhiều")

    assert answer.status_code == 422
    assert 'value="nhiều"' in answer.text
    assert re.search(r'value="sex=2" selected', answer.text)


def test_a_supervisor_neither_sees_nor_sets_nor_removes_quotas_of_others(client, paper, store):
    quotas.put(store, WAVE, [quotas.Quota(AWAY, "sex", 1, 123)], **ACT)
    client.login("giamsat")

    assert "123" not in text(client.get(URL))
    assert client.send(URL, do="one", unit=AWAY, answer="sex=1", target="1").status_code == 422
    assert client.send(URL, do="remove", key=f"{AWAY}=sex=1").status_code == 403
    assert client.send(URL, do="remove", key="x").status_code == 400
    assert [quota.target for quota in quotas.all(store, WAVE)] == [123]
