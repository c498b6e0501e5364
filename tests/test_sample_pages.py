"""The pages of the sample and of its cases: files in, faults back, each in the own area only."""

import csv
import io
import re

import paper_wave
import pytest
import small_wave
from paper_wave import AWAY, HOME, NOW, WAVE
from werkzeug.security import generate_password_hash

from survey import db
from survey.store import cases, draws, frames, lots, people, units, waves

ACT = {"now": NOW, "actor": "shell:test"}
KEY = "mau-2026"
VILLAGES = "Mã thôn,Tầng,Mã xã,Khu vực,Tên thôn,Số hộ\n" + "".join(
    f"{p}-{n},{p},{p},nông thôn,Thôn {n},{20 + n}\n" for p in ("08", "12") for n in range(1, 7)
)


@pytest.fixture
def store(paper, settings):
    base = db.connect(settings.database)
    wave = waves.get(base, WAVE)
    facts = {slot: getattr(wave, slot) for slot in wave.__slots__}
    waves.new(base, waves.Wave(**facts | {"key": KEY, "name": "Mẫu", "owner": "vn34:00"}), **ACT)
    yield base
    base.close()


@pytest.fixture
def admin(client, store):
    client.login()
    return client


@pytest.fixture
def supervisor(client, store):
    client.login("giamsat", paper_wave.PASSWORD)
    return client


def token(client):
    page = client.get(f"/field/sample?wave={KEY}").text
    return page.rpartition('name="csrf_token" value="')[2].split('"')[0]


def post(client, path, **data):
    return client.post(path, data={"csrf_token": token(client), **data})


def send(client, kind, text, **data):
    file = (io.BytesIO(text.encode()), "tep.csv")
    return post(client, f"/field/sample/{KEY}/{kind}", file=file, **data)


def households(store):
    psus = [area.psu for area in draws.areas(store, KEY) if not area.dropped_at]
    rows = "".join(f"{psu},{n},2,Lê Văn {n},Số {n}\n" for psu in psus for n in range(1, 9))
    return "Mã thôn,Mã hộ,Số người lớn,Họ tên,Địa chỉ\n" + rows


def plan(client, **changes):
    data = {
        "method": "size", "person": "one", "households": "4", "reserves": "2", "rule": "equal",
        "total": "6", "minimum": "2", "take.08": "3", "take.12": "3", "go": "save",
    }  # fmt: skip
    return post(client, f"/field/sample/{KEY}/plan", **data | changes)


@pytest.fixture
def drawn(admin, store):
    assert send(admin, "villages", VILLAGES).status_code == 303
    assert plan(admin).status_code == 303
    draw = f"/field/sample/{KEY}/draw"
    assert post(admin, draw, stage="villages", seed="xổ số").status_code == 303
    assert send(admin, "households", households(store)).status_code == 303
    assert post(admin, draw, stage="households").status_code == 303
    return admin


def test_a_sample_is_drawn_page_by_page_and_drawn_again(drawn, store):
    page = drawn.get(f"/field/sample/{KEY}/check").text

    assert "Rút lại 6 thôn và 36 hộ: giống hệt" in page
    assert len(draws.areas(store, KEY)) == 6


def test_the_list_comes_without_names(drawn):
    answer = drawn.get(f"/field/sample/{KEY}/list.csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))

    assert len(rows) == 36
    assert "Lê Văn" not in answer.text
    assert all(float(row["weight"]) > 1 and "/" in row["probability"] for row in rows)


def test_a_faulty_file_comes_back_with_every_line_and_changes_nothing(admin, store):
    answer = send(admin, "villages", VILLAGES + "08-1,08,08,nông thôn,Thôn 1,0\n")

    assert answer.status_code == 422
    assert "Dòng 14: số hộ “0”" in answer.text
    assert store.execute("SELECT COUNT(*) FROM frame_village").fetchone()[0] == 0


@pytest.mark.parametrize("page", ["villages", "draw", "check", "plan"])
def test_choosing_another_wave_leads_to_its_sample(admin, page):
    answer = admin.get(f"/field/sample/{KEY}/{page}?wave={WAVE}")

    assert (answer.status_code, answer.location) == (303, f"/field/sample?wave={WAVE}")


def test_choosing_another_wave_on_a_case_leads_to_its_villages(admin, paper):
    for path in (f"/field/cases/{WAVE}", f"/field/cases/form/{paper.main[0]}"):
        assert admin.get(f"{path}?wave={KEY}").location == f"/field/cases/{KEY}"


def test_no_file_is_a_fault_too(admin):
    assert "Chưa chọn tệp" in post(admin, f"/field/sample/{KEY}/villages").text


def test_a_draw_without_a_seed_is_refused_on_the_page(admin, store):
    send(admin, "villages", VILLAGES)
    plan(admin)
    answer = post(admin, f"/field/sample/{KEY}/draw", stage="villages", seed=" ")

    assert answer.status_code == 422
    assert "Cần có hạt giống" in answer.text
    assert not draws.areas(store, KEY)


def test_the_calculator_says_how_many_and_fills_in_the_villages(admin):
    send(admin, "villages", VILLAGES)
    page = admin.get(f"/field/sample/{KEY}/plan?half_width=20&icc=0,03").text

    assert "Cần 45 phiếu hợp lệ" in page
    assert "400 phiếu" in page
    assert 'name="total" inputmode="numeric" value="2"' in page


@pytest.mark.parametrize("name", ["half_width", "share", "icc", "response", "population"])
def test_numbers_that_cannot_be_are_named(admin, name):
    asked = {"half_width": "4", name: "-1"}
    page = admin.get(f"/field/sample/{KEY}/plan", query_string=asked)

    assert page.status_code == 422
    assert f'href="#{name}"' in page.text


def test_shares_of_strata_are_filled_in_and_not_kept(admin, store):
    send(admin, "villages", VILLAGES)
    answer = plan(admin, go="allocate", total="8")

    assert answer.status_code == 200
    assert re.findall(r'name="take\.\d\d"[^>]* value="(\d+)"', answer.text) == ["4", "4"]
    assert not draws.get(store, KEY).plan.takes


@pytest.mark.parametrize(
    ("field", "value"),
    [("households", "0"), ("reserves", "x"), ("take.08", "7"), ("take.12", "")],
)
def test_a_plan_with_a_wrong_number_comes_back_with_the_rest_kept(admin, store, field, value):
    send(admin, "villages", VILLAGES)
    answer = plan(admin, **{field: value})

    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert not draws.get(store, KEY).plan.takes


def test_a_supervisor_brings_lists_of_the_own_area_only(drawn, store, client):
    drawn.logout()
    client.login("giamsat", paper_wave.PASSWORD)
    text = "psu,household\n" + "".join(f"12-1,{n}\n" for n in range(9))
    answer = send(client, "households", text)

    assert answer.status_code == 422
    assert "ngoài phạm vi" in answer.text


def test_the_draw_belongs_to_the_owner_of_the_wave(supervisor, store):
    for path, data in (
        ("draw", {"stage": "villages", "seed": "x"}),
        ("undo", {"reason": "x"}),
        ("plan", {}),
        ("villages", {}),
    ):
        assert post(supervisor, f"/field/sample/{KEY}/{path}", **data).status_code == 403, path
    assert supervisor.get(f"/field/sample/{KEY}/plan").status_code == 403
    assert "thuộc cơ quan chủ trì" in supervisor.get(f"/field/sample?wave={KEY}").text


def test_each_supervisor_sees_the_own_villages(drawn, store, client):
    drawn.logout()
    client.login("giamsat", paper_wave.PASSWORD)
    page = client.get(f"/field/cases/{KEY}").text
    listed = client.get(f"/field/sample/{KEY}/list.csv").text

    for area in draws.areas(store, KEY):
        inside = area.unit == HOME
        assert (f"/field/cases/{KEY}/{area.psu}" in page) == inside
        assert (f",{area.psu}," in listed) == inside
        found = client.get(f"/field/cases/{KEY}/{area.psu}").status_code
        assert found == (200 if inside else 403)
        case = cases.of_psu(store, KEY, area.psu)[0].id
        assert client.get(f"/field/cases/form/{case}").status_code == (200 if inside else 403)


@pytest.mark.parametrize("name", ["dieutra", "nhap1", "doichieu", "member", "stranger"])
def test_nobody_else_opens_the_sample_or_its_cases(client, paper, name):
    client.login(name, paper_wave.PASSWORD)
    psu, case = paper.psus[0], paper.main[0]
    for path in (
        "/field/sample", f"/field/sample/{WAVE}/list.csv", f"/field/sample/{WAVE}/check",
        f"/field/cases/{WAVE}", f"/field/cases/{WAVE}/{psu}", f"/field/cases/form/{case}",
    ):  # fmt: skip
        assert client.get(path).status_code == 403, path


def press(client, path, **data):
    page = client.get(path).text
    mark = page.rpartition('name="csrf_token" value="')[2].split('"')[0]
    return client.post(data.pop("to", path), data={"csrf_token": mark, **data})


def test_the_buttons_of_a_case_write_its_history(supervisor, store, paper):
    case = paper.cases[paper.psus[0]][0]
    path = f"/field/cases/form/{case}"
    assert press(supervisor, path, state="appointed").status_code == 422
    assert press(supervisor, path, state="appointed", appointed_on="25/11/2026").status_code == 303
    assert press(supervisor, path, state="collected").status_code == 303

    page = supervisor.get(path).text
    assert [row["state"] for row in cases.history(store, case)] == ["appointed", "collected"]
    assert "staff:giamsat" in page
    assert press(supervisor, path, state="entered").status_code == 400


def test_the_next_reserve_takes_over_on_the_page(supervisor, store, paper):
    main, spare = paper.cases[paper.psus[0]][0], paper.cases[paper.psus[0]][6]
    path = f"/field/cases/form/{main}"
    assert press(supervisor, path, to=f"{path}/replace").status_code == 422
    answer = press(supervisor, path, to=f"{path}/replace", reason="refused")

    assert answer.location == f"/field/cases/{WAVE}/{paper.psus[0]}#c{spare}"
    assert cases.get(store, spare).replaces == main
    again = supervisor.post(f"{path}/replace", data={"reason": "refused", "csrf_token": "x"})
    assert again.status_code == 400


def test_a_case_that_has_moved_on_says_where_it_is(supervisor, store, paper):
    case = paper.cases[paper.psus[0]][0]
    for state in ("collected", "entered"):
        cases.move(store, [case], state, **ACT)
    answer = press(supervisor, f"/field/cases/form/{case}", state="delivered")

    assert answer.status_code == 409
    assert "nhập lần 1" in answer.text


def test_a_village_is_replaced_only_when_somebody_is_sure(drawn, store):
    psu = draws.areas(store, KEY)[0].psu
    path = f"/field/cases/{KEY}/{psu}"
    assert press(drawn, path, reason="disaster").status_code == 422
    assert press(drawn, path, sure="1").status_code == 422
    answer = press(drawn, path, reason="disaster", sure="1")

    assert answer.location == f"/field/sample?wave={KEY}"
    assert [a.replaces for a in draws.areas(store, KEY) if a.replaces] == [psu]
    assert "thiên tai" in drawn.get(path).text


def test_a_sample_made_elsewhere_is_shown_and_cannot_be_drawn_again(supervisor):
    assert "nạp sẵn" in supervisor.get(f"/field/sample?wave={WAVE}").text
    assert supervisor.get(f"/field/sample/{WAVE}/check").status_code == 422


@pytest.mark.parametrize(
    "path",
    ["/field/sample/nowhere/check", "/field/cases/nowhere", f"/field/cases/{WAVE}/nowhere",
     "/field/cases/form/99999999", f"/field/sample/{small_wave.COUNTER}/list.csv"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(admin, path):
    assert admin.get(path).status_code == 404


def test_a_supervisor_of_another_province_sees_none_of_it(client, store, paper):
    cheap = generate_password_hash(people.plain(paper_wave.PASSWORD), method="scrypt:1024:8:1")
    people.add(
        store, username="giamsat12", name="Khác", role="field_supervisor", unit=AWAY,
        password_hash=cheap, must_change=False, **ACT,
    )  # fmt: skip
    client.login("giamsat12", paper_wave.PASSWORD)

    assert client.get(f"/field/cases/form/{paper.main[0]}").status_code == 403
    assert client.get(f"/field/cases/{WAVE}/{paper.psus[0]}").status_code == 403


def test_a_case_names_its_lot_or_says_that_it_is_in_none(supervisor, store, paper):
    case = paper.main[0]
    assert "Chưa vào lô nào" in supervisor.get(f"/field/cases/form/{case}").text
    made = lots.make(
        store, WAVE, cases=[case], interviewer=paper.staff["dieutra"], unit=HOME, due_on=None,
        **ACT,
    )  # fmt: skip

    assert f"/field/lots/{made.code}" in supervisor.get(f"/field/cases/form/{case}").text


COMMUNES = "Mã thôn,Tầng,Mã xã,Khu vực,Tên thôn,Số hộ\n" + "".join(
    f"{c}-{n},08,{c},nông thôn,Thôn {n},{20 + n}\n"
    for c in ("90001", "90002", "90003")
    for n in range(1, 5)
)


@pytest.fixture
def communes(admin, store):
    rows = [
        units.Unit("vn34", f"9000{n}", "2025-07-01", None, "commune", "xã", f"Mới {n}", f"m{n}",
                   "vn34:08")
        for n in range(1, 4)
    ]  # fmt: skip
    units.import_rows(store, rows, source="test", **ACT)
    assert send(admin, "villages", COMMUNES).status_code == 303
    return admin


STAGED = {"per_commune": "2", "commune_method": "size", "take.08": "2"}


def test_communes_are_planned_and_drawn_on_the_page(communes, store):
    assert plan(communes, **STAGED).status_code == 303
    page = communes.get(f"/field/sample?wave={KEY}").text
    assert "2 xã, rút theo quy mô số hộ" in page
    assert "mỗi xã 2 thôn" in page
    assert "Rút xã và thôn" in page
    assert frames.digest(store, KEY, "commune")[0] in page, "the digest knows where villages lie"
    post(communes, f"/field/sample/{KEY}/draw", stage="villages", seed="xổ số")
    areas = draws.areas(store, KEY)
    assert {area.cluster for area in areas} == {f"08/{area.unit}" for area in areas}
    assert len(areas) == 4
    village = communes.get(f"/field/cases/{KEY}/{areas[0].psu}").text
    assert "sai số tính giữa các xã" in village
    assert "lấy trong cùng xã trước" in village


def test_communes_are_shared_out_on_the_page(communes, store):
    answer = plan(communes, **STAGED | {"go": "allocate", "total": "3"})

    assert answer.status_code == 200
    assert re.findall(r'name="take\.\d\d"[^>]* value="(\d+)"', answer.text) == ["3"]
    assert "Tổng số xã" in answer.text
    assert not draws.get(store, KEY).plan.takes


@pytest.mark.parametrize(("field", "value"), [("per_commune", "x"), ("take.08", "4")])
def test_more_communes_than_there_are_come_back(communes, store, field, value):
    answer = plan(communes, **STAGED | {field: value})

    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert not draws.get(store, KEY).plan.takes


def test_the_calculator_counts_both_stages(communes):
    asked = {"half_width": "20", "icc": "0,03", "in_commune": "2", "commune_icc": "0,01"}
    page = communes.get(f"/field/sample/{KEY}/plan", query_string=asked).text
    assert "2 thôn của 1 xã (hiệu ứng thiết kế 2,17" in page
    assert 'name="per_commune" inputmode="numeric" value="2"' in page
    for name, value in (("commune_icc", "0,2"), ("in_commune", "x")):
        answer = communes.get(f"/field/sample/{KEY}/plan", query_string=asked | {name: value})
        assert (answer.status_code, f'href="#{name}"' in answer.text) == (422, True)
