"""The tables of a results page: what is printed and drawn, and what is left out."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date

from small_wave import SURVEY

from analysis.report.wording import method_rows
from analysis.results import Choice, Distribution
from analysis.sipas import wave_result
from survey import db
from survey.board import tables


def result(settings, wave, scope=""):
    with closing(db.connect(settings.database, readonly=True)) as store:
        return wave_result(store, wave, scope=scope)


def test_neighbouring_questions_with_the_same_answers_share_a_table(settings):
    found = tables.questions(result(settings, SURVEY))
    titles = [question.title for run in found for question in run]

    assert "Câu 10. Mức độ mong muốn cải thiện chất lượng phục vụ" in titles
    assert len([q for run in found for q in run if q.rows and "Câu 10." in q.title]) == 1
    [needs] = [q for run in found for q in run if q.title.startswith("Câu 10.")]
    assert len(needs.rows) == 10
    assert len(needs.labels) == 4


def test_a_hidden_answer_prints_a_dash_and_draws_nothing():
    row = tables._question(
        ("x", "a"), (Distribution("c4", "Câu 4", "?", 3, (Choice(1, "a", 0, None),)),)
    )

    assert row.bars[0][1:3] == ("", "—")


def test_the_latest_fourteen_days_are_shown_newest_first():
    days = tables.days({date(2026, 11, day): day for day in range(1, 21)})

    assert [row[0] for row in days][:2] == ["20/11/2026", "19/11/2026"]
    assert len(days) == 14


def test_the_method_box_says_what_the_report_says(settings):
    found = result(settings, SURVEY)
    box = dict(tables.method(found))

    assert box.items() >= {name: plain(text) for name, text in method_rows(found)}.items()
    assert box["Mã đợt"] == SURVEY


def plain(runs):
    return "".join(run.text for run in runs)


def changed(found, kind, **facts):
    """The same result with its first figure of a kind changed."""
    target = found.of(kind)[0]
    figures_ = tuple(replace(f, **facts) if f is target else f for f in found.figures)
    return replace(found, figures=figures_)


def test_a_figure_under_the_publication_rule_is_a_dash_without_count_or_mark(settings):
    hidden = {"n": 0, "value": None, "low": None, "high": None, "shares": None}
    found = changed(result(settings, SURVEY), "factor", flags=("hidden",), **hidden)
    rows, _ = tables.indexes(found)
    [row] = [row for row in rows if row.id == "I.A"]

    assert (row.value, row.span, row.n) == ("—", "không công bố", "dưới 5")
    assert "circle" not in row.plot
    assert row.bar == ""
    assert "Dưới 5 người trả lời: không công bố." in tables.page(found, found)["caption"]


def test_where_everybody_was_asked_there_is_no_interval_but_the_word(settings):
    found = changed(
        result(settings, SURVEY), "factor", flags=("census",), low=None, high=None, se=None
    )
    [row] = [row for row in tables.indexes(found)[0] if row.id == "I.A"]

    assert row.span == "toàn bộ"
    assert 'class="ci"' not in row.plot
