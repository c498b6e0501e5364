"""The third person's pages: what they show, what they hide, what a key stands for."""

import json
import re
from contextlib import closing
from uuid import UUID

import paper_wave
import pytest
from citizens import hidden
from paper_wave import NOW, WAVE

from forms import paper
from survey import db
from survey.entry import marks
from survey.store import cases, comparisons, entries, waves
from survey.text import t

ACT = {"now": NOW, "actor": "staff:test"}


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def wave(base):
    return paper_wave.make(base)


def enter(base, case, staff, fields):
    number = 1 + len(entries.of_case(base, case))
    came = entries.Entry(
        id=str(UUID(int=1000 * case + number)), case_id=case, via="desk", staff=staff,
        questionnaire=paper_wave.QUESTIONNAIRE, fields=fields, submitted_at=NOW,
    )  # fmt: skip
    with db.write(base):
        return entries.add(base, came, now=NOW)


def differ(base, wave, first, second, case=None):
    case = case or wave.main[0]
    enter(base, case, wave.staff["nhap1"], paper_wave.fields(1, **first))
    enter(base, case, wave.staff["nhap2"], paper_wave.fields(1, **second))
    return case


def decide(client, case, **fields):
    data = dict(hidden(client.get(f"/desk/compare/{case}").text)) | fields
    return client.post(f"/desk/compare/{case}", data=data)


def answers(base, case):
    row = base.execute("SELECT answers FROM response WHERE case_id = ?", [case]).fetchone()
    return json.loads(row["answers"]) if row else None


def test_the_list_names_the_form_and_how_much_differs_but_no_value(client, base, wave):
    case = differ(base, wave, {"s01": 2, "s02": 5}, {"s01": 4, "s02": 1})
    client.login("doichieu")
    page = client.get("/desk/compare")

    assert page.status_code == 200
    assert f"/desk/compare/{case}" in page.text
    assert "Nhap1" not in page.text
    assert '<td data-of="Ô khác nhau">2</td>' in page.text


def test_forms_of_another_province_are_not_listed_nor_opened(client, base, wave):
    away = wave.cases[wave.psus[-1]][0]
    differ(base, wave, {"s01": 2}, {"s01": 4}, case=away)
    client.login("doichieu")

    assert f"/desk/compare/{away}" not in client.get("/desk/compare").text
    assert client.get(f"/desk/compare/{away}").status_code == 403
    assert client.post(f"/desk/compare/{away}").status_code in (400, 403)


def test_who_entered_what_is_hidden_until_the_form_is_settled(client, base, wave):
    case = differ(base, wave, {"s01": 2}, {"s01": 4})
    client.login("doichieu")
    assert "Nhap1" not in client.get(f"/desk/compare/{case}").text

    assert decide(client, case, **{"d.s01": "2"}).status_code == 303
    page = client.get(f"/desk/compare/{case}").text
    assert {"Nhap1", "Nhap2", "Doichieu"} <= set(re.findall(r"[A-Z]\w+", page))
    assert answers(base, case)["s01"] == 4


def test_another_value_is_read_off_the_paper(client, base, wave):
    case = differ(base, wave, {"s01": 2, "c2": [1, 3]}, {"s01": 4, "c2": [1]})
    client.login("doichieu")
    done = decide(client, case, **{"d.s01": "0", "o.s01": "9", "d.c2": "0", "o.c2": "1 7"})

    assert done.status_code == 303
    assert (answers(base, case)["s01"], answers(base, case)["c2"]) == (9, [1, 7])


@pytest.mark.parametrize(
    "sent", [{}, {"d.s01": "7"}, {"d.s01": "0", "o.s01": ""}, {"d.s01": "0", "o.s01": "7"}]
)
def test_a_field_left_open_comes_back_with_the_others_kept(client, base, wave, sent):
    case = differ(base, wave, {"s01": 2, "s02": 3}, {"s01": 4, "s02": 5})
    client.login("doichieu")
    page = decide(client, case, **{"d.s02": "2", **sent})

    assert page.status_code == 422
    assert re.search(r'name="d.s02" value="2"[^>]* checked', page.text)
    assert 'href="#d.s01"' in page.text
    assert answers(base, case) is None


def test_a_clerk_opens_no_comparison_and_nobody_their_own(client, base, wave):
    case = differ(base, wave, {"s01": 2}, {"s01": 4})
    client.login("nhap1")
    assert client.get("/desk/compare").status_code == 403
    assert client.get("/desk/errors").status_code == 403

    base.execute("UPDATE staff SET role = 'adjudicator' WHERE username = 'nhap1'")
    assert f'href="/desk/compare/{case}"' not in client.get("/desk/compare").text
    page = client.get(f"/desk/compare/{case}")
    assert page.status_code == 409
    assert t("refused.own_entry") in page.text


def test_a_form_without_a_second_entry_has_nothing_to_compare(client, base, wave):
    enter(base, wave.main[0], wave.staff["nhap1"], paper_wave.fields(1))
    client.login("doichieu")

    assert client.get(f"/desk/compare/{wave.main[0]}").status_code == 409
    assert client.get(f"/desk/compare/{wave.main[1]}").status_code == 404
    assert client.get("/desk/compare/999999").status_code == 404


def test_a_household_that_answered_by_its_link_is_shown_and_set_aside(client, base, wave):
    from test_settling import linked

    case = differ(base, wave, {"s01": 2}, {"s01": 4})
    linked(base, case)
    client.login("doichieu")
    page = client.get(f"/desk/compare/{case}")
    assert t("refused.case_used") in page.text

    assert decide(client, case, aside="1").status_code == 303
    assert cases.get(base, case).state == "compared"
    assert comparisons.settled(base, case).response is None
    assert t("verify.none") in client.get("/desk/compare").text


def test_only_an_administrator_lets_waiting_forms_go(client, base, wave, staff):
    enter(base, wave.main[0], wave.staff["nhap1"], paper_wave.fields(1))
    base.execute("UPDATE paper_plan SET double_share = 0 WHERE wave = ?", [WAVE])
    page = client.get(f"/desk/compare?wave={WAVE}")
    assert t("verify.release") in page.text

    done = client.send(f"/desk/compare?wave={WAVE}")
    assert done.status_code == 303
    assert cases.get(base, wave.main[0]).state == "compared"


def test_error_rates_are_those_of_each_operator_with_an_interval(client, base, wave):
    for at, case in enumerate(wave.main[:6]):
        first = {"s01": 2} if at % 2 else {"s01": 4}
        differ(base, wave, first, {"s01": 4}, case=case)
    client.login("doichieu")
    for case in wave.main[1:6:2]:
        decide(client, case, **{"d.s01": "2"})
    page = client.get("/desk/errors").text

    fields = len(paper.coded(marks.asked(waves.get(base, WAVE))))
    first = re.search(r'scope="row">Nhap1</th>(.*?)</tr>', page, re.S)[1]
    cells = re.findall(r'data-of="[^"]+">([^<]+)</td>', first)
    assert cells[:3] == ["6", str(6 * fields), "3"]
    low, high = (float(end.replace(",", ".")) for end in cells[4].split("–"))
    assert low < 100 * 3 / (6 * fields) < high
    second = re.search(r'scope="row">Nhap2</th>(.*?)</tr>', page, re.S)[1]
    assert re.findall(r'data-of="[^"]+">([^<]+)</td>', second)[2:4] == ["0", "0,00%"]
    assert 'id="confusion"' in page

    sheet = client.get("/desk/errors.csv")
    assert sheet.data.startswith(b"\xef\xbb\xbfdot,nguoi_nhap")
    assert f"Nhap1,6,{6 * fields},3," in sheet.text


def test_a_wave_without_double_entry_says_so(client, base, wave):
    client.login("giamsat")

    assert t("verify.no_double") in client.get("/desk/errors").text


def test_typing_and_showing_a_value_are_each_other_s_inverse(base, wave):
    q = marks.asked(waves.get(base, WAVE))
    for field in paper.fields(q):
        for value in (*field.codes, 9, 0) if field.kind == "one" else ():
            assert marks.read(field, marks.typed(field, value)) == value
            assert marks.shown(field, value)
        if field.kind == "several":
            for value in ([], [1, 3], 0, list(field.codes)):
                assert marks.read(field, marks.typed(field, value)) == value


@pytest.mark.parametrize("text", ["8", "1x", "12", "", "-1", "٣"])
def test_what_no_form_can_hold_is_not_read(base, wave, text):
    q = marks.asked(waves.get(base, WAVE))
    field = next(field for field in paper.fields(q) if field.name == "s01")

    with pytest.raises(ValueError, match=r"^"):
        marks.read(field, text)


def test_what_the_scanner_misread_is_the_scanner_s_not_who_looked_at_its_doubts(client, base, wave):
    case = wave.main[0]
    base.execute("UPDATE paper_plan SET scan_share = 1 WHERE wave = ?", [WAVE])
    came = entries.Entry(
        id=str(UUID(int=7)), case_id=case, via="scan", staff=wave.staff["nhap1"],
        questionnaire=paper_wave.QUESTIONNAIRE, fields=paper_wave.fields(1, s01=2),
    )  # fmt: skip
    with db.write(base):
        entries.add(base, came, now=NOW)
    enter(base, case, wave.staff["nhap2"], paper_wave.fields(1, s01=4))
    client.login("doichieu")
    decide(client, case, **{"d.s01": "2"})

    page = client.get("/desk/errors").text
    assert 'scope="row">Nhap1' not in page
    assert f'scope="row">{t("verify.scanner")}' in page
    assert "Máy quét (Nhap1)" in client.get(f"/desk/compare/{case}").text


def scanned(base, settings, case, digest):
    """A printed and scanned third page of a form, its picture on the shelf."""
    layout = {"answers": [{"page": 3, "field": "s01"}], "texts": []}
    with db.write(base):
        run = base.execute(
            "INSERT INTO print_run (wave, edition, questionnaire, questionnaire_digest, layout,"
            " forms, pages, printed_at, actor) VALUES (?, 'normal', ?, ?, ?, 1, 4, ?, 'x')"
            " RETURNING id",
            [
                WAVE, paper_wave.QUESTIONNAIRE, marks.asked(waves.get(base, WAVE)).digest,
                json.dumps(layout), "2026-11-20T00:00:00.000Z",
            ],
        ).fetchone()["id"]  # fmt: skip
        base.execute("UPDATE sample_case SET print_run = ? WHERE id = ?", [run, case])
        base.execute(
            "INSERT INTO scan_upload (id, wave, name, digest, at) VALUES (1, ?, 'a', 'a', 'x')",
            [WAVE],
        )
        base.execute(
            "INSERT INTO scan_page (upload, number, digest, reader, case_id, print_run, page,"
            " state, file, at) VALUES (1, 1, 'a', 'sipas-scan-1', ?, ?, 3, 'read', ?, 'x')",
            [case, run, digest],
        )
    folder = settings.instance / "scans/pictures" / digest[:2]
    folder.mkdir(parents=True)
    (folder / f"{digest}.jpg").write_bytes(b"\xff\xd8 a picture")


def test_a_scanned_page_lies_beside_the_field_it_holds(client, base, wave, settings):
    case, address = wave.main[0], f"/desk/compare/{wave.main[0]}/picture?page=3"
    scanned(base, settings, case, "ab" * 32)
    differ(base, wave, {"s01": 2}, {"s01": 4}, case=case)
    client.login("doichieu")
    page = client.get(f"/desk/compare/{case}").text
    assert t("verify.page", n=3) in page
    assert f'href="{address}"' in page

    assert client.get(address).data == b"\xff\xd8 a picture"
    assert client.get(address.replace("=3", "=4")).status_code == 404
    base.execute("UPDATE staff SET role = 'adjudicator' WHERE username = 'nhap1'")
    client.get("/desk/compare")
    client.post("/logout", data=dict(hidden(client.get("/desk/compare").text)))
    client.login("nhap1")
    assert client.get(address).status_code == 409


def test_a_form_entered_under_a_wrong_number_is_pointed_out_and_taken_as_a_whole(
    client, base, wave
):
    case = wave.main[0]
    right, other = paper_wave.fields(1), paper_wave.fields(2)
    enter(base, case, wave.staff["nhap1"], other)
    enter(base, case, wave.staff["nhap2"], right)
    client.login("doichieu")
    assert t("verify.many") in client.get(f"/desk/compare/{case}").text

    assert decide(client, case, all="2").status_code == 303
    settled = comparisons.settled(base, case)
    assert settled.fields == right
    assert set(settled.decided.values()) == {2}
