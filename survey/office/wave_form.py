"""The form of a wave: its fields as they are typed, and the wave they say or what is wrong."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from forms import questionnaire as questionnaires
from forms.document import PLACE_WORDS, text_faults
from survey import db
from survey.store import units
from survey.text import day, t

if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Connection

    from werkzeug.datastructures import MultiDict

    from survey.store.waves import Wave

#: Plain lines of text: the longest each may be.
TEXTS = {"name": 200, "owner_name": 200, "parent_name": 200, "place": 80, "series": 60}
#: Lists of which one is chosen.
CHOSEN = (
    "questionnaire", "kind", "index_method", "aggregate", "base", "interval", "lonely", "partial",
)  # fmt: skip
DAYS = ("opens_on", "closes_on")
#: Whole numbers: least and most.
WHOLE = {
    "year": (2000, 2100), "min_n": (0, 10_000), "hide_n": (0, 10_000), "contact_days": (0, 730),
}  # fmt: skip
LEVELS = ("0.9", "0.95", "0.99")
_KEY = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")


def typed(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what was typed, to be shown again as it stands."""
    values: dict[str, Any] = {name: form.get(name, "").strip() for name in form}
    values["rank_sets"] = form.getlist("rank_sets")
    for name in DAYS:  # however a day was typed, it is shown one way
        if (found := day_of(name, values.get(name, ""), {})) != date.min:
            values[name] = day(found)
    return values


def shown(wave: Wave) -> dict[str, Any]:
    """Return a wave as its form shows it."""
    values: dict[str, Any] = {name: getattr(wave, name) for name in ("key", "owner", *CHOSEN)}
    values |= {name: getattr(wave, name) for name in TEXTS}
    values |= {name: day(getattr(wave, name)) for name in DAYS}
    values |= {name: str(getattr(wave, name)) for name in WHOLE}
    values |= {
        "settled": "" if wave.settled is None else str(wave.settled),
        "level": f"{wave.level:g}",
        "weights": "\n".join(f"{code} = {_decimal(w)}" for code, w in wave.weights.items()),
        "rank_sets": list(wave.rank_sets),
    }
    return values | {f"word.{word}": wave.words.get(word, "") for word in PLACE_WORDS}


def shown_raw(name: str, stored: object) -> str:
    """Return the stored value of one field as its form shows it."""
    if name in DAYS:
        return day(str(stored))
    if isinstance(stored, float):
        return f"{stored:g}"
    return "" if stored is None else str(stored)


def read(values: Mapping[str, Any], former: Wave | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields of a wave that the form says, and what is wrong by field.

    A field the form does not show (it is fixed) stays as it is in ``former``.
    """
    faults: dict[str, str] = {}
    found: dict[str, Any] = {}
    for name, most in TEXTS.items():
        if name in values:
            found[name] = _text(name, values[name], most, faults)
    found |= {name: values[name] for name in CHOSEN if name in values}
    for name in DAYS:
        if name in values:
            found[name] = day_of(name, values[name], faults)
    for name, (least, most) in WHOLE.items():
        if name in values:
            found[name] = _whole(name, values[name], least, most, faults)
    if "settled" in values:
        blank = not values["settled"]
        found["settled"] = None if blank else _whole("settled", values["settled"], 0, 10**9, faults)
    if "level" in values and "index_method" in values:
        found |= _method(values, faults)
    if "owner" in values:
        found["owner"] = unit_of(db.get(), "owner", values["owner"], faults)
    if any(f"word.{word}" in values for word in PLACE_WORDS):
        found["words"] = _words(values, former, faults)
    _order(found, former, faults)
    return {name: value for name, value in found.items() if name not in faults}, faults


def key(text: str, faults: dict[str, str]) -> str:
    """Return the key of a new wave, noting what is wrong with it."""
    if not _KEY.fullmatch(text) or len(text) > 40:
        faults["key"] = t("running.fault.key")
    return text


def _method(values: Mapping[str, Any], faults: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"level": 0.95, "rank_sets": tuple(values.get("rank_sets", ()))}
    if values["level"] in LEVELS:
        found["level"] = float(values["level"])
    weights: dict[str, float] = {}
    for line in str(values.get("weights", "")).splitlines():
        code, mark, number = (part.strip() for part in line.partition("="))
        if not code and not mark:
            continue
        try:
            weights[code] = float(number.replace(",", "."))
        except ValueError:
            weights[code] = -1
        if not mark or not code or not 0 < weights[code] < 1e6:
            faults["weights"] = t("running.fault.weights", line=line.strip()[:60])
    if values.get("aggregate") == "explicit" and not weights and "weights" not in faults:
        faults["weights"] = t("running.fault.no_weights")
    return found | {"weights": weights}


def _words(
    values: Mapping[str, Any], former: Wave | None, faults: dict[str, str]
) -> dict[str, str]:
    found = {name: word for name, word in (former.words if former else {}).items() if ":" in name}
    for word in PLACE_WORDS:
        name, text = f"word.{word}", str(values.get(f"word.{word}", ""))
        if not text:
            continue
        if wrong := list(text_faults(text)):
            faults[name] = t("running.fault.word", what=wrong[0])
        found[word] = text
    return found


def _text(name: str, text: str, most: int, faults: dict[str, str]) -> str:
    label = t(f"running.{name}")
    if name in ("name", "owner_name") and not text:
        faults[name] = t("running.fault.empty", name=label)
    elif len(text) > most:
        faults[name] = t("running.fault.long", name=label, n=len(text), most=most)
    elif text and any("control" in fault or "điều khiển" in fault for fault in text_faults(text)):
        faults[name] = t("running.fault.control", name=label)
    return text


def day_of(name: str, text: str, faults: dict[str, str]) -> date:
    """Return the day a field says, noting what is none."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    faults[name] = t("running.fault.day", name=t(f"running.{name}"))
    return date.min


def _whole(name: str, text: str, least: int, most: int, faults: dict[str, str]) -> int:
    if text.isascii() and text.isdigit() and least <= int(text[:12]) <= most:
        return int(text)
    faults[name] = t("running.fault.whole", name=t(f"running.{name}"), least=least, most=most)
    return least


def unit_of(store: Connection, field: str, text: str, faults: dict[str, str]) -> str:
    """Return the unit by its code, or by its name where only one is called so."""
    code = text.split(" ")[0]
    if units.get(store, code) is not None:
        return code
    for kind in ("country", "province", "department", "commune"):
        found = units.find(store, text, kind=kind)
        if len(found) == 1:
            return found[0].id
    faults[field] = t("running.fault.owner", name=text[:60])
    return text


def _order(found: Mapping[str, Any], former: Wave | None, faults: dict[str, str]) -> None:
    opens = found.get("opens_on", former.opens_on if former else None)
    closes = found.get("closes_on", former.closes_on if former else None)
    if opens and closes and not faults.keys() & set(DAYS) and closes < opens:
        faults["closes_on"] = t("running.fault.order", closes=day(closes), opens=day(opens))


def _decimal(number: float) -> str:
    return f"{number:g}".replace(".", ",")


def known() -> list[tuple[str, str]]:
    """Return key and title of every questionnaire that can be asked."""
    found = []
    for one in questionnaires.keys():  # noqa: SIM118 - a module
        try:
            found.append((one, questionnaires.load(one).short))
        except (LookupError, questionnaires.Faulty):
            continue
    return found
