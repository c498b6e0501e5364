"""Comments and cases at a million responses: reading them once, then the pages about them."""

from __future__ import annotations

import random
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import dashboard
from survey import config, create_app, db
from survey.feedback import scan
from survey.store import clock, comments, people
from survey.store.responses import Incoming, bulk

RESPONSES, COPIES, ROUNDS = 100_000, 10, 9
PASSWORD = "câu mật khẩu đo tốc độ"
#: Pages by name; the small survey's comments get words of their own, so that there are many.
PAGES = {
    "comments": "/comments",
    "search without diacritics": "/comments?q=huong+dan+tan+tinh",
    "search with diacritics": "/comments?q=chờ+lâu",
    "theme of a quarter": "/comments?theme=khen&period=2026-Q3",
    "cases": "/feedback",
    "figures of cases": "/feedback/figures",
}
SYLLABLES = [
    f"{first}{middle}{last}"
    for first in ("b", "ch", "đ", "g", "h", "kh", "l", "m", "ng", "nh", "ph", "qu", "s", "th", "tr")
    for middle in ("a", "á", "à", "ơ", "ờ", "ê", "ế", "i", "o", "ô", "ộ", "u", "ư", "ứ")
    for last in ("", "n", "ng", "m", "t", "c", "nh")
]


def run(n: int = RESPONSES, copies: int = COPIES) -> list[tuple[str, float, str]]:
    """Read everything once, then open each page; the best of several on the clock."""
    with tempfile.TemporaryDirectory() as folder:
        few = dashboard.survey(Path(folder) / "few", 0)
        chance = random.Random(6)
        with closing(db.connect(few)) as base:
            bulk(base, map(lambda one: _worded(one, chance), dashboard._answers(n)))  # noqa: C417
        home = Path(folder) / "many"
        database = dashboard.multiplied(home, few, copies)
        with closing(db.connect(database)) as base:
            begun = time.perf_counter()
            scan.scan(base, now=clock.now())
            took = time.perf_counter() - begun
            held = comments.total(base, dashboard.WAVE)
            people.add(
                base, username="reader", name="Reader", role="administrator", unit="",
                password_hash=people.hashed(PASSWORD), must_change=False, now=datetime.now(UTC),
                actor="shell:benchmark",
            )  # fmt: skip
        found = [(name, _page(home, path)) for name, path in PAGES.items()]
    whole = f"{n * copies:,}".replace(",", ".")
    return [
        (f"Reading {whole} responses for feedback the first time", n * copies / took, "per s"),
        ("Comments among them", held, ""),
        *((f"Page of {name}, {whole} responses", seconds * 1000, "ms") for name, seconds in found),
        ("Slowest page of comments and cases", 1000 * max(s for _, s in found), "ms"),
    ]


def _worded(one: Incoming, chance: random.Random) -> Incoming:
    said = one.answers.get("comment")
    if not said:
        return one
    more = " ".join(chance.choice(SYLLABLES) for _ in range(8))
    from dataclasses import replace

    return replace(one, answers={**one.answers, "comment": f"{said} {more}"})


def _page(home: Path, path: str) -> float:
    app = create_app(config.load(home))
    client = app.test_client()
    page = client.get("/login").text
    token = page.partition('name="csrf_token" value="')[2].split('"')[0]
    client.post("/login", data={"csrf_token": token, "username": "reader", "password": PASSWORD})
    times = []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        answer = client.get(path)
        times.append(time.perf_counter() - begun)
        if answer.status_code != 200:
            raise ValueError(f"{path}: {answer.status_code}")
    app.extensions["sipas"].writer.close()
    return min(times[1:])
