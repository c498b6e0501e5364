"""Counts and results of a wave, kept in memory while no response and no rule of it has changed."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import closing, suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from flask import abort, current_app

from survey import db, guard, series, services, tallies
from survey.board import crossing
from survey.store import external, flags, responses, units, waves
from survey.store import series as series_store
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.crossed import Drivers
    from analysis.league import Leagues
    from analysis.results import Result
    from analysis.slices import Slices
    from analysis.trend import Change, Trend
    from survey.board.period import Period
    from survey.store.responses import Counts
    from survey.store.waves import Wave

T = TypeVar("T")

#: Things kept: a national page and all its provinces, twice over.
KEPT = 80

_kept: OrderedDict[tuple[object, ...], Any] = OrderedDict()
_turn = Lock()


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why there is no figure to show.

    ``came`` answers are none, or too few to be published; or, ``broken``, what is stored does
    not fit the method of the wave.
    """

    came: int
    broken: bool = False


def asked(
    key: str, unit: str, *, comments: bool = False, flagged: bool = True
) -> tuple[Wave, str, Result | Nothing]:
    """Return the wave of an address, the scope its reader may see, and what there is to show.

    ``comments``: with what people wrote, which costs a look into every answer.  ``flagged``:
    flagged answers count.

    Ends the request with 404 for a wave or a scope that is not there, 403 for a unit that is not
    the reader's.
    """
    wave, scope = place(key, unit)
    try:
        return wave, scope, find(wave, scope, comments=comments, flagged=flagged)
    except LookupError:
        abort(404, t("staff.no_scope"))


def place(key: str, unit: str) -> tuple[Wave, str]:
    """Return the wave of an address and the scope its reader may see; ends as ``asked``."""
    try:
        wave = waves.get(db.get(), key)
    except LookupError:
        abort(404, t("staff.no_wave"))
    return wave, guard.scope(unit)


def find(
    wave: Wave, scope: str, *, comments: bool = False, flagged: bool = True
) -> Result | Nothing:
    """Return the results that may be shown, or why there are none; raises LookupError."""
    try:
        result = of(wave, scope, comments=comments, flagged=flagged)
    except ValueError as fault:
        current_app.logger.error("no figures of %s %s: %s", wave.key, scope, fault)
        return Nothing(counts(wave).total, broken=True)
    if result.total.value is None:
        return Nothing(sum(result.channels.values()))
    return result


def of(wave: Wave, scope: str = "", *, comments: bool = False, flagged: bool = True) -> Result:
    """Return the results of ``wave`` in ``scope`` (a unit id, "" for all of it).

    ``flagged``: flagged answers count, as they do everywhere unless somebody asks otherwise.

    Raises what ``analysis.sipas.wave_result`` raises: ``LookupError`` for a scope that holds
    nothing, ``ValueError`` where the answers cannot carry a figure.
    """

    whole = of(wave, flagged=flagged) if scope else None

    def estimate() -> Result:
        from analysis.sipas import wave_result

        return wave_result(
            db.get(), wave.key, scope=scope, whole=whole, comments=comments, flagged=flagged
        )

    what = ("report" if comments else "result") + ("" if flagged else " without flagged")
    return _once(what, wave, scope, estimate)


def cut(wave: Wave, scope: str, by: str, period: Period, *, flagged: bool = True) -> Slices:
    """Return the parts of a wave in a scope and a period; raises as ``analysis.slices.slices``."""

    def make() -> Slices:
        from analysis.slices import slices

        return slices(
            db.get(), wave.key, by=by, scope=scope, since=period.since, until=period.until,
            flagged=flagged,
        )  # fmt: skip

    return _once(f"by {by} {period.key}{'' if flagged else ' without flagged'}", wave, scope, make)


def leagues(wave: Wave, unit: str, *, flagged: bool = True) -> Leagues:
    """Return the rank sets of a wave; raises as ``analysis.league.leagues``."""

    def make() -> Leagues:
        from analysis.league import leagues

        return leagues(db.get(), wave.key, unit=unit, flagged=flagged)

    return _once("league" + ("" if flagged else " without flagged"), wave, unit, make)


def drivers(wave: Wave, scope: str) -> tuple[Drivers, str]:
    """Return the importance-performance map, and since when edits are not in it ("" = all are).

    Raises as ``analysis.crossed.found``; what cannot be told is not kept.
    """
    from analysis import crossed

    held = crossing.kept(wave.key)
    if held.older:
        return crossed.found(db.get(), wave.key, held.places, scope=scope), held.older
    return _once(
        "drivers", wave, scope, lambda: crossed.found(db.get(), wave.key, held.places, scope=scope)
    ), ""


def trend(wave: Wave, unit: str) -> tuple[Trend, tuple[Change, ...]]:
    """Return a unit's trend through the series of a wave, and its changes; raises ValueError."""

    def make() -> tuple[Trend, tuple[Change, ...]]:
        name = series.of(db.get(), wave.key)
        held = series.load(db.get(), name)
        found = series.joined(db.get(), unit, name, held)
        return found, series.changed(unit, found, held)

    return _once(f"trend {series_mark(wave)}", wave, unit, make)


def series_mark(wave: Wave) -> str:
    """Return something that differs whenever a trend through a wave may be another."""
    base = db.get()
    name = series.of(base, wave.key)
    state = [(m.key, responses.mark(base, m.key)) for m in series_store.members(base, name)]
    return repr((state, series_store.breaks(base, name), external.files(base)))


def heading(wave: Wave, scope: str) -> str:
    """Return what a page of a wave, or of a unit in it, is called."""
    if not scope:
        return wave.name
    unit = units.name(db.get(), scope, wave.closes_on)
    return f"{unit[:1].upper()}{unit[1:]} · {wave.name}"


def facts(wave: Wave, scope: str) -> dict[str, object]:
    """Return what every page of a wave is about."""
    return {
        "wave": wave,
        "scope": scope,
        "heading": heading(wave, scope),
        "synthetic": wave.synthetic,
    }


def counts(wave: Wave) -> Counts:
    """Return how many responses came in, by state, channel and day."""
    return _once("counts", wave, "", lambda: responses.counts(db.get(), wave.key))


def reasons(wave: Wave) -> dict[str, int]:
    """Return how many answers are flagged for each reason."""
    return dict(_once("reasons", wave, "", lambda: flags.by_reason(db.get(), wave.key)))


def _once(what: str, wave: Wave, scope: str, make: Callable[[], T]) -> T:
    held: T | None = _kept.get(_key(what, wave, scope))
    if held is not None:
        return held
    with _turn:  # two readers who come at once wait for one estimate
        _fold(wave)
        key = _key(what, wave, scope)  # mending moves the mark
        if key not in _kept:
            _kept[key] = make()
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
        made: T = _kept[key]
    return made


def _key(what: str, wave: Wave, scope: str) -> tuple[object, ...]:
    mark = responses.mark(db.get(), wave.key)
    return (what, services().settings.database, scope, repr(wave), mark)


def _fold(wave: Wave) -> None:
    """Bring the tallies up to date, so that nobody reads an answer a second time.

    Through a connection of its own: requests only have one for reading.  Where it cannot be
    done, figures are made without (``NotStored``) or say themselves what does not fit.
    """
    with (
        suppress(db.NotStored, LookupError, ValueError),
        closing(db.connect(services().settings.database, create=False)) as own,
    ):
        tallies.refresh(own, wave.key)
