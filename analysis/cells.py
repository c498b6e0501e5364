"""Tallies of a wave as they are stored: what the answers of each place add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.design import Bools, Floats, Ints
from analysis.tally import Layout, Sums

#: Sums of weights that were added in another order agree to this share of themselves.
CLOSE = 1e-9
_ARRAYS = (("counts", "<i4"), ("sums", "<f8"), ("square_sums", "<f8"), ("persons", "<i4"),
           ("moments", "<f8"))  # fmt: skip


class BadCells(ValueError):
    """Stored tallies that do not fit the wave's questionnaire."""


class Key(NamedTuple):
    """Where answers are counted.

    ``psu`` is the sampled village ("" for answers without a sampled case), or "unit|counter" of
    self-selected answers; those have a ``day`` (YYYY-MM-DD in Vietnam), "" for all days.
    """

    psu: str
    day: str
    channel: str
    flagged: bool

    @property
    def unit(self) -> str:
        """The unit of self-selected answers."""
        return self.psu.split("|")[0]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells with their ``keys`` (c,); ``first`` and ``last`` (c,) are numbers of responses."""

    keys: tuple[Key, ...]
    sums: Sums
    first: Ints
    last: Ints

    def keep(self, wanted: Callable[[Key], bool]) -> Cells:
        """The cells whose keys are wanted."""
        at = [c for c, key in enumerate(self.keys) if wanted(key)]
        return self.take(np.array(at, dtype=np.int64))

    def take(self, cells: Ints | Bools) -> Cells:
        """The cells with these indices or marks."""
        numbers = np.arange(len(self.keys))[cells].tolist()
        keys = tuple(self.keys[c] for c in numbers)
        return Cells(keys, self.sums.take(cells), self.first[cells], self.last[cells])

    def merge(self, other: Cells) -> Cells:
        """The cells of both; those with the same key are added up."""
        if not (self.keys and other.keys):
            return self if self.keys else other
        return self._grouped(other, self.keys + other.keys)

    def rolled(self) -> Cells:
        """The cells of all days together."""
        return self._grouped(None, tuple(key._replace(day="") for key in self.keys))

    def rows(self) -> list[dict[str, Any]]:
        """The cells as rows of the table ``tally``; sums are left out where every weight is 1."""
        rows = []
        for c, key in enumerate(self.keys):
            people = int(self.sums.people[c])
            row: dict[str, Any] = key._asdict() | {"flagged": int(key.flagged), "people": people}
            row |= {"weight": float(self.sums.weight[c]), "squares": float(self.sums.squares[c])}
            plain = people == row["weight"] == row["squares"]
            for name, kind in _ARRAYS:
                array = getattr(self.sums, name)
                left_out = plain and name in ("sums", "square_sums")
                row[name] = None if left_out else array[c].astype(kind, copy=False).tobytes()
            rows.append(row | {"first_seq": int(self.first[c]), "last_seq": int(self.last[c])})
        return rows

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, Any]], layout: Layout) -> Cells:
        """Cells from rows of the table ``tally``; BadCells when they have another layout."""
        held = list(rows)
        keys = tuple(
            Key(row["psu"], row["day"], row["channel"], bool(row["flagged"])) for row in held
        )
        counts = _joined(held, "counts", "<i4", layout.size)
        composites = len(layout.weights)
        return cls(
            keys,
            Sums(
                people=np.array([row["people"] for row in held], dtype=np.int64),
                weight=np.array([row["weight"] for row in held], dtype=np.float64),
                squares=np.array([row["squares"] for row in held], dtype=np.float64),
                counts=counts,
                sums=_weights(held, "sums", counts),
                square_sums=_weights(held, "square_sums", counts),
                persons=_joined(held, "persons", "<i4", composites),
                moments=_joined(held, "moments", "<f8", 3 * composites).reshape(-1, composites, 3),
            ),
            np.array([row["first_seq"] for row in held], dtype=np.int64),
            np.array([row["last_seq"] for row in held], dtype=np.int64),
        )

    def _grouped(self, other: Cells | None, keys: tuple[Key, ...]) -> Cells:
        """These cells (and the other's behind them), those with equal ``keys`` added up."""
        if not keys:
            return self
        place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
        where = np.array([place[key] for key in keys], dtype=np.int64)
        order = np.argsort(where, kind="stable")
        starts = np.searchsorted(where[order], np.arange(len(place)))

        def joined(of: Callable[[Cells], Any]) -> Any:
            mine = of(self)
            return mine if other is None else np.concatenate([mine, of(other)])

        def summed(name: str) -> Any:
            values = joined(lambda cells: getattr(cells.sums, name))
            return np.add.reduceat(values[order], starts, axis=0)

        first = joined(lambda cells: cells.first)[order]
        last = joined(lambda cells: cells.last)[order]
        return Cells(
            tuple(place),
            Sums(*(summed(name) for name in Sums.__dataclass_fields__)),
            np.minimum.reduceat(first, starts),
            np.maximum.reduceat(last, starts),
        )


def differences(stored: Cells, rebuilt: Cells) -> list[Key]:
    """Keys whose cells disagree, in order; persons exactly, weights to ``CLOSE`` of themselves.

    A cell without persons is as good as none.
    """
    a, b = _by_key(stored), _by_key(rebuilt)
    return sorted(
        key
        for key in a.keys() | b.keys()
        if key not in a or key not in b or not _alike(stored.sums, a[key], rebuilt.sums, b[key])
    )


def _by_key(cells: Cells) -> dict[Key, int]:
    return {key: c for c, key in enumerate(cells.keys) if cells.sums.people[c]}


def _alike(a: Sums, i: int, b: Sums, j: int) -> bool:
    for name in ("people", "counts", "persons"):
        if not np.array_equal(getattr(a, name)[i], getattr(b, name)[j]):
            return False
    return all(
        np.allclose(getattr(a, name)[i], getattr(b, name)[j], rtol=CLOSE, atol=CLOSE)
        for name in ("weight", "squares", "sums", "square_sums", "moments")
    )


def _joined(rows: list[Mapping[str, Any]], name: str, kind: str, size: int) -> NDArray[Any]:
    blobs = [row[name] for row in rows]
    wide = size * np.dtype(kind).itemsize
    if bad := [row for row, blob in zip(rows, blobs, strict=True) if len(blob) != wide]:
        raise BadCells(f"tally of {bad[0]['psu']} {bad[0]['day']}: {name} has another layout")
    return np.frombuffer(b"".join(blobs), dtype=kind).reshape(len(rows), size)


def _weights(rows: list[Mapping[str, Any]], name: str, counts: NDArray[Any]) -> Floats:
    """Sums of weights; those that were left out equal the counts."""
    left_out = np.array([row[name] is None for row in rows], dtype=bool)
    found = counts.astype(np.float64)
    if not left_out.all():
        kept = [row for row in rows if row[name] is not None]
        found[~left_out] = _joined(kept, name, "<f8", counts.shape[1])
    return found
