"""A national sample: 292.500 households taken in, 35.100 drawn with reserves, drawn again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

VILLAGES, PROVINCES, LISTED = 1170, 34, 250

Measure = tuple[str, float, str]


def run() -> Iterator[Measure]:
    """The commands from start to end, and the peak memory of the largest beside a tenth of it."""
    with tempfile.TemporaryDirectory() as folder:
        few = dict(_measures(Path(folder) / "few", VILLAGES // 10))
        many = dict(_measures(Path(folder) / "many", VILLAGES))
    yield "Import of 292.500 households", many["import"][0], "s"
    yield "Import of 292.500 households, peak memory", many["import"][1], "MB"
    ratio = many["import"][1] / few["import"][1]
    yield "Import of 292.500 households, peak memory against 29.250", ratio, "x"
    yield "Draw of 35.100 households and 9.360 reserves", many["draw"][0], "s"
    yield "Draw of 35.100 households, peak memory", many["draw"][1], "MB"
    yield "Draw of 35.100 households, drawn again and compared", many["check"][0], "s"


def _measures(folder: Path, villages: int) -> Iterator[tuple[str, tuple[float, float]]]:
    folder.mkdir()
    sipas = [str(Path(sys.executable).parent / "sipas"), "--instance", str(folder / "instance")]
    _timed([*sipas, "init"])
    _timed(
        [*sipas, "wave", "new", "w", "--name", "W", "--kind", "probability", "--closes",
         "2099-12-31", "--owner", "vn34:00"]
    )  # fmt: skip
    sample = [*sipas, "sample"]
    _timed([*sample, "frame", "w", "villages", str(_villages(folder, sipas, 5 * villages))])
    _timed([*sample, "plan", "w", "--villages", str(villages)])
    _timed([*sample, "draw", "w", "--stage", "villages", "--seed", "s"])
    waiting = subprocess.run(
        [*sample, "draw", "w", "--stage", "households"], capture_output=True, check=False
    )
    assert waiting.returncode == 1, "no list, no draw"
    lists = _households(folder)
    yield "import", _timed([*sample, "frame", "w", "households", str(lists)])
    yield "draw", _timed([*sample, "draw", "w", "--stage", "households"])
    yield "check", _timed([*sample, "check", "w"])


def _villages(folder: Path, sipas: list[str], n: int) -> Path:
    known = subprocess.run([*sipas, "units", "list"], capture_output=True, check=True, text=True)
    provinces = re.findall(r"^vn34:(\d+)", known.stdout, re.MULTILINE)[:PROVINCES]
    file = folder / "villages.csv"
    rows = (
        f"{provinces[i % len(provinces)]}-{i},{provinces[i % len(provinces)]},"
        f"{provinces[i % len(provinces)]},rural,Thôn {i},{120 + i * 37 % 300}\n"
        for i in range(n)
    )
    file.write_text("psu,stratum,unit,area,name,size\n" + "".join(rows), "utf-8")
    return file


def _households(folder: Path) -> Path:
    """The lists of the villages drawn."""
    from survey import config, db
    from survey.store import draws

    base = db.connect(config.load(folder / "instance", environ={}).database, readonly=True)
    psus = [area.psu for area in draws.areas(base, "w")]
    base.close()
    file = folder / "households.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("psu,household,adults,name,address\n")
        for psu in psus:
            out.writelines(f"{psu},{n},{1 + n % 4},Nguyễn Văn {n},Số {n}\n" for n in range(LISTED))
    return file


def _timed(command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory (MB) of a command."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(" ".join(command))
    return time.perf_counter() - begun, used.ru_maxrss / 1024
