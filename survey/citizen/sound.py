"""Recordings of the questions, made by the office: found in the instance, served, never needed."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, send_file

from survey import guard, services

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

bp = Blueprint("sound", __name__)

FOLDER = "sound"
#: What browsers play, the first that is there wins.
TYPES = {".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".m4a": "audio/mp4", ".wav": "audio/wav"}
_QUESTIONNAIRE = re.compile(r"[a-z0-9]+(?:[-._][a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_ITEM = re.compile(r"[a-z0-9]+(?:[._][a-z0-9]+)*")
#: A day; a new recording has another address.
DAY = 24 * 3600


def recorded(questionnaire: str, language: str) -> Mapping[str, str]:
    """Return what was recorded of a questionnaire: id of the question -> address of the file."""
    folder = _folder(questionnaire, language)
    try:
        files = sorted(folder.iterdir(), key=lambda path: (path.stem, _rank(path)))
    except OSError:
        return {}
    found: dict[str, str] = {}
    for path in files:
        if path.suffix in TYPES and _ITEM.fullmatch(path.stem) and path.stem not in found:
            age = int(path.stat().st_mtime)
            found[path.stem] = f"/{FOLDER}/{questionnaire}/{language}/{path.stem}?v={age:x}"
    return found


@bp.get("/sound/<questionnaire>/<language>/<item>")
@guard.public
def play(questionnaire: str, language: str, item: str) -> Response:
    """Send the recording of one question, or the part of it that the browser asks for."""
    names = (_QUESTIONNAIRE, questionnaire), (_LANGUAGE, language), (_ITEM, item)
    if not all(pattern.fullmatch(name) for pattern, name in names):
        abort(404)
    path = _folder(questionnaire, language) / item
    found = (s for s in TYPES if path.with_name(item + s).is_file())
    suffix = next(found, None) or abort(404)
    recording = path.with_name(item + suffix)
    answer = send_file(
        BytesIO(recording.read_bytes()),  # a question takes seconds to read out: kilobytes
        mimetype=TYPES[suffix],
        conditional=True,
        etag=f"{recording.stat().st_mtime_ns:x}",
        max_age=DAY,
    )
    answer.headers["Cache-Control"] = f"public, max-age={DAY}"
    return answer


def _folder(questionnaire: str, language: str) -> Path:
    return services().settings.instance / FOLDER / questionnaire / language


def _rank(path: Path) -> int:
    return list(TYPES).index(path.suffix) if path.suffix in TYPES else len(TYPES)
