"""What the browser tests hold in their hands: a served site, a page, and axe."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

AXE = (Path(__file__).parent.parent / "data/axe/axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 360, "height": 740}
TABLET = {"width": 768, "height": 1024}
DESK = {"width": 1280, "height": 800}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Site:
    """A served demonstration instance: its addresses and its database."""

    def __init__(self, instance: Path, port: int, facts: dict[str, str]) -> None:
        self.instance = instance
        self.root = f"http://127.0.0.1:{port}"
        self.facts = facts

    def url(self, path: str) -> str:
        """The whole address of a path, or of a fact's name such as ``kiosk``."""
        return self.root + self.facts.get(path, path)

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Rows read straight from the instance's database."""
        with closing(sqlite3.connect(self.instance / "sipas.sqlite")) as db:
            db.row_factory = sqlite3.Row
            return db.execute(query, values).fetchall()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(instance: Path, port: int) -> Iterator[None]:
    """``sipas serve`` in a process of its own, ended at the end."""
    sipas = str(Path(sys.executable).parent / "sipas")
    command = [sipas, "--instance", str(instance), "serve", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the server ended at once"
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def opened(browser: Browser, **options: object) -> Iterator[Page]:
    """One page in a context of its own that fails on any script error."""
    options.setdefault("viewport", PHONE)
    options.setdefault("locale", "vi-VN")
    context: BrowserContext = browser.new_context(**options)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if "Content Security" in m.text else None)
    try:
        yield page
        assert errors == []
    finally:
        context.close()


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it stands; the page needs ``bypass_csp``."""
    page.evaluate(AXE)
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
    )
    return [f"{v['id']}: {node['html'][:160]}" for v in found["violations"] for node in v["nodes"]]
