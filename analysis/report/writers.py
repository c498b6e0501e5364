"""The ways a report is written: one name, one module, the same figures in each."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from analysis.report.model import Report

Tell = Callable[[int, int], None]
#: Ending -> module with ``write(report, file)``; each is imported when it is wanted.
MODULES = {
    "pdf": "analysis.report.pdf",
    "docx": "analysis.report.docx",
    "xlsx": "analysis.report.xlsx",
    "html": "analysis.report.html",
}


def write(report: Report, form: str, file: Path, tell: Tell | None = None) -> int:
    """Write ``report`` into ``file``: "pdf", "docx", "xlsx", "csv" or "html".

    Returns the pages of a PDF, 0 for what has none.  Raises LookupError for another form, and
    ModuleNotFoundError where a package of the form is not installed.
    """
    if form == "csv":
        from analysis.report import csv

        with file.open("w", encoding="utf-8", newline="") as text:
            csv.write(report, text)
        return 0
    with file.open("wb") as binary:
        return _binary(report, MODULES[form], binary, tell)


def _binary(report: Report, module: str, file: BinaryIO, tell: Tell | None) -> int:
    write = import_module(module).write
    return int((write(report, file, tell) if module.endswith(".pdf") else write(report, file)) or 0)
