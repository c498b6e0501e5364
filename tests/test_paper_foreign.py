"""Words of others on paper, in files and in codes: shown as they were written, never obeyed."""

from __future__ import annotations

import csv
import re
from contextlib import closing
from dataclasses import replace
from io import BytesIO, StringIO

import paper_rights
import paper_wave
import pytest
from paper_rights import TEAM
from paper_wave import AWAY, HOME, NOW, WAVE
from pypdf import PdfReader
from small_wave import SURVEY
from test_verify import enter

from survey import batches, db, serials
from survey.printing import sheets
from survey.store import Refused, cases, clock, lots, prints, readings, scans, waves
from survey.tokens import issue

MARKUP = '<b>Lò</b> &amp; <img src="/etc/passwd"/><a href="x">5 < 6</a>'
FORMULA = "=HYPERLINK(1)"
ACT = {"now": NOW, "actor": "shell:test"}


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def world(base, settings, paper):
    return paper_rights.make(base, settings, paper)


def poison(base, words):
    """Put these words wherever somebody else's words are kept."""
    base.execute("UPDATE sample_psu SET name = ? WHERE wave = ?", (words, WAVE))
    base.execute("UPDATE frame_household SET name = ?, address = ?", (words, words))
    base.execute("UPDATE staff SET name = ?", (words,))
    base.execute("UPDATE scan_upload SET name = ?", (words,))


def squeezed(text):
    return re.sub(r"\s+", "", text)


def text_of(content):
    return "".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)


@pytest.mark.parametrize("kind", sorted(sheets.KINDS))
@pytest.mark.parametrize("words", [MARKUP, "a" * 5000, "\u202egnp", "\0\x1b[31m"])
def test_markup_in_names_is_printed_as_it_stands(base, world, kind, words):
    poison(base, words)
    lot = lots.by_code(base, world[HOME].lot)
    batch = batches.of(base, lot, clock.day(NOW))
    wave = replace(batch.wave, name=words, owner_name=words, parent_name=words, place=words[:60])
    file = BytesIO()
    sheets.write([replace(batch, wave=wave)], kind, file)
    text = squeezed(text_of(file.getvalue()))

    assert "root:" not in text
    assert words != MARKUP or squeezed('<img src="/etc/passwd"/>') in text


def test_the_list_of_payments_has_no_serial_and_the_forms_have_no_name(app, base, world):
    client, side = app.test_client(), world[HOME]
    client.login(TEAM[HOME]["field_supervisor"])
    held = [
        serials.printed(case.id) for case in cases.of_lot(base, lots.by_code(base, side.lot).id)
    ]
    pay = squeezed(text_of(client.get(f"/field/lots/{side.lot}/payments.pdf").data))
    assert "LòThịPácBó" in pay
    for serial in held:
        assert squeezed(serial) not in pay
    assert squeezed(str(side.planned)) not in pay.replace("20.000", "")

    page = client.get(f"/field/lots/{side.lot}").text
    token = page.rpartition('name="csrf_token" value="')[2].split('"')[0]
    data = {"csrf_token": token, "edition": "normal"}
    to = client.post(f"/field/lots/{side.lot}/print", data=data).location
    forms = squeezed(text_of(client.get(to).data))
    assert squeezed(held[0]) in forms
    for word in ("Lò Thị", "Ngõ", "Pác Bó"):
        assert squeezed(word) not in forms
    for kind in ("handover", "cover"):
        other = squeezed(text_of(client.get(f"/field/lots/{side.lot}/{kind}.pdf").data))
        assert "LòThị" not in other


@pytest.mark.parametrize("words", [FORMULA, "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1"])
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("giamsat", f"/field/sample/{WAVE}/list.csv"),
        ("giamsat", f"/field/reminders.csv?wave={WAVE}"),
        ("giamsat", f"/desk/errors.csv?wave={WAVE}"),
    ],
)
def test_no_cell_of_a_table_is_a_formula(app, base, world, name, path, words):
    poison(base, words)
    base.execute(
        "UPDATE sample_case SET state = 'appointed', appointed_on = '2020-01-01' WHERE id = ?",
        (world[HOME].planned,),
    )
    client = app.test_client()
    client.login(name)
    answer = client.get(path)
    rows = list(csv.reader(StringIO(answer.get_data().decode("utf-8-sig"), newline="")))

    assert len(rows) > 1, path
    for row in rows[1:]:
        for cell in row:
            assert cell[:1] not in tuple("=+@\t\r"), (path, cell)
            assert not cell.startswith("-") or re.fullmatch(r"-?[\d.,e-]+", cell), (path, cell)


@pytest.mark.parametrize("words", [MARKUP, "'\"><script>alert(1)</script>"])
@pytest.mark.parametrize(("name", "unit"), [(TEAM[HOME][role], HOME) for role in TEAM[HOME]])
def test_markup_in_names_is_text_on_every_page(app, base, world, words, name, unit):
    poison(base, words)
    client, side = app.test_client(), world[unit]
    client.login(name)
    for path in (
        f"/field?wave={WAVE}", f"/field/cases/{WAVE}", f"/field/cases/{WAVE}/{side.psu}",
        f"/field/cases/form/{side.planned}", "/field/people", f"/field/callbacks?wave={WAVE}",
        f"/field/callbacks/{side.settled}", f"/field/lots?wave={WAVE}", f"/field/lots/{side.lot}",
        f"/field/mine?wave={WAVE}", f"/field/reminders?wave={WAVE}", f"/desk/lot/{side.lot}",
        f"/desk/scans?wave={WAVE}", f"/desk/scans/{side.upload}", f"/desk/compare?wave={WAVE}",
        f"/desk/compare/{side.twice}", f"/desk/compare/{side.settled}", f"/desk/errors?wave={WAVE}",
    ):  # fmt: skip
        text = client.get(path).text
        assert "<img src=" not in text, path
        assert "<script>alert" not in text, path


def codes(settings, case, run=1):
    good = serials.code(settings.secret, run, case, 1)
    head, mac = good.rsplit("/", 1)
    other = "A" if mac[0] != "A" else "B"
    return {
        "other secret": serials.code(b"y" * 32, run, case, 1),
        "altered mac": f"{head}/{other}{mac[1:]}",
        "altered run": f"S1/2/{serials.serial(case)}/1/{mac}",
        "altered case": f"S1/{run}/{serials.serial(case + 1)}/1/{mac}",
        "altered page": f"S1/{run}/{serials.serial(case)}/2/{mac}",
        "no mac": head,
        "empty mac": head + "/",
        "a door's token": issue(settings.secret, "case", case),
        "line end": good + "\nS1",
        "huge": "S1/1/" + "9" * 4000 + "/1/" + mac,
    }


def test_a_forged_code_opens_nothing_anywhere(app, base, settings, world):
    clerk, boss = app.test_client(), app.test_client()
    clerk.login("nhap1")
    boss.login("giamsat")
    for what, code in codes(settings, world[HOME].collected).items():
        with pytest.raises(LookupError):
            serials.read(settings.secret, code)
        assert clerk.get("/desk", query_string={"q": code}).status_code == 422, what
        if "/" in code:
            found = boss.get("/field/lots/find", query_string={"code": code})
            assert found.status_code == 404, what


def test_a_true_code_of_another_wave_or_run_is_not_read_here(base, settings, paper, world):
    side = world[HOME]
    upload = scans.get(base, side.upload)
    [old] = base.execute("SELECT MIN(id) FROM sample_case WHERE wave = ?", (SURVEY,)).fetchone()
    run = prints.of_wave(base, WAVE)[0].id
    faults = {}
    for what, code in {
        "other wave": serials.Code(run, old, 1),
        "no run": serials.Code(999, side.collected, 1),
        "no case": serials.Code(run, 999_999, 1),
        "other unit": serials.Code(run, world[AWAY].collected, 1),
    }.items():
        with pytest.raises(Refused) as refusal:
            readings.layout(base, upload, code)
        faults[what] = refusal.value.code
    assert faults == {
        "other wave": "other_wave", "no run": "no_case", "no case": "no_case",
        "other unit": "other_unit",
    }  # fmt: skip


def test_a_page_replayed_after_its_form_is_entered_changes_nothing(base, paper, world):
    side = world[HOME]
    [case] = base.execute("SELECT case_id FROM scan_page WHERE id = ?", (side.page,)).fetchone()
    enter(base, case, paper.staff["nhap1"], paper_wave.fields(1))
    before = [tuple(row) for row in base.execute("SELECT * FROM paper_entry ORDER BY id")]
    upload, _ = scans.add(base, WAVE, name="lại.pdf", digest="b" * 64, staff=None, **ACT)
    seen = readings.Seen(
        number=1, digest="c" * 64, reader="x", file="", case_id=case,
        print_run=prints.of_wave(base, WAVE)[0].id, page=1, fields={"sex": 2, "age": 7}, doubts={},
    )  # fmt: skip
    readings.keep(base, upload, seen, now=NOW)

    assert [tuple(row) for row in base.execute("SELECT * FROM paper_entry ORDER BY id")] == before
    [page] = scans.pages_of(base, upload.id)
    assert page.state in ("refused", "superseded")
    assert waves.get(base, WAVE).closed_at is None


@pytest.mark.parametrize("same", [True, False])
def test_a_scan_tells_nothing_of_a_first_entry_while_the_second_is_awaited(base, world, same):
    case, fields = world[HOME].once, paper_wave.fields(1)
    upload, _ = scans.add(base, WAVE, name="dò.pdf", digest="d" * 64, staff=None, **ACT)
    value = fields["sex"] if same else 3 - fields["sex"]
    seen = readings.Seen(
        number=1, digest="c" * 64, reader="x", file="", case_id=case,
        print_run=prints.of_wave(base, WAVE)[0].id, page=1, fields={"sex": value}, doubts={},
    )  # fmt: skip
    readings.keep(base, upload, seen, now=NOW)

    [page] = scans.pages_of(base, upload.id)
    assert (page.state, page.fault) == ("refused", ("blind", {"serial": serials.printed(case)}))
