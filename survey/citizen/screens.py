"""One question a screen: the order of the kiosk's screens and what a person reads on each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from forms import rules
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.questionnaire import Item, Questionnaire, Row
    from survey.citizen.pages import Look

#: Item kind -> how it is answered at the kiosk; a new kind of question is one entry here.
KINDS = {
    "scale": "buttons",
    "single": "buttons",
    "matrix": "buttons",
    "multiple": "picks",
    "number": "number",
    "text": "text",
}


@dataclass(frozen=True, slots=True)
class Screen:
    """One question: an item, a line of a matrix, or a consent asked before its item."""

    column: str
    item: Item
    row: Row | None
    kind: str  # "buttons", "picks", "number", "text", "consent"

    def title(self, look: Look) -> str:
        """Return the question."""
        if self.kind == "consent":
            return t(f"{self.column}.title", look.language)
        return self.row.label if self.row else self.item.text

    def note(self, look: Look) -> str:
        """Return the explanation under the question."""
        if self.kind == "consent":
            return t(f"{self.column}.ask", look.language)
        return self.item.note


@lru_cache(maxsize=64)
def every(q: Questionnaire) -> tuple[Screen, ...]:
    """Return all screens of a questionnaire in the order of its sections."""
    found: list[Screen] = []
    consents: set[str] = set()
    for section in q.sections:
        for item in map(q.item, section.items):
            consent = f"consent_{item.consent}"
            if item.consent and consent not in consents:
                consents.add(consent)
                found.append(Screen(consent, item, None, "consent"))
            if item.kind == "matrix":
                for row in item.rows:
                    found.append(Screen(f"{item.id}.{row.id}", item, row, KINDS[item.kind]))
            else:
                found.append(Screen(item.id, item, None, KINDS[item.kind]))
    return tuple(found)


def shown(q: Questionnaire, answers: Mapping[str, object]) -> list[Screen]:
    """Return the screens that are asked given the answers so far."""
    asked = rules.asked(q, answers)
    return [screen for screen in every(q) if screen.kind == "consent" or screen.item.id in asked]


def answered(
    q: Questionnaire, form: Mapping[str, str], answers: dict[str, object], go: str
) -> Screen | None:
    """Return the screen that was answered, its earlier answer put back unless it was replaced."""
    at, was = form.get("at", ""), form.get("was", "")
    here = next((screen for screen in every(q) if screen.column == at), None)
    if here is None:
        return None
    if go == "refuse" and here.kind == "consent":
        answers.pop(here.column, None)
        answers.pop(here.item.id, None)
    elif was.isdecimal() and len(was) == 1 and here.column not in answers:
        answers[here.column] = int(was)
    return here if here in shown(q, answers) else None


@dataclass(frozen=True, slots=True)
class Notice:
    """One fault as a citizen reads it: which control mends it, in few words and in full."""

    column: str
    control: str
    short: str
    message: str


def notice(q: Questionnaire, fault: rules.Fault, look: Look) -> Notice:
    """Say what is wrong with one answer and what to do about it."""
    facts, language = dict(fault.facts), look.language
    number, text = str(facts.pop("number", "")), str(facts.pop("text", ""))
    known = {item.id: item for item in q.items}
    id, _, row = fault.column.partition(".")
    item = known.get(id)
    rows = [one.id for one in item.rows] if item else []
    if number and row in rows:
        number += ", " + t("errors.row", language, number=rows.index(row) + 1)
    if number.isdigit():
        name = t("errors.item", language, number=number)
    else:
        name = number or (f"“{_few(text)}”" if text else t("errors.field", language))
    short = f"{name}: {_few(text)}" if number and text else name.strip("“”")
    for fact in ("length", "maximum", "minimum"):
        if isinstance(value := facts.get(fact), int):
            facts[fact] = f"{value:,}".replace(",", "." if language == "vi" else ",")
    code = fault.code
    if code == "unanswered" and item is not None:
        code = "unwritten" if not item.closed else code if item.no_answer else "unchosen"
    control = fault.column if item else "answers"
    if code == "no_consent":
        control = f"consent_{facts['consent']}"
    message = t(f"fault.{code}", language, name=name, **facts)
    return Notice(fault.column, control, short if item else message, message)


def heard(screen: Screen, recorded: Mapping[str, str]) -> str:
    """Return the address of a question's recording; a matrix may be read out once for all rows."""
    own = recorded.get(screen.column, "")
    return own or ("" if screen.kind == "consent" else recorded.get(screen.item.id, ""))


def complaints(q: Questionnaire, screen: Screen, look: Look) -> dict[str, str]:
    """Return what may be wrong with one screen's answer, by code, in the server's own words."""
    item = screen.item
    about = {"number": item.number, "text": screen.row.label if screen.row else item.text}
    facts: dict[str, dict[str, object]] = {}
    if screen.kind == "consent":
        return {}
    if item.required:
        facts["unanswered"] = {}
    if screen.kind == "number":
        limits: dict[str, object] = {"minimum": item.minimum, "maximum": item.maximum}
        facts |= {"not_a_number": {}, "out_of_range": limits}
    if screen.kind == "text" or item.other:
        facts |= {"too_long": {"length": "{length}", "maximum": "{maximum}"}}
        facts["control_characters"] = {}
    return {
        code: notice(q, rules.Fault(screen.column, code, about | more), look).message
        for code, more in facts.items()
    }


@cache
def version() -> str:
    """Return a digest of everything a kiosk shows or runs; another one means a newer program."""
    here, digest = Path(__file__).parent.parent, sha256()
    for folder in ("static", "templates/citizen", "translations"):
        for path in sorted((here / folder).iterdir()):
            if path.is_file():
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def heading(faults: list[rules.Fault], look: Look) -> str:
    """Return the heading of the error summary."""
    missing = all(fault.code == "unanswered" for fault in faults)
    return t("errors.unanswered" if missing else "errors.title", look.language, n=len(faults))


def _few(text: str, longest: int = 64) -> str:
    """Return the beginning of a text, cut between words."""
    text = text.rstrip(".?: ")
    if len(text) <= longest:
        return text
    return text[:longest].rpartition(" ")[0].rstrip(",;:(") + "…"
