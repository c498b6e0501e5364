"""The queue of alerts is emptied: letters through the sender, signed calls of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from survey import mail
from survey.alerts import webhooks
from survey.store import alerts, clock
from survey.text import t

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    from survey.config import Settings
    from survey.store.alerts import Alert


def deliver(
    db: sqlite3.Connection, settings: Settings, *, now: Callable[[], datetime] = clock.now
) -> tuple[int, int]:
    """Send what is due; returns how many went and how many did not."""
    sent = failed = 0
    for alert in alerts.due(db, now=now()):
        fault = one(db, settings, alert, now=now)
        if fault is None:
            continue
        sent, failed = sent + (not fault), failed + bool(fault)
    return sent, failed


def one(
    db: sqlite3.Connection, settings: Settings, alert: Alert,
    *, now: Callable[[], datetime] = clock.now,
) -> str | None:  # fmt: skip
    """Send one alert; "" when it went, why it did not, None when somebody else sends it."""
    if not alerts.take(db, alert, now=now()):
        return None
    try:
        (_letter if alert.via == "email" else _call)(settings, alert, now())
        fault = ""
    except (mail.MailError, mail.SetupError, webhooks.CallError) as trouble:
        fault = str(trouble) or type(trouble).__name__
    alerts.finish(db, alert.id, fault, now=now())
    return fault


def payload(alert: Alert) -> dict[str, object]:
    """Return what a call says: nobody's name, number or words."""
    return {
        "id": alert.id, "mark": alert.mark, "at": alert.at, "subject": alert.subject,
        "text": alert.words, "facts": dict(alert.facts),
    }  # fmt: skip


def _letter(settings: Settings, alert: Alert, now: datetime) -> None:
    found = mail.mailer(settings.instance)
    if found is None:
        raise mail.MailError(t("alerts.mail_off"))
    found[1].send(alert.target, f"[SIPAS] {alert.subject}", alert.words)


def _call(settings: Settings, alert: Alert, now: datetime) -> None:
    webhooks.post(
        alert.target, payload(alert), key=webhooks.secret(settings.secret, alert.rule),
        number=str(alert.id), now=now, private=webhooks.private_allowed(),
    )  # fmt: skip
