"""What proves that a response is as it was stored: the digest of its content and its seal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from hashlib import sha256
from typing import Any


def digest(questionnaire: str, answers: str) -> str:
    """The sha256 (hex) of a response's content; ``answers`` in the canonical JSON text."""
    return sha256(f"{questionnaire}\n{answers}".encode()).hexdigest()


#: What never changes once a response is stored; ``digest`` stands for its content.
SEALED = (
    "id", "wave", "questionnaire", "channel", "receiving_unit", "resolving_unit", "counter",
    "service", "language", "assisted_by", "case_id", "digest", "started_at",
    "submitted_at", "received_at", "receipt",
)  # fmt: skip


_plain = json.JSONEncoder(ensure_ascii=False)


def seal(row: Mapping[str, Any] | sqlite3.Row) -> str:
    """The sha256 (hex) of everything about a response that never changes."""
    text = _plain.encode([row[name] for name in SEALED])
    return sha256(text.encode()).hexdigest()
