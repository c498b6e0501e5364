"""Letters by e-mail to staff: the sender that an office plugs in (none by default)."""

from __future__ import annotations

import json
import os
import re
import smtplib
import socket
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from importlib import import_module
from pathlib import Path
from typing import Protocol, TextIO

from survey import patience
from survey.store import clock
from survey.text import t

#: Where the sender ``file`` leaves its lines.
OUTBOX = "mail"
#: Seconds a mail server may take for a word, and for the whole letter.
PATIENCE, LETTER = 20.0, 60.0
#: What a server says that takes letters.
_READY = 220
#: Letters of a reason that are kept.
REASON = 200
#: What may stand before and behind the one @; plain addresses only, so no name can hide a header.
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+"
)


class MailError(Exception):
    """The letter did not go; the text says why."""


class SetupError(ValueError):
    """The settings name no sender; the message says what is wrong, in Vietnamese."""


class Mailer(Protocol):
    """What sends one letter; a class named ``module:Class`` is made without arguments.

    ``send`` returns when a server has taken the letter, and raises MailError when it has not.
    """

    def send(self, to: str, subject: str, text: str) -> None:
        """Send a letter of plain text."""


@dataclass(frozen=True, slots=True)
class FileMailer:
    """Leaves letters as lines of JSON in the instance, for another program or for trying out."""

    folder: Path

    def send(self, to: str, subject: str, text: str) -> None:
        """Write one line; it is on the disk when this returns."""
        now = clock.now()
        line = {"at": clock.stamp(now), "to": to, "subject": subject, "text": text}
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            path = self.folder / f"{clock.day(now).isoformat()}.jsonl"
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, json.dumps(line, ensure_ascii=False).encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as fault:
            raise MailError(os.strerror(fault.errno or 0)) from fault


@dataclass(frozen=True, slots=True)
class ConsoleMailer:
    """Shows letters, for trying out."""

    out: TextIO

    def send(self, to: str, subject: str, text: str) -> None:
        """Print one letter."""
        print(f"{to}\n{subject}\n\n{text}\n", file=self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpMailer:
    """Hands letters to a mail server; ``security`` is starttls, tls or none."""

    host: str
    port: int
    sender: str
    security: str = "starttls"
    user: str = ""
    password: str = ""

    def send(self, to: str, subject: str, text: str) -> None:
        """Hand over one letter; the server's certificate is checked."""
        letter = written(to, subject, text, sender=self.sender)
        try:
            server = self._server()
            with patience.within(LETTER, lambda: server.sock), server:
                code, said = server.connect(self.host, self.port)
                if code != _READY:
                    raise smtplib.SMTPConnectError(code, said)
                if self.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(letter)
        except (OSError, smtplib.SMTPException, ValueError) as fault:
            raise MailError(_reason(fault, to)) from fault

    def _server(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(timeout=PATIENCE, context=context)
        else:
            server = smtplib.SMTP(timeout=PATIENCE)
        # The name that certificates are checked against, which only the constructor sets when it
        # connects itself; then nobody could cut a greeting that never ends.
        server._host = self.host  # type: ignore[attr-defined]
        return server


def mailer(instance: Path, environ: Mapping[str, str] = os.environ) -> tuple[str, Mailer] | None:
    """Return the sender that ``SIPAS_MAIL`` names, with its name; None when letters are off.

    ``file``, ``console``, ``smtp`` (``SIPAS_SMTP_HOST`` and its neighbours) or ``module:Class``.
    Raises SetupError for what is no sender.
    """
    name = environ.get("SIPAS_MAIL", "").strip() or "off"
    if name == "off":
        return None
    if name == "file":
        return name, FileMailer(instance / OUTBOX)
    if name == "console":
        return name, ConsoleMailer(sys.stdout)
    if name == "smtp":
        return name, _smtp(environ)
    module, _, kind = name.partition(":")
    try:
        made: Mailer = getattr(import_module(module), kind)()
    except (ImportError, AttributeError, TypeError, ValueError) as fault:
        raise SetupError(t("mail.no_sender", name=name, fault=str(fault))) from fault
    return name, made


def _smtp(environ: Mapping[str, str]) -> SmtpMailer:
    def of(name: str, otherwise: str = "") -> str:
        return environ.get(name, "").strip() or otherwise

    host, sender = of("SIPAS_SMTP_HOST"), of("SIPAS_SMTP_FROM")
    port, security = of("SIPAS_SMTP_PORT", "587"), of("SIPAS_SMTP_SECURITY", "starttls")
    if not host or not fits(sender):
        raise SetupError(t("mail.no_smtp"))
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise SetupError(t("mail.no_port", port=port))
    if security not in {"starttls", "tls", "none"}:
        raise SetupError(t("mail.no_security", security=security))
    return SmtpMailer(
        host=host, port=int(port), sender=sender, security=security,
        user=of("SIPAS_SMTP_USER"), password=of("SIPAS_SMTP_PASSWORD"),
    )  # fmt: skip


def fits(address: str) -> bool:
    """Say whether a text is one plain e-mail address."""
    return len(address) <= 254 and _ADDRESS.fullmatch(address) is not None


def written(to: str, subject: str, text: str, *, sender: str) -> EmailMessage:
    """Return a letter as it goes out.  Raises ValueError for what is no address or subject."""
    if not fits(to) or not fits(sender):
        raise ValueError(t("mail.no_address"))
    letter = EmailMessage()
    user, _, domain = sender.rpartition("@")
    letter["From"] = Address("SIPAS", user, domain)
    letter["To"] = to
    letter["Subject"] = " ".join(subject.split())
    letter["Date"] = format_datetime(clock.now())
    letter["Message-ID"] = make_msgid(domain=domain)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text)
    return letter


def _reason(fault: Exception, to: str) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        said = fault.smtp_error
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        text = f"{fault.smtp_code} {words}"
    elif isinstance(fault, socket.gaierror):
        text = t("mail.no_host")
    else:
        text = str(fault)
    return (" ".join(text.split()).replace(to, "…") or type(fault).__name__)[:REASON]
