"""What somebody asks for: which responses of which wave, at which level, in which form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from survey.store import Refused

#: From everything an office may keep to what anybody may have.
LEVELS = ("internal", "research", "public")
#: Form -> ending of its file.
FORMS: Mapping[str, str] = {
    "csv": "csv",
    "xlsx": "xlsx",
    "sav": "sav",
    "dta": "dta",
    "zip": "zip",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """``unit`` "" is the whole wave; ``since``/``until`` days in Vietnam, both included, of when
    a response came; ``comments`` asks for what people wrote, where the wave's rule allows it;
    ``also`` are further forms that a ZIP holds."""

    wave: str
    level: str = "internal"
    unit: str = ""
    since: date | None = None
    until: date | None = None
    comments: bool = False
    also: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """The same as plain data, for the register, the manifest and jobs."""
        return {
            "wave": self.wave,
            "level": self.level,
            "unit": self.unit,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "comments": self.comments,
            "also": list(self.also),
        }


def read(facts: Mapping[str, Any]) -> Ask:
    """What ``Ask.facts``, a form or a command gave; raises Refused for what cannot be asked.

    ``data_level`` (422), ``data_form`` (422), ``data_day`` (422: ``given``), ``data_days`` (422).
    """
    level = str(facts.get("level") or "internal")
    if level not in LEVELS:
        raise Refused("data_level", 422, given=level[:40], levels=", ".join(LEVELS))
    also = tuple(str(form) for form in facts.get("also") or ())
    for form in also:
        if form not in FORMS or form in ("csv", "zip"):
            raise Refused("data_form", 422, given=form[:40])
    since, until = _day(facts.get("since")), _day(facts.get("until"))
    if since and until and until < since:
        raise Refused("data_days", 422, since=f"{since:%d/%m/%Y}", until=f"{until:%d/%m/%Y}")
    return Ask(
        wave=str(facts.get("wave", "")),
        level=level,
        unit=str(facts.get("unit") or ""),
        since=since,
        until=until,
        comments=bool(facts.get("comments")),
        also=also,
    )


def _day(given: object) -> date | None:
    if not given:
        return None
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise Refused("data_day", 422, given=str(given)[:40]) from None
