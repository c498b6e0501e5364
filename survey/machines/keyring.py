"""The key that another program sends with its request, and whether it may do what it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from flask import Response, abort, request

from survey import db, services
from survey.citizen import pages
from survey.errors import problem
from survey.store import Refused, clock, keys, rates, units
from survey.text import t

if TYPE_CHECKING:
    from survey.store.keys import Key

#: Requests that one key may make in a minute.
MOST = 600


def demand(scope: str) -> Key:
    """Return the key of the request, or end it: 401 without a good one, 403 beyond its scopes.

    429 after ``MOST`` requests in a minute, so that a program gone wild leaves others alone.
    """
    language = pages.look().language
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    text = text.strip()
    if scheme.casefold() != "bearer" or not text:
        words, advice = t("key.none", language), t("key.none.advice", language)
        _unknown(problem(401, "no_key", words, advice))
    key = keys.find(db.get(), text)
    if key is None:
        _unknown(problem(401, "wrong_key", t("key.wrong", language)))
    if scope not in key.scopes:
        abort(problem(403, "scope", t("key.scope", language, scope=scope)))
    now = clock.now()
    wait = services().writer.run(lambda store: rates.hit(store, f"key {key.id}", 60, MOST, now=now))
    if wait:
        raise Refused("too_fast", 429, seconds=wait)
    return key


def within(key: Key, asked: str) -> str:
    """Return the unit that is asked for if the key reaches it ("" = all it reaches), else 404.

    A unit of somebody else is not told from one that does not exist.
    """
    if not asked:
        return key.unit
    if units.get(db.get(), asked) is None:
        abort(404)
    if key.unit and key.unit not in units.path(db.get(), asked):
        abort(404)
    return asked


def _unknown(answer: Response) -> NoReturn:
    answer.headers["WWW-Authenticate"] = 'Bearer realm="sipas"'
    abort(answer)
