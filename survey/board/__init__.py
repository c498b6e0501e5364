"""The results: all waves, one wave and what its figures say about places and times."""

from __future__ import annotations

from flask import Blueprint

from survey.board import drivers, league, parts, today, trend, wave

bp = Blueprint("board", __name__)

bp.add_url_rule("/board", "waves", wave.waves)
bp.add_url_rule("/board/<key>", "wave", wave.wave)
bp.add_url_rule("/board/<key>/parts", "parts", parts.parts)
bp.add_url_rule("/board/<key>/league", "league", league.league)
bp.add_url_rule("/today", "today", today.today)
bp.add_url_rule("/board/<key>/drivers", "drivers", drivers.drivers)
bp.add_url_rule("/board/<key>/trend", "trend", trend.trend)
