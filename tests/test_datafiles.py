import csv
import io
import json
import zipfile
from collections import Counter
from contextlib import closing
from datetime import date

import pytest
import weighted_wave
from click.testing import CliRunner
from small_wave import COUNTER, LAI_CHAU, SURVEY, TUYEN_QUANG

from survey import db
from survey.cli import main
from survey.datafiles import anonymity, asking, csvfile, extract, making, names
from survey.store import Refused, datafiles, responses, weighting
from survey.weighting import weights

ON = date(2026, 11, 22)


@pytest.fixture
def store(settings):
    with closing(db.connect(settings.database)) as base:
        yield base


@pytest.fixture
def take(store, settings):
    """Lay an extract out, and keep its snapshot until the test is over."""

    def opened(wave=SURVEY, **facts):
        ask = asking.read({"wave": wave, **facts})
        return extract.opened(store, ask, settings.secret, on=ON)

    return opened


def table(found, store):
    text = b"".join(csvfile.pieces(found, store)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_holds_what_was_answered(take, store):
    rows = table(take(), store)

    assert len(rows) == 95
    stored = [json.loads(row[0]) for row in store.execute(
        "SELECT answers FROM response WHERE wave = ?", (SURVEY,))]  # fmt: skip
    assert Counter(row["s01"] for row in rows) == Counter(str(a["s01"]) for a in stored)
    assert {row["c2.1"] for row in rows} == {"1"}
    assert {row["c2.2"] for row in rows} == {"2"}
    assert {(row["stratum"], row["area"]) for row in rows} == {
        (f"{unit}-{area}", area) for unit in (TUYEN_QUANG, LAI_CHAU) for area in ("urban", "rural")
    }
    assert {row["received"] for row in rows} == {"2026-11-22"}


def test_nothing_that_could_point_at_a_person_is_there(take, store):
    secrets = {row[0] for row in store.execute("SELECT id FROM response")}
    secrets |= {row[0] for row in store.execute("SELECT receipt FROM response")}
    for level in asking.LEVELS:
        text = b"".join(csvfile.pieces(take(level=level), store)).decode()
        assert not [secret for secret in secrets if secret in text]
        assert "T0" not in text
        assert "T1" not in text


def test_the_order_tells_nothing_and_is_the_same_each_time(take, store, settings):
    first, again = take(), take()
    numbers = first._numbers.tolist()
    assert numbers == again._numbers.tolist()
    assert numbers != sorted(numbers)
    other = extract.opened(store, first.ask, b"x" * 32, on=ON)
    assert other._numbers.tolist() != numbers
    assert sorted(other._numbers.tolist()) == sorted(numbers)


def test_a_void_response_is_left_out_and_counted(take, store, settings):
    seq = store.execute("SELECT MIN(seq) FROM response WHERE wave = ?", (SURVEY,)).fetchone()[0]
    responses.judge(store, seq, "void", "test", now=weighted_wave.NOW, actor="shell:test")
    found = take()

    assert found.accounts == {
        "database": 95, "void": 1, "not_sampled": 0, "outside_filter": 0,
        "other_questionnaire": 0, "withheld": 0, "rows": 94,
    }  # fmt: skip
    assert len(table(found, store)) == found.n == 94


def test_a_unit_gets_its_own_rows_only(take, store):
    found = take(unit=TUYEN_QUANG)
    rows = table(found, store)

    assert {row["unit"] for row in rows} == {TUYEN_QUANG}
    assert found.counted.elsewhere == 95 - len(rows) == 48


def test_days_are_days_in_vietnam_both_included(take):
    assert take(since="2026-11-22", until="2026-11-22").n == 95
    with pytest.raises(Refused, match="no_data"):
        take(since="2026-11-23")
    with pytest.raises(Refused, match="data_days"):
        take(since="2026-11-23", until="2026-11-22")
    with pytest.raises(Refused, match="data_day"):
        take(since="hôm qua")


def test_outside_the_office_villages_have_numbers(take, store):
    inside, outside = table(take(), store), table(take(level="research"), store)

    assert {row["psu"] for row in outside} == {str(n) for n in range(1, 13)}
    assert Counter(Counter(r["psu"] for r in inside).values()) == Counter(
        Counter(r["psu"] for r in outside).values()
    )
    assert "village" not in outside[0]
    assert {row["received"] for row in outside} == {"2026-11"}


def test_a_public_file_holds_groups_of_k(take, store):
    found = take(level="public")
    rows = table(found, store)
    known = ("part", "area", "sex", "ethnicity", "age", "education", "occupation")
    groups = Counter(tuple(row[name] for name in known) for row in rows)

    assert min(groups.values()) >= 5
    assert {row["received"] for row in rows} == {"2026"}
    assert found.report.withheld + len(rows) == 95


def test_the_ladder_blanks_the_last_answer_first_and_joins_who_is_left():
    counts = {
        ("a", 1, 1): 6, ("a", 1, 2): 3, ("a", 2, 1): 3, ("a", 2, 2): 1,
        ("b", 1, 1): 9, ("b", 2, 2): 2, ("c", 1, 1): 2,
    }  # fmt: skip
    found = anonymity.plan(counts, ("unit", "sex", "age"), 4, fixed=1)

    assert found.told["a", 1, 1] == ("a", 1, 1)
    # three of (a, 1) alone are too few: the smallest group of a, itself joined, takes them in
    assert found.told["a", 1, 2] == found.told["a", 2, 1] == found.told["a", 2, 2] == ("a", 0, 0)
    assert found.told["b", 2, 2] == found.told["b", 1, 1] == ("b", 0, 0)
    assert found.told["c", 1, 1] is None
    assert found.report.withheld == 2
    assert found.report.smallest >= 4


@pytest.mark.parametrize("k", [2, 3, 5, 12])
def test_every_group_that_is_told_holds_k(k):
    counts = {
        (unit, a, b, c): (7 * a + 3 * b + c) % 5 + (a == b)
        for unit in "xyz" for a in range(1, 4) for b in range(1, 5) for c in range(1, 3)
    }  # fmt: skip
    counts = {key: n for key, n in counts.items() if n}
    found = anonymity.plan(counts, ("unit", "a", "b", "c"), k, fixed=1)
    groups = Counter()
    for key, n in counts.items():
        if (told := found.told[key]) is not None:
            groups[told] += n
            assert told[0] == key[0]
            assert all(t in (was, 0) for t, was in zip(told[1:], key[1:], strict=True))

    assert min(groups.values()) >= k
    assert sum(groups.values()) + found.report.withheld == sum(counts.values())


def test_what_people_wrote_needs_the_rule_of_the_wave(take, store):
    with pytest.raises(Refused, match="data_comments"):
        take(comments=True)
    datafiles.set_rule(
        store, SURVEY, datafiles.Rule(5, "internal"), now=weighted_wave.NOW, actor="shell:test"
    )
    seq = store.execute("SELECT MIN(seq) FROM response WHERE wave = ?", (SURVEY,)).fetchone()[0]
    held = json.loads(
        store.execute("SELECT answers FROM response WHERE seq = ?", (seq,)).fetchone()[0]
    )
    text = '=HYPERLINK("x"), "Tốt"\nnhanh'
    store.execute(
        "UPDATE response SET answers = ? WHERE seq = ?",
        (json.dumps(held | {"comment": text}), seq),
    )
    rows = table(take(comments=True), store)

    assert [row["comment"] for row in rows if row["comment"]] == ["'" + text]
    with pytest.raises(Refused, match="data_comments"):
        take(comments=True, level="research")
    assert "comment" not in table(take(), store)[0]


def made(take, store, tmp_path, form="zip", **facts):
    path = tmp_path / f"made.{form}"
    digest = making.write(take(**facts), store, form, path, lambda _done, _whole: None)
    return path, digest


def test_a_zip_is_the_same_byte_for_byte(take, store, tmp_path):
    first, digest = made(take, store, tmp_path, also=("sav", "dta", "xlsx"))
    content = first.read_bytes()
    again, same = made(take, store, tmp_path, also=("sav", "dta", "xlsx"))

    assert again.read_bytes() == content
    assert digest == same


def test_the_manifest_proves_board_file_and_database(take, store, tmp_path):
    path, digest = made(take, store, tmp_path)
    with zipfile.ZipFile(path) as bag:
        proof = json.loads(bag.read("manifest.json"))
        listed = {entry["name"]: entry for entry in proof["files"]}

        assert set(listed) == set(bag.namelist()) - {"manifest.json"}
    counts = proof["counts"]
    assert counts["rows"] == proof["dashboard"]["n"] == 95
    assert listed[f"{SURVEY}-internal-mo-phong.csv"]["sha256"] == digest
    assert proof["synthetic"] is True
    assert proof["questionnaire"]["key"] == "sipas-2026.1"


def command(instance, *words):
    return CliRunner().invoke(main, ["--instance", str(instance), "data", *words])


def test_the_command_exports_and_checks(instance, store, tmp_path):
    path = tmp_path / "bộ dữ liệu.zip"
    done = command(instance, "export", SURVEY, "-o", str(path), "--also", "sav")
    assert done.exit_code == 0, done.output
    assert "95 phiếu" in done.output
    good = command(instance, "check", str(path))

    assert good.exit_code == 0, good.output
    assert "Khớp." in good.output
    [export] = datafiles.exports(store, SURVEY)
    assert (export.n, export.level, export.form) == (95, "research", "zip")
    assert store.execute("SELECT COUNT(*) FROM audit WHERE action = 'data.export'").fetchone()[0]


def test_a_changed_file_or_a_voided_response_is_found(instance, store, tmp_path):
    path = tmp_path / "x.zip"
    command(instance, "export", SURVEY, "-o", str(path))
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(path) as bag, zipfile.ZipFile(bad, "w") as out:
        for name in bag.namelist():
            content = bag.read(name)
            if name.endswith("-mo-phong.csv"):
                content = content.replace(b"rural", b"urban", 1)
            out.writestr(name, content)
    assert "mã băm" in command(instance, "check", str(bad)).output
    assert command(instance, "check", str(bad)).exit_code == 1
    seq = store.execute("SELECT MIN(seq) FROM response WHERE wave = ?", (SURVEY,)).fetchone()[0]
    responses.judge(store, seq, "void", "test", now=weighted_wave.NOW, actor="shell:test")

    later = command(instance, "check", str(path))
    assert later.exit_code == 1
    assert "void" in later.output


def test_a_file_that_is_no_set_of_data_is_refused(instance, tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}")
    assert command(instance, "check", str(path)).exit_code == 1


def test_a_dry_run_writes_nothing(instance, store, tmp_path):
    path = tmp_path / "x.zip"
    done = command(instance, "export", SURVEY, "-o", str(path), "--dry-run")

    assert done.exit_code == 0
    assert not path.exists()
    assert datafiles.exports(store, SURVEY) == []


@pytest.mark.parametrize("form", ["sav", "dta"])
def test_programs_of_statistics_read_the_same(take, store, tmp_path, form):
    pyreadstat = pytest.importorskip("pyreadstat")
    path, _ = made(take, store, tmp_path, form)
    read = pyreadstat.read_sav if form == "sav" else pyreadstat.read_dta
    found, meta = read(str(path), output_format="dict", user_missing=True)
    rows, short = table(take(), store), names.short(take().columns)

    assert meta.number_rows == 95
    assert meta.column_names == list(short.values())
    assert "MÔ PHỎNG" in meta.file_label
    assert meta.column_names_to_labels["sex"] == "Giới tính"
    assert meta.variable_value_labels["sex"][1] == "Nam"
    for name, inside in short.items():
        for cell, row in zip(found[inside], rows, strict=True):
            if row[name] == "":
                assert cell is None or cell == "" or cell != cell, (name, cell)
            elif isinstance(cell, str):
                assert cell == row[name] or (cell, row[name]) == ("a", "9"), name
            else:
                assert cell == float(row[name]), name


def test_what_a_format_cannot_hold_is_listed(take, store, tmp_path):
    path, _ = made(take, store, tmp_path, also=("dta",))
    with zipfile.ZipFile(path) as bag:
        proof = json.loads(bag.read("manifest.json"))
    labels = proof["shortened"]["dta"]["labels"]

    assert labels
    assert all(len(each["written"]) <= 80 < len(each["whole"]) for each in labels
               if not each["code"])  # fmt: skip
    assert all(each["written"].endswith("…") for each in labels)


def test_names_fit_every_program_and_stay_apart():
    from survey.datafiles.variables import Variable

    odd = ("c1.economy", "c1_economy", "margin.sex*age", "in", "2a", "x" * 40, "x" * 41)
    columns = [Variable(name, "", "code") for name in odd]
    found = list(names.short(columns).values())

    assert len({name.lower() for name in found}) == len(found)
    assert all(len(name) <= 32 and name[0].isalpha() for name in found)
    assert all(name.replace("_", "a").isalnum() for name in found)


def test_a_workbook_has_data_variables_and_proof(take, store, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    path, _ = made(take, store, tmp_path, "xlsx")
    book = openpyxl.load_workbook(path, read_only=True)
    sheets = {sheet.title: list(sheet.values) for sheet in book}
    rows = table(take(), store)

    assert list(sheets) == ["Dữ liệu", "Biến", "Đối chiếu"]
    heading, *data = sheets["Dữ liệu"]
    assert list(heading) == list(rows[0])
    for cells, row in zip(data, rows, strict=True):
        for name, cell in zip(heading, cells, strict=False):
            assert row[name] == ("" if cell is None else str(cell)), name
    book.close()


def test_the_codebook_follows_the_order_of_ddi(take, store, tmp_path):
    import xml.etree.ElementTree as ET

    path, _ = made(take, store, tmp_path)
    with zipfile.ZipFile(path) as bag:
        root = ET.fromstring(bag.read(f"{SURVEY}-internal-mo-phong-ddi.xml"))
    space = "{ddi:codebook:2_5}"

    assert root.tag == f"{space}codeBook"
    assert [child.tag.removeprefix(space) for child in root] == [
        "docDscr", "stdyDscr", "fileDscr", "dataDscr",
    ]  # fmt: skip
    variables = root.findall(f"{space}dataDscr/{space}var")
    assert [v.get("name") for v in variables] == [c.name for c in take().columns]
    for variable in variables:
        order = [child.tag.removeprefix(space) for child in variable]
        assert order == ["labl", *["catgry"] * (len(order) - 2), "varFormat"]
        assert variable.get("ID").startswith("V")
    assert root.find(f"{space}fileDscr/{space}fileTxt/{space}dimensns/{space}caseQnty").text == "95"


@pytest.fixture
def fitted(store):
    """A wave whose weights were fitted to margins."""

    def make(**how):
        weighted_wave.make(store)
        found = weights.preview(store, weighted_wave.WAVE, weights.Settings(**how))
        weighting.put(
            store, weighted_wave.WAVE, found.rows, settings=found.settings, report=found.report,
            **weighted_wave.ACT,
        )  # fmt: skip

    return make


def estimates(folder, name):
    from analysis.file.command import run

    out = run(folder / "DESIGN.toml", folder / f"{name}.csv")
    return {(r["kind"], r["name"]): r for r in out["estimates"] if r["domain"] is None}


def unpacked(path, tmp_path):
    folder = tmp_path / "bộ"
    with zipfile.ZipFile(path) as bag:
        bag.extractall(folder)
        [name] = [n.removesuffix(".R") for n in bag.namelist() if n.endswith(".R")]
    return folder, name


WAYS = {
    "drawn": None,
    "raked": {"cap": 0.0},
    "linear": {"cap": 0.0, "method": "linear"},
    "trimmed": {"cap": 2.6},
    "experienced": {},
}


def given(way, fitted, store):
    if way == "experienced":
        store.execute("UPDATE wave SET base = 'experienced' WHERE key = ?", (SURVEY,))
        for (seq,) in store.execute(
            "SELECT seq FROM response WHERE wave = ? AND seq % 3 > 0", (SURVEY,)
        ).fetchall():
            _answer(store, seq, **{"c8.3": 1, "s30": 9 if seq % 2 else 4})
        for (seq,) in store.execute(
            "SELECT seq FROM response WHERE wave = ? AND seq % 3 = 0", (SURVEY,)
        ).fetchall():
            _answer(store, seq, **{"c8.3": 2, "c8.4": 2})
        return SURVEY
    if not WAYS[way]:
        return SURVEY
    fitted(**WAYS[way])
    return weighted_wave.WAVE


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("level", ["internal", "research"])
def test_estimates_on_the_file_are_those_of_the_board(take, store, tmp_path, fitted, way, level):
    from analysis.sipas import wave_result

    wave = given(way, fitted, store)
    folder, name = unpacked(made(take, store, tmp_path, wave=wave, level=level)[0], tmp_path)
    rows = estimates(folder, name)

    for figure in wave_result(store, wave).figures:
        row = rows[figure.kind, figure.id]
        assert row["n"] == figure.n
        for key, mine in (("estimate", figure.value), ("se", figure.se), ("low", figure.low)):
            assert row[key] == pytest.approx(mine, rel=1e-9), (figure.id, key)


def _answer(store, seq, **changes):
    from forms import rules
    from forms.questionnaire import load

    row = store.execute("SELECT answers FROM response WHERE seq = ?", (seq,)).fetchone()
    answers = json.loads(row[0]) | changes
    packed = rules.pack(load("sipas-2026.1"), answers)
    store.execute(
        "UPDATE response SET answers = ?, codes = ? WHERE seq = ?",
        (rules.canonical(answers), packed, seq),
    )


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_r_gives_what_sipas_estimate_gives(take, store, tmp_path, fitted, way):
    import shutil
    import subprocess

    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    if subprocess.run(["Rscript", "-e", "library(survey)"], capture_output=True).returncode:
        pytest.skip("R has no package survey")
    wave = given(way, fitted, store)
    folder, name = unpacked(made(take, store, tmp_path, wave=wave)[0], tmp_path)
    done = subprocess.run(
        ["Rscript", f"{name}.R"], cwd=folder, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    rows = estimates(folder, name)

    with (folder / "ket-qua.csv").open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert len(found) == len(rows) == 51
    for row in found:
        mine = rows[row["loai"], row["ten"]]
        assert float(row["gia_tri"]) == pytest.approx(mine["estimate"], rel=1e-10)
        assert float(row["sai_so_chuan"]) == pytest.approx(mine["se"], rel=1e-8)


def test_answers_of_a_counter_have_no_design(take, store, tmp_path):
    path, _ = made(take, store, tmp_path, wave=COUNTER, also=("sav", "dta"))
    with zipfile.ZipFile(path) as bag:
        held = bag.namelist()
        script = bag.read(next(n for n in held if n.endswith(".R"))).decode()

    assert "DESIGN.toml" not in held
    assert "svydesign" not in script
    assert "không có quyền số" in script


def test_syntax_names_every_column_and_the_design(take, store, tmp_path, fitted):
    fitted(cap=0.0)
    found = take(wave=weighted_wave.WAVE)
    path, _ = made(take, store, tmp_path, wave=weighted_wave.WAVE)
    with zipfile.ZipFile(path) as bag:
        texts = {n.rpartition(".")[2]: bag.read(n).decode() for n in bag.namelist()}
    short = names.short(found.columns)

    assert all(f"rename v{n} {short[c.name]}\n" in texts["do"]
               for n, c in enumerate(found.columns, 1))  # fmt: skip
    assert not [line for line in texts["do"].splitlines() if "///" in line[:-3]]
    assert (
        "svyset psu_n [pweight=start], strata(stratum_n) fpc(fpc) singleunit(centered)"
        in (texts["do"])
    )
    assert "rake(i.m1 i.m2 i.m3, totals(_cons=14000.0 1.m1=" in texts["do"]
    assert all(f"  {short[c.name]} '" in texts["sps"] for c in found.columns)
    assert "/DESIGN STRATA=stratum CLUSTER=psu" in texts["sps"]
    assert "/POPSIZE VARIABLE=fpc." in texts["sps"]
    assert max(map(len, texts["sps"].splitlines())) <= 400
    assert 'calfun = "raking"' in texts["R"]
