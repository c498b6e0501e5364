"""The pages of comments: themes with their counts, search with or without diacritics."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from survey import db, guard, services, typed
from survey.board import charts
from survey.feedback import reading, scan, showing
from survey.store import Refused, arrivals, clock, comments, themes, units, waves
from survey.store.comments import Wish
from survey.store.themes import Theme
from survey.text import day, t, thousands
from survey.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response

    from survey.store.comments import Comment
    from survey.store.waves import Wave

#: Faults of a dictionary that are listed; who pastes a book reads no more.
FAULTS = 50

bp = Blueprint("comments", __name__)

READERS = guard.READERS
#: Who says that a comment was seen, or which theme it has.
NOTERS = ("administrator", "analyst", "supervisor")
#: Comments of one page, and letters of a search.
PAGE, SOUGHT = 25, 100


@bp.get("/comments")
@guard.roles(*READERS)
def index() -> str:
    """Show the themes and the comments of a wave, as far as the reader's unit goes."""
    scope = guard.scope(request.args.get("unit", ""))
    left = reading.catch_up()
    known = _waves(scope)
    if not known:
        return render_template("comments/none.html", left=thousands(left) if left else "")
    wave = _chosen(known)
    wish = _wish(wave, scope)
    dictionary = themes.all(db.get())
    if wish.theme and wish.theme not in {one.key for one in dictionary}:
        abort(404)
    base = comments.find(db.get(), replace(wish, theme="", unseen=False))
    counts = {one.key: comments.themed(db.get(), wave.key, one.key) & base for one in dictionary}
    found = comments.find(db.get(), wish)
    few = 0 < found.bit_count() < wave.hide_n and bool(wish.theme)
    below = request.args.get("below", type=int)
    numbers = [] if few else comments.top(found, PAGE + 1, below=below)
    finder = themes.Finder(dictionary)
    held = [comments.get(db.get(), wave.key, n) for n in numbers[:PAGE]]
    rows = [_row(wave, one, dictionary, finder) for one in held]
    return render_template(
        "comments/index.html",
        wave=wave,
        waves=known,
        scope=scope,
        scope_name=showing.unit_name(scope) if scope else "",
        wish=wish,
        asked=_asked(wave, scope, wish),
        periods=_periods(wave),
        period=request.args.get("period", ""),
        themes=_table(wave, dictionary, counts, base.bit_count()),
        rows=rows,
        few=few,
        total=thousands(base.bit_count()),
        found=thousands(found.bit_count()),
        older=numbers[PAGE - 1] if len(numbers) > PAGE else None,
        newest=below is not None,
        left=thousands(left) if left else "",
        may_note=_may(),
        charts=charts,
        synthetic=wave.synthetic,
        sought=SOUGHT,
        theme_names=[(one.key, one.name) for one in dictionary],
    )


@bp.post("/comments/<key>/seen")
@guard.roles(*NOTERS)
def seen(key: str) -> Response:
    """Mark the comments of a page as seen."""
    wave = _wave(key)
    numbers = {int(n) for n in request.form.getlist("n") if n.isascii() and n.isdigit()}
    staff = guard.current_staff() or abort(403)
    for n in sorted(numbers)[: PAGE * 2]:
        guard.owns(_get(wave, n).unit)
    job = partial(
        comments.see, wave=wave.key, numbers=sorted(numbers)[: PAGE * 2], now=clock.now(),
        actor=f"staff:{staff.username}",
    )  # fmt: skip
    flash(t("comments.saw", n=services().writer.run(job)))
    return _back(wave)


@bp.post("/comments/<key>/<int:number>/theme")
@guard.roles(*NOTERS)
def theme(key: str, number: int) -> Response:
    """Say by hand which themes a comment has."""
    wave = _wave(key)
    staff = guard.owns(_get(wave, number).unit)
    known = {one.key for one in themes.all(db.get())}
    chosen = [name for name in request.form.getlist("theme") if name in known]
    job = partial(
        comments.theme, wave=wave.key, n=number, chosen=chosen, now=clock.now(),
        actor=f"staff:{staff.username}",
    )  # fmt: skip
    services().writer.run(job)
    flash(t("comments.themed"))
    return _back(wave)


@bp.get("/comments/themes")
@guard.roles(*READERS)
def dictionary() -> str:
    """Show the dictionary of themes, and what it finds in a text to try."""
    held, tried = themes.all(db.get()), request.args.get("text", "")[:1000]
    found = set(themes.Finder(held).find(tried)) if tried else set()
    return render_template(
        "comments/themes.html",
        themes=held,
        tried=tried,
        found=[one.name for one in held if one.key in found],
        may=_system(),
    )


@bp.route("/comments/themes/<key>", methods=["GET", "POST"])
@guard.roles("administrator")
def one_theme(key: str) -> str | tuple[str, int] | Response:
    """Change one theme, or make a new one (``moi``)."""
    staff = guard.system()
    held = {one.key: one for one in themes.all(db.get())}
    new = key == "moi"
    if not new and key not in held:
        abort(404)
    old = Theme(_key(held), "", "neutral", "") if new else held[key]
    if request.method == "GET":
        return render_template("comments/theme.html", theme=old, faults=[], new=new, gap=themes.GAP)
    form = request.form
    wished = Theme(
        form.get("key", "") if new and form.get("key", "") not in held else old.key,
        form.get("name", "").strip(), form.get("tone", ""), form.get("words", ""),
        typed.number(form.get("version", "")) or 0,
    )  # fmt: skip
    if new and not _fits(wished.key):
        wished = replace(wished, key=old.key)
    actor = f"staff:{staff.username}"
    try:
        if form.get("do") == "drop" and not new:
            services().writer.run(partial(themes.drop, key=key, now=clock.now(), actor=actor))
            flash(t("comments.theme_dropped", name=old.name))
        else:
            services().writer.run(partial(themes.put, theme=wished, now=clock.now(), actor=actor))
            flash(t("comments.theme_kept", name=wished.name))
    except Refused as refusal:
        listed = refusal.facts.get("faults")
        said = [str(one) for one in listed] if isinstance(listed, list | tuple) else []
        said = said or [t(f"refused.{refusal.code}", "vi", **refusal.facts)]
        if (more := len(said) - FAULTS) > 0:
            said = [*said[:FAULTS], t("external.more", n=more)]
        page = render_template(
            "comments/theme.html", theme=wished, faults=said, new=new, gap=themes.GAP
        )
        return page, refusal.status
    return redirect(url_for(".dictionary"), 303)


def _key(held: dict[str, Theme]) -> str:
    return next(f"chu-de-{n}" for n in range(1, 1000) if f"chu-de-{n}" not in held)


def _fits(key: str) -> bool:
    return key.startswith("chu-de-") and key[7:].isascii() and key[7:].isdigit()


def _waves(scope: str) -> list[Wave]:
    """Return the waves that have comments of the reader's units, the newest first."""
    tree, found = Tree(), []
    for wave in waves.all(db.get()):
        if getattr(wave, "trial_of", None):
            continue
        own = comments.known(db.get(), wave.key, "u")
        if any(tree.inside(unit, scope) for unit in own):
            found.append(wave)
    return found


def _chosen(known: Sequence[Wave]) -> Wave:
    asked = request.args.get("wave", "")
    if not asked:
        return next((wave for wave in known if wave.closed_at is None), known[0])
    return next((wave for wave in known if wave.key == asked), None) or abort(404)


def _wish(wave: Wave, scope: str) -> Wish:
    tree, within = Tree(), None
    if scope:
        own = comments.known(db.get(), wave.key, "u")
        within = tuple(unit for unit in own if tree.inside(unit, scope))
    period = request.args.get("period", "")
    months = dict(_periods(wave)).get(period, ()) if period else ()
    if period and not months:
        abort(404)
    return Wish(
        wave.key, within, months, request.args.get("theme", ""),
        request.args.get("q", "")[:SOUGHT].strip(), "unseen" in request.args,
    )  # fmt: skip


def _periods(wave: Wave) -> list[tuple[str, tuple[str, ...]]]:
    """Return the months and quarters that have comments, the newest first."""
    months = comments.known(db.get(), wave.key, "m")
    found: dict[str, tuple[str, ...]] = {}
    for month in reversed(months):
        quarter = f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}"
        found.setdefault(quarter, ())
        found[quarter] = (*found[quarter], month)
        found[month] = (month,)
    return list(found.items())


def _asked(wave: Wave, scope: str, wish: Wish) -> dict[str, Any]:
    """Return what stands in the address, for links that change one thing."""
    return {
        "wave": wave.key, "unit": (request.args.get("unit") and scope) or None,
        "period": request.args.get("period") or None, "theme": wish.theme or None,
        "q": wish.words or None, "unseen": "1" if wish.unseen else None,
    }  # fmt: skip


def _table(
    wave: Wave, dictionary: Sequence[Theme], counts: dict[str, int], whole: int
) -> list[dict[str, object]]:
    """Return the themes, the most frequent first; small counts are not told."""
    rows = []
    for one in dictionary:
        n = counts[one.key].bit_count()
        hidden = 0 < n < wave.hide_n or 0 < whole - n < wave.hide_n or whole < wave.hide_n
        share = n / whole if whole else 0.0
        rows.append(
            {
                "theme": one, "n": "—" if hidden and n else thousands(n),
                "order": 0 if hidden else n,
                "open": n > 0 and not hidden,
                "share": "—" if hidden and n else f"{100 * share:.1f}%".replace(".", ","),
                "bar": "" if hidden else charts.length(share),
            }
        )  # fmt: skip
    # Those that are hidden stand in the order of the dictionary: it tells nothing.
    return sorted(rows, key=lambda row: (-int(str(row["order"])), row["n"] == "0"))


def _row(
    wave: Wave, held: Comment, dictionary: Sequence[Theme], finder: themes.Finder
) -> dict[str, object]:
    """Return one comment as the rule of publication allows it.

    It waits until enough people have answered since, and names its day or its counter only
    where enough answered on that day, or at that counter.
    """
    people = partial(arrivals.people, db.get(), wave.key, held.unit)
    if held.state == "void" or people(since=held.day) < wave.hide_n:
        return {"n": held.n, "text": "", "unit": "", "when": "", "themes": [], "may": False}
    month = held.day[:7]
    enough = people(since=held.day, until=held.day) >= wave.hide_n
    whole_month = people(since=month, until=f"{month}~") >= wave.hide_n
    text = scan.texts(held.answers)
    by_hand = held.themes is not None
    keys = set(json.loads(held.themes or "[]") if by_hand else finder.find(text))
    return {
        "n": held.n,
        "text": text,
        "unit": showing.unit_name(held.unit),
        "when": day(held.day) if enough else f"{month[5:]}/{month[:4]}" if whole_month else "",
        "themes": [one.name for one in dictionary if one.key in keys],
        "keys": keys,
        "by_hand": by_hand,
        "seen": showing.actor_name(held.seen_by) if held.seen_at else "",
        "may": showing_may(held.unit),
        "flagged": held.state == "flagged",
    }


def showing_may(unit: str) -> bool:
    """Say whether the reader may note something on a comment of a unit."""
    staff = guard.current_staff()
    return _may() and (
        staff is not None and (not staff.unit or staff.unit in units.path(db.get(), unit))
    )


def _may() -> bool:
    staff = guard.current_staff()
    return staff is not None and staff.role in NOTERS


def _system() -> bool:
    staff = guard.current_staff()
    return staff is not None and staff.role == "administrator" and not staff.unit


def _wave(key: str) -> Wave:
    try:
        return waves.get(db.get(), key)
    except LookupError:
        abort(404)


def _get(wave: Wave, n: int) -> Comment:
    try:
        return comments.get(db.get(), wave.key, n)
    except LookupError:
        abort(404)


def _back(wave: Wave) -> Response:
    """Return to the page the form stood on, told by its own fields only."""
    names = ("unit", "period", "theme", "q", "unseen", "below")
    kept = {name: request.form[name] for name in names if request.form.get(name)}
    return redirect(url_for(".index", wave=wave.key, **kept), 303)  # type: ignore[arg-type]
