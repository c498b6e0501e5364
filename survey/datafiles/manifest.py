"""The proof of a file: what was asked for, what was counted, what was left out, which digests."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from survey.datafiles import design, names
from survey.text import t, thousands

if TYPE_CHECKING:
    from survey.datafiles.extract import Extract

FORMAT = "sipas-data-manifest/1"
NAME = "manifest.json"


def facts(extract: Extract, db: sqlite3.Connection) -> dict[str, Any]:
    """Everything but the files: counts whose sum is told, questionnaire, weights, anonymity."""
    wave, asked = extract.wave, extract.questionnaire
    return {
        "format": FORMAT,
        "made_on": extract.on.isoformat(),
        "synthetic": wave.synthetic,
        "wave": {
            "key": wave.key,
            "name": wave.name,
            "kind": wave.kind,
            "year": wave.year,
            "opens_on": wave.opens_on.isoformat(),
            "closes_on": wave.closes_on.isoformat(),
            "owner": wave.owner_name,
            "trial_of": wave.trial_of or "",
        },
        "filter": extract.ask.facts(),
        "questionnaire": {"key": asked.key, "digest": asked.digest, "title": asked.title},
        "method": {
            "index": wave.index_method,
            "aggregate": wave.aggregate,
            "base": wave.base,
            "lonely": wave.lonely,
        },
        "weights": design.weights(extract, db),
        "counts": extract.accounts,
        "dashboard": dashboard(extract, db),
        "rule": asdict(extract.rule),
        "anonymity": asdict(extract.report) if extract.report else None,
        "order": t("data.proof.order"),
        "names": names.short(extract.columns),
        "columns": [column.name for column in extract.columns],
        "withheld_columns": _without(extract),
    }


def dashboard(extract: Extract, db: sqlite3.Connection) -> dict[str, Any]:
    """How many answers the board counts: that of the same unit; of single days it has none."""
    if extract.ask.since or extract.ask.until:
        return {"n": None, "why": t("data.proof.period")}
    return {"n": shown(db, extract.wave.key, extract.ask.unit)}


def shown(db: sqlite3.Connection, wave: str, unit: str) -> int:
    """The answers behind the figures of a wave in a unit ("" = all), counted as the board does."""
    from analysis import parts, reader
    from analysis.study import study
    from forms.questionnaire import localized

    of = reader.wave(db, wave)
    asked = localized(of.questionnaire, "vi", frozenset(of.words.items()))
    ready = study(db, of, asked)
    mine = parts.inside(reader.Units(db, of.closes_on), ready.answers, unit)
    return ready.answers.people(mine)


def _without(extract: Extract) -> list[str]:
    """What never leaves at this level, in words."""
    keys = ["data.without.always"]
    if extract.ask.level != "internal":
        keys.append(f"data.without.{extract.ask.level}")
    if not extract.ask.comments:
        keys.append("data.without.texts")
    return [t(key) for key in keys]


def text(proof: Mapping[str, Any]) -> str:
    """The manifest as it is written."""
    return json.dumps(proof, ensure_ascii=False, indent=1, sort_keys=False) + "\n"


def told(proof: Mapping[str, Any]) -> list[tuple[str, str | int]]:
    """The manifest in words, line by line."""
    rows: list[tuple[str, str | int]] = [
        (t("data.proof.level"), t(f"data.level.{proof['filter']['level']}")),
        (t("data.proof.unit"), proof["filter"]["unit"] or t("data.proof.whole")),
        (t("data.proof.days"), _days(proof["filter"])),
    ]
    rows += [(t(f"data.count.{name}"), n) for name, n in proof["counts"].items()]
    n = proof["dashboard"]["n"]
    rows.append((t("data.proof.dashboard"), proof["dashboard"].get("why", "") if n is None else n))
    rows.append((t("data.proof.questionnaire"), proof["questionnaire"]["key"]))
    rows.append((t("data.proof.digest"), proof["questionnaire"]["digest"]))
    rows.append((t("data.proof.weights"), t(f"data.weights.{proof['weights']['kind']}")))
    if digest := proof["weights"].get("digest"):
        rows.append((t("data.proof.weights_digest"), digest))
    if report := proof["anonymity"]:
        rows += anonymity(report)
    rows += [(t("data.proof.without"), words) for words in proof["withheld_columns"]]
    return rows


def anonymity(report: Mapping[str, Any]) -> list[tuple[str, str | int]]:
    """What was done about persons who could be told apart, in words."""
    rows: list[tuple[str, str | int]] = [
        (t("data.k.groups"), report["groups"]),
        (t("data.k.smallest"), report["smallest"]),
        (t("data.k.before", k=report["k"]), report["before"]),
        (t("data.k.after", k=report["k"]), report["after"]),
    ]
    rows += [(t("data.k.blanked", column=name), n) for name, n in report.get("blanked", {}).items()]
    return [*rows, (t("data.k.withheld"), report["withheld"])]


def _days(asked: Mapping[str, Any]) -> str:
    if not asked["since"] and not asked["until"]:
        return t("data.proof.all_days")
    return f"{asked['since'] or '…'} – {asked['until'] or '…'}"


def identity(counts: Mapping[str, int]) -> str:
    """The sum that must hold, as people read it."""
    left = ["void", "not_sampled", "outside_filter", "other_questionnaire", "withheld"]
    gone = " − ".join(thousands(counts[name]) for name in left)
    return f"{thousands(counts['database'])} − {gone} = {thousands(counts['rows'])}"
