"""The page that explains to everybody how answers are flagged; and who of the staff is where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request

from survey import guard, trust
from survey.citizen import answering, pages
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Iterator

bp = Blueprint("fairness", __name__)


@bp.get("/flags")
@guard.public
def flags() -> str:
    """Explain each rule with its limits, and what becomes of a flagged answer."""
    look = pages.look()
    return render_template("citizen/flags.html", look=look, rules=list(_rules(look.language)))


@bp.before_app_request
def notice() -> None:
    """Remember which devices the staff use."""
    answering.notice_staff(request.environ)


def _rules(language: str) -> Iterator[dict[str, str]]:
    """Yield id, name, rule and ground of each reason, with the limits the code goes by."""
    facts: dict[str, object] = {
        "several": trust.SEVERAL + 1,
        "many": trust.MANY + 1,
        "turn": round(trust.TURN),
        "long": trust.LONG_LINE,
        "line": trust.LINE,
        "reading": round(trust.READING),
        "pace": round(trust.PACE),
        "night": trust.NIGHT[0],
        "morning": trust.NIGHT[1],
        "from_hour": _hour(trust.CLOSING[0]),
        "to_hour": _hour(trust.CLOSING[1]),
        "ahead": round(trust.AHEAD.total_seconds() / 3600),
        "waited": trust.WAITED.days,
    }
    for reason in trust.REASONS:
        yield {
            "id": reason,
            "name": t(f"trust.{reason}", language),
            "rule": t(f"trust.{reason}.rule", language, **facts),
            "why": t(f"trust.{reason}.why", language),
        }


def _hour(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
