"""Checked rows kept packed in a temporary file, so that only their cells lie in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.design import Floats, Ints
from analysis.file.block import Codes
from analysis.file.faults import BadInput

#: Rows read back at once.
ROWS = 16_384


class Spool:
    """Rows of ``labels`` codes and ``items`` levels; the file vanishes with the process.

    A row takes some 40 bytes: a hundredth of a cell, a third of its line in the CSV file.
    """

    def __init__(self, labels: int, items: int) -> None:
        self._row = np.dtype(
            [("psu", "<i4"), ("weight", "<f8"), ("labels", "<i4", (labels,)),
             ("levels", "u1", (items,))]
        )  # fmt: skip
        self._file = tempfile.TemporaryFile(prefix="sipas-")  # noqa: SIM115 - closed by ``close``
        self.rows = 0

    def add(self, psu: Ints, weight: Floats, labels: list[Ints], levels: Codes) -> None:
        """Append rows: ``psu`` (n,), ``weight`` (n,), ``labels`` K × (n,), ``levels`` (n, J)."""
        rows = np.empty(psu.size, dtype=self._row)
        rows["psu"], rows["weight"], rows["levels"] = psu, weight, levels
        for k, codes in enumerate(labels):
            rows["labels"][:, k] = codes
        try:
            self._file.write(rows.tobytes())
            self._file.flush()
        except OSError as fault:
            raise BadInput([f"không ghi được tệp tạm ({fault.strerror})"]) from fault
        self.rows += psu.size

    def blocks(self) -> Iterator[NDArray[Any]]:
        """The rows in their order, as arrays with ``psu``, ``weight``, ``labels``, ``levels``."""
        self._file.seek(0)
        while block := self._file.read(ROWS * self._row.itemsize):
            yield np.frombuffer(block, dtype=self._row)

    def close(self) -> None:
        """Give the file up."""
        self._file.close()
