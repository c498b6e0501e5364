"""The Flask application: settings, one writer and the doors of every audience put together."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from survey.config import Settings
    from survey.db import Writer

#: Modules with an ``init_app``; ``guard`` is last so that nothing is served before it decides.
PARTS = ("db", "asked", "text", "assets", "errors", "work", "rooms", "guard")
#: Modules with a blueprint ``bp``: one door for each audience.
DOORS = (
    "citizen.pages",
    "citizen.kiosk",
    "machines.api",
    "office.auth",
    "board",
    "board.reports",
    "counter.posters",
    "counter.calls",
    "citizen.offline",
    "counter.kiosks",
    "citizen.sound",
    "machines.feed",
    "board.coverage",
    "citizen.fairness",
    "field",
    "entry.verify",
    "field.callbacks",
    "entry.desk",
    "sample.sampling",
    "field.lots",
    "field.printouts",
    "entry.scans",
    "sample.planning",
    "sample.casework",
    "weighting.weighing",
    "machines.readout",
    "onestop.officer",
    "office.account",
    "office.apikeys",
    "office.audits",
    "office.invites",
    "office.staffing",
    "reporting.following",
    "reporting.pages",
    "reporting.external",
    "onestop.criteria",
    "onestop.letters",
    "onestop.narratives",
    "office.running",
    "office.previews",
    "office.questionnaires",
    "feedback.pages",
    "feedback.comments",
    "alerts.pages",
    "datafiles",
)
#: A long comment (200.000 letters, percent-encoded) must reach the form's own, clearer refusal.
BODY_LIMIT = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Services:
    """What views need from the process they run in."""

    settings: Settings
    writer: Writer


def services() -> Services:
    """Return the services of the current application."""
    from flask import current_app

    found: Services = current_app.extensions["sipas"]
    return found


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application of one instance.

    Views of the kiosk and of the API never load the statistics, so nothing here may import
    ``analysis``: boards and reports do it inside their views.  What the web needs is imported
    here and not above, so that a command or a store function does not pay for it.
    """
    from flask import Flask
    from werkzeug.middleware.proxy_fix import ProxyFix

    from survey import config, db

    settings = settings or config.load()
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret,
        SESSION_COOKIE_NAME="__Host-sipas" if settings.secure_cookies else "sipas",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=BODY_LIMIT,
        MAX_FORM_MEMORY_SIZE=BODY_LIMIT,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        WTF_CSRF_TIME_LIMIT=None,  # the session ends the token; a clock set back must not
        WTF_CSRF_SSL_STRICT=False,  # the referrer policy of our pages sends none
        WTF_CSRF_CHECK_DEFAULT=False,  # citizens have no session; guard checks every staff form
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["sipas"] = Services(settings, db.Writer(settings.database))
    if settings.behind_tls:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    for name in PARTS:
        import_module(f"survey.{name}").init_app(app)
    for name in DOORS:
        app.register_blueprint(import_module(f"survey.{name}").bp)
    return app
