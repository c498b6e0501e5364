"""Run the measures by name, or all of them, and print one Markdown table."""

from __future__ import annotations

import importlib
import sys
import time

#: In the order of the table; a name may be given on the command line.
ALL = ("pages", "ingest", "kill", "estimate", "report", "wire", "checks")
#: Measure -> goal: at least (True) or at most (False) this value.
GOALS: dict[str, tuple[bool, float]] = {
    "QR form page, rate against hello": (True, 0.8),
    "Complete response (API), rate against hello": (True, 0.4),
    "Complete response (form), rate against hello": (True, 0.4),
    "Complete response (API), p99 at 50 clients": (False, 150),
    "Complete response (form), p99 at 50 clients": (False, 150),
    "Acknowledged responses lost": (False, 0),
    "Responses stored twice": (False, 0),
    "The same on the clock": (False, 0.5),
    "national report, printing": (True, 25),
    "First load of the QR form, on the wire": (False, 30),
    "First load of the QR form, requests": (False, 4),
    "Import of 3.321 communes, the command from start to end": (False, 2),
}


def shown(value: float, unit: str) -> str:
    """A value as the table prints it: enough digits, no more."""
    text = f"{value:.0f}" if value == int(value) else f"{value:.2f}"
    return f"{text} {unit}".strip()


def verdict(name: str, value: float) -> str:
    """The goal and whether it was reached; "" where there is none."""
    if name not in GOALS:
        return ""
    least, goal = GOALS[name]
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
        module = importlib.import_module(f"benchmarks.{'kill' if name == 'soak' else name}")
        rows = module.soak() if name == "soak" else module.run()
        for measure, value, unit in rows:
            print(f"| {measure} | {shown(value, unit)} | {verdict(measure, value)} |", flush=True)
        print(f"{name}: {time.monotonic() - started:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
