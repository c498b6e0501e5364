"""A real server and a real Chromium: what the browser tests stand on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.chrome import FLAGS, Site, free_port, served


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    instance = tmp_path_factory.mktemp("site")
    sipas = str(Path(sys.executable).parent / "sipas")
    command = [sipas, "--instance", str(instance), "demo", "--small", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    port = free_port()
    with served(instance, port):
        yield Site(instance, port, json.loads(done.stdout))
    shutil.rmtree(instance)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if not found:
        if os.environ.get("SIPAS_BROWSER_REQUIRED"):
            pytest.fail("a browser is required and none is installed")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()
