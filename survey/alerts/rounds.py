"""The rounds beside the server: new responses are read for feedback, alerts raised and sent.

They are walked by a process of its own with the lowest priority, so that no citizen waits for
them; it ends with the server, however that ends.
"""

from __future__ import annotations

import logging
import os
import select
import subprocess  # nosec B404
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from survey import config, db
from survey.alerts import post, watch
from survey.feedback import scan
from survey.store import alerts, clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from subprocess import Popen  # nosec B404

    from survey.config import Settings

#: Seconds between two rounds, unless ``SIPAS_ROUNDS`` says otherwise; 0 = none.
PERIOD = 60
#: Seconds until the first one: the server begins first.
FIRST = 10


def period(environ: Mapping[str, str] = os.environ) -> int:
    """Return the seconds between two rounds, 0 for none."""
    told = environ.get("SIPAS_ROUNDS", "").strip()
    return int(told) if told.isascii() and told.isdigit() and len(told) < 6 else PERIOD


def start(settings: Settings) -> Popen[bytes] | None:
    """Begin the rounds in a process that ends when this one does; None when they are off."""
    if not period():
        return None
    # No shell, and nothing of it comes from a request.  The pipe closes when we are gone.
    return subprocess.Popen(  # nosec B603
        [sys.executable, "-m", "survey.alerts.rounds", str(settings.instance)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def stop(child: Popen[bytes] | None) -> None:
    """End the rounds; one under way is left at the next safe moment."""
    if child is None:
        return
    if child.stdin:
        child.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        child.wait(2)
        return
    child.terminate()
    child.wait()


def walk(settings: Settings) -> None:
    """Walk one round: read what is new, raise what is due, send what waits."""
    with closing(db.connect(settings.database, create=False)) as store:
        scan.scan(store, now=clock.now())
        if alerts.rules(store, active=True):
            watch.look(store, now=clock.now())
        post.deliver(store, settings, now=clock.now)
        alerts.sweep(store, now=clock.now())


def main(instance: Path) -> None:
    """Walk rounds until the server's end of the pipe is closed."""
    os.nice(19)
    settings = config.load(instance)
    wait: float = min(FIRST, period() or FIRST)
    while not select.select([sys.stdin], [], [], wait)[0]:
        wait = period() or PERIOD
        try:
            walk(settings)
        except Exception:  # the next round may go better; the server goes on
            logging.getLogger("sipas.rounds").exception("a round ended early")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
