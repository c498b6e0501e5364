"""The estimators alone: from tallies, from rows, against R's survey, in memory, at import."""

from __future__ import annotations

import configparser
import csv
import json
import math
import os
import pkgutil
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from analysis.design import Design, Floats, Ints, arrange, build
from analysis.estimate import estimate, parts
from analysis.index import Scheme, scheme
from analysis.tally import Folder, Tally, fold, layout
from tests import villages

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7
#: Rows read and folded at once, as a file or a database hands them over.
BLOCK = 50_000
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
Measures = dict[str, float]


def run() -> list[tuple[str, float, str]]:
    """28 indices of the country and 63 provinces: se, interval, deff, joint covariance."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        middle, large = villages.generate(villages.MIDDLE), villages.generate(villages.LARGE)
        rows, many = middle["w"].size, large["w"].size
        for key, columns in (("middle", middle), ("large", large)):
            _store(columns, folder / f"{key}.npy")
        villages.write_csv(middle, folder / "middle.csv")
        del middle, large
        ours, big = _child("middle", folder), _child("large", folder)
        yardstick = _survey(folder, ours["rows"])
    return [
        (f"Figures of {_dotted(rows)} rows, from tallies", ours["tallies"], "CPU s"),
        (f"Figures of {_dotted(rows)} rows, from rows in memory", ours["rows"], "CPU s"),
        *yardstick,
        (f"Figures of {_dotted(many)} rows, from tallies", big["tallies"], "CPU s"),
        (f"Figures of {_dotted(many)} rows, read and folded in blocks", big["rows"], "CPU s"),
        (f"Figures of {_dotted(many)} rows, peak memory", big["memory"], "MB"),
        *_imports(),
    ]


def _dotted(number: int) -> str:
    return f"{number:,}".replace(",", ".")


def _store(columns: villages.Columns, path: Path) -> None:
    """Villages first, then the answers in blocks: what a process of its own reads."""
    psu, first, of_row = np.unique(columns["psu"], return_index=True, return_inverse=True)
    codes = np.stack([columns[item] for item in villages.ITEMS], axis=1).astype(np.uint8)
    with path.open("wb") as file:
        for name in ("stratum", "fpc", "province"):
            np.save(file, columns[name][first])
        np.save(file, np.array([psu.size, codes.shape[0]]))
        for start in range(0, codes.shape[0], BLOCK):
            part = slice(start, start + BLOCK)
            for values in (of_row[part], columns["w"][part], codes[part]):
                np.save(file, values)


def _child(name: str, folder: Path) -> Measures:
    """Measure in a process of its own, on one thread."""
    command = [sys.executable, "-m", "benchmarks.engine", name, str(folder)]
    found: Measures = json.loads(_output(command))
    return found


def _survey(folder: Path, ours: float) -> list[tuple[str, float, str]]:
    """R's survey on the same rows: its CPU seconds, ours in it, and how far the figures agree."""
    if not _has_survey():
        return [("R's survey on the same rows, not measured", 0.0, "(not installed)")]
    command = ["Rscript", str(ROOT / "benchmarks/survey.R"), "middle.csv", "survey.csv"]
    whole, shortest = (float(word) for word in _output(command, folder).split())
    return [
        ("R's survey on the same rows", whole, "CPU s"),
        ("R's survey against ours, from rows in memory", whole / ours, "x"),
        ("R's survey, indices and covariance only", shortest, "CPU s"),
        ("The same against all of ours", shortest / ours, "x"),
        _digits(folder),
    ]


def _has_survey() -> bool:
    if shutil.which("Rscript") is None:
        return False
    asked = subprocess.run(["Rscript", "-e", "library(survey)"], capture_output=True, check=False)
    return asked.returncode == 0


def _digits(folder: Path) -> tuple[str, float, str]:
    with (folder / "survey.csv").open(encoding="utf-8") as file:
        theirs = np.array([[float(cell) for cell in row[1:]] for row in list(csv.reader(file))[1:]])
    gap = float(np.abs(np.load(folder / "ours.npy") / theirs - 1).max())
    fewest = -math.log10(max(gap, 1e-16))
    return f"Digits in common with R, fewest of {_dotted(theirs.size)} figures", fewest, ""


def _imports() -> list[tuple[str, float, str]]:
    """Importing every estimator of the contract in setup.cfg against importing scipy.stats."""
    contract = configparser.ConfigParser()
    contract.read(ROOT / "setup.cfg", encoding="utf-8")
    named = contract["importlinter:contract:pure"]["source_modules"].split()
    ours = [*named, *(part for name in named for part in _parts_of(name))]
    loaded = f"import sys, {', '.join(ours)}; print(int('scipy.stats' in sys.modules))"
    ratio = _import_time(ours) / _import_time(["scipy.stats"])
    return [
        ("Import of the estimators against scipy.stats", ratio, "x"),
        ("Estimators load scipy.stats", float(_python(loaded)), "(0 = no)"),
    ]


def _parts_of(package: str) -> list[str]:
    """The modules inside a package; none in a plain module."""
    folder = ROOT / package.replace(".", "/")
    return [f"{package}.{found.name}" for found in pkgutil.iter_modules([str(folder)])]


def _import_time(modules: list[str]) -> float:
    code = (
        "import time; start = time.process_time(); "
        f"import {', '.join(modules)}; print(time.process_time() - start)"
    )
    return median(float(_python(code)) for _ in range(5))


def _python(code: str) -> str:
    return _output([sys.executable, "-c", code])


def _output(command: list[str], folder: Path = ROOT) -> str:
    """What a process of its own prints, on one thread."""
    env = {**os.environ, **ONE_CORE}
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=True
    ).stdout


# What follows runs in the measured process.


class Answers:
    """A file of ``_store``: the villages in memory, the rows block by block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self.stratum, self.fpc, self.province = (np.load(file) for _ in range(3))
            self.rows = int(np.load(file)[1])

    def folded(self, of: Scheme) -> tuple[Design, Tally, Ints]:
        """Read, fold and forget the rows; the province of each cell comes along."""
        design, place = arrange(self.stratum, self.fpc)
        folder = Folder(layout(of, "top2"))
        with self.path.open("rb") as file:
            for _ in range(4):
                np.load(file)
            for _ in range(0, self.rows, BLOCK):
                folder.add(np.load(file), np.load(file), np.load(file))
        return design, folder.tally(place), self.province - 1

    def together(self) -> tuple[Ints, Floats, Ints]:
        """All rows in memory: village, weight and codes."""
        with self.path.open("rb") as file:
            for _ in range(4):
                np.load(file)
            blocks = [[np.load(file) for _ in range(3)] for _ in range(0, self.rows, BLOCK)]
        psu, weight, codes = (np.concatenate(column) for column in zip(*blocks, strict=True))
        return psu, weight, codes


def _report(tally: Tally, design: Design, of: Scheme, province: Ints) -> Floats:
    """The whole report; returns values and standard errors (64, 2 q)."""
    whole = estimate(tally, design, of, "top2")
    whole.covariance()
    grid = parts(tally, design, of, "top2", province, int(province.max()) + 1)
    for d in range(len(grid.se)):
        grid.covariance(d)
    first = [[figure.value, figure.se] for figure in whole.figures]
    top = np.array(first, dtype=np.float64).T.ravel()
    return np.vstack([top, np.hstack([grid.value, grid.se])])


def _measured(name: str, folder: Path) -> Measures:
    items = {key: list(members) for key, members in villages.FACTORS.items()}
    of = scheme(villages.ITEMS, items)
    answers = Answers(folder / f"{name}.npy")
    if name == "large":
        rows = _seconds(lambda: _report_of(answers.folded(of), of), 1)
        memory = _peak()
    else:
        memory = 0.0
        psu, weight, codes = answers.together()
        stratum, fpc = answers.stratum[psu], answers.fpc[psu]

        def from_rows() -> None:
            sample = build(stratum, psu, weight, fpc)
            tally, _ = fold(sample, codes, of, "top2")
            place = np.empty(tally.psu.size, dtype=np.int64)
            place[sample.psu] = answers.province[psu] - 1
            np.save(folder / "ours.npy", _report(tally, sample.design, of, place[tally.psu]))

        rows = _seconds(from_rows, ROUNDS)
    design, tally, province = answers.folded(of)
    tallies = _seconds(lambda: _report(tally, design, of, province), ROUNDS)
    return {"rows": rows, "tallies": tallies, "memory": memory}


def _peak() -> float:
    """MB this process ever held; getrusage would tell of the process that started it, too."""
    status = Path("/proc/self/status").read_text("utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _report_of(folded: tuple[Design, Tally, Ints], of: Scheme) -> None:
    design, tally, province = folded
    _report(tally, design, of, province)


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds, the median of the rounds after one that warms up (if there are several)."""
    taken = []
    for _ in range(rounds + (rounds > 1)):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return median(taken[rounds > 1 :])


if __name__ == "__main__":
    print(json.dumps(_measured(sys.argv[1], Path(sys.argv[2]))))
