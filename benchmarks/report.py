"""Printing: pages a CPU second of a whole national report (34 provinces, 39 items)."""

from __future__ import annotations

import io
import time
from datetime import date

from analysis.report import national, pdf
from tests import report_data

ROUNDS = 5


def run() -> list[tuple[str, float, str]]:
    """The best of ROUNDS after one warming round that reads the fonts; text and bytes included."""
    result, on = report_data.national(), date(2027, 2, 5)
    pages, rates = pdf.write(national.build(result, on=on), io.BytesIO()), []
    for _ in range(ROUNDS):
        start = time.process_time()
        pages = pdf.write(national.build(result, on=on), io.BytesIO())
        rates.append(pages / (time.process_time() - start))
    return [
        ("national report, pages", float(pages), "pages"),
        ("national report, printing", max(rates), "pages per CPU second"),
    ]


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name}: {value:.1f} {unit}")
