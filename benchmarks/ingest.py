"""A complete response, checked and durable before the reply, against a Flask "hello"."""

from __future__ import annotations

import json
import re
import statistics
import tempfile
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from benchmarks import load, servers
from benchmarks.load import Run
from forms.questionnaire import load as questionnaire
from survey import config, tokens
from survey.demonstration import demo, synthetic

ROUNDS = 5
SECONDS = 2.0
#: More than any round can use up; an answer must never be sent twice here.
MOST = 9000

Measure = tuple[str, float, str]


def answers(key: str, n: int) -> Iterable[dict[str, object]]:
    """n complete made-up answers of a questionnaire."""
    return synthetic.people(questionnaire(key), "load", np.zeros(n), silent=0.0, comments=0.1)


def posts(made: demo.Demo, n: int) -> list[bytes]:
    """n requests of POST /api/v1/responses, each another response."""
    kind = (("Content-Type", "application/json"), ("Accept", "application/json"))
    found = []
    for given in answers(made.questionnaire, n):
        body = {
            "id": str(uuid.uuid4()),
            "token": made.api_token,
            "questionnaire": made.questionnaire,
            "language": "vi",
            "answers": given,
        }
        text = json.dumps(body, ensure_ascii=False).encode()
        found.append(load.request("POST", "/api/v1/responses", text, headers=kind))
    return found


def forms(made: demo.Demo, n: int, secret: bytes, port: int) -> list[bytes]:
    """n posts of the QR form as a phone without JavaScript sends them."""
    hidden = page_fields(port, made.qr)
    kind = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html"))
    found = []
    for given in answers(made.questionnaire, n):
        token = tokens.page(secret, str(uuid.uuid4()), datetime.now(UTC))
        fields: dict[str, object] = {**hidden, **given}
        fields |= {name: token for name, value in hidden.items() if signed(secret, value)}
        body = urlencode(fields, doseq=True).encode()
        found.append(load.request("POST", made.qr, body, headers=kind))
    return found


def signed(secret: bytes, value: str) -> bool:
    """Whether a hidden field carries the signed page token."""
    try:
        tokens.read_page(secret, value)
    except LookupError:
        return False
    return True


def page_fields(port: int, path: str) -> dict[str, str]:
    """Names and values of the hidden fields of a page."""
    connection = HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", path, headers={"Accept": "text/html"})
        page = connection.getresponse().read().decode()
    finally:
        connection.close()
    inputs = [
        dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", page)
    ]
    return {
        tag["name"]: unescape(tag.get("value", "")) for tag in inputs if tag.get("type") == "hidden"
    }


def run() -> list[Measure]:
    """Interleaved rounds at 50 keep-alive clients; medians of the rounds."""
    found: list[Measure] = []
    for name in ("API", "form"):
        with tempfile.TemporaryDirectory() as folder:
            made = demo.make(Path(folder), small=True)
            secret = config.load(Path(folder)).secret
            with servers.hello() as hello, servers.ours(Path(folder)) as ours:
                made_of = partial(posts, made, MOST)
                if name == "form":
                    made_of = partial(forms, made, MOST, secret, ours.port)
                found += _compare(f"Complete response ({name})", hello, ours, made_of)
    return found


def _compare(
    name: str,
    hello: servers.Serving,
    ours: servers.Serving,
    requests: Callable[[], list[bytes]],
) -> list[Measure]:
    load.drive(hello.port, [load.request("GET", "/")], seconds=0.5)
    load.drive(ours.port, requests()[:500], seconds=1.0, again=False)
    rounds: list[tuple[float, float, float]] = []
    for _ in range(ROUNDS):
        before = hello.cpu()
        plain = load.drive(hello.port, [load.request("GET", "/")], seconds=SECONDS)
        plain_cpu = (hello.cpu() - before) / plain.statuses[200]
        before = ours.cpu()
        kept = load.drive(ours.port, requests(), seconds=SECONDS, again=False)
        _all_kept(kept)
        cpu = (ours.cpu() - before) / sum(kept.statuses.values())
        rounds.append((kept.rate / plain.rate, kept.quantile(0.99), plain_cpu / cpu))
    ratio, p99, cpus = (statistics.median(values) for values in zip(*rounds, strict=True))
    return [
        (f"{name}, rate against hello", ratio, "x"),
        (f"{name}, p99 at 50 clients", p99, "ms"),
        (f"{name}, a CPU second against hello", cpus, "x"),
    ]


def _all_kept(found: Run) -> None:
    if found.broken or set(found.statuses) - {201, 302, 303}:
        raise RuntimeError(f"not every response was taken: {found}")
