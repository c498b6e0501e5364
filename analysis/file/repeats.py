"""Replicates of a plan: made from the design, or given in a file with a row for each PSU."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from analysis import replicates as r
from analysis.design import Floats, LonelyStratum
from analysis.file.columns import number
from analysis.file.faults import BadInput
from analysis.file.plan import Replicating
from analysis.file.source import opened
from analysis.file.table import Table
from analysis.replicates import Replicates


def replicates(table: Table, how: Replicating, name: str) -> Replicates:
    """The replicates that a plan asks for.

    Raises BadInput: half samples of strata that have no two PSUs, lonely strata under a rule
    without replicates, a file of factors that does not fit.
    """
    place, design = f"{name}: [replicates]", table.design
    try:
        if how.factors:
            return _given(table, how, how.factors)
        if how.method == "raowu":
            return r.raowu(design, how.draws, how.seed)
        return {"jkn": r.jkn, "brr": r.brr, "fay": r.fay}[how.method](design)
    except r.NotPaired as fault:
        strata = ", ".join(f"«{label}»" for label in fault.strata)
        wrong = f"{how.method} cần đúng hai đơn vị mẫu mỗi tầng, khác ở tầng {strata}"
        raise BadInput([f"{place}: {wrong}"]) from fault
    except LonelyStratum as fault:
        strata = ", ".join(f"«{label}»" for label in fault.strata)
        wrong = f'tầng chỉ có một đơn vị mẫu: {strata}; cần lonely = "remove" hoặc "certainty"'
        raise BadInput([f"{place}: {wrong}"]) from fault


def _given(table: Table, how: Replicating, file: Path) -> Replicates:
    factors = read_factors(file, table.psus)
    size = factors.shape[0]
    if how.method == "raowu":
        return r.given(factors, table.design)
    rho = float(factors.min()) if how.method == "fay" else 0.0
    if rho >= 1:
        raise BadInput([f"{file.name}: không phải hệ số của nửa mẫu: nhỏ nhất là {rho:g}"])
    return r.given(factors, table.design, np.full(size, 1 / (size * (1 - rho) ** 2)))


def read_factors(file: Path, psus: tuple[str, ...]) -> Floats:
    """Factors (B, P) from rows of a PSU's label and its B factors, without a header.

    Raises BadInput: an unknown, repeated or missing PSU, rows of different length, fewer than
    two factors, a factor that is negative or no number.
    """
    rows: dict[str, list[float]] = {}
    faults: list[str] = []
    known, width = set(psus), 0
    if len(known) < len(psus):
        raise BadInput([f"{file.name}: mã đơn vị mẫu trùng giữa các tầng nên không gán được hệ số"])
    with opened(file) as source:
        while chunk := source.chunk():
            for line, row in source.records(chunk):
                if row:
                    width = width or len(row)
                    wrong = _wrong(row, rows, known, width)
                    if wrong:
                        faults.append(f"{file.name}: dòng {line}: {wrong}")
                    else:
                        rows[row[0].strip()] = [number(cell) for cell in row[1:]]
    missing = [label for label in psus if label not in rows]
    if missing and not faults:
        listed = ", ".join(f"«{label}»" for label in missing[:10])
        faults.append(f"{file.name}: thiếu {len(missing)} đơn vị mẫu: {listed}")
    if faults:
        raise BadInput(faults[:1000])
    return np.array([rows[label] for label in psus]).T


def _wrong(row: list[str], rows: dict[str, list[float]], known: set[str], width: int) -> str:
    """What is wrong with a row of factors; nothing as a rule."""
    label = row[0].strip()
    if label not in known:
        return f"«{label}» không phải đơn vị mẫu trong số liệu"
    if label in rows:
        return f"«{label}» có mặt hai lần"
    if len(row) != width:
        return f"có {len(row) - 1} hệ số, dòng đầu có {width - 1}"
    if width < 3:
        return "cần ít nhất hai hệ số"
    bad = [cell for cell in row[1:] if not 0 <= number(cell) < math.inf]
    return f"«{bad[0]}» không phải hệ số từ 0 trở lên" if bad else ""
