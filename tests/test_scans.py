"""Scanned files from their bytes to the first entry of a form: whatever comes is kept once."""

import json
import sqlite3
from contextlib import closing
from uuid import uuid4

import cv2
import numpy as np
import paper_wave
import pytest
import scanned
from paper_wave import NOW, WAVE
from reportlab.lib.pdfencrypt import StandardEncryption
from scanned import PAGES, hand, places

from survey import db, serials
from survey.entry import reading
from survey.entry.shelf import Shelf
from survey.store import Refused, cases, entries, plans, readings, scans, waves

ACT = {"now": NOW, "actor": "staff:test"}
FIELDS = paper_wave.fields(3)


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def wave(base):
    made = paper_wave.make(base)
    plans.set(base, WAVE, plans.PaperPlan(scan_share=0.0, seed="hat-giong-2026"), **ACT)
    return made


@pytest.fixture
def desk(base, wave, settings):
    return Desk(base, wave, settings)


class Desk:
    """What the tests do over and over: print, fill, hand in, read."""

    def __init__(self, base, wave, settings):
        self.base, self.wave, self.settings = base, wave, settings
        self.case = wave.main[0]
        self.run = scanned.printed(base, wave.main)
        self.shelf = Shelf(settings.instance)

    def filled(self, case=None, fields=FIELDS, **more):
        return scanned.filled(
            fields, secret=self.settings.secret, run=self.run, case=case or self.case, **more
        )

    def hand_in(self, data, name="quet.pdf", staff="nhap1", wave=WAVE):
        digest = self.shelf.take([data], f"0-{uuid4().hex}")
        number = self.wave.staff[staff] if staff else None
        return scans.add(self.base, wave, name=name, digest=digest, staff=number, **ACT)[0]

    def read(self, pages, tmp_path, **more):
        upload = self.hand_in(scanned.pdf(tmp_path / "quet.pdf", pages).read_bytes(), **more)
        reading.work(self.settings)
        return upload, scans.pages_of(self.base, upload.id)

    def state(self, case=None):
        return cases.get(self.base, case or self.case).state

    def responses(self):
        return self.base.execute(
            "SELECT count(*) FROM response WHERE wave = ?", (WAVE,)
        ).fetchone()[0]


def faults(pages):
    return [(page.number, page.fault[0]) for page in pages if page.state == "refused"]


def test_a_scanned_form_becomes_its_first_entry_and_its_response(desk, tmp_path):
    upload, pages = desk.read(desk.filled(), tmp_path)

    assert [page.state for page in pages] == ["read"] * PAGES
    [entry] = entries.of_case(desk.base, desk.case)
    assert (entry.round, entry.via, entry.staff, entry.fields) == (1, "scan", None, FIELDS)
    assert desk.state() == "compared"
    assert desk.responses() == 1
    assert scans.get(desk.base, upload.id).state == "done"
    assert {page.reader for page in pages} == {"sipas-scan-1"}
    for page in pages:
        assert desk.shelf.picture(page.digest).stat().st_size < 400_000


def test_a_share_of_scanned_forms_waits_for_a_second_entry_by_hand(desk, tmp_path):
    plans.set(desk.base, WAVE, plans.PaperPlan(scan_share=1.0, seed="hat-giong-2026"), **ACT)
    desk.read(desk.filled(), tmp_path)

    assert desk.state() == "entered"
    assert desk.responses() == 0


def test_a_form_waits_for_its_last_page_whatever_the_order(desk, tmp_path):
    pages = desk.filled()
    desk.read([pages[3], pages[1], pages[0]], tmp_path)

    assert desk.state() == "planned"
    [waiting] = readings.waiting(desk.base, WAVE)
    assert (waiting.case_id, waiting.missing) == (desk.case, (3,))

    desk.read([pages[2]], tmp_path)
    assert desk.state() == "compared"
    assert readings.waiting(desk.base, WAVE) == []


def test_the_same_file_again_is_the_same_upload(desk, tmp_path):
    data = scanned.pdf(tmp_path / "a.pdf", desk.filled()).read_bytes()
    first, again = desk.hand_in(data), desk.hand_in(data, name="khac.pdf")

    assert first == again


def test_a_form_scanned_twice_counts_once(desk, tmp_path):
    desk.read(desk.filled()[:2], tmp_path)
    _, pages = desk.read(desk.filled(seed=2)[:2], tmp_path)

    assert [page.state for page in pages] == ["superseded"] * 2

    desk.read(desk.filled()[2:], tmp_path)
    _, pages = desk.read(desk.filled(seed=2), tmp_path)
    assert [page.state for page in pages] == ["superseded"] * PAGES
    assert desk.responses() == 1


def test_two_scans_that_differ_are_decided_by_a_person(desk, tmp_path):
    other = 3 - FIELDS["sex"]
    desk.read(desk.filled()[:1], tmp_path)
    _, [page] = desk.read(desk.filled(fields=FIELDS | {"sex": other}, seed=2)[:1], tmp_path)

    assert page.doubts["sex"]["kind"] == "conflict"
    assert page.open == ["sex"]
    assert len(scans.current(desk.base, desk.case)) == 1


def test_another_scan_of_an_entered_form_changes_nothing_and_is_shown(desk, tmp_path):
    desk.read(desk.filled(), tmp_path)
    other = FIELDS | {"sex": 3 - FIELDS["sex"]}
    _, pages = desk.read(desk.filled(fields=other, seed=2), tmp_path)

    assert faults(pages) == [(1, "entered")]
    assert entries.of_case(desk.base, desk.case)[0].fields == FIELDS


def double(number, page):
    if number == 1:
        for place in places(1, "sex"):
            hand(page).mark(place)


def test_a_doubtful_form_waits_until_a_person_has_decided(desk, tmp_path):
    desk.read(desk.filled(change=double), tmp_path)
    found = readings.open_doubts(desk.base, WAVE)

    assert (found.field, found.left, desk.state()) == ("sex", 1, "planned")
    assert desk.shelf.picture(found.page.doubts["sex"]["file"]).exists()

    staff = desk.wave.staff["nhap1"]
    state = readings.decide(desk.base, found.page.id, "sex", 0, staff=staff, **ACT)
    [entry] = entries.of_case(desk.base, desk.case)
    assert (state, entry.staff, entry.fields["sex"]) == ("compared", staff, 0)
    assert readings.open_doubts(desk.base, WAVE) is None


def test_only_a_value_of_the_field_can_be_decided(desk, tmp_path):
    desk.read(desk.filled(change=double), tmp_path)
    page = readings.open_doubts(desk.base, WAVE).page

    for value in (7, "1", [1], None):
        with pytest.raises(Refused, match="faulty_entry"):
            readings.decide(desk.base, page.id, "sex", value, staff=None, **ACT)
    with pytest.raises(LookupError):
        readings.decide(desk.base, page.id, "ethnicity", 1, staff=None, **ACT)
    assert desk.state() == "planned"


def test_a_decision_counts_once_and_another_one_is_refused(desk, tmp_path):
    pages = desk.filled(change=double)
    desk.read(pages[:1], tmp_path)
    id, staff = readings.open_doubts(desk.base, WAVE).page.id, desk.wave.staff["nhap1"]

    for _ in range(2):
        readings.decide(desk.base, id, "sex", 1, staff=staff, **ACT)
    with pytest.raises(Refused, match="scan_decided"):
        readings.decide(desk.base, id, "sex", 2, staff=staff, **ACT)

    assert readings.undo(desk.base, id, "sex", staff=staff, **ACT)
    readings.decide(desk.base, id, "sex", 2, staff=staff, **ACT)
    desk.read(pages[1:], tmp_path)
    assert entries.of_case(desk.base, desk.case)[0].fields["sex"] == 2
    assert not readings.undo(desk.base, id, "sex", staff=staff, **ACT)


def test_a_page_without_a_readable_code_is_refused_and_never_guessed(desk, tmp_path):
    def hide(number, page):
        if number == 2:
            page[30:180, 1350:1560] = 255

    _, pages = desk.read(desk.filled(change=hide), tmp_path)

    assert faults(pages) == [(2, "code")]
    assert desk.state() == "planned"
    assert desk.shelf.picture(pages[1].file).exists()


def test_a_code_that_this_instance_did_not_sign_is_refused(desk, tmp_path):
    strange = scanned.filled(FIELDS, secret=b"another" * 6, run=desk.run, case=desk.case)
    _, pages = desk.read(strange[:1], tmp_path)

    assert faults(pages) == [(1, "foreign")]


def test_two_pages_stuck_together_are_refused(desk, tmp_path):
    first, second, *_ = desk.filled()
    first[40:200, 1300:1580] = second[40:200, 1300:1580]
    _, pages = desk.read([first], tmp_path)

    assert faults(pages) in ([(1, "mismatch")], [(1, "code")])


def test_forms_of_other_waves_units_and_states_are_refused_by_name(desk, tmp_path):
    other = waves.Wave(**{
        **{name: getattr(waves.get(desk.base, WAVE), name) for name in waves.Wave.__slots__},
        "key": "giay-2027", "name": "Đợt khác",
    })  # fmt: skip
    waves.new(desk.base, other, **ACT)
    pages = desk.filled()[:1]
    away = next(
        case for case in desk.wave.main if cases.get(desk.base, case).unit == paper_wave.AWAY
    )
    cases.move(desk.base, [desk.wave.main[1]], "refused", **ACT)

    _, [wrong] = desk.read(pages, tmp_path, wave="giay-2027")
    _, [far] = desk.read(desk.filled(case=away)[:1], tmp_path)
    _, [gone] = desk.read(desk.filled(case=desk.wave.main[1])[:1], tmp_path)

    assert (wrong.fault[0], far.fault[0], gone.fault[0]) == ("other_wave", "other_unit", "state")
    assert gone.fault[1]["serial"] == serials.printed(desk.wave.main[1])
    assert gone.fault[1]["state"] == "refused"


def test_a_form_printed_from_another_questionnaire_is_refused(desk, tmp_path):
    desk.run = scanned.printed(desk.base, [desk.case], digest="0" * 64)
    _, pages = desk.read(desk.filled()[:1], tmp_path)

    assert faults(pages) == [(1, "other_form")]


def test_a_long_file_with_bad_pages_is_read_to_its_end(desk, tmp_path):
    good = desk.filled()
    noise = good[0].copy()
    noise[:] = np.random.default_rng(1).integers(0, 255, noise.shape)
    half = good[1].copy()
    half[: len(half) // 2] = 255
    _, pages = desk.read([good[0], noise, good[1], None, half, good[2], good[3]], tmp_path)

    assert faults(pages) == [(2, "marks"), (4, "blank"), (5, "marks")]
    assert desk.state() == "compared"
    [count] = scans.counted(desk.base, WAVE)
    assert (count.read, count.refused, count.empty, count.done) == (4, 2, 1, 7)


@pytest.mark.parametrize(
    ("data", "fault"),
    [(b"%PDF-1.4 nothing of a PDF", "broken"), (b"\xff\xd8\xffnothing of a JPEG", "broken")],
)
def test_a_broken_file_fails_by_itself(desk, tmp_path, data, fault):
    upload = desk.hand_in(data)
    _, pages = desk.read(desk.filled(), tmp_path)

    held = scans.get(desk.base, upload.id)
    assert (held.state, held.fault) == ("failed", fault)
    assert len(pages) == PAGES


@pytest.mark.parametrize(
    ("user", "state", "fault"), [("mat-khau", "failed", "locked"), ("", "done", "")]
)
def test_a_pdf_with_a_password_says_so_and_one_that_only_may_not_be_changed_is_read(
    desk, tmp_path, user, state, fault
):
    lock = StandardEncryption(user, ownerPassword="chu-so-huu", strength=128)
    path = scanned.pdf(tmp_path / "khoa.pdf", desk.filled(), encrypt=lock)
    upload = desk.hand_in(path.read_bytes())
    reading.work(desk.settings)

    held = scans.get(desk.base, upload.id)
    assert (held.state, held.fault) == (state, fault)
    assert len(scans.pages_of(desk.base, upload.id)) == (0 if fault else PAGES)
    assert desk.state() == ("planned" if fault else "compared")


def test_jpeg_and_tiff_are_read_as_well(desk, tmp_path):
    pages = desk.filled()
    desk.hand_in(scanned.jpeg(pages[0]), name="1.jpg")
    cv2.imwritemulti(str(tmp_path / "rest.tif"), pages[1:])
    desk.hand_in((tmp_path / "rest.tif").read_bytes(), name="rest.tif")
    reading.work(desk.settings)

    assert desk.state() == "compared"


def test_a_file_of_another_kind_is_refused_and_not_kept(desk):
    with pytest.raises(Refused, match="upload_kind"):
        desk.hand_in(b"PK\x03\x04 a spreadsheet")
    assert list((desk.shelf.home / "uploads").glob("*")) == []
    assert list((desk.shelf.home / "incoming").glob("*")) == []


def test_pieces_may_come_twice_but_never_with_a_gap(desk):
    token, data = f"1-{uuid4().hex}", scanned.jpeg(desk.filled()[0])
    assert desk.shelf.grow(token, 0, data[:1000]) == 1000
    assert desk.shelf.grow(token, 0, data[:1000]) == 1000
    with pytest.raises(Refused, match="upload_gap"):
        desk.shelf.grow(token, 5000, data[5000:])
    assert desk.shelf.grow(token, 1000, data[1000:]) == len(data)

    digest = desk.shelf.shelve(token)
    assert desk.shelf.upload(digest).read_bytes() == data
    for strange in ("../../etc/passwd", "1-x", ""):
        with pytest.raises(LookupError):
            desk.shelf.grow(strange, 0, b"x")


def test_a_reader_that_was_killed_is_followed_by_one_that_goes_on(desk, tmp_path):
    data = scanned.pdf(tmp_path / "a.pdf", desk.filled()).read_bytes()
    upload = desk.hand_in(data)

    class Killed(Exception):
        pass

    def kill(_, number):
        if number == 2:
            raise Killed

    with pytest.raises(Killed):
        reading.work(desk.settings, told=kill)
    assert scans.get(desk.base, upload.id).state == "reading"
    assert not reading.running(desk.settings)

    assert reading.work(desk.settings) == PAGES - 2
    assert desk.state() == "compared"
    assert reading.work(desk.settings) == 0


def test_a_page_that_ends_the_reader_twice_is_refused_and_the_rest_is_read(desk, tmp_path):
    upload = desk.hand_in(scanned.pdf(tmp_path / "a.pdf", desk.filled()).read_bytes())
    note = desk.shelf.home / "reading.json"
    note.write_text(json.dumps({"upload": upload.id, "page": 1, "tries": 2}), "utf-8")
    reading.work(desk.settings)

    pages = scans.pages_of(desk.base, upload.id)
    assert faults(pages) == [(1, "reader_died")]
    assert [page.state for page in pages[1:]] == ["read"] * 3

    scans.again(desk.base, upload.id, **ACT)
    reading.work(desk.settings)
    assert desk.state() == "compared"


def test_what_stands_in_the_way_of_an_entry_is_kept_and_tried_again(desk, tmp_path):
    waves.close(desk.base, WAVE, **ACT)
    _, pages = desk.read(desk.filled(), tmp_path)

    assert [page.state for page in pages] == ["read"] * PAGES
    [waiting] = readings.waiting(desk.base, WAVE)
    assert waiting.fault[0] == "closed"
    waves.open(desk.base, WAVE, until=None, reason="thử", **ACT)
    assert readings.retry(desk.base, WAVE, now=NOW) == 1
    assert desk.state() == "compared"


def test_a_page_is_stored_once_however_often_it_is_told(desk, tmp_path):
    upload, pages = desk.read(desk.filled()[:1], tmp_path)
    seen = readings.Seen(number=1, digest="", reader="x", file="", fault="marks")

    assert readings.keep(desk.base, upload, seen, now=NOW) == 0
    assert scans.pages_of(desk.base, upload.id) == pages
    with pytest.raises(sqlite3.IntegrityError):
        desk.base.execute(
            "INSERT INTO scan_page (upload, number, digest, reader, state, at)"
            " VALUES (?, 1, '', 'x', 'refused', '')",
            (upload.id,),
        )


def test_pages_of_two_layouts_are_not_put_together(desk, tmp_path):
    pages = desk.filled()
    desk.read(pages[:2], tmp_path)
    q = scanned.load(paper_wave.QUESTIONNAIRE)
    other = scanned.prints.add(
        desk.base, WAVE, edition="large", questionnaire=q.key, digest=q.digest,
        layout=scanned.LAYOUT | {"note": "another"}, cases=[desk.case], **ACT,
    )  # fmt: skip
    desk.run = other.id
    desk.read(desk.filled()[2:], tmp_path)

    assert desk.state() == "planned"
    [waiting] = readings.waiting(desk.base, WAVE)
    assert (waiting.missing, waiting.fault[0]) == ((), "mixed")


def test_a_form_printed_twice_is_entered_from_the_print_that_is_whole(desk, tmp_path):
    first = desk.filled()
    desk.read(first[:2], tmp_path)
    q = scanned.load(paper_wave.QUESTIONNAIRE)
    again = scanned.prints.add(
        desk.base, WAVE, edition="large", questionnaire=q.key, digest=q.digest,
        layout=scanned.LAYOUT | {"note": "another"}, cases=[desk.case], **ACT,
    )  # fmt: skip
    desk.run = again.id
    desk.read(desk.filled(), tmp_path)

    assert desk.state() == "compared"
    assert {page.print_run for page in scans.current(desk.base, desk.case).values()} == {again.id}
    assert readings.waiting(desk.base, WAVE) == []
