"""The league table of a wave: places with their ranges and tie bands, in every rank set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, render_template, request

from survey import guard
from survey.board import figures, keptpages
from survey.text import t

if TYPE_CHECKING:
    from survey.store.waves import Wave

#: What the table may be sorted by.
SORTS = ("rank", "name", "n")


@guard.roles(*guard.READERS)
def league(key: str) -> str:
    """Show a rank set (``set``), sorted by ``sort``, against one's own unit."""
    wave, scope = figures.place(key, request.args.get("unit", ""))
    if wave.kind != "probability":
        abort(404, t("board.not_ranked"))
    sort, counted = request.args.get("sort", "rank"), request.args.get("flagged") != "0"
    if sort not in SORTS:
        abort(404, t("staff.no_scope"))
    facts: dict[str, object] = {
        "wave": wave,
        "scope": scope,
        "sort": sort,
        "counted": counted,
    }
    asked = request.args.get("set", "")

    def make() -> str:
        found = _found(wave, scope, sort, asked, counted=counted)
        return render_template("board/_league.html", **facts, **found)

    body = keptpages.part(f"league {asked} {sort} {counted}", wave, scope, make)
    return render_template("board/league.html", synthetic=wave.synthetic, body=body, **facts)


def _found(wave: Wave, scope: str, sort: str, asked: str, *, counted: bool) -> dict[str, object]:
    """Return what the page prints, or that there is nothing to rank."""
    from survey.board import ranked

    try:
        found = figures.leagues(wave, scope, flagged=counted)
    except (LookupError, ValueError):
        return {"sets": (), "broken": True}
    if not found.sets:
        return {"sets": (), "broken": False}
    shown = next((one for one in found.sets if one.key == (asked or found.sets[0].key)), None)
    if shown is None:
        abort(404, t("board.no_set"))
    return ranked.page(found, shown, sort) | {"broken": False}
