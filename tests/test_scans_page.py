"""The scanning pages: files handed in, progress, refused pages, doubts decided by key."""

import time
from contextlib import closing
from io import BytesIO
from uuid import uuid4

import paper_wave
import pytest
import scanned
from citizens import hidden
from paper_wave import NOW, WAVE
from scanned import hand, places

from survey import db
from survey.entry import reading
from survey.entry.shelf import Shelf
from survey.store import cases, plans, readings, scans

ACT = {"now": NOW, "actor": "staff:test"}
FIELDS = paper_wave.fields(3)
PAGE = f"/desk/scans?wave={WAVE}"


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def wave(base, settings):
    made = paper_wave.make(base)
    plans.set(base, WAVE, plans.PaperPlan(scan_share=0.0, seed="hat-giong-2026"), **ACT)
    return made


@pytest.fixture
def form(base, wave, settings):
    """The pages of the first case's form, with two marks for one answer on the first."""

    def double(number, page):
        if number == 1:
            for place in places(1, "sex"):
                hand(page).mark(place)

    run = scanned.printed(base, wave.main)
    return scanned.filled(FIELDS, secret=settings.secret, run=run, case=wave.main[0], change=double)


@pytest.fixture
def read(base, wave, form, settings, tmp_path):
    """A file that was handed in by a clerk of Tuyên Quang and read."""
    noise = form[0].copy()
    noise[: len(noise) // 2] = 255
    data = scanned.pdf(tmp_path / "quet.pdf", [*form, noise]).read_bytes()
    digest = Shelf(settings.instance).take([data], f"0-{uuid4().hex}")
    clerk = wave.staff["nhap1"]
    upload, _ = scans.add(base, WAVE, name="quét 1.pdf", digest=digest, staff=clerk, **ACT)
    reading.work(settings)
    return upload


def done(base, settings):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if scans.next_waiting(base) is None and not reading.running(settings):
            return True
        time.sleep(0.1)
    return False


def token(client):
    return dict(hidden(client.get(PAGE).text))["csrf_token"]


def test_a_file_is_handed_in_and_read_outside_of_the_request(client, base, wave, form, settings):
    client.login("nhap1")
    picture = BytesIO(scanned.jpeg(form[1], 45))
    data = {"file": (picture, "trang 2.jpg"), "csrf_token": token(client)}
    answer = client.post(PAGE, data=data, content_type="multipart/form-data")

    assert (answer.status_code, answer.location) == (303, PAGE)
    assert done(base, settings)
    [count] = scans.counted(base, WAVE)
    assert (count.upload.name, count.upload.staff, count.read) == (
        "trang 2.jpg", wave.staff["nhap1"], 1,
    )  # fmt: skip
    page = client.get(PAGE).text
    assert "trang 2.jpg" in page
    assert "Thiếu trang 1, 3, 4" in page


def test_a_file_comes_in_pieces_and_is_put_together(client, base, wave, form, settings):
    client.login("nhap1")
    data, mark = scanned.jpeg(form[2]), token(client)
    name = f"{wave.staff['nhap1']}-{uuid4().hex}"
    half = len(data) // 2
    for at, part in ((0, data[:half]), (0, data[:half]), (half, data[half:])):
        answer = client.post(
            f"/desk/scans/pieces/{name}?offset={at}", data=part, headers={"X-CSRFToken": mark}
        )
        assert answer.json == {"at": at + len(part)}
    sent = {"csrf_token": mark, "token": name, "name": "C:\\quet\\ba.jpg"}

    assert client.post(PAGE, data=sent).status_code == 303
    assert done(base, settings)
    [count] = scans.counted(base, WAVE)
    assert (count.upload.name, count.read) == ("ba.jpg", 1)


def test_pieces_of_somebody_elses_file_and_gaps_are_refused(client, wave):
    client.login("nhap1")
    mark, mine = token(client), f"{wave.staff['nhap1']}-{uuid4().hex}"
    theirs = f"{wave.staff['nhap2']}-{uuid4().hex}"

    def send(name, offset):
        return client.post(
            f"/desk/scans/pieces/{name}?offset={offset}", data=b"x", headers={"X-CSRFToken": mark}
        ).status_code

    assert send(theirs, 0) == 404
    assert send(mine, 5) == 409
    assert send(mine, -1) == 400
    assert client.post(f"/desk/scans/pieces/{mine}?offset=0", data=b"x").status_code == 400


def test_a_spreadsheet_is_refused_with_words(client, wave, base):
    client.login("nhap1")
    data = {"file": (BytesIO(b"PK\x03\x04"), "phieu.xlsx"), "csrf_token": token(client)}
    answer = client.post(PAGE, data=data, content_type="multipart/form-data")

    assert answer.status_code == 422
    assert "không phải PDF, TIFF, JPEG hay PNG" in answer.text
    assert scans.counted(base, WAVE) == []


def test_refused_pages_say_why_and_what_to_do(client, read):
    client.login("nhap1")
    page = client.get(f"/desk/scans/{read.id}").text

    assert "Chỉ thấy 2/4 dấu góc" in page
    assert "Đặt giấy thẳng" in page
    assert "4 trang" not in page
    assert client.get("/desk/scans/pictures/5").mimetype == "image/jpeg"


def test_a_doubtful_place_is_decided_by_one_button_and_can_be_mended(client, base, wave, read):
    client.login("nhap1")
    address = f"/desk/scans/doubts?wave={WAVE}"
    page = client.get(address).text
    assert "Có hơn một dấu" in page
    assert "Còn 1 chỗ nghi ngờ" in page
    assert 'value="1" data-key="1"' in page
    picture = client.get("/desk/scans/pictures/1?field=sex")
    assert picture.data.startswith(b"\xff\xd8")

    to = "/desk/scans/doubts/1/sex"
    assert client.send(address, to=to, value="7").status_code == 422
    assert client.send(address, to=to, value="").status_code == 422
    assert cases.get(base, wave.main[0]).state == "planned"
    assert client.send(address, to=to, value="2").status_code == 303
    assert cases.get(base, wave.main[0]).state == "compared"
    assert client.get(address).location == PAGE


def test_a_clerk_of_another_unit_sees_nothing_of_it(client, base, read):
    client.login("nhapnoikhac")

    assert "quét 1.pdf" not in client.get(PAGE).text
    assert client.get(f"/desk/scans/doubts?wave={WAVE}").status_code == 303
    assert client.get(f"/desk/scans/{read.id}").status_code == 403
    for number in (1, 5):
        assert client.get(f"/desk/scans/pictures/{number}").status_code == 403
    assert client.send(PAGE, to="/desk/scans/doubts/1/sex", value="1").status_code == 403
    assert readings.open_doubts(base, WAVE).left == 1


def test_what_does_not_exist_is_not_found(client, read):
    client.login("nhap1")
    for path in ("/desk/scans/99", "/desk/scans/pictures/99"):
        assert client.get(path).status_code == 404
    for path in ("/desk/scans/doubts/99/sex", "/desk/scans/doubts/1/ethnicity"):
        assert client.send(PAGE, to=path, value="1").status_code == 404


def test_a_file_left_half_read_says_so_and_goes_on(client, base, wave, form, settings):
    digest = Shelf(settings.instance).take([scanned.jpeg(form[1])], f"0-{uuid4().hex}")
    upload, _ = scans.add(
        base, WAVE, name="dở.jpg", digest=digest, staff=wave.staff["nhap1"], **ACT
    )
    scans.begin(base, upload.id, pages=1)
    client.login("nhap1")
    page = client.get(PAGE)
    assert "máy đọc đã dừng" in page.text
    assert "Refresh" not in page.headers

    assert client.send(PAGE, to=f"/desk/scans/work?wave={WAVE}").status_code == 303
    assert "máy đọc đã dừng" not in client.get(PAGE).text
    assert done(base, settings)
    assert scans.get(base, upload.id).state == "done"


def test_a_file_is_not_called_entered_before_its_forms_are(client, base, wave, read):
    """Read to its end, it still waits for somebody to decide one doubtful place."""
    client.login("nhap1")
    one = f"/desk/scans/{read.id}"
    for page in (client.get(PAGE).text, client.get(one).text):
        assert "đã đọc xong, 1 phiếu chưa nhập" in page
        assert "đã đọc xong, đã nhập" not in page

    id = readings.open_doubts(base, WAVE).page.id
    readings.decide(base, id, "sex", 1, staff=wave.staff["nhap1"], **ACT)
    for page in (client.get(PAGE).text, client.get(one).text):
        assert "đã đọc xong, đã nhập" in page


def test_the_least_confidence_of_a_page_is_shown(client, base, wave, read):
    first, second, *_ = scans.pages_of(base, read.id)
    assert set(second.confidence) == set(second.fields) - {"comment"}
    assert "sex" not in first.confidence
    assert 0.5 <= second.least <= 1

    client.login("nhap1")
    page = client.get(f"/desk/scans/{read.id}").text
    assert "Tin cậy của trang" in page
    assert f"{int(100 * second.least)}%" in page


def test_a_page_whose_picture_was_removed_says_since_when(client, base, wave, read):
    base.execute("UPDATE scan_upload SET removed_on = '2027-03-01'")
    client.login("nhap1")
    page = client.get(f"/desk/scans/{read.id}").text
    assert "Ảnh và tệp gốc đã xóa ngày 01/03/2027" in page
    assert "/desk/scans/pictures/" not in page
    assert "Đọc lại các trang bị từ chối" not in page
    assert "đã xóa ngày 01/03/2027" in client.get(f"/desk/scans/doubts?wave={WAVE}").text

    id = scans.pages_of(base, read.id)[0].id
    answer = client.get(f"/desk/scans/pictures/{id}")
    assert (answer.status_code, "01/03/2027" in answer.text) == (410, True)


def test_the_shell_reads_files_and_names_every_refused_page(
    app, base, wave, form, settings, tmp_path
):
    from click.testing import CliRunner

    from survey.cli import main

    path = scanned.pdf(tmp_path / "quet.pdf", [form[1], form[1][:900]])
    run = CliRunner().invoke(
        main, ["--instance", str(settings.instance), "scan", "read", WAVE, str(path)]
    )
    assert run.exit_code == 0, run.output
    assert "đọc 1, từ chối 1" in run.output
    assert "trang 2: Chỉ thấy 2/4 dấu góc" in run.output
    assert "còn thiếu trang 1, 3, 4" in run.output

    run = CliRunner().invoke(main, ["--instance", str(settings.instance), "scan", "status", WAVE])
    assert "Máy không đọc tệp nào." in run.output
    bad = tmp_path / "a.txt"
    bad.write_text("x")
    run = CliRunner().invoke(
        main, ["--instance", str(settings.instance), "scan", "read", WAVE, str(bad)]
    )
    assert run.exit_code == 1
    assert "không phải tệp PDF" in run.output


def test_without_the_extra_everything_says_so(client, wave, settings, monkeypatch, tmp_path):
    import sys

    from click.testing import CliRunner

    from survey.cli import main

    monkeypatch.setitem(sys.modules, "cv2", None)
    client.login("nhap1")
    assert "chưa đọc được phiếu quét: thiếu opencv-python-headless" in client.get(PAGE).text
    assert client.send(PAGE, to=PAGE).status_code == 503
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.4")
    run = CliRunner().invoke(
        main, ["--instance", str(settings.instance), "scan", "read", WAVE, str(path)]
    )
    assert run.exit_code == 1
    assert "sipas[scan]" in run.output
