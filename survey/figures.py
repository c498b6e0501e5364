"""Results of a wave, kept in memory as long as no response and no rule of the wave has changed."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from survey import db, services
from survey.store import responses

if TYPE_CHECKING:
    from analysis.results import Result
    from survey.store.waves import Wave

#: Results kept: a national page and all its provinces, twice over.
KEPT = 80

_kept: OrderedDict[tuple[object, ...], Result] = OrderedDict()
_turn = Lock()


def of(wave: Wave, scope: str = "") -> Result:
    """Return the results of ``wave`` in ``scope`` (a unit id, "" for all of it).

    Raises what ``analysis.sipas.wave_result`` raises: ``LookupError`` for a scope that holds
    nothing, ``ValueError`` where the answers cannot carry a figure.
    """
    reader = db.get()
    key = (services().settings.database, scope, repr(wave), responses.mark(reader, wave.key))
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    with _turn:  # two readers who come at once wait for one estimate
        if key not in _kept:
            from analysis.sipas import wave_result

            _kept[key] = wave_result(reader, wave.key, scope=scope)
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
        return _kept[key]
