"""Waves on the office's pages: drafts, trials, opening, closing, and who was faster."""

import re
from contextlib import closing

import pytest
import small_wave

from survey import db
from survey.store import breaks, doors, people, trials, waves
from survey.store.clock import now

NEW = {
    "key": "sipas-2027", "name": "Khảo sát năm 2027", "year": "2027", "opens_on": "2027-06-01",
    "closes_on": "2027-08-31", "owner": "vn34:08", "owner_name": "Sở Nội vụ", "parent_name": "",
    "place": "Tuyên Quang", "questionnaire": "mot-cua-2026.1", "kind": "self_selected",
    "index_method": "top2", "aggregate": "item", "weights": "", "base": "ask_all",
    "interval": "beta", "level": "0.95", "lonely": "adjust", "min_n": "30", "hide_n": "5",
    "partial": "discard", "contact_days": "0", "settled": "", "series": "SIPAS",
    "word.commune_word": "phường",
}  # fmt: skip
WAVE = "/office/waves/sipas-2027"


@pytest.fixture
def base(app, settings):
    with closing(db.connect(settings.database)) as store:
        yield store


@pytest.fixture
def draft(staff):
    assert staff.send("/office/waves/new", **NEW).status_code == 303
    return staff


def form_of(client, path, **changes):
    """The form of a page as it stands, with some fields typed over."""
    text = client.get(path).text
    version = re.search(r'name="version" value="(\d+)"', text)
    return NEW | {"version": version[1] if version else ""} | changes


def chosen(text):
    """The first choice of every question of a page."""
    return dict(reversed(re.findall(r'type="radio" name="([^"]+)" value="(\d)"', text)))


def test_a_new_wave_is_a_draft_that_takes_no_answers(draft, base):
    made = waves.get(base, "sipas-2027")

    assert (made.stage, made.series) == ("draft", "SIPAS")
    assert dict(made.words) == {"commune_word": "phường"}
    assert not made.is_open(now())
    assert "Bản nháp" in draft.get(WAVE).text
    assert made.key not in {wave.key for wave in waves.live(base)}


def test_faults_are_named_by_field_and_what_was_typed_stays(staff):
    page = staff.send(
        "/office/waves/new",
        **NEW | {"key": "Đợt 1", "closes_on": "2027-05-01", "min_n": "nhiều", "owner": "Xứ lạ"},
    )

    assert page.status_code == 422
    assert "Ngày đóng (01/05/2027) sớm hơn ngày mở (01/06/2027)." in page.text
    for name in ("key", "closes_on", "min_n", "owner"):
        assert f'href="#{name}"' in page.text
    assert 'value="nhiều"' in page.text


def test_a_key_that_is_taken_is_refused_by_its_field(draft):
    page = draft.send("/office/waves/new", **NEW)

    assert page.status_code == 409
    assert "Mã đợt này đã có" in page.text


def test_a_draft_changes_in_everything_and_says_what_changed(draft, base):
    sent = form_of(draft, f"{WAVE}/edit", name="Tên khác", index_method="scaled")
    assert draft.send(f"{WAVE}/edit", **sent).status_code == 303

    assert waves.get(base, "sipas-2027").index_method == "scaled"
    page = draft.get(WAVE).text
    assert "Tên khác" in page
    assert "top2 → scaled" in page


def test_who_was_slower_is_told_who_and_keeps_what_was_typed(draft, base):
    sent = form_of(draft, f"{WAVE}/edit", name="Của tôi")
    hers = {"version": 1, "now": now(), "actor": "staff:newcomer"}
    waves.change(base, "sipas-2027", {"name": "Của chị", "year": 2028, "min_n": 50}, **hers)
    page = draft.send(f"{WAVE}/edit", **sent)

    assert page.status_code == 409
    assert "Newcomer đã sửa mục này lúc" in page.text
    assert 'value="Của tôi"' in page.text
    assert "Của chị" in page.text
    assert 'name="year" type="text" value="2028"' in page.text  # hers: nobody typed over it
    again = dict(
        sent,
        year="2028",
        min_n="50",
        version=re.search(r'name="version" value="(\d+)"', page.text)[1],
    )
    assert draft.send(f"{WAVE}/edit", **again).status_code == 303
    assert waves.get(base, "sipas-2027").name == "Của tôi"


def test_a_trial_has_its_own_answers_a_ribbon_and_is_emptied(draft, base, client):
    assert draft.send(WAVE, to=f"{WAVE}/trial").status_code == 303
    made = waves.get(base, "sipas-2027-thu")
    page = draft.get(f"/doors?wave={made.key}").text
    token = re.search(r"/q/([^\"]+)", page)[1]

    assert (made.trial_of, made.is_open(now())) == ("sipas-2027", True)
    assert "BẢN THỬ" in client.get(f"/q/{token}").text
    assert "BẢN THỬ" in client.get(f"/k/{token}").text
    assert "BẢN THỬ" in client.get(f"/k/{token}/screens").text
    asked = client.get(f"/q/{token}").text
    hidden = re.search(r'name="page" value="([^"]+)"', asked)[1]
    sent = client.post(f"/q/{token}", data={"page": hidden, "go": "send", **chosen(asked)})
    assert sent.status_code == 201
    assert trials.counted(base, made.key) == 1
    assert draft.send(f"{WAVE}-thu", to=f"{WAVE}-thu/empty").status_code == 303
    assert trials.counted(base, made.key) == 0


def test_only_a_trial_can_be_emptied(draft, base):
    page = draft.send(WAVE, to=f"/office/waves/{small_wave.COUNTER}/empty")

    assert page.status_code == 409
    assert trials.counted(base, small_wave.COUNTER) == 40


def test_opening_a_draft_closes_its_trial_and_fixes_the_method(draft, base):
    draft.send(WAVE, to=f"{WAVE}/trial")
    seen = form_of(draft, WAVE)
    opened = draft.send(WAVE, to=f"{WAVE}/open", version=seen["version"], until="2099-12-31")

    assert opened.status_code == 303
    assert waves.get(base, "sipas-2027").is_open(now())
    assert waves.get(base, "sipas-2027-thu").closed_at is not None
    page = draft.get(f"{WAVE}/edit").text
    assert 'name="index_method"' not in page
    sent = form_of(draft, f"{WAVE}/edit", opens_on=now().date().isoformat(), closes_on="2099-12-31")
    page = draft.send(f"{WAVE}/edit", **dict(sent, index_method="mean5"))
    assert page.status_code == 409
    assert waves.get(base, "sipas-2027").index_method == "top2"


def test_a_closed_wave_opens_again_only_with_a_reason_that_is_kept(staff, base):
    path = f"/office/waves/{small_wave.HOUSEHOLD}"
    page = staff.get(f"{path}/close")
    assert "Đợt có 0 phiếu" in page.text
    version = re.search(r'name="version" value="(\d+)"', page.text)[1]
    assert staff.send(f"{path}/close", version=version).status_code == 303
    version = re.search(r'name="version" value="(\d+)"', staff.get(path).text)[1]
    refused = staff.send(path, to=f"{path}/open", version=version)
    assert refused.status_code == 422
    assert "khi có lý do" in refused.text
    why = "Nhập nốt 12 phiếu về muộn"
    assert staff.send(path, to=f"{path}/open", version=version, reason=why).status_code == 303
    assert waves.get(base, small_wave.HOUSEHOLD).is_open(now())
    assert why in staff.get(path).text
    [row] = base.execute("SELECT detail FROM audit WHERE action = 'wave.reopen'")
    assert why in row["detail"]


def test_a_step_on_an_older_version_is_refused(draft, base):
    waves.change(base, "sipas-2027", {"name": "Khác"}, version=1, now=now(), actor="shell:x")
    page = draft.send(WAVE, to=f"{WAVE}/open", version="1", until="2099-12-31")

    assert page.status_code == 409
    assert waves.get(base, "sipas-2027").stage == "draft"


def test_a_clone_takes_over_settings_counters_and_nothing_else(staff, base):
    values = NEW | {"from": small_wave.COUNTER, "doors": "1", "key": "quay-2027"}
    path = f"/office/waves/new?from={small_wave.COUNTER}"
    assert staff.send(path, to="/office/waves/new", **values).status_code == 303

    made = waves.get(base, "quay-2027")
    assert (made.stage, made.synthetic) == ("draft", False)
    assert [door.label for door in doors.of_wave(base, "quay-2027")] == ["Quầy 3"]
    assert trials.counted(base, "quay-2027") == 0


def test_a_unit_sees_and_changes_its_own_waves_only(app, base, template):
    held = base.execute("SELECT password_hash FROM staff WHERE username = 'member'").fetchone()[0]
    for name, unit in (("chef", small_wave.TUYEN_QUANG), ("other", small_wave.LAI_CHAU)):
        people.add(base, username=name, name=name, role="administrator", unit=unit,
                   password_hash=held, must_change=False, now=now(), actor="shell:x")  # fmt: skip
    mine, theirs = app.test_client(), app.test_client()
    mine.login("chef")
    theirs.login("other")
    path = f"/office/waves/{small_wave.COUNTER}"

    assert "Ý kiến tại quầy" in mine.get("/office/waves").text
    assert "Ý kiến tại quầy" not in theirs.get("/office/waves").text
    for address in (path, f"{path}/edit", f"{path}/close"):
        assert theirs.get(address).status_code == 403
    for step in ("open", "close", "trial", "empty"):
        assert theirs.send("/office/waves", to=f"{path}/{step}").status_code in (400, 403)
    assert mine.send("/office/waves/new", **NEW | {"owner": "vn34:12"}).status_code == 403
    assert theirs.send("/office/waves/new", **NEW | {"owner": "vn34:12"}).status_code == 303
    broken = {"series": "SIPAS", "year": "2022", "reason": "x"}
    assert mine.send("/office/series", to="/office/series", **broken).status_code in (400, 403)
    assert breaks.all(base) == []


def test_a_counter_is_added_and_closed_on_the_page_of_its_wave(draft, base):
    path = f"{WAVE}/doors"
    sent = {"unit": "vn34:08000", "label": "Quầy 7", "counter": "7", "service": "Đất đai"}
    assert draft.send(path, **sent).status_code == 303
    [door] = doors.of_wave(base, "sipas-2027")
    assert (door.unit, door.label, door.counter) == ("vn34:08000", "Quầy 7", "7")
    page = draft.send(path, unit="Xứ lạ", label="")
    assert page.status_code == 422
    assert 'href="#unit"' in page.text
    assert 'href="#label"' in page.text
    assert draft.send(path, to=f"{path}/{door.id}/close").status_code == 303
    assert doors.get(base, door.id).closed_at
    other = doors.of_wave(base, small_wave.COUNTER)[0]
    assert draft.send(path, to=f"{path}/{other.id}/close").status_code == 404


def test_a_break_is_declared_shown_and_taken_back(staff, base):
    sent = {"series": "SIPAS", "year": "2022", "reason": "Bảng hỏi mới", "source": "QĐ 135"}
    assert staff.send("/office/series", **sent).status_code == 303
    assert breaks.of(base, "SIPAS") == [breaks.Break("SIPAS", 2022, "Bảng hỏi mới", "QĐ 135")]
    assert "Từ năm 2022: không so với năm 2021 trở về trước." in staff.get("/office/series").text
    gone = {"series": "SIPAS", "year": "2022", "go": "withdraw"}
    assert staff.send("/office/series", **gone).status_code == 303
    assert breaks.all(base) == []


def test_a_break_without_a_reason_is_refused_and_stays_typed(staff, base):
    page = staff.send("/office/series", series="SIPAS", year="2022", reason=" ", source="Ở đâu")

    assert page.status_code == 422
    assert 'value="Ở đâu"' in page.text
    assert breaks.all(base) == []


def test_the_closing_page_names_what_is_not_settled(staff):
    page = staff.get(f"/office/waves/{small_wave.SURVEY}/close").text

    assert "Chưa lập quyền số" in page


@pytest.mark.parametrize("of", ["wave/quay-2026", "wave/ho-2026", "questionnaire/sipas-2026.1"])
def test_a_preview_of_the_phone_checks_and_stores_nothing(staff, base, of):
    before = base.execute("SELECT COUNT(*) FROM response").fetchone()[0]
    path = f"/office/preview/{of}/phone"
    page = staff.get(path)
    assert "XEM TRƯỚC" in page.text
    assert "queue.js" not in page.text
    assert staff.send(path, go="send").status_code == 422
    if "quay" in of:
        assert "Cảm ơn" in staff.send(path, go="send", **chosen(page.text)).text
    assert base.execute("SELECT COUNT(*) FROM response").fetchone()[0] == before


def test_a_preview_of_the_kiosk_goes_to_its_end(staff, base):
    path = "/office/preview/wave/quay-2026/kiosk"
    page = staff.get(path)
    fields = {"go": "start"}
    for _ in range(40):
        page = staff.post(path, data=fields | {"csrf_token": token(page.text)})
        assert page.status_code == 200
        if "Cảm ơn" in page.text:
            break
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        column = fields["at"]
        code = re.search(rf'name="{column}" value="(\d)"', page.text)
        fields |= {column: code[1]} if code else {"go": "next"}
    assert "Cảm ơn" in page.text
    assert base.execute("SELECT COUNT(*) FROM response").fetchone()[0] == 135


def token(text):
    return re.findall(r'name="csrf_token" value="([^"]+)"', text)[-1]


def test_a_preview_of_the_paper_form_is_a_pdf_of_nobody(staff):
    page = staff.get("/office/preview/wave/ho-2026/paper.pdf")

    assert page.status_code == 200
    assert page.data.startswith(b"%PDF")
    assert staff.get("/office/preview/wave/none/paper.pdf").status_code == 404
    assert staff.get("/office/preview/x/ho-2026/phone").status_code == 404
