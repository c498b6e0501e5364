"""Counts of settled dossiers: kept where counting is slow, never older than they say."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import date, timedelta

import pytest
from small_wave import COMMUNE, NOW

from survey import db
from survey.board import settled
from survey.store import clock, dossiers
from survey.store import settled as store

JULY = (date(2026, 7, 1), date(2026, 7, 31))


def put(settings, n, on=date(2026, 7, 9), start=0):
    rows = [
        dossiers.Dossier(
            key=f"H{start + at}", service="Khai sinh", receiving_unit=COMMUNE,
            resolving_unit=COMMUNE, officer=None, received_on=on, due_on=on, settled_on=on,
        )
        for at in range(n)
    ]  # fmt: skip
    with closing(db.connect(settings.database)) as base:
        dossiers.put(base, rows, now=NOW, actor="test", source="test")


def total(found):
    return sum(cell.n for cell in found.cells)


def finished():
    for thread in threading.enumerate():
        if thread.name.startswith("settled"):
            thread.join(10)


def test_a_small_instance_is_counted_each_time_and_nothing_is_kept(app, settings):
    with app.app_context():
        put(settings, 3)
        assert total(settled.counted(*JULY)) == 3
        put(settings, 2, start=3)
        assert total(settled.counted(*JULY)) == 5
        assert store.marks(db.get(), "2026-01", "2026-12") == {}


def test_a_slow_month_is_kept_and_tells_when_it_was_counted(app, settings, monkeypatch):
    monkeypatch.setattr(settled, "SLOW", -1)
    with app.app_context():
        put(settings, 3)
        first = settled.counted(*JULY)
        put(settings, 2, start=3)
        second = settled.counted(*JULY)

        assert total(first) == total(second) == 3
        assert second.at == store.marks(db.get(), "2026-07", "2026-07")["2026-07"].counted_at
        assert second.cells == first.cells


def test_an_old_count_is_shown_at_once_and_made_anew_behind(app, settings, monkeypatch):
    monkeypatch.setattr(settled, "SLOW", -1)
    with app.app_context():
        put(settings, 3)
        settled.counted(*JULY)
        put(settings, 2, start=3)
        late = clock.now() + timedelta(hours=1)
        monkeypatch.setattr(clock, "now", lambda: late)

        assert total(settled.counted(*JULY)) == 3
        finished()
        assert total(settled.counted(*JULY)) == 5
        assert store.marks(db.get(), "2026-07", "2026-07")["2026-07"].counted_at == late.replace(
            microsecond=late.microsecond // 1000 * 1000
        )


def test_part_of_a_month_is_counted_by_its_days(app, settings, monkeypatch):
    monkeypatch.setattr(settled, "SLOW", -1)
    with app.app_context():
        put(settings, 3)
        put(settings, 4, on=date(2026, 7, 20), start=3)
        put(settings, 5, on=date(2026, 8, 3), start=7)

        assert total(settled.counted(date(2026, 7, 10), date(2026, 8, 31))) == 9
        assert total(settled.counted(date(2026, 7, 20), date(2026, 7, 20))) == 4
        assert set(store.marks(db.get(), "2026-01", "2026-12")) == {"2026-08"}


def test_counts_are_made_where_nothing_can_be_written(app, settings, monkeypatch):
    monkeypatch.setattr(settled, "SLOW", -1)
    put(settings, 3)
    lock = settings.database.with_name(db.LOCK)
    lock.unlink(missing_ok=True)
    lock.mkdir()
    with app.app_context():
        assert total(settled.counted(*JULY)) == 3


@pytest.mark.parametrize(("settle", "is_known"), [(False, False), (True, True)])
def test_whether_dossiers_are_known_at_all(app, settings, settle, is_known):
    if settle:
        put(settings, 1)
    with app.app_context():
        assert settled.known() is is_known
