"""Kept results: never stale, never estimated twice, never without end."""

from __future__ import annotations

from contextlib import closing

from small_wave import COMMUNE, COUNTER, NOW, SURVEY, TUYEN_QUANG

from survey import db, figures
from survey.store import waves


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


def test_kept_results_do_not_grow_without_end(app, settings, monkeypatch):
    monkeypatch.setattr(figures, "KEPT", 3)
    with app.app_context():
        wave = waves.get(db.get(), SURVEY)
        for scope in ("", TUYEN_QUANG, COMMUNE, "vn34:12"):
            figures.of(wave, scope)

    assert len(figures._kept) == 3
