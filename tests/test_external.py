"""Published figures: every fault by its line, a look before they are kept, taken out with why."""

import io
from datetime import date

import pytest
from click.testing import CliRunner
from small_wave import NOW, PASSWORD, TUYEN_QUANG

from survey import db, external
from survey.cli import main
from survey.store import Refused, people
from survey.store import external as store

HEAD = "measure,unit,year,value,source,dated,most,place,places,period"
GOOD = f'{HEAD}\nsipas,vn34:08,2025,"84,40",Bộ Nội vụ,22/11/2026,,12,34,\n'
TODAY = date(2026, 11, 22)
_act = {"now": NOW, "actor": "shell:test"}


@pytest.fixture
def base(settings):
    held = db.connect(settings.database)
    yield held
    held.close()


def read(text, base):
    return external.read(text, base, today=TODAY)


def faults(text, base):
    with pytest.raises(external.Faulty) as wrong:
        read(text, base)
    return wrong.value.faults


def kept(base, text=GOOD, name="a.csv"):
    found = read(text, base)
    return store.add(base, found.figures, name=name, digest=found.digest, **_act)


def line(**changes):
    cells = {
        "measure": "sipas", "unit": "vn34:08", "year": "2025", "value": "84.40", "source": "Bộ",
        "dated": "2026-11-22", "most": "", "place": "", "places": "", "period": "",
    } | changes  # fmt: skip
    return HEAD + "\n" + ",".join(f'"{cells[name]}"' for name in HEAD.split(",")) + "\n"


def test_a_figure_is_kept_as_it_was_printed(base):
    [figure] = read(
        line(measure="par", value="84,70232", most="", unit="Tuyên Quang"), base
    ).figures

    assert (figure.value, figure.unit, figure.share) == ("84.70232", TUYEN_QUANG, 0.8470232)


def test_points_are_a_share_of_the_highest_number(base):
    [figure] = read(line(measure="QĐ 766", value="14", most="18", period="Q3"), base).figures

    assert (figure.measure, figure.period, figure.share) == ("nd766", "Q3", 14 / 18)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"measure": "x"}, "không có loại “x”"),
        ({"unit": "vn34:99"}, "không tìm thấy đơn vị “vn34:99”"),
        ({"year": "2031"}, "không phải là năm"),
        ({"value": "tám"}, "không phải là số"),
        ({"value": "-3"}, "phải là số dương"),
        ({"value": "101"}, "lớn hơn 100"),
        ({"value": "19", "most": "18"}, "lớn hơn 18"),
        ({"most": "0"}, "phải là số dương"),
        ({"source": ""}, "để trống"),
        ({"dated": "31/2/2026"}, "không phải là ngày"),
        ({"dated": "2026-12-01"}, "ngày chưa đến"),
        ({"place": "40", "places": "34"}, "lớn hơn số đơn vị"),
        ({"place": "0"}, "số nguyên từ 1"),
        ({"period": "Q5"}, "không phải là kỳ"),
        ({"source": "x" * 600}, "dài quá 500"),
    ],
)
def test_a_wrong_cell_is_named_by_line_and_column(base, changes, words):
    [fault] = faults(line(**changes), base)

    assert fault.startswith("Dòng 2, cột “")
    assert words in fault


def test_all_faults_are_told_at_once(base):
    text = line(year="x") + line(value="y").split("\n", 1)[1] + GOOD.split("\n", 1)[1] * 2

    assert [f.split(",")[0].split(":")[0] for f in faults(text, base)] == [
        "Dòng 2", "Dòng 3", "Dòng 5",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "\n\n", HEAD + "\n", "measure,unit\na,b\n", 'a"b\n"c'])
def test_a_file_that_is_no_table_is_refused(base, text):
    assert len(faults(text, base)) == 1


def test_another_encoding_is_named():
    with pytest.raises(external.Faulty, match="UTF-8"):
        external.decoded("Bộ Nội vụ".encode("utf-16"))


def test_the_same_file_twice_changes_nothing_and_another_value_is_refused(base):
    assert kept(base) == (1, 0)
    assert kept(base) == (0, 1)
    with pytest.raises(Refused, match="external_differs"):
        kept(base, GOOD.replace("84,40", "84,50"))
    assert len(store.listed(base)) == 1


def test_what_is_taken_out_leaves_who_and_why(base):
    kept(base)
    [file] = store.files(base)

    with pytest.raises(Refused, match="no_reason"):
        store.remove(base, file.id, reason=" ", **_act)
    assert store.remove(base, file.id, reason="Nguồn đã đính chính", **_act) == 1
    [gone] = store.files(base)
    assert (gone.removed_by, gone.reason) == ("shell:test", "Nguồn đã đính chính")
    assert not store.listed(base)
    with pytest.raises(LookupError):
        store.remove(base, file.id, reason="again", **_act)
    assert kept(base) == (1, 0)  # the corrected file may come


def test_the_published_series_of_the_ministry_is_a_sound_file(base):
    figures = read(external.PUBLISHED.read_text("utf-8"), base).figures
    country = {f.year: f.value for f in figures if f.unit == "vn34:00" and not f.part}

    assert country == {
        2018: "82.99", 2019: "84.45", 2020: "85.48", 2021: "87.16", 2022: "80.08",
        2023: "82.66", 2024: "83.94",
    }  # fmt: skip
    assert all(f.source and f.dated for f in figures)


def upload(client, text=GOOD, name="so-lieu.csv"):
    token = client.get("/external").text.rpartition('name="csrf_token" value="')[2].split('"')[0]
    data = {"csrf_token": token, "file": (io.BytesIO(text.encode()), name)}
    return client.post("/external/preview", data=data, content_type="multipart/form-data")


def test_a_file_is_looked_at_before_it_is_kept(staff, base):
    page = upload(staff)

    assert page.status_code == 200
    assert "84,40%" in page.text
    assert "hạng 12/34" in page.text
    assert not store.listed(base)
    token = page.text.rpartition('name="csrf_token" value="')[2].split('"')[0]
    answer = staff.post("/external", data={"csrf_token": token, "text": GOOD, "name": "a.csv"})
    assert answer.status_code == 303
    assert len(store.listed(base)) == 1
    assert "84,40%" in staff.get("/external").text


def test_a_faulty_file_comes_back_with_its_faults(staff, base):
    page = upload(staff, line(year="x"))

    assert page.status_code == 422
    assert "Dòng 2, cột “Năm”" in page.text
    assert not store.listed(base)


def test_no_file_and_a_forged_text_are_refused(staff, base):
    assert staff.send("/external", to="/external/preview").status_code == 422
    assert staff.send("/external", text=line(value="900"), name="a").status_code == 422
    assert not store.listed(base)


def test_markup_in_a_source_stays_a_text(staff, base):
    kept(base, line(source="<script>alert(1)</script>"))

    assert "<script>alert" not in staff.get("/external").text


def test_a_file_is_taken_out_on_the_page_with_a_reason(staff, base):
    kept(base)
    [file] = store.files(base)
    path = f"/external/{file.id}/remove"

    assert staff.send(path).status_code == 422
    assert staff.send(path, reason="Nguồn đã đính chính").status_code == 303
    assert staff.get(path).status_code == 404
    assert "Nguồn đã đính chính" in staff.get("/external").text


def test_filters_choose_by_measure_and_year(staff, base):
    kept(base, GOOD + "par,vn34:08,2024,70,Bộ,2025,,,,\n")

    assert "84,40%" not in staff.get("/external?measure=par").text
    assert "70%" in staff.get("/external?measure=par&year=2024").text
    assert "70%" not in staff.get("/external?year=2025").text


@pytest.fixture
def local(client, base, template):
    """A browser signed in as the administrator of another province."""
    held = base.execute("SELECT password_hash FROM staff WHERE username = 'member'").fetchone()
    people.add(
        base, username="lai", name="Lai", role="administrator", unit="vn34:12",
        password_hash=held["password_hash"], must_change=False, **_act,
    )  # fmt: skip
    assert client.login("lai", PASSWORD).status_code == 303
    return client


def test_a_unit_imports_only_its_own_figures(local, base):
    assert upload(local).status_code == 403
    assert upload(local, line(unit="vn34:12", measure="self_score")).status_code == 200
    assert not store.listed(base)


def test_a_unit_sees_no_self_score_of_another_and_takes_out_nothing_of_it(local, base):
    kept(base, line(measure="self_score", value="77,77") + GOOD.split("\n", 1)[1])
    page = local.get("/external")

    assert "84,40%" in page.text  # published for everybody
    assert "77,77" not in page.text
    assert "a.csv" not in page.text
    assert local.get("/external/1/remove").status_code == 403


def test_a_viewer_reads_and_changes_nothing(client, base):
    kept(base)
    client.login("member")

    page = client.get("/external")
    assert "84,40%" in page.text
    assert "so-lieu" not in page.text
    assert 'type="file"' not in page.text
    assert client.get("/external/1/remove").status_code == 403


def run(instance, *words):
    return CliRunner().invoke(main, ["--instance", str(instance), "external", *words])


def test_the_command_imports_lists_and_takes_out(instance, tmp_path):
    file = tmp_path / "so-lieu.csv"
    file.write_text(GOOD, "utf-8")

    assert "1 mới" in run(instance, "import", str(file), "--dry-run").output
    assert "1 mới, 0 đã có" in run(instance, "import", str(file)).output
    assert "0 mới, 1 đã có" in run(instance, "import", str(file)).output
    assert "so-lieu.csv" in run(instance, "list").output
    assert "Đã bỏ 1" in run(instance, "remove", "1", "--reason", "sai").output
    assert "Không có tệp số 1" in run(instance, "remove", "1", "--reason", "sai").output


def test_the_command_tells_all_faults_and_writes_nothing(instance, tmp_path, base):
    file = tmp_path / "a.csv"
    file.write_text(line(year="x") + line(value="y").split("\n", 1)[1], "utf-8")
    done = run(instance, "import", str(file))

    assert done.exit_code == 1
    assert "có 2 lỗi" in done.output
    assert not store.listed(base)


def test_the_rule_of_points_is_checked(instance):
    def points(*words):
        return run(instance, "points", "ho-2026", "--source", "QĐ 1", *words)

    assert "2 ngưỡng" in points("--most", "10", "--step", "80=6,5", "--step", "90=10").output
    for words in (["--most", "x"], ["--most", "0"], ["--step", "80"], ["--step", "80=11"],
                  ["--step", "80=6", "--step", "90=5"], ["--step", "120=5"]):  # fmt: skip
        assert points(*words).exit_code == 1, words
