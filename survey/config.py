"""Where an instance lives and how its doors behave: read once at start, then frozen."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DATABASE = "sipas.sqlite"
KEY_FILE = "secret"
_SECRET_BYTES = 32


class NotInitialised(Exception):
    """The directory holds no instance yet; the message says what to do, in Vietnamese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One instance: its files, its signing key, and how strict its cookies and hosts are.

    ``secret`` signs tokens and sessions.  ``behind_tls`` says that browsers come over HTTPS (a
    proxy ends it), which also turns ``secure_cookies`` on.  ``trusted_hosts`` empty = any host.
    ``demand_factor``: roles that do nothing before they have a second factor.
    """

    instance: Path
    database: Path
    secret: bytes
    behind_tls: bool = False
    secure_cookies: bool = False
    trusted_hosts: tuple[str, ...] = ()
    demand_factor: tuple[str, ...] = ()


def directory(instance: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The instance directory: as asked, or ``SIPAS_INSTANCE``, or ``./instance``."""
    return (instance or Path(environ.get("SIPAS_INSTANCE") or "instance")).absolute()


def load(instance: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings of an instance that ``create`` has made.

    ``SIPAS_BEHIND_TLS`` (1 when browsers come over HTTPS) and ``SIPAS_TRUSTED_HOSTS`` (names
    separated by commas) are read from the environment, and so is ``SIPAS_DEMAND_FACTOR``: roles
    separated by commas, or 1 for administrators.

    Raises
    ------
    NotInitialised
        There is no secret or no database in the directory.
    """
    home = directory(instance, environ)
    secret, database = home / KEY_FILE, home / DATABASE
    if not secret.is_file() or not database.is_file():
        raise NotInitialised(f"Chưa có dữ liệu trong «{home}». Hãy chạy «sipas init» trước.")
    tls = environ.get("SIPAS_BEHIND_TLS", "").strip() in {"1", "true", "yes"}
    hosts = environ.get("SIPAS_TRUSTED_HOSTS", "")
    factor = environ.get("SIPAS_DEMAND_FACTOR", "").strip()
    factor = "administrator" if factor in {"1", "true", "yes"} else factor
    return Settings(
        instance=home,
        database=database,
        secret=_read_secret(secret),
        behind_tls=tls,
        secure_cookies=tls,
        trusted_hosts=_names(hosts),
        demand_factor=_names(factor),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def create(instance: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Make the directory and its secret when they are missing; an old secret is never touched."""
    home = directory(instance, environ)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    final = home / KEY_FILE
    if not final.exists():
        # A hard link either makes the whole file appear or fails because one is there already:
        # two processes that start at once end with one secret, and nobody sees half of it.
        handle, name = tempfile.mkstemp(prefix=".secret-", dir=home)  # mkstemp makes it 0600
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_hex(_SECRET_BYTES).encode())
                file.flush()
                os.fsync(file.fileno())
            _link(draft, final)
        finally:
            draft.unlink()
    return home


def _link(draft: Path, final: Path) -> None:
    try:
        final.hardlink_to(draft)
    except FileExistsError:
        return  # somebody was quicker; theirs counts


def _read_secret(path: Path) -> bytes:
    secret = path.read_bytes().strip()
    if len(secret) < _SECRET_BYTES:
        raise NotInitialised(f"Tệp khóa bí mật «{path}» bị hỏng: quá ngắn.")
    return secret
