"""The pages of feedback: the list of cases, one case with what is done about it, praise."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from survey import db, guard, services, typed
from survey.feedback import figures, files, reading, settings, showing
from survey.store import Refused, clock, feedback, releases, units, workdays
from survey.store.feedback import Step
from survey.text import day, t, thousands
from survey.tree import Tree

if TYPE_CHECKING:
    from datetime import date

    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.feedback import Case

bp = Blueprint("feedback", __name__)

READERS = guard.READERS
HANDLERS = showing.HANDLERS
#: Cases that a page lists.
LISTED = 200
#: Cases on one page of the list, and how many pages it has at most.
PAGE, LAST = 50, 200
#: What the list is narrowed to.
VIEWS = ("open", "late", "mine", "waiting", "done")
KINDS = ("low", "complaint", "hand")

bp.add_url_rule("/feedback/figures", "figures", figures.page)
bp.add_url_rule("/feedback/figures.csv", "figures_csv", figures.table)
bp.add_url_rule("/feedback/rules", "rules", settings.rules)
bp.add_url_rule("/feedback/rules/<key>", "rule", settings.rule)
bp.add_url_rule("/feedback/rules/<key>", "set_rule", settings.set_rule, methods=["POST"])
bp.add_url_rule("/feedback/holidays", "holidays", settings.holidays)
bp.add_url_rule("/feedback/holidays", "add_holidays", settings.add_holidays, methods=["POST"])


@bp.url_value_preprocessor
def _room(endpoint: str | None, _values: dict[str, object] | None) -> None:
    """Allow a whole file where evidence is handed in; before anybody reads the body."""
    if endpoint == "feedback.attach":
        request.max_content_length = files.LARGEST + 64 * 1024


@bp.get("/feedback")
@guard.roles(*READERS)
def index() -> str:
    """List the cases of the reader's unit, what is due first."""
    scope = guard.scope(request.args.get("unit", ""))
    left = reading.catch_up()
    view = request.args.get("view", "open")
    kind = request.args.get("kind", "")
    if view not in VIEWS or kind not in ("", *KINDS):
        abort(404)
    staff, today, held = guard.current_staff(), clock.day(clock.now()), workdays.known(db.get())
    tree = Tree()
    page = min(max(1, request.args.get("page", 1, type=int)), LAST)
    found = _wanted(view, kind, scope, today, tree, staff.id if staff else 0, page * PAGE + 1)
    rows = [showing.row(case, today, held) for case in found[(page - 1) * PAGE : page * PAGE]]
    waiting = releases.waiting(db.get())
    return render_template(
        "feedback/index.html",
        rows=rows,
        page=page,
        more=len(found) > page * PAGE and page < LAST,
        view=view,
        views=VIEWS,
        kind=kind,
        kinds=KINDS,
        scope=scope,
        scope_name=showing.unit_name(scope) if scope else "",
        left=thousands(left) if left else "",
        held=sum(n for unit, n in waiting.items() if tree.inside(unit, scope)),
        total=figures.summary(scope, today),
        may_add=staff is not None and staff.role in HANDLERS,
        synthetic=_made_up(rows),
    )


def _wanted(
    view: str, kind: str, scope: str, today: date, tree: Tree, me: int, n: int
) -> list[Case]:
    """Return the first ``n`` cases of a view."""
    if view == "done":
        found = (c for c in feedback.done(db.get(), kind) if tree.inside(c.unit, scope))
        return list(islice(found, n))
    wish = feedback.Wish(
        kind=kind,
        state="waiting" if view == "waiting" else "",
        owner=me if view == "mine" else 0,
        before=today.isoformat() if view == "late" else "~",
    )
    within = None
    if scope:
        within = [unit for unit in feedback.places(db.get()) if tree.inside(unit, scope)]
    return feedback.due_first(db.get(), wish, n, within)


@bp.get("/feedback/praise")
@guard.roles(*READERS)
def praise() -> str:
    """List what people praised, so that somebody passes it on."""
    scope = guard.scope(request.args.get("unit", ""))
    reading.catch_up()
    tree, today, held = Tree(), clock.day(clock.now()), workdays.known(db.get())
    rows: list[dict[str, object]] = []
    for case in feedback.praises(db.get()):
        if tree.inside(case.unit, scope):
            line = showing.row(case, today, held) | showing.praised(case, today)
            if line["words"]:  # its giver may have taken it back
                rows.append(line)
        if len(rows) > LISTED:
            break
    rows.sort(key=lambda one: bool(one["passed"]))
    return render_template(
        "feedback/praise.html", rows=rows[:LISTED], more=len(rows) > LISTED,
        synthetic=_made_up(rows),
    )  # fmt: skip


@bp.route("/feedback/new", methods=["GET", "POST"])
@guard.roles(*HANDLERS)
def new() -> str | tuple[str, int] | BaseResponse:
    """Write down what somebody said at the counter, by telephone or in a letter."""
    staff = guard.current_staff() or abort(403)
    form = request.form
    values = {name: form.get(name, "") for name in ("words", "kind")}
    values["unit"] = form.get("unit", staff.unit)
    if request.method == "GET":
        return render_template("feedback/new.html", values=values, faults={})
    faults = {}
    if units.get(db.get(), values["unit"]) is None:
        faults["unit"] = t("feedback.no_unit")
    if not values["words"].strip() or len(values["words"]) > feedback.LONGEST:
        faults["words"] = t("feedback.no_words", most=thousands(feedback.LONGEST))
    if values["kind"] not in ("hand", "praise"):
        faults["kind"] = t("feedback.no_kind")
    if faults:
        return render_template("feedback/new.html", values=values, faults=faults), 422
    guard.owns(values["unit"])
    number = services().writer.run(
        partial(
            feedback.begin, unit=values["unit"], words=values["words"], kind=values["kind"],
            days=5, now=clock.now(), actor=f"staff:{staff.username}",
        )
    )  # fmt: skip
    flash(t("feedback.opened", n=number))
    return redirect(url_for(".one", number=number), 303)


@bp.get("/feedback/<int:number>")
@guard.roles(*READERS)
def one(number: int) -> str:
    """Show one case: what was said, what was done, what may be done now."""
    return _page(_find(number))


@bp.post("/feedback/<int:number>")
@guard.roles(*HANDLERS)
def act(number: int) -> BaseResponse | tuple[str, int]:
    """Take one step with a case, or show it again with what was typed."""
    case = _find(number)
    staff = guard.owns(case.unit)
    action, value = request.form.get("action", ""), request.form.get("value", "")
    seen = typed.number(request.form.get("seen", ""))
    if action not in feedback.STEPS or action == "evidence" or seen is None:
        abort(400)
    if action == "assign" and value not in {str(one.id) for one in showing.owners(case.unit)}:
        return _page(case, fault=t("feedback.faulty_owner"), at=action), 422
    wish = Step(
        case=number, action=action, seen=seen, value=value,
        note=request.form.get("note", "").strip(),
    )  # fmt: skip
    job = partial(feedback.step, wish=wish, now=clock.now(), actor=f"staff:{staff.username}")
    try:
        services().writer.run(job)
    except Refused as refusal:
        return _page(_find(number), fault=_said(refusal), at=action), refusal.status
    flash(t(f"feedback.done_{action}"))
    return redirect(url_for(".one", number=number), 303)


@bp.post("/feedback/<int:number>/phone")
@guard.roles(*HANDLERS)
def phone(number: int) -> str:
    """Show the number of somebody who asked to be called; the look is written down first."""
    case = _find(number)
    staff = guard.owns(case.unit)
    look = partial(feedback.phone, case=case, now=clock.now(), actor=f"staff:{staff.username}")
    try:
        return _page(case, phone=services().writer.run(look))
    except LookupError:
        raise Refused("feedback_no_phone", 404) from None


@bp.post("/feedback/<int:number>/evidence")
@guard.roles(*HANDLERS)
def attach(number: int) -> BaseResponse | tuple[str, int]:
    """Keep a file that shows what was done."""
    case = _find(number)
    staff = guard.owns(case.unit)
    sent, seen = request.files.get("file"), request.form.get("seen", "")
    try:
        if len(feedback.evidence(db.get(), number)) >= files.MOST:
            raise Refused("evidence_many", 409, most=files.MOST)
        data = sent.read(files.LARGEST + 1) if sent else b""
        if sent:
            sent.close()  # a large one lies in a file of its own
        digest, kind = files.keep(services().settings.instance, data)
        name = files.named(sent.filename or "" if sent else "", kind)
        wish = Step(case=number, action="evidence", seen=int(seen or 0), note=name)
        job = partial(
            feedback.attach, wish=wish, digest=digest, name=name, kind=kind, size=len(data),
            now=clock.now(), actor=f"staff:{staff.username}",
        )  # fmt: skip
        services().writer.run(job)
    except Refused as refusal:
        return _page(_find(number), fault=_said(refusal), at="evidence"), refusal.status
    flash(t("feedback.done_evidence"))
    return redirect(url_for(".one", number=number), 303)


@bp.get("/feedback/<int:number>/evidence/<int:file>")
@guard.roles(*READERS)
def evidence(number: int, file: int) -> Response:
    """Hand out a file of a case: always as a download, never shown in the page."""
    case = _find(number)
    held = next((one for one in feedback.evidence(db.get(), case.id) if one.id == file), None)
    if held is None:
        abort(404)
    try:
        data = files.read(services().settings.instance, held.digest, held.kind)
    except LookupError:
        raise Refused("evidence_gone", 404) from None
    answer = Response(data, content_type=files.KINDS[held.kind][1])
    answer.headers.set("Content-Disposition", "attachment", filename=held.name)
    return answer


def _find(number: int) -> Case:
    try:
        case = feedback.get(db.get(), number)
    except LookupError:
        abort(404)
    if case.state == "held":  # nobody may know of it yet
        abort(404)
    guard.owns(case.unit)  # the page does not name another unit
    return case


def _page(case: Case, *, fault: str = "", at: str = "", phone: str = "") -> str:
    given = {name: request.form.get(name, "") for name in ("value", "note")} if at else {}
    return render_template(
        "feedback/one.html", fault=fault, at=at, given=given, phone=phone,
        calls=feedback.CALLS, longest=feedback.LONGEST, **showing.whole(case),
    )  # fmt: skip


def _said(refusal: Refused) -> str:
    """Return why a step was refused, with whose change came before."""
    if refusal.code == "feedback_moved":
        from survey.text import clock as hour

        at = str(refusal.facts["at"])
        by = showing.actor_name(f"staff:{refusal.facts['by']}")
        return t("refused.feedback_moved", by=by, at=hour(at), on=day(at))
    if refusal.code == "feedback_faulty":
        return t(f"feedback.faulty_{refusal.facts['field']}")
    return t(f"refused.{refusal.code}", "vi", **refusal.facts)


def _made_up(rows: list[dict[str, object]]) -> bool:
    from survey.store import waves

    synthetic = {wave.key for wave in waves.all(db.get()) if wave.synthetic}
    return any(getattr(one["case"], "wave", None) in synthetic for one in rows)
