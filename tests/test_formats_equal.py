"""What every format of a report says is what ``sipas estimate`` gives on the exported file."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from contextlib import closing
from datetime import date
from html.parser import HTMLParser

import docx
import openpyxl
import pdfplumber
import pytest
import weighted_wave
from click.testing import CliRunner
from small_wave import COUNTER, SURVEY

from analysis.report import writers
from analysis.report.numbers import NONE, num, places, share, span
from forms.questionnaire import localized
from survey import db
from survey.cli import main
from survey.reporting import kinds
from survey.store import weighting
from survey.weighting import weights

ON = date(2026, 11, 22)
PRINTED = ("pdf", "docx", "xlsx", "html")
KINDS = {"nội dung": "item", "yếu tố": "factor", "lĩnh vực": "area", "chỉ số chung": "total"}


@pytest.fixture
def store(settings):
    with closing(db.connect(settings.database)) as base:
        yield base


@pytest.fixture
def sampled(store, request):
    """A sampled wave: as it was drawn, or with weights fitted to margins."""
    if request.param == "drawn":
        return SURVEY
    weighted_wave.make(store)
    found = weights.preview(store, weighted_wave.WAVE, weights.Settings())
    weighting.put(
        store, weighted_wave.WAVE, found.rows, settings=found.settings, report=found.report,
        **weighted_wave.ACT,
    )  # fmt: skip
    return weighted_wave.WAVE


def run(instance, *words):
    done = CliRunner().invoke(main, ["--instance", str(instance), *map(str, words)])
    assert done.exit_code == 0, done.output


def estimated(instance, design, data, folder):
    out = folder / "out.json"
    run(instance, "estimate", design, data, "-o", out)
    return json.loads(out.read_text("utf-8"))


def by_responses(instance, wave, folder):
    design, data = folder / "d.toml", folder / "d.csv"
    run(instance, "responses", "export", wave, "-o", data, "--design", design)
    return estimated(instance, design, data, folder)


def by_data(instance, wave, folder):
    bag = folder / "d.zip"
    run(instance, "data", "export", wave, "--level", "internal", "-o", bag)
    with zipfile.ZipFile(bag) as held:
        held.extractall(folder)
        [name] = [n.removesuffix(".R") for n in held.namelist() if n.endswith(".R")]
    return estimated(instance, folder / "DESIGN.toml", folder / f"{name}.csv", folder)


def by_hand(instance, wave, key, folder):
    """Volunteers have no design: everybody counts once, and no error is compared."""
    asked = localized(key, "vi", frozenset())
    items = [i for factor in asked.factors for i in factor.items]
    lines = [
        'weight = "one"', 'stratum = "all"', 'psu = "row"', 'index = "top2"',
        'aggregate = "item"', f"items = {json.dumps(items)}", "levels = 5", "missing = [9]",
        "[factors]",
    ]  # fmt: skip
    lines += [f'"{f.id}" = {json.dumps(list(f.items))}' for f in asked.factors]
    lines += ["[areas]", *(f'"{a.id}" = {json.dumps(list(a.factors))}' for a in asked.areas)]
    design, data = folder / "d.toml", folder / "d.csv"
    design.write_text("\n".join(lines), "utf-8")
    run(instance, "responses", "export", wave, "-o", data)
    with data.open(encoding="utf-8-sig", newline="") as file:
        answers = [row for row in csv.DictReader(file) if row["state"] != "void"]
    with data.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["one", "all", "row", *items], extrasaction="ignore")
        table.writeheader()
        table.writerows(row | {"one": 1, "all": 1, "row": n} for n, row in enumerate(answers))
    return estimated(instance, design, data, folder)


def whole(out):
    return {(row["kind"], row["name"]): row for row in out["estimates"] if row["domain"] is None}


def files(store, folder, name, wave):
    made = kinds.build(store, kinds.Ask(name, ON, wave))
    for form in kinds.FORMATS:
        writers.write(made, form, folder / f"{name}.{form}")
    return {form: folder / f"{name}.{form}" for form in kinds.FORMATS}


class Rows(HTMLParser):
    """The rows of the tables of a page."""

    def __init__(self):
        super().__init__()
        self.rows, self.inside = [], False

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in {"td", "th"}

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def level(thing):
    return thing.get("matrix", (1, 0))[1] == 0


def printed(path, form):
    """Every row of every table as one line of its cells, by a program that is not ours."""
    if form == "pdf":
        with pdfplumber.open(path) as pdf:
            upright = [page.filter(level) for page in pdf.pages]  # without the slanting stamp
            return [line for page in upright for line in page.extract_text().split("\n")]
    if form == "docx":
        tables = docx.Document(str(path)).tables
        return [" ".join(c.text for c in row.cells) for table in tables for row in table.rows]
    if form == "html":
        reader = Rows()
        reader.feed(path.read_text("utf-8"))
        return [" ".join(" ".join(cell.split()) for cell in row) for row in reader.rows]
    book = openpyxl.load_workbook(path)
    sheets = [s for s in book if s.title.startswith(("Bảng", "Phụ lục", "Vùng", "Thành"))]
    return [" ".join(shown(c) for c in row if c.value is not None)
            for sheet in sheets for row in sheet.iter_rows()]  # fmt: skip


def shown(cell):
    """A number of a workbook as its format shows it in Vietnamese."""
    if not isinstance(cell.value, int | float):
        return str(cell.value)
    decimals = len(cell.number_format.partition(".")[2].rstrip('%" ○*'))
    return num(float(cell.value), decimals)


def digits(path, form, loose=False):
    """The lines with all digits of a file: (kind, id) -> line; ``loose`` ones of units too."""
    if form == "csv":
        text = path.read_text("utf-8-sig").partition("\r\n\r\n")[0]
        lines = list(csv.DictReader(io.StringIO(text, newline="")))
    else:
        sheet = openpyxl.load_workbook(path)["Số liệu"]
        head, *rows = [r for r in sheet.iter_rows(values_only=True) if sum(map(bool, r)) > 1]
        lines = [dict(zip(head, row, strict=True)) for row in rows]
    found = {}
    for line in lines:
        if line["loai"] in KINDS:
            key = (KINDS[line["loai"]], line["ma"])
            if loose:
                found[line["don_vi"], *key] = line  # the whole first: its owner may be a unit
            else:
                found.setdefault(key, line)
    return found


def same(line, row, *, error=True):
    names = {"gia_tri": "estimate"}
    names |= {"sai_so_chuan": "se", "can_duoi": "low", "can_tren": "high"} if error else {}
    assert int(line["n"]) == row["n"]
    for ours, theirs in names.items():
        assert float(line[ours]) == pytest.approx(row[theirs], rel=0, abs=1e-12), (ours, row)


@pytest.mark.parametrize("export", [by_responses, by_data])
@pytest.mark.parametrize("sampled", ["drawn", "fitted"], indirect=True)
def test_a_sampled_wave_says_the_same_everywhere(instance, store, sampled, export, tmp_path):
    rows = whole(export(instance, sampled, tmp_path))
    made = files(store, tmp_path, "national", sampled)

    assert len(rows) == 51
    for form in ("csv", "xlsx"):
        lines = digits(made[form], form)
        assert lines.keys() == rows.keys()
        for key, row in rows.items():
            same(lines[key], row)
    for form in PRINTED:
        text = "\n".join(printed(made[form], form))
        for key, row in rows.items():
            figure = [num(row["n"], 0), share(row["estimate"]), span(row["low"], row["high"])]
            assert " ".join(figure) in text, (form, key)


@pytest.mark.parametrize("sampled", ["drawn", "fitted"], indirect=True)
def test_the_league_has_the_places_of_the_exported_file(instance, store, sampled, tmp_path):
    out = by_responses(instance, sampled, tmp_path)
    made = files(store, tmp_path, "league", sampled)
    totals = {row["domain"]["part"]: row for row in out["estimates"]
              if row["domain"] and row["kind"] == "total"}  # fmt: skip

    assert len(out["ranks"]) == len(totals) == 2
    for form in ("csv", "xlsx"):
        lines = digits(made[form], form, loose=True)
        for rank in out["ranks"]:
            line = lines[rank["unit"], "total", "total"]
            same(line, totals[rank["unit"]])
            held = [int(line[name]) for name in ("hang", "hang_tu", "hang_den")]
            assert held == [rank["rank"], rank["low"], rank["high"]]
    for form in PRINTED:
        found = printed(made[form], form)
        for rank in out["ranks"]:
            row = totals[rank["unit"]]
            start = f"{rank['rank']} {places(rank['low'], rank['high'])} "
            end = f" {num(row['n'], 0)} {share(row['estimate'])} {span(row['low'], row['high'])}"
            assert any(line.startswith(start) and end in line for line in found), (form, rank)


def test_volunteers_are_the_same_counts_everywhere_and_have_no_interval(instance, store, tmp_path):
    rows = whole(by_hand(instance, COUNTER, "mot-cua-2026.1", tmp_path))
    made = files(store, tmp_path, "counter", COUNTER)

    for form in ("csv", "xlsx"):
        lines = digits(made[form], form)
        for key, row in rows.items():
            same(lines[key], row, error=False)
            assert not any(lines[key][end] for end in ("sai_so_chuan", "can_duoi", "can_tren"))
    for form in PRINTED:
        text = "\n".join(printed(made[form], form))
        for (kind, name), row in rows.items():
            if kind in {"factor", "total"}:
                assert f"{num(row['n'], 0)} {share(row['estimate'], 1)} " in text, (form, name)
        assert "khoảng tin cậy 95%:" not in text
        assert NONE not in text.partition("TT Nội dung")[2].partition("Ghi chú")[0]
