"""What to improve first: how much each factor carries of satisfaction, beside how it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, current_app, render_template, request
from markupsafe import Markup

from survey import guard
from survey.board import crossing, figures, keptpages
from survey.text import clock as time_of
from survey.text import day, t

if TYPE_CHECKING:
    from survey.store.waves import Wave


@guard.roles(*guard.READERS)
def drivers(key: str) -> str:
    """Show the importance-performance map of a wave, or of one unit of it."""
    wave, scope = figures.place(key, request.args.get("unit", ""))
    facts = figures.facts(wave, scope)
    passing: list[str] = []
    body = keptpages.part("drivers", wave, scope, lambda: _map(wave, scope, passing))
    if passing:
        body = Markup(passing[0])  # nosec B704 - rendered by our own template
    return render_template("board/drivers.html", **facts, body=body)


def _map(wave: Wave, scope: str, passing: list[str]) -> str:
    """Render the map, or why nothing can be told; what holds for a moment goes to ``passing``."""
    found = _found(wave, scope)
    page = render_template("board/_drivers.html", wave=wave, scope=scope, **found)
    if found["nothing"] == "making" or found.get("older"):
        passing.append(page)  # of the moment: not to be kept
        return ""
    return page


def _found(wave: Wave, scope: str) -> dict[str, object]:
    from analysis.crossed import Untold
    from survey.board import priorities

    try:
        found, older = figures.drivers(wave, scope)
    except Untold as fault:
        return {"nothing": fault.reason}
    except crossing.Making:
        return {"nothing": "making"}
    except LookupError:
        abort(404, t("staff.no_scope"))
    except ValueError as fault:
        current_app.logger.error("no drivers of %s %s: %s", wave.key, scope, fault)
        return {"nothing": "broken"}
    said = f"{time_of(older)} {day(older)}" if older else ""
    return {"nothing": "", "older": said} | priorities.page(found)
