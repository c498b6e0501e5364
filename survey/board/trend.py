"""A unit year by year, with the published figures beside, and what changed between waves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, render_template, request

from survey import guard
from survey.board import figures, keptpages

if TYPE_CHECKING:
    from survey.store.waves import Wave


@guard.roles(*guard.READERS)
def trend(key: str) -> str:
    """Show the series that a wave belongs to."""
    wave, scope = figures.place(key, request.args.get("unit", ""))
    facts = figures.facts(wave, scope)
    rests = figures.series_mark(wave)
    body = keptpages.part("trend", wave, scope, lambda: _series(wave, scope), beside=rests)
    return render_template("board/trend.html", **facts, body=body)


def _series(wave: Wave, scope: str) -> str:
    return render_template("board/_trend.html", wave=wave, scope=scope, **_found(wave, scope))


def _found(wave: Wave, scope: str) -> dict[str, object]:
    from survey.board import trending

    try:
        found, changes = figures.trend(wave, scope)
    except ValueError as fault:
        current_app.logger.error("no trend of %s %s: %s", wave.key, scope, fault)
        return {"nothing": "broken"}
    if found.empty:
        return {"nothing": "years"}
    return {"nothing": ""} | trending.page(found, changes, wave)
