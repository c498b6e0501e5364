"""Run the measures by name, or all of them, and print one Markdown table."""

from __future__ import annotations

import importlib
import sys
import time

#: In the order of the table; a name may be given on the command line.
ALL = ("pages", "ingest", "kill", "estimate", "engine", "cold", "dashboard", "coverage", "report",
       "sample", "paper", "scan", "weights", "wire", "offline", "desk", "clerks",
       "export", "league", "boards", "comments", "onestop", "checks")  # fmt: skip
#: What ``soak`` runs at length.
SOAKED = ("kill", "offline", "clerks")
#: Measure -> goal: at least (True) or at most (False) this value.
GOALS: dict[str, tuple[bool, float]] = {
    "Export of 200.000 responses, first byte": (False, 100),
    "Export of 200.000 responses, CSV": (False, 5),
    "Memory of the server while it sends 200.000": (False, 64),
    "QR form page, rate against hello": (True, 1.0),
    "Complete response (API), rate against hello": (True, 0.5),
    "Complete response (form), rate against hello": (True, 0.5),
    "Complete response (API), p99 at 50 clients": (False, 150),
    "Complete response (form), p99 at 50 clients": (False, 150),
    "Acknowledged responses lost": (False, 0),
    "Responses stored twice": (False, 0),
    "The same on the clock": (False, 0.5),
    "Figures of 37.695 rows, from tallies": (False, 0.03),
    "Figures of 37.695 rows, from rows in memory": (False, 0.06),
    "R's survey against ours, from rows in memory": (True, 500),
    "Figures of 999.828 rows, from tallies": (False, 0.1),
    "Figures of 999.828 rows, peak memory": (False, 150),
    "Import of the estimators against scipy.stats": (False, 0.5),
    "Estimators load scipy.stats": (False, 0),
    "Figures of 37.695 answers, cold from the database": (False, 0.25),
    "Figures of 999.828 answers, cold from the database": (False, 4),
    "Figures of 999.828 answers, from stored tallies": (False, 0.1),
    "Peak memory of 999.828 answers, cold": (False, 150),
    "Peak memory of 999.828 answers, tallies": (False, 150),
    "Dashboard figures, many against few": (False, 1.2),
    "Slowest page of the board, again": (False, 100),
    "Slowest page of the board, first of a process": (False, 100),
    "League table of 63 units with rank sets": (False, 1),
    "League table of 3.321 units with rank sets": (False, 1),
    "national report, printing": (True, 40),
    "Annual report of 36.525 answers, printing": (True, 40),
    "Annual report of 36.525 answers, pages": (True, 60),
    "Annual report of 36.525 answers, click to file": (False, 3),
    "QR form page, p99 at 50 clients while reports are made": (False, 150),
    "Slowest page of comments and cases": (False, 100),
    "10.000 forms, printing": (True, 50),
    "10.000 forms, peak memory against 1.000": (False, 1.2),
    "Largest relative difference, report against sipas estimate": (False, 1e-9),
    "First load of the QR form, on the wire": (False, 20),
    "Answers lost offline": (False, 0),
    "Answers doubled offline": (False, 0),
    "Sabotaged queues caught": (True, 2),
    "Acknowledged entries or decisions lost": (False, 0),
    "Forms counted twice": (False, 0),
    "Forms half settled": (False, 0),
    "Sabotaged desks caught": (True, 3),
    "First load of the QR form, requests": (False, 4),
    "Desk: a 2026 form at 9.000 keystrokes an hour": (False, 60),
    "Scanned answers accepted that are right, normal": (True, 99.9),
    "Scanned answers accepted that are right, heavy": (True, 99.9),
    "Scanned answers accepted that are wrong, normal": (False, 0),
    "Double marks flagged, normal": (True, 100),
    "Double marks flagged, heavy": (True, 100),
    "Processor time a scanned page, normal": (False, 0.4),
    "Processor time a scanned page, heavy": (False, 0.4),
    "Import of 3.321 communes, the command from start to end": (False, 2),
}
#: The same for all measures that begin so.
COVERAGE = {"Coverage of the interval": (True, 94.0), "Coverage of rank sets": (True, 95.0)}


def shown(value: float, unit: str) -> str:
    """A value as the table prints it: two decimals, or three digits of what is small."""
    text = f"{value:.0f}" if value == int(value) else f"{value:.2f}"
    if 0 < abs(value) < 1:
        text = f"{value:.3g}"
    return f"{text} {unit}".strip()


def verdict(name: str, value: float) -> str:
    """The goal and whether it was reached; "" where there is none."""
    least, goal = GOALS.get(name) or next(
        (aim for start, aim in COVERAGE.items() if name.startswith(start)), (True, None)
    )
    if goal is None:
        return ""
    reached = value >= goal if least else value <= goal
    return f"{'≥' if least else '≤'} {goal:g} {'reached' if reached else 'MISSED'}"


def main(names: list[str]) -> int:
    """Print a row a measure as soon as it is known; 1 when a name is unknown."""
    if unknown := [name for name in names if name not in (*ALL, "soak")]:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(ALL)}, soak", file=sys.stderr)
        return 1
    print("| measure | seen | goal |\n|---|---|---|")
    for name in names or ALL:
        started = time.monotonic()
        for module in SOAKED if name == "soak" else (name,):
            measures = importlib.import_module(f"benchmarks.{module}")
            for measure, value, unit in measures.soak() if name == "soak" else measures.run():
                seen = shown(value, unit)
                print(f"| {measure} | {seen} | {verdict(measure, value)} |", flush=True)
        print(f"{name}: {time.monotonic() - started:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
