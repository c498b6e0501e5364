"""An office with people of two provinces, each with every role an administrator may give."""

from __future__ import annotations

from contextlib import closing

import pyotp
from small_wave import COMMUNE, LAI_CHAU, NOW, PASSWORD, TUYEN_QUANG
from werkzeug.security import generate_password_hash

from survey import db
from survey.office import factor
from survey.store import factors, people

ACT = {"now": NOW, "actor": "shell:test"}
#: user name, role, unit: those of the small wave are not told again.
STAFF = (
    ("chief", "administrator", TUYEN_QUANG),
    ("ward", "administrator", COMMUNE),
    ("other", "administrator", LAI_CHAU),
    ("auditor", "auditor", ""),
    ("local.auditor", "auditor", TUYEN_QUANG),
    ("officer", "officer", COMMUNE),
    ("analyst", "analyst", TUYEN_QUANG),
)


def add(settings, staff=STAFF):
    """Make the accounts; returns their numbers by user name, those of the small wave included."""
    cheap = generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1")
    with closing(db.connect(settings.database)) as store:
        for name, role, unit in staff:
            people.add(
                store, username=name, name=name.title(), role=role, unit=unit,
                password_hash=cheap, must_change=False, **ACT,
            )  # fmt: skip
        return {one.username: one.id for one in people.all(store)}


def give_factor(settings, number):
    """Put a second step into force; returns the telephone and the codes for its loss."""
    with closing(db.connect(settings.database)) as store:
        begun = factors.begin(store, number, now=NOW)
        codes = factor.codes()
        hashes = [factor.hashed(settings.secret, number, code) for code in codes]
        factors.confirm(store, begun, step=1, codes=hashes, username="x", now=NOW)
    return pyotp.TOTP(factor.secret(settings.secret, begun)), codes


def audited(settings, action):
    """The actors and subjects of one action, oldest first."""
    with closing(db.connect(settings.database)) as store:
        rows = store.execute(
            "SELECT actor, subject FROM audit WHERE action = ? ORDER BY seq", (action,)
        )
        return [tuple(row) for row in rows]
