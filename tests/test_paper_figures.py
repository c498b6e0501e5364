"""What keying does to the figures of a wave on paper, and how its forms are accounted for."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import paper_wave
import pytest
from click.testing import CliRunner
from paper_wave import NOW, WAVE

from analysis.file import command
from analysis.keying import entered_once, keying
from analysis.report.wording import method_rows
from analysis.sipas import wave_result
from analysis.weights.making import Settings
from survey import db
from survey.cli import main
from survey.store import cases, entries, plans, settling, waves, weighting
from survey.weighting import weights

ACT = {"now": NOW, "actor": "staff:test"}


@pytest.fixture
def store(paper, settings):
    """The small instance with a wave on paper."""
    opened = db.connect(settings.database)
    yield opened
    opened.close()


def keyed(store, paper, *, share, wrong=()):
    """Enter every form of the main list; the first entry of forms ``wrong`` has an error."""
    plans.set(store, WAVE, plans.PaperPlan(double_share=share, seed="hat-giong-2026"), **ACT)
    first, second = paper.staff["nhap1"], paper.staff["nhap2"]
    for n, case in enumerate(paper.main):
        a, b = (first, second) if n % 2 else (second, first)
        right = paper_wave.fields(n)
        entered = right | ({"s03": 5 if right["s03"] < 4 else 1} if n in wrong else {})
        enter(store, case, entered, a, 1)
        if cases.get(store, case).state == "entered":
            enter(store, case, right, b, 2)
        if cases.get(store, case).state == "entered_twice":
            settling.adjudicate(
                store, case, right, {"s03": 2}, staff=paper.staff["doichieu"], **ACT
            )


def enter(store, case, fields, staff, round):
    entries.add(
        store,
        entries.Entry(id=str(UUID(int=case * 10 + round)), case_id=case, via="desk", staff=staff,
                      questionnaire=paper_wave.QUESTIONNAIRE, fields=fields),
        now=NOW,
    )  # fmt: skip


def told(result):
    return next("".join(run.text for run in text) for name, text in method_rows(result)
                if name == "Nhập phiếu")  # fmt: skip


def test_forms_entered_twice_throughout_leave_the_intervals_as_they_are(store, paper):
    keyed(store, paper, share=1.0, wrong=(3, 4, 9))
    result = wave_result(store, WAVE)

    assert (result.keyed.once, result.keyed.twice, result.keyed.widened) == (0, 48, False)
    assert told(result) == "48 phiếu giấy, tất cả được hai người nhập độc lập và đối chiếu."


def test_errors_of_the_sample_entered_twice_widen_the_intervals(store, paper):
    keyed(store, paper, share=0.5, wrong=range(0, 48, 3))
    result = wave_result(store, WAVE)
    found = result.keyed
    store.execute("DELETE FROM paper_settled WHERE wave = ?", (WAVE,))
    plain = wave_result(store, WAVE)

    assert plain.keyed is None
    assert found.once + found.twice == 48
    assert found.share == pytest.approx(found.once / 48)
    assert 0 < found.rate < found.high
    assert result.total.value == plain.total.value
    assert result.total.low < plain.total.low
    assert result.total.high > plain.total.high
    assert "đã được nới" in told(result)
    assert "keyed" in result.total.flags
    assert "keyed" not in plain.total.flags
    assert found.high < 0.03  # forms are the clusters, not the two people who key


def test_more_forms_entered_once_widen_more():
    rng = np.random.default_rng(3)
    paper = rng.integers(1, 6, (200, 39))
    entered = np.where(rng.random(paper.shape) < 0.02, 5, paper)
    found = keying(entered, paper, np.arange(200))
    none, some, all = (entered_once([(found, share)]).apart(0.6, 0.7) for share in (0, 0.3, 1))

    assert none == (0.6, 0.7)
    assert all[0] < some[0] < 0.6  # answers were gained only: what is satisfied may be fewer
    assert all[1] == some[1] == 0.7
    assert entered_once([(found, 1.0)]).apart(None, None) == (None, None)


def test_nothing_is_widened_where_nobody_knows_the_errors(store, paper):
    keyed(store, paper, share=0.0)
    result = wave_result(store, WAVE)

    assert not result.keyed.widened
    assert result.keyed.rate is None
    assert "chưa biết tỷ lệ nhập sai" in told(result)


def test_a_file_says_what_the_report_of_a_paper_wave_says(store, paper, instance, tmp_path):
    keyed(store, paper, share=0.5, wrong=(1, 2, 3))
    found = weights.preview(store, WAVE, Settings())
    weighting.put(store, WAVE, found.rows, settings=found.settings, report=found.report, **ACT)
    data, design = tmp_path / "f.csv", tmp_path / "d.toml"
    CliRunner().invoke(
        main, ["--instance", str(instance), "responses", "export", WAVE, "-o", str(data),
               "--design", str(design)], catch_exceptions=False,
    )  # fmt: skip
    rows = {(r["kind"], r["name"]): r for r in command.run(design, data)["estimates"]
            if r["domain"] is None}  # fmt: skip
    result = wave_result(store, WAVE)

    assert result.keyed.widened
    for figure in result.figures:
        row = rows[figure.kind, figure.id]
        for name, mine in (("estimate", figure.value), ("low", figure.low), ("high", figure.high)):
            assert row[name] == pytest.approx(mine, rel=1e-9), (figure.id, name)


def test_accounts_come_from_the_cases_of_issued_lots(store, paper):
    keyed(store, paper, share=1.0)
    assert wave_result(store, WAVE).accounts == ()
    lot = store.execute(
        "INSERT INTO lot (wave, code, unit, made_at, issued_at, actor)"
        " VALUES (?, 'L000001', ?, '2026', '2026', 'x') RETURNING id", (WAVE, paper_wave.HOME),
    ).fetchone()[0]  # fmt: skip
    reserve = paper.cases[paper.psus[0]][-1]
    store.execute("UPDATE sample_case SET lot = ?, state = 'spoiled' WHERE id = ?", (lot, reserve))
    away = paper.cases[paper.psus[0]][-2]
    store.execute("UPDATE sample_case SET lot = ?, state = 'refused' WHERE id = ?", (lot, away))
    here = wave_result(store, WAVE).accounts[0]

    assert (here.issued, here.returned, here.valid) == (26, 25, 24)


def test_closing_locks_settled_forms(store, paper):
    keyed(store, paper, share=1.0)
    waves.close(store, WAVE, **ACT)

    assert cases.get(store, paper.main[0]).state == "locked"
