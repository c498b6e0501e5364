"""The first load of the QR form in Chromium: bytes on the wire and number of requests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks import servers
from survey.demonstration import demo

BROWSER = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--no-first-run",
]

Measure = tuple[str, float, str]


def run() -> list[Measure]:
    """Open the page once with an empty cache, on a phone's screen."""
    with tempfile.TemporaryDirectory() as folder:
        made = demo.make(Path(folder), small=True)
        with servers.ours(Path(folder)) as ours:
            sizes = first_load(f"http://127.0.0.1:{ours.port}{made.qr}")
    return [
        ("First load of the QR form, on the wire", sum(sizes.values()) / 1000, "kB"),
        ("First load of the QR form, requests", float(len(sizes)), ""),
    ]


def first_load(address: str) -> dict[str, float]:
    """Bytes on the wire (heads and bodies, compressed) of each address the page asks for."""
    sizes: dict[str, float] = {}
    names: dict[str, str] = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=QUIET)
        page = browser.new_page(viewport={"width": 360, "height": 740})
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")

        def asked(event: dict[str, Any]) -> None:
            names[event["requestId"]] = event["request"]["url"]

        def loaded(event: dict[str, Any]) -> None:
            sizes[names[event["requestId"]]] = event["encodedDataLength"]

        wire.on("Network.requestWillBeSent", asked)
        wire.on("Network.loadingFinished", loaded)
        page.goto(address, wait_until="networkidle")
        page.wait_for_timeout(500)
        browser.close()
    return {url: size for url, size in sizes.items() if url.startswith("http")}
