"""What a wave may be, and what of it stays as it is once its figures rest on it."""

from __future__ import annotations

import sqlite3
from dataclasses import fields
from typing import TYPE_CHECKING

from survey.store.clock import day

if TYPE_CHECKING:
    from datetime import datetime

    from survey.store.waves import Wave

#: What each setting may be.
CHOICES = {
    "kind": ("probability", "self_selected"),
    "index_method": ("top2", "scaled", "mean5"),
    "aggregate": ("item", "factor", "pooled", "explicit"),
    "base": ("ask_all", "experienced"),
    "interval": ("beta", "logit", "wilson", "asin", "t"),
    "lonely": ("adjust", "remove", "certainty", "average", "fail"),
    "partial": ("discard", "keep"),
    "stage": ("draft", "live"),
}
#: What may change once answers may have come: words on papers, days, whom trends compare.
FREE = frozenset(
    {"name", "owner_name", "parent_name", "place", "closes_on", "contact_days", "series", "settled"}
)
#: What no edit of a wave touches: these have steps of their own.
STEPS = frozenset({"key", "stage", "closed_at", "trial_of", "synthetic", "version"})
#: What forms on paper say and where their boxes stand.
PRINTED = frozenset({"questionnaire", "words", "kind"})


def fixed(db: sqlite3.Connection, wave: Wave, now: datetime) -> frozenset[str]:
    """Which fields of a wave may not change any more: all that its figures rest on."""
    row = db.execute(
        "SELECT EXISTS (SELECT 1 FROM response WHERE wave = :key) AS answered,"
        " EXISTS (SELECT 1 FROM print_run WHERE wave = :key) AS printed,"
        " EXISTS (SELECT 1 FROM sample_case WHERE wave = :key) AS drawn",
        {"key": wave.key},
    ).fetchone()
    if row["answered"] or (wave.stage == "live" and wave.opens_on <= day(now)):
        return frozenset(field.name for field in fields(wave)) - FREE
    if row["printed"]:
        return STEPS | PRINTED
    return STEPS | {"kind"} if row["drawn"] else STEPS


def rank_sets(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Key and name of every rank set, by name."""
    rows = db.execute("SELECT DISTINCT key, name FROM rank_set ORDER BY name, key")
    return [(row["key"], row["name"]) for row in rows]


def faults(db: sqlite3.Connection, wave: Wave) -> list[str]:
    """Everything that does not fit, in Vietnamese."""
    from survey.store import questionnaires, units

    known = questionnaires.keys(db)
    found = []
    if not wave.key or not _plain_key(wave.key):
        found.append(f"Mã đợt «{wave.key}» chỉ được gồm chữ thường a-z, số, dấu - . _")
    if wave.questionnaire not in known:
        found.append(f"Không có bảng hỏi «{wave.questionnaire}» (có: {', '.join(known)})")
    if wave.closes_on < wave.opens_on:
        found.append("Ngày kết thúc trước ngày bắt đầu")
    if units.get(db, wave.owner) is None:
        found.append(f"Không có đơn vị «{wave.owner}»")
    sets = {row["key"] for row in db.execute("SELECT key FROM rank_set")}
    found += [f"Không có nhóm xếp hạng «{key}»" for key in wave.rank_sets if key not in sets]
    for name, allowed in CHOICES.items():
        if getattr(wave, name) not in allowed:
            found.append(f"{name}: «{getattr(wave, name)}» không thuộc {', '.join(allowed)}")
    if not 0 < wave.level < 1:
        found.append(f"level: {wave.level} phải nằm giữa 0 và 1")
    return found


def _plain_key(key: str) -> bool:
    """Whether a key is fit for addresses and file names."""
    return (
        key.isascii()
        and key == key.lower()
        and key.replace("-", "").replace(".", "").replace("_", "").isalnum()
    )
