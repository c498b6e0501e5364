"""Style sheets, scripts and pictures under addresses that change with their content."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Flask, Response, abort, request

from survey import guard

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".woff2": "font/woff2",
    ".png": "image/png",
}
#: A year: the address names the content, so it can never go stale.
FOREVER = "public, max-age=31536000, immutable"

bp = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to be sent."""

    url: str
    type: str
    body: bytes
    gzipped: bytes


@cache
def _files() -> dict[str, Asset]:
    found = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix not in TYPES:
            continue
        body = _lean(path)
        digest = hashlib.sha256(body).hexdigest()[:12]
        packed = gzip.compress(body, 9, mtime=0)
        found[path.name] = Asset(f"/static/{digest}/{path.name}", TYPES[path.suffix], body, packed)
    return found


def _lean(path: Path) -> bytes:
    """Read a file, a style sheet or script without its comments and indentation.

    Ours hold neither inside a string, and no text over several lines; a test looks.
    """
    body = path.read_bytes()
    if path.suffix not in {".css", ".js"}:
        return body
    text = re.sub(r"/\*.*?\*/", "", body.decode(), flags=re.S)
    return re.sub(r"\s*\n\s*", "\n", text).strip().encode()


def asset(name: str) -> str:
    """Return the address of a file in ``static``; ``LookupError`` if there is no such file."""
    return _files()[name].url


@cache
def icon() -> str:
    """Return the mark as an address that holds it: one request less for every first page."""
    text = _files()["mark.svg"].body.decode().strip()
    return "data:image/svg+xml," + quote(text, safe=" /:=,.'()-")


@bp.get("/static/<digest>/<name>")
@guard.public
def serve(digest: str, name: str) -> Response:
    """Send one file, compressed when the browser allows it, to be kept for a year."""
    found = _files().get(name)
    if found is None or found.url != f"/static/{digest}/{name}":
        abort(404)
    answer = Response(found.body, content_type=found.type)
    if request.accept_encodings.quality("gzip") > 0 and len(found.gzipped) < len(found.body):
        answer.set_data(found.gzipped)
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Cache-Control"] = FOREVER
    answer.headers["Vary"] = "Accept-Encoding"
    return answer


def init_app(app: Flask) -> None:
    """Serve the files and give templates ``asset``."""
    app.register_blueprint(bp)
    app.jinja_env.globals.update(asset=asset, icon=icon)
