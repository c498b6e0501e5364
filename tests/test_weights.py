"""Weights of a wave: made, stored, sealed, used by figures, and found again in an exported file."""

from __future__ import annotations

import json

import pytest
import weighted_wave
from click.testing import CliRunner
from weighted_wave import ACT, WAVE

from analysis.file import command
from analysis.report.wording import method_rows
from analysis.sipas import wave_result
from analysis.weights.making import Settings
from survey import db, tallies
from survey.cli import main
from survey.store import Refused, waves, weighting
from survey.store.weighting import Margin
from survey.weighting import weights
from survey.weighting.margins import CannotWeigh


@pytest.fixture
def store(settings):
    """The small instance with a wave to be weighted."""
    opened = db.connect(settings.database)
    weighted_wave.make(opened)
    yield opened
    opened.close()


def made(store, wave=WAVE, **how):
    """Make and store the weights; the preview."""
    found = weights.preview(store, wave, Settings(**how))
    weighting.put(store, wave, found.rows, settings=found.settings, report=found.report, **ACT)
    return found


def exported(instance, tmp_path, wave=WAVE):
    """What ``sipas estimate`` says of the exported file."""
    data, design = tmp_path / "phieu.csv", tmp_path / "thietke.toml"
    done = CliRunner().invoke(
        main, ["--instance", str(instance), "responses", "export", wave, "-o", str(data),
               "--design", str(design)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return command.run(design, data)


def agree(found, result):
    """Whether the figures of a file are those of a report, parts of the country too."""
    rows = {(json.dumps(r["domain"]), r["kind"], r["name"]): r for r in found["estimates"]}
    n = 0
    pairs = [(None, result.figures)] + [({"part": u.unit}, u.figures) for u in result.units]
    for domain, figures in pairs:
        for figure in figures:
            row = rows[json.dumps(domain), figure.kind, figure.id]
            assert row["n"] == figure.n
            for name, mine in (("estimate", figure.value), ("se", figure.se), ("low", figure.low),
                               ("high", figure.high), ("deff", figure.deff)):  # fmt: skip
                if mine is not None or row[name] is not None:
                    wanted = pytest.approx(mine, rel=1e-7, abs=1e-10)
                    assert row[name] == wanted, (domain, figure.id, name)
                n += 1
    places = {row["unit"]: (row["rank"], row["low"], row["high"]) for row in found["ranks"]}
    assert places == {u.unit: (u.rank, u.rank_low, u.rank_high) for u in result.units}
    return n


def test_the_totals_of_every_margin_are_reached(store):
    found = made(store)
    total = {}
    for row in found.report["margins"]:
        total[row["margin"]] = total.get(row["margin"], 0) + row["after"]
        assert row["after"] == pytest.approx(row["target"])

    assert total == pytest.approx({"sex": 14_000, "age": 14_000, "area": 14_000})
    assert sum(row["weight"] for row in found.rows) == pytest.approx(14_000)


def test_who_left_a_margin_blank_keeps_the_share_of_the_weights(store):
    found = weights.preview(store, WAVE, Settings())
    blank = next(row for row in found.report["margins"] if row["category"] == "?")

    assert blank["n"] > 1
    assert blank["after"] / 14_000 == pytest.approx(
        blank["before"] / found.report["weights"]["sum_start"]
    )


def test_those_who_answered_stand_for_the_others_of_their_village(store):
    found = weights.preview(store, WAVE, Settings(method="", cap=0))
    start = {row["id"]: row["start"] for row in found.rows}
    cases = weighting.places(store, WAVE)
    psu = cases[0]["psu"]
    mine = [case for case in cases if case["psu"] == psu]
    eligible = [c for c in mine if c["state"] not in ("moved", "deceased")]

    assert sum(start.get(c["id"], 0) for c in mine) == pytest.approx(
        sum(c["base"] for c in eligible)
    )
    assert len(eligible) < len(mine)


def test_figures_use_the_final_weights(store):
    before = wave_result(store, WAVE)
    tallies.refresh(store, WAVE)
    made(store)
    after = wave_result(store, WAVE)

    assert after.design.weight_sum == pytest.approx(14_000)
    assert after.total.value != before.total.value
    tallies.refresh(store, WAVE)
    again = wave_result(store, WAVE)
    for name in ("value", "se", "low"):
        assert getattr(again.total, name) == pytest.approx(getattr(after.total, name))
    assert tallies.faults(store) == []


@pytest.mark.parametrize(
    "how", [{}, {"method": "linear"}, {"method": "logit", "bounds": (0.3, 3.0)}, {"cap": 2.4}]
)
def test_a_file_of_a_calibrated_wave_says_what_the_report_says(store, instance, tmp_path, how):
    found = made(store, **how)
    result = wave_result(store, WAVE)

    assert agree(exported(instance, tmp_path), result) > 300
    assert len(result.units) == 2
    if how.get("cap"):
        assert found.report["trimming"]["capped"] > 5


def test_a_file_of_a_wave_without_margins_says_what_the_report_says(store, instance, tmp_path):
    agree(exported(instance, tmp_path), wave_result(store, WAVE))
    made(store, method="")

    agree(exported(instance, tmp_path), wave_result(store, WAVE))


def test_calibration_makes_the_error_of_what_margins_explain_smaller(store):
    made(store, cap=0)
    result = wave_result(store, WAVE)
    store.execute("UPDATE weighting SET settings = json_set(settings, '$.margins', json('[]'))")
    plain = wave_result(store, WAVE)

    assert result.total.value == plain.total.value
    assert result.total.se != plain.total.se


def test_a_scope_inside_the_wave_has_the_error_of_its_residuals(store, instance, tmp_path):
    made(store)
    result = wave_result(store, WAVE, scope="vn34:08")
    rows = exported(instance, tmp_path)["estimates"]
    total = next(r for r in rows if r["domain"] == {"part": "vn34:08"} and r["kind"] == "total")

    assert result.total.se == pytest.approx(total["se"], rel=1e-7)
    assert result.design.n_psu == 8


def test_closing_freezes_weights_and_opening_thaws_them(store):
    made(store)
    waves.close(store, WAVE, **ACT)
    held = weighting.get(store, WAVE)

    assert held.frozen_at
    with pytest.raises(Refused, match="weights_frozen"):
        made(store)
    with pytest.raises(Refused, match="weights_frozen"):
        weighting.set_margins(store, WAVE, [], **ACT)
    waves.open(store, WAVE, until=None, reason="thử", **ACT)
    made(store)
    actions = [row[0] for row in store.execute("SELECT action FROM audit ORDER BY seq")]
    assert [a for a in actions if a.startswith("weights.")] == [
        "weights.margins", "weights.make", "weights.freeze", "weights.thaw", "weights.make"
    ]  # fmt: skip


def test_the_check_finds_a_weight_changed_by_hand(store, instance):
    made(store)
    waves.close(store, WAVE, **ACT)
    run = CliRunner().invoke
    good = run(main, ["--instance", str(instance), "check"])
    store.execute("UPDATE sample_case SET weight = weight * 1.5 WHERE wave = ? AND id % 7 = 0",
                  (WAVE,))  # fmt: skip
    bad = run(main, ["--instance", str(instance), "check"])

    assert good.exit_code == 0, good.output
    assert bad.exit_code == 1
    assert "quyền số không còn đúng như khi khóa" in bad.output


def test_a_wave_closed_without_weighting_keeps_those_of_the_draw(store):
    waves.close(store, WAVE, **ACT)

    assert weighting.get(store, WAVE).settings == {}
    with pytest.raises(Refused, match="weights_frozen"):
        made(store)
    waves.open(store, WAVE, until=None, reason="thử", **ACT)
    assert weighting.get(store, WAVE) is None


def test_a_wave_closed_before_there_were_weights_has_them_frozen_at_once(store):
    store.execute("UPDATE wave SET closed_at = '2026-11-01T00:00:00Z' WHERE key = ?", (WAVE,))
    made(store)

    assert weighting.get(store, WAVE).frozen_at
    with pytest.raises(Refused, match="weights_frozen"):
        made(store)


def test_a_wave_whose_weights_are_older_than_its_answers_is_not_closed(store):
    made(store)
    store.execute("UPDATE response SET state = 'void' WHERE wave = ? AND seq % 9 = 0", (WAVE,))

    assert weighting.stale(store, WAVE) > 0
    with pytest.raises(Refused, match="weights_stale"):
        waves.close(store, WAVE, **ACT)
    assert waves.get(store, WAVE).closed_at is None
    made(store)
    waves.close(store, WAVE, **ACT)


def test_weights_go_back_to_those_of_the_draw(store):
    before = wave_result(store, WAVE)
    made(store)
    weighting.clear(store, WAVE, **ACT)

    assert wave_result(store, WAVE) == before


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([Margin("sex", "1", 10, "x"), Margin("sex", "2", 10, "x"), Margin("area", "urban", 9, "x"),
          Margin("area", "rural", 9, "x")], "Tổng của các biến khác nhau"),
        ([Margin("sex", "1", 10, "x")], "chưa có tổng dân số của nhóm này"),
        ([*weighted_wave.MARGINS[:2], Margin("education", "1", 7_000, "x"),
          Margin("education", "5", 7_000, "x")], "Hãy gộp với nhóm khác"),
    ],
)  # fmt: skip
def test_totals_that_do_not_fit_are_named(store, rows, words):
    weighting.set_margins(store, WAVE, rows, **ACT)

    with pytest.raises(CannotWeigh, match=words):
        weights.preview(store, WAVE, Settings())


def test_a_cap_that_cannot_hold_is_named(store):
    with pytest.raises(CannotWeigh, match="tăng mức cắt"):
        weights.preview(store, WAVE, Settings(cap=1.001))


@pytest.mark.parametrize(
    "method",
    [
        {"index_method": "scaled", "aggregate": "factor"},
        {"index_method": "mean5", "aggregate": "pooled", "lonely": "average"},
        {"aggregate": "explicit", "weights": {"I": 1.0, "II": 3.0}, "interval": "logit"},
        {"base": "experienced", "level": 0.9},
        {"fpc": None},
    ],
)
def test_a_file_follows_the_method_of_its_wave(store, instance, tmp_path, method):
    weighted_wave.make(store, key="khac-2026", **method)
    made(store, "khac-2026")
    result = wave_result(store, "khac-2026")

    assert agree(exported(instance, tmp_path, "khac-2026"), result) > 300


def test_margins_may_be_merged_and_crossed_and_lie_above_the_unit(store):
    rows = [
        Margin("unit*sex", "vn34:08*1+2", 6_000, "x"),
        Margin("unit*sex", "vn34:12*1", 4_000, "x"),
        Margin("unit*sex", "vn34:12*2", 4_000, "x"),
    ]
    weighting.set_margins(store, WAVE, rows, **ACT)
    found = weights.preview(store, WAVE, Settings(cap=0))
    cells = {}
    for row in found.rows:
        cells[row["cell"]] = cells.get(row["cell"], 0) + row["weight"]

    assert set(cells) == {"vn34:08*1+2", "vn34:12*1", "vn34:12*2", "?"}
    assert sum(cells.values()) == pytest.approx(14_000)
    assert cells["vn34:12*1"] == pytest.approx(cells["vn34:12*2"])


def test_an_answer_after_the_weights_were_made_counts_as_drawn_until_they_are_made_again(store):
    made(store)
    store.execute(
        "UPDATE sample_case SET start = NULL, weight = base, cell = '' WHERE id IN"
        " (SELECT case_id FROM response WHERE wave = ? ORDER BY seq LIMIT 3)", (WAVE,),
    )  # fmt: skip

    assert weighting.stale(store, WAVE) == 3
    result = wave_result(store, WAVE)
    assert result.total.se > 0
    said = "".join(run.text for _, runs in method_rows(result) for run in runs)
    assert "Còn 3 phiếu đến sau khi lập quyền số, mang quyền số gốc" in said


def test_the_report_says_what_was_done_to_the_weights(store):
    made(store, cap=2.4)
    text = "".join(run.text for _, runs in method_rows(wave_result(store, WAVE)) for run in runs)

    assert (
        "khớp với tổng dân số theo giới tính, độ tuổi, thành thị, nông thôn"
        " (nguồn: Tổng điều tra 2024; Niên giám 2025), cắt 19 quyền số quá lớn" in text
    )
    assert "đến sau khi lập quyền số" not in text


def test_commands_take_totals_make_weights_and_check_them(store, instance, tmp_path):
    def run(*words):
        return CliRunner().invoke(main, ["--instance", str(instance), "weights", *words])

    file = tmp_path / "m.csv"
    file.write_text("name;category;target;source\nsex;Nam;7.000;x\nsex;Nữ;7.000;x\n", "utf-8")
    assert run("margins", WAVE, str(file)).output == "Đợt can-2026: 2 nhóm dân số\n"
    tried = run("make", WAVE, "--dry-run")
    assert "Tổng 14.000 người" in tried.output
    assert weighting.get(store, WAVE) is None
    assert "dùng quyền số gốc" in run("check", WAVE).output
    assert run("make", WAVE, "--method", "linear", "--cells", "stratum").exit_code == 0
    assert "quyền số còn đúng, chưa khóa" in run("check", WAVE).output
    store.execute("UPDATE sample_case SET weight = 1 WHERE wave = ?", (WAVE,))
    assert "mã băm khác" in run("check", WAVE).output
    assert run("clear", WAVE).exit_code == 0
    file.write_text("name,category,target,source\nsex,5,1,x\n", "utf-8")
    bad = run("margins", WAVE, str(file))
    assert (bad.exit_code, "biến «sex» không có nhóm «5»" in bad.output) == (1, True)
    assert "Không có đợt «kia»" in run("make", "kia").output
