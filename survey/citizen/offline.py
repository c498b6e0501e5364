"""What browsers need without a network: service worker, manifest, page of waiting answers."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache

from flask import Blueprint, Response, abort, render_template, request

from survey import assets, errors, guard
from survey.citizen import answering, pages
from survey.text import t

bp = Blueprint("offline", __name__)

#: Files of staff pages, which no worker keeps: a change of them is none to a kiosk.
STAFF = ("staff", "desk", "verify", "scans", "charts")
ICONS = (("mark-192.png", "192x192"), ("mark-512.png", "512x512"))
_DOOR = re.compile(r"(k|q)/([a-z0-9]{1,40})", re.IGNORECASE)


@cache
def version() -> str:
    """Return the name of the cache: it differs when any file of the citizens' pages does."""
    names = (path.name for path in assets.FOLDER.iterdir() if path.suffix in assets.TYPES)
    urls = " ".join(assets.asset(name) for name in sorted(names) if not name.startswith(STAFF))
    return "sipas-" + hashlib.sha256(urls.encode()).hexdigest()[:12]


@bp.get("/sw.js")
@guard.public
def worker() -> Response:
    """Send the service worker, bound to the files as they are now."""
    facts = json.dumps(errors.HEADERS, separators=(",", ":"))
    code = (assets.FOLDER / "sw.js").read_text("utf-8")
    queue = assets.asset("queue.js")
    answer = Response(f'var VERSION="{version()}",QUEUE="{queue}",HEADERS={facts};\n{code}')
    answer.content_type = assets.TYPES[".js"]
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Service-Worker-Allowed"] = "/"
    return answer


@bp.get("/manifest.webmanifest")
@guard.public
def manifest() -> Response:
    """Describe one door as something a tablet or a phone can install."""
    door, seen = _DOOR.fullmatch(request.args.get("door", "")), pages.look()
    if door is None:
        abort(404)
    place = answering.reach(door[2]).place
    kiosk, address = door[1].lower() == "k", f"/{door[0]}{seen.query()}"
    words = t("offline.app", seen.language)
    body = {
        "id": f"/{door[0]}",
        "name": f"{words} · {place.label}",
        "short_name": words,
        "lang": seen.language,
        "start_url": address,
        "scope": "/",
        "display": "fullscreen" if kiosk else "standalone",
        "background_color": "#0c5148" if kiosk else "#f1f5f2",
        "theme_color": "#0c5148",
        "icons": [
            {"src": assets.asset(name), "sizes": size, "type": "image/png"} for name, size in ICONS
        ],
    }
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, content_type="application/manifest+json; charset=utf-8")


@bp.get("/offline")
@guard.public
def unsent() -> str:
    """Show the answers that wait on this device, whatever the network does."""
    return render_template("citizen/offline.html", look=pages.look())
