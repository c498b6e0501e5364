"""Signed calls of other people's web addresses: who may be called, and how the call is signed."""

from __future__ import annotations

import hmac
import http.client
import ipaddress
import json
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from survey import patience
from survey.text import t

#: Seconds that a call may take.
PATIENCE = 10.0
#: Addresses are not longer than this.
LONGEST = 500


class CallError(Exception):
    """The call did not reach its address; the text says why, in Vietnamese."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a call goes, checked: ``path`` with its query."""

    secure: bool
    host: str
    port: int
    path: str


def private_allowed(environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether addresses inside the office's own network may be called."""
    return environ.get("SIPAS_WEBHOOK_PRIVATE", "").strip() in {"1", "true", "yes"}


def address(url: str, *, private: bool = False) -> Address:
    """Read an address.  Raises ValueError, in Vietnamese, for one that is never called.

    Only https on the open network; ``private`` also takes http and addresses of one's own network.
    """
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST
    try:
        parts = urlsplit(url)
        port, _ = parts.port, (parts.hostname or "").encode("idna")  # no name of empty parts
    except ValueError:
        raise ValueError(t("alerts.no_url")) from None
    if not plain or not parts.hostname or parts.username or parts.password or parts.fragment:
        raise ValueError(t("alerts.no_url"))
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise ValueError(t("alerts.no_https"))
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(secure, parts.hostname, port or (443 if secure else 80), path)


def secret(instance_secret: bytes, rule: int) -> str:
    """Return what a rule's calls are signed with; it is nowhere stored."""
    return hmac.new(instance_secret, f"webhook:{rule}".encode(), sha256).hexdigest()


def sign(secret: str, stamp: str, body: bytes) -> str:
    """Return the signature of a body sent at a moment: "v1=" and HMAC-SHA256 in hex."""
    told = f"{stamp}.".encode() + body
    return "v1=" + hmac.new(secret.encode(), told, sha256).hexdigest()


def post(
    url: str, payload: Mapping[str, Any], *, key: str, number: str, now: datetime,
    private: bool = False,
) -> None:  # fmt: skip
    """Call an address with JSON; anything but 2xx is a failure, redirects are not followed.

    The name is looked up once and that very machine is called, so that nobody can point it
    elsewhere between the check and the call.  Raises CallError.
    """
    try:
        to = address(url, private=private)
    except ValueError as fault:
        raise CallError(str(fault)) from fault
    body = json.dumps(dict(payload), ensure_ascii=False, sort_keys=True).encode()
    stamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "SIPAS",
        "X-SIPAS-Id": number,
        "X-SIPAS-Timestamp": stamp,
        "X-SIPAS-Signature": sign(key, stamp, body),
    }
    line = http.client.HTTPConnection(to.host, to.port, timeout=PATIENCE)
    try:
        line.sock = held = _connected(to, private=private)
        with patience.within(PATIENCE, lambda: held):
            line.request("POST", to.path, body=body, headers=headers)
            status = line.getresponse().status
    except (OSError, ValueError, http.client.HTTPException) as fault:
        raise CallError(_why(fault)) from fault
    finally:
        line.close()
    if not 200 <= status < 300:
        raise CallError(t("alerts.status", status=status))


def _connected(to: Address, *, private: bool) -> socket.socket:
    found = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
    places = [info[4] for info in found]
    if not private and not all(_open(str(place[0])) for place in places):
        raise CallError(t("alerts.private"))
    held = socket.create_connection((str(places[0][0]), to.port), timeout=PATIENCE)
    if not to.secure:
        return held
    try:
        return ssl.create_default_context().wrap_socket(held, server_hostname=to.host)
    except BaseException:
        held.close()
        raise


def _open(place: str) -> bool:
    """Say whether an address lies on the open network."""
    found = ipaddress.ip_address(place.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None)
    return (inner or found).is_global and not found.is_multicast


def _why(fault: Exception) -> str:
    if isinstance(fault, socket.gaierror):
        return t("alerts.no_host")
    if isinstance(fault, TimeoutError):
        return t("alerts.slow")
    if isinstance(fault, http.client.HTTPException):  # what was said instead is not repeated
        return t("alerts.no_http")
    return str(fault) or type(fault).__name__
