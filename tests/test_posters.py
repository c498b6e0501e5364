"""Posters, stands and stickers: what stands on them, that the code reads, and who may print."""

import dataclasses
import io
import re
import tracemalloc

import pdfplumber
import pypdfium2
import pytest
import qr_reader
from click.testing import CliRunner
from small_wave import COUNTER, LAI_CHAU, NOW

from survey import db
from survey.cli import main
from survey.counter import signs
from survey.printing import poster, qr
from survey.store import doors, people

MM = 72 / 25.4
LINK = "https://hl.tuyenquang.gov.vn/q/c3abcdefghijklmnop"
SIGN = signs.Sign(
    office="Trung tâm Phục vụ hành chính công phường Minh Xuân", owner="Sở Nội vụ",
    spot="Quầy số 3", link=LINK, short="hl.tuyenquang.gov.vn/m/k7pq3", asked=8, minutes=2,
    synthetic=False,
)  # fmt: skip
LONG = dataclasses.replace(
    SIGN, short="mot.dia.chi.rat.dai.cua.tinh.tuyenquang.gov.vn/" + "khao-sat-" * 9 + "/m/k7pq3",
    office="Chi nhánh Văn phòng Đăng ký đất đai khu vực Mường Khương – Bắc Hà " * 3,
    owner="Ủy ban nhân dân " * 30, spot="Quầy tiếp nhận hồ sơ đất đai, môi trường " * 9,
)  # fmt: skip
PAPER = {"a4": (210, 297), "a5": (148, 210), "stickers": (210, 297)}


def printed(size, *given):
    file = io.BytesIO()
    pages = poster.write(given, size, file)
    return file.getvalue(), pages


def picture(pdf, dpi=200):
    return pypdfium2.PdfDocument(pdf)[0].render(scale=dpi / 72).to_pil()


def text(pdf):
    with pdfplumber.open(io.BytesIO(pdf)) as file:
        return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in file.pages))


@pytest.mark.parametrize(("size", "side"), [("a4", 90), ("a5", 90 * 148 / 210)])
def test_the_printed_code_reads_as_the_address_and_has_four_modules_of_white(size, side):
    pdf, _ = printed(size, SIGN)
    image, dots = picture(pdf), 200 / 25.4
    width = PAPER[size][0]
    top = 110.5 * side / 90
    left = (width - side) / 2
    module = side / len(qr.matrix(LINK, "Q"))
    box = [left, top, left + side, top + side]
    around = [box[0] - 4 * module, box[1] - 4 * module, box[2] + 4 * module, box[3] + 4 * module]
    rows = qr_reader.picture(image, [round(v * dots) for v in around])

    assert qr_reader.read(rows) == (LINK, 5, "Q")
    assert len(rows) * module == pytest.approx(side)
    whole = image.convert("L").crop([round(v * dots) for v in around])
    dark = whole.point(lambda v: 255 * (v < 250)).getbbox()
    assert dark[0] / dots >= 3.9 * module
    assert (whole.width - dark[2]) / dots >= 3.9 * module


def test_each_of_24_stickers_reads_as_the_address():
    pdf, pages = printed("stickers", SIGN)
    image, dots = picture(pdf, 300), 300 / 25.4

    assert pages == 1
    for row in range(poster.DOWN):
        for column in range(poster.ACROSS):
            x, y = column * poster.LABEL_W + 4, 0.5 + row * poster.LABEL_H + 2
            rows = qr_reader.picture(image, [round(v * dots) for v in (x, y, x + 30, y + 33)])
            assert qr_reader.read(rows) == (LINK, 4, "M")


def test_the_reader_of_this_test_sees_one_wrong_module():
    rows = [list(row) for row in qr.matrix(LINK, "M")]
    rows[20][20] = not rows[20][20]

    with pytest.raises(AssertionError):
        qr_reader.read(rows)


@pytest.mark.parametrize("length", [30, 45, 60, 70])
@pytest.mark.parametrize("level", ["M", "Q"])
def test_addresses_of_every_length_read_back(length, level):
    address = ("https://" + "a0-." * 20)[:length]

    assert qr_reader.read(qr.matrix(address, level))[0] == address


@pytest.mark.parametrize("size", ["a4", "a5"])
def test_a_poster_says_what_the_plan_asks_for(size):
    said = text(printed(size, SIGN)[0])

    for words in (
        "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG PHƯỜNG MINH XUÂN", "Hôm nay chúng tôi phục vụ",
        "Ông/Bà như thế nào?", "Rất không hài lòng", "Rất hài lòng", "Quét mã bằng điện thoại",
        "hl.tuyenquang.gov.vn/m/k7pq3", "8 câu, 2 phút", "nhận mã biên nhận", "Không hỏi tên",
        "Cán bộ tại quầy không xem được câu trả lời của từng người.", "Quầy số 3", "Sở Nội vụ",
    ):  # fmt: skip
        assert words in said, words


@pytest.mark.parametrize("size", poster.SIZES)
@pytest.mark.parametrize("sign", [SIGN, LONG], ids=["plain", "long"])
def test_nothing_runs_off_the_paper_and_no_letter_is_too_small(size, sign):
    pdf, _ = printed(size, sign)
    with pdfplumber.open(io.BytesIO(pdf)) as file:
        letters = [c for page in file.pages for c in page.chars]
    wide, high = PAPER[size]

    assert min(c["size"] for c in letters) >= {"a4": 13, "a5": 9, "stickers": 7.5}[size] - 0.01
    assert min(c["x0"] for c in letters) / MM >= 5
    assert max(c["x1"] for c in letters) / MM <= wide - 4
    assert min(c["top"] for c in letters) / MM >= 1.5
    assert max(c["bottom"] for c in letters) / MM <= high - 1.5
    assert {c["fontname"].partition("+")[2] for c in letters} == {"Tinos-Regular", "Tinos-Bold"}


def test_a_long_address_is_left_to_the_code_and_short_lines_stay_apart():
    said = text(printed("a4", LONG)[0])

    assert "mot.dia.chi" not in said
    assert "…" in said


def test_a_made_up_wave_says_so_on_paper():
    made_up = dataclasses.replace(SIGN, synthetic=True)

    for size in poster.SIZES:
        assert "DỮ LIỆU MÔ PHỎNG" in text(printed(size, made_up)[0])


def test_foreign_words_are_letters_and_nothing_else():
    sign = dataclasses.replace(SIGN, office="<b>A</b> & \x00\u202e5 < 6 \U0001f600", spot="<img/>")

    assert "<B>A</B> & 5 < 6 □" in text(printed("a4", sign)[0])


def test_equal_signs_give_equal_bytes():
    assert [printed(s, SIGN, LONG)[0] for s in poster.SIZES] == [
        printed(s, SIGN, LONG)[0] for s in poster.SIZES
    ]


def test_dossiers_share_a_sheet_and_counters_have_their_own():
    dossier = dataclasses.replace(SIGN, short="hl.tuyenquang.gov.vn/q/d3abc", spot="H08-1")

    assert printed("stickers", *[dossier] * 25)[1] == 2
    assert printed("stickers", SIGN, SIGN)[1] == 2


def test_a_hundred_posters_need_little_memory():
    each = (dataclasses.replace(SIGN, spot=f"Quầy số {n}") for n in range(100))
    file = io.BytesIO()
    printed("a4", SIGN)
    tracemalloc.start()
    try:
        assert poster.write(each, "a4", file) == 100
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < 16_000_000


def test_an_address_no_code_can_hold_is_refused():
    with pytest.raises(ValueError, match="characters"):
        printed("a4", dataclasses.replace(SIGN, link="https://" + "x" * 200))


def test_short_codes_come_back_whatever_the_case_and_typing_errors_do_not():
    secret = b"s" * 32
    for number in (1, 30, 31, 32, 961, 10**9):
        code = signs.code(secret, number)
        assert signs.read(secret, code.upper()) == number
        assert not set("01ilo") & set(code)
        for at in range(len(code)):
            other = "2" if code[at] != "2" else "3"
            with pytest.raises(LookupError):
                signs.read(secret, code[:at] + other + code[at + 1 :])
    for wrong in ("", "abc", "aaaa", "aaaa2" * 9, "l1o0i", "đđđđđ"):
        with pytest.raises(LookupError):
            signs.read(secret, wrong)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("https://hl.vn/", "https://hl.vn"),
        (" http://10.0.0.5:8000 ", "http://10.0.0.5:8000"),
        ("https://tinh.gov.vn/hl/", "https://tinh.gov.vn/hl"),
    ],
)
def test_the_public_address_comes_from_its_setting(given, found):
    assert signs.root({"SIPAS_ADDRESS": given}, "http://other") == found


@pytest.mark.parametrize("given", ["", "hl.vn", "ftp://hl.vn", "https://", "https://a b", "ô://a"])
def test_what_is_no_address_is_refused(given):
    with pytest.raises(signs.AddressError, match="SIPAS_ADDRESS"):
        signs.root({"SIPAS_ADDRESS": given})


def test_the_page_of_doors_leads_to_posters_that_open(staff, facts):
    page = staff.get(f"/doors?wave={COUNTER}")
    number = facts.doors["counter"]

    assert page.status_code == 200
    assert f"/doors/{number}/poster.pdf?size=a5" in page.text
    for size in poster.SIZES:
        answer = staff.get(f"/doors/{number}/poster.pdf?size={size}")
        assert answer.mimetype == "application/pdf"
        assert answer.data.startswith(b"%PDF-1.4")


def test_the_poster_of_a_door_says_its_unit_and_carries_its_token(staff, app, facts, door_tokens):
    door = facts.doors["counter"]
    pdf = staff.get(f"/doors/{door}/poster.pdf").data
    with app.app_context():
        sign = signs.of(
            db.get(), app.extensions["sipas"].settings.secret, "http://localhost",
            doors.get(db.get(), door),
        )  # fmt: skip

    assert sign.link == f"http://localhost/q/{door_tokens['counter']}"
    assert "PHƯỜNG MINH XUÂN" in text(pdf)
    assert "Quầy số 3" in text(pdf)
    assert sign.short in text(pdf)


@pytest.mark.parametrize(
    "path", ["999999/poster.pdf", "1/poster.pdf?size=a0", "1/poster.pdf?lang=x"]
)
def test_a_sign_that_does_not_exist_is_not_found(staff, path):
    assert staff.get(f"/doors/{path}").status_code == 404
    assert staff.get("/doors?wave=nowhere").status_code == 404


@pytest.mark.parametrize("name", ["member", "stranger"])
def test_only_administrators_print(client, facts, name):
    client.login(name)

    assert client.get("/doors").status_code == 403
    assert client.get(f"/doors/{facts.doors['counter']}/poster.pdf").status_code == 403


def test_a_typed_address_leads_to_the_form(client, settings, facts, door_tokens):
    code = signs.code(settings.secret, facts.doors["counter"])
    answer = client.get(f"/m/{code.upper()}")

    assert answer.status_code == 303
    assert answer.location == f"/q/{door_tokens['counter']}"
    assert client.get(answer.location).status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_a_dossier_has_no_typed_address(client, settings, facts):
    assert (
        client.get(f"/m/{signs.code(settings.secret, facts.doors['dossier'])}").status_code == 404
    )


def test_guessing_typed_addresses_is_held_back(client, settings, facts, monkeypatch):
    from survey.counter import posters

    monkeypatch.setattr(posters, "GUESSES", 3)
    answers = [client.get("/m/aaaaa").status_code for _ in range(5)]

    assert answers == [404, 404, 404, 429, 429]
    code = signs.code(settings.secret, facts.doors["counter"])
    assert client.get(f"/m/{code}").status_code == 429


def run(instance, *words, **env):
    return CliRunner().invoke(main, ["--instance", str(instance), "poster", *words], env=env)


def test_the_command_prints_doors_by_number_or_by_wave(instance, facts, tmp_path):
    file = tmp_path / "out.pdf"
    number = str(facts.doors["counter"])
    done = run(instance, number, number, "-o", str(file), SIPAS_ADDRESS="https://hl.vn")
    assert done.exit_code == 0, done.output
    assert "2 địa chỉ, 2 trang" in done.output
    assert "hl.vn/m/" in text(file.read_bytes())

    words = ("--wave", COUNTER, "--size", "stickers", "--address", "https://x.vn", "-o", str(file))
    assert "1 địa chỉ, 1 trang" in run(instance, *words).output
    assert "1 địa chỉ" in run(instance, *words, "--dossiers", "--unit", "vn34:08").output
    assert "H08.000-261122-0001" in text(file.read_bytes())


def test_a_dry_run_prints_nothing(instance, facts, tmp_path):
    file = tmp_path / "out.pdf"
    done = run(instance, str(facts.doors["counter"]), "--address", "https://x.vn", "--dry-run",
               "-o", str(file))  # fmt: skip

    assert done.exit_code == 0
    assert "không ghi gì" in done.output
    assert list(tmp_path.glob("*.p*")) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["1"], "SIPAS_ADDRESS"),
        (["99999", "--address", "https://x.vn"], "Không có địa chỉ số 99999"),
        (["--wave", "nowhere", "--address", "https://x.vn"], "Không có đợt"),
        (["--wave", COUNTER, "--unit", "x", "--address", "https://x.vn"], "Không có đơn vị"),
        (["--wave", COUNTER, "--unit", "vn34:12", "--address", "https://x.vn"], "để in"),
        (["1", "--address", "https://" + "x" * 200], "quá dài"),
    ],
)
def test_faults_are_said_and_leave_no_file(instance, tmp_path, words, said):
    found = run(instance, *words, "-o", str(tmp_path / "out.pdf"), SIPAS_ADDRESS="")

    assert found.exit_code == 1
    assert said in found.output
    assert list(tmp_path.glob("*.p*")) == []


def test_doors_and_a_wave_together_are_wrong_usage(instance, tmp_path):
    assert run(instance, "-o", str(tmp_path / "x.pdf")).exit_code == 2


def test_every_open_counter_of_a_wave_comes_in_one_file(staff, app, facts, monkeypatch):
    from survey.counter import posters

    path = f"/doors/posters.pdf?wave={COUNTER}"
    answer = staff.get(path)
    assert answer.mimetype == "application/pdf"
    assert len(pypdfium2.PdfDocument(answer.data)) == 1
    assert staff.get("/doors/posters.pdf").status_code == 404
    assert staff.get("/doors/posters.pdf?wave=ho-2026").status_code == 404
    monkeypatch.setattr(posters, "MOST", 0)
    assert staff.get(path).status_code == 422


def test_an_administrator_of_a_unit_prints_for_that_unit_only(client, settings, facts):
    store = db.connect(settings.database)
    cheap = store.execute("SELECT password_hash FROM staff LIMIT 1").fetchone()[0]
    people.add(
        store, username="lan", name="Lan", role="administrator", unit=LAI_CHAU, must_change=False,
        password_hash=cheap, now=NOW, actor="shell:test",
    )  # fmt: skip
    store.close()
    client.login("lan")
    number = facts.doors["counter"]

    assert client.get(f"/doors/{number}/poster.pdf").status_code == 403
    assert f"/doors/{number}/" not in client.get(f"/doors?wave={COUNTER}").text
    assert client.get(f"/doors/posters.pdf?wave={COUNTER}").status_code == 404


@pytest.mark.parametrize(
    ("counter", "label", "shown"),
    [
        ("3", "", "Quầy số 3"),
        ("Quầy đất đai", "Phường A", "Quầy đất đai"),
        ("local:01-09604-1", "Phường A · Quầy số 1", "Phường A · Quầy số 1"),
        ("local:01-09604-1", "", "local:01-09604-1"),
        (None, "Phường A", "Phường A"),
    ],
)
def test_a_sign_stands_where_people_say_it_stands(counter, label, shown):
    door = doors.Door(
        id=1, kind="counter", wave="w", unit="vn34:01", counter=counter, label=label
    )  # fmt: skip

    assert signs.spot(door, "vi") == shown
