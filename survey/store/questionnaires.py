"""Questionnaires that an office published by itself: kept whole, never changed again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from forms import questionnaire as files
from survey.db import write
from survey.store import Refused, audit
from survey.store.clock import stamp


@dataclass(frozen=True, slots=True)
class Published:
    """One questionnaire: its text, its translations by language, and who published it when."""

    key: str
    text: str
    translations: Mapping[str, str]
    digest: str
    published_at: str
    actor: str


def keys(db: sqlite3.Connection) -> tuple[str, ...]:
    """The keys of all questionnaires of an instance, shipped or published by it, sorted."""
    return tuple(sorted({*files.shipped(), *(one.key for one in all(db))}))


def all(db: sqlite3.Connection) -> list[Published]:
    """Every questionnaire that was published here, by key."""
    return [_published(row) for row in db.execute("SELECT * FROM questionnaire ORDER BY key")]


def get(db: sqlite3.Connection, key: str) -> Published:
    """The questionnaire published here under this key; raises LookupError."""
    row = db.execute("SELECT * FROM questionnaire WHERE key = :key", {"key": key}).fetchone()
    if row is None:
        raise LookupError(key)
    return _published(row)


def publish(
    db: sqlite3.Connection,
    key: str,
    text: str,
    translations: Mapping[str, str],
    *,
    now: datetime,
    actor: str,
) -> Published:
    """Keep a sound questionnaire for good; the same content again changes nothing.

    Raises Refused ``questionnaire_known`` (409) where the key stands for other content.
    """
    made = Published(key, text, dict(translations), digest(text, translations), stamp(now), actor)
    with write(db):
        if key in files.shipped():
            raise Refused("questionnaire_known", 409, name=key)
        row: dict[str, object] = {
            "key": key,
            "text": text,
            "translations": _written(translations),
            "digest": made.digest,
            "published_at": made.published_at,
            "actor": actor,
        }
        stored = db.execute(
            "INSERT INTO questionnaire (key, text, translations, digest, published_at, actor)"
            " VALUES (:key, :text, :translations, :digest, :published_at, :actor)"
            " ON CONFLICT (key) DO NOTHING",
            row,
        ).rowcount
        if not stored:
            held = get(db, key)
            if held.digest != made.digest:
                raise Refused("questionnaire_known", 409, name=key)
            return held
        detail = {"digest": made.digest, "languages": sorted(translations)}
        audit.append(
            db, at=now, actor=actor, action="questionnaire.publish", subject=key, detail=detail
        )
    return made


def digest(text: str, translations: Mapping[str, str]) -> str:
    """The sha256 hex of a questionnaire with its translations, as they are kept."""
    whole = json.dumps([text, _written(translations)], ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()


def faults(db: sqlite3.Connection) -> list[str]:
    """Questionnaires that were changed after they were published, in Vietnamese."""
    return [
        f"Bảng hỏi {one.key}: nội dung không khớp mã kiểm tra (đã bị sửa sau khi phát hành)"
        for one in all(db)
        if digest(one.text, one.translations) != one.digest
    ]


def _written(translations: Mapping[str, str]) -> str:
    return json.dumps(dict(translations), ensure_ascii=False, sort_keys=True)


def _published(row: sqlite3.Row) -> Published:
    return Published(**dict(row) | {"translations": json.loads(row["translations"])})
