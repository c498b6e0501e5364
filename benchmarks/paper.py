"""Printing forms: pages a CPU second, and peak memory of ten thousand forms against one thousand.

Each measure runs in a process of its own, or the peak of one would hide that of the other.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

FEW, MANY = 1_000, 10_000
QUESTIONNAIRE, SECRET = "sipas-2026.1", b"benchmark key, never in use here"


def _print(forms: int, edition: str) -> tuple[int, float, float, float]:
    """Pages, CPU seconds, peak MB and MB of the file of so many forms."""
    from forms.questionnaire import load
    from survey import serials
    from survey.printing import form, stream

    start = time.process_time()
    pages = form.lay(load(QUESTIONNAIRE), form.Issuer("Sở Nội vụ", "", True), edition)
    made = (
        stream.Form(serials.printed(case), partial(serials.code, SECRET, 1, case))
        for case in range(1, forms + 1)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "forms.pdf"
        with path.open("wb") as file:
            count = stream.write(pages, made, file, title="Phiếu khảo sát")
        size = path.stat().st_size / 1e6
    spent = time.process_time() - start
    return count, spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, size


def _apart(forms: int, edition: str = "normal") -> tuple[int, float, float, float]:
    command = [sys.executable, "-m", "benchmarks.paper", str(forms), edition]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, spent, peak, size = done.stdout.split()
    return int(count), float(spent), float(peak), float(size)


def run() -> list[tuple[str, float, str]]:
    """Layout, fonts and the file itself included."""
    few, many = _apart(FEW), _apart(MANY)
    large = _apart(FEW, "large")
    return [
        ("10.000 forms, pages", float(many[0]), "pages"),
        ("10.000 forms, printing", many[0] / many[1], "pages per CPU second"),
        ("1.000 forms in large print, printing", large[0] / large[1], "pages per CPU second"),
        ("1.000 forms, peak memory", few[2], "MB"),
        ("10.000 forms, peak memory", many[2], "MB"),
        ("10.000 forms, peak memory against 1.000", many[2] / few[2], ""),
        ("10.000 forms, size of the file", many[3], "MB"),
    ]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(*_print(int(sys.argv[1]), sys.argv[2]))
    else:
        for name, value, unit in run():
            print(f"{name}: {value:.2f} {unit}")
