"""Reports: what a result says (unit, national, counter) and how it is written (pdf, csv).

Nothing here imports reportlab until ``analysis.report.pdf`` is imported.
"""

from __future__ import annotations

from collections.abc import Callable

from analysis.report import counter, national, unit
from analysis.report.model import Report

#: Name of a report -> its builder ``(result, *, on, number="")``.  Waves of self-selected answers
#: get the counter report under every name.
REPORTS: dict[str, Callable[..., Report]] = {
    "unit": unit.build,
    "national": national.build,
    "counter": counter.build,
}
