"""Kept results: never stale, never estimated twice, never without end."""

from __future__ import annotations

from contextlib import closing
from uuid import UUID

from small_wave import COMMUNE, COUNTER, NOW, SURVEY, TUYEN_QUANG

from survey import db, tallies
from survey.board import figures
from survey.store import doors, responses, samples, tally, waves


def test_nothing_is_estimated_twice_while_nothing_changes(app, settings):
    with app.app_context():
        wave = waves.get(db.get(), SURVEY)

        assert figures.of(wave) is figures.of(wave)
        assert figures.of(wave) is not figures.of(wave, TUYEN_QUANG)


def test_another_rule_of_the_wave_is_another_result(app, settings):
    with app.app_context():
        first = figures.of(waves.get(db.get(), COUNTER))
    with closing(db.connect(settings.database)) as store:
        waves.settle(store, COUNTER, 80, now=NOW, actor="shell:test")
    with app.app_context():
        assert figures.of(waves.get(db.get(), COUNTER)).coverage != first.coverage


def test_forms_counted_later_are_in_the_result_at_once(app, settings):
    with app.app_context():
        before = figures.of(waves.get(db.get(), SURVEY)).accounts[-1].issued
    with closing(db.connect(settings.database)) as store:
        more = {"wave": SURVEY, "unit": COMMUNE, "issued": 7, "returned": 5}
        samples.add_accounts(store, [more])
    with app.app_context():
        assert figures.of(waves.get(db.get(), SURVEY)).accounts[-1].issued == before + 7


def test_who_asks_for_figures_folds_what_came(app, settings):
    with app.app_context():
        figures.of(waves.get(db.get(), SURVEY))
        figures.counts(waves.get(db.get(), COUNTER))
        for wave in (SURVEY, COUNTER):
            assert tally.mark(db.get(), wave).seq == responses.mark(db.get(), wave)[0]
        assert tallies.faults(db.get()) == []


def test_an_edit_is_mended_once_and_its_figures_are_kept(app, settings):
    with app.app_context():
        figures.of(waves.get(db.get(), COUNTER))
    with closing(db.connect(settings.database)) as store:
        receipt = store.execute("SELECT receipt FROM response WHERE wave = ?", [COUNTER])
        responses.withdraw(store, receipt.fetchone()[0], now=NOW)
    with app.app_context():
        wave = waves.get(db.get(), COUNTER)
        first = figures.of(wave)
        assert (first.void, sum(first.channels.values())) == (1, 39)
        assert tally.dirty(db.get(), COUNTER) == []
        assert figures.of(wave) is first


def test_figures_are_made_where_tallies_cannot_be_written(app, settings):
    lock = settings.database.with_name(db.LOCK)
    lock.unlink(missing_ok=True)
    lock.mkdir()
    with app.app_context():
        assert figures.of(waves.get(db.get(), COUNTER)).total.n == 40
        assert tally.mark(db.get(), COUNTER).seq == 0


def test_comments_are_read_for_reports_only(app, settings):
    with closing(db.connect(settings.database)) as store:
        door = doors.of_wave(store, COUNTER)[0]
        came = responses.Incoming(
            id=str(UUID(int=9007)), door=door, questionnaire="mot-cua-2026.1",
            answers={"m1": 5, "comment": "Cảm ơn"}, channel="kiosk", language="vi",
            started_at=None, submitted_at=NOW,
        )  # fmt: skip
        responses.bulk(store, [came])
    with app.app_context():
        wave = waves.get(db.get(), COUNTER)
        assert figures.of(wave).comments == ()
        assert figures.of(wave, comments=True).comments == ("Cảm ơn",)


def test_kept_results_do_not_grow_without_end(app, settings, monkeypatch):
    monkeypatch.setattr(figures, "KEPT", 3)
    with app.app_context():
        wave = waves.get(db.get(), SURVEY)
        for scope in ("", TUYEN_QUANG, COMMUNE, "vn34:12"):
            figures.of(wave, scope)

    assert len(figures._kept) == 3


def test_figures_without_flagged_answers_are_kept_beside_the_others(app, settings):
    with closing(db.connect(settings.database)) as store:
        rows = store.execute(
            "SELECT seq FROM response WHERE wave = ? AND state = 'valid' LIMIT 2", [COUNTER]
        ).fetchall()
        for row in rows:
            responses.judge(store, row["seq"], "flagged", "night", now=NOW, actor="shell:test")
    with app.app_context():
        wave = waves.get(db.get(), COUNTER)
        whole, less = figures.of(wave), figures.of(wave, flagged=False)

        assert less.total.n == whole.total.n - 2
        assert figures.of(wave, flagged=False) is less
        assert figures.of(wave) is whole
        assert figures.reasons(wave) == {"night": 2}


def test_reasons_are_counted_anew_when_an_answer_is_judged(app, settings):
    with app.app_context():
        assert figures.reasons(waves.get(db.get(), COUNTER)) == {}
    with closing(db.connect(settings.database)) as store:
        seq = store.execute("SELECT seq FROM response WHERE wave = ?", [COUNTER]).fetchone()[0]
        responses.judge(store, seq, "flagged", "burst", now=NOW, actor="shell:test")
        responses.judge(store, seq, "flagged", "clock", now=NOW, actor="shell:test")
    with app.app_context():
        assert figures.reasons(waves.get(db.get(), COUNTER)) == {"burst": 1, "clock": 1}
