"""Tallies of a wave as they are stored: what the answers of each place add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.design import Bools, Floats, Ints
from analysis.tally import Counts, Layout, Sums

#: Sums of weights that were added in another order agree to this share of themselves.
CLOSE = 1e-9
#: How the packed columns of the table are written.
KINDS = {"counts": "<i4", "sums": "<f8", "square_sums": "<f8", "persons": "<i4", "moments": "<f8"}
COLUMNS = (
    *("psu", "day", "channel", "flagged", "people", "weight", "squares", "first_seq", "last_seq"),
    *KINDS,
)


class BadCells(ValueError):
    """Stored tallies that do not fit the wave's questionnaire."""


class Key(NamedTuple):
    """Where answers are counted.

    ``psu`` is the sampled village ("" for answers without a sampled case), or "unit|counter" of
    self-selected answers; those have a ``day`` (YYYY-MM-DD in Vietnam), "mYYYY-MM" for a month, ""
    for all days.  Beside them stand cells of a "unit|service" in a month, "sYYYY-MM".
    """

    psu: str
    day: str
    channel: str
    flagged: bool

    @property
    def unit(self) -> str:
        """The unit of self-selected answers."""
        return self.psu.split("|")[0]

    @property
    def spot(self) -> str:
        """The counter, or the service, of self-selected answers."""
        return self.psu.partition("|")[2]

    @property
    def dated(self) -> bool:
        """Whether it is of a single day."""
        return self.day[:1].isdigit()


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells with their ``keys`` (c,); ``first`` and ``last`` (c,) are numbers of responses.

    Cells without sums of squared weights, added to others, make cells without them.
    """

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
        if cells.dtype == np.bool_ and cells.all():
            return self
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

    def summed(self) -> Cells:
        """Of cells of single days: those of each month and those of all days; others stay out."""
        days = self.keep(lambda key: key.dated)
        months = tuple(key._replace(day=month(key.day)) for key in days.keys)
        return days._grouped(None, months).merge(days.rolled())

    def rows(self) -> list[dict[str, Any]]:
        """The cells as rows of the table ``tally``; sums are left out where every weight is 1."""
        rows = []
        for c, key in enumerate(self.keys):
            people = int(self.sums.people[c])
            row: dict[str, Any] = key._asdict() | {"flagged": int(key.flagged), "people": people}
            row |= {"weight": float(self.sums.weight[c]), "squares": float(self.sums.squares[c])}
            plain = people == row["weight"] == row["squares"]
            for name, kind in KINDS.items():
                array = getattr(self.sums, name)
                left_out = plain and name in ("sums", "square_sums")
                row[name] = None if left_out else array[c].astype(kind, copy=False).tobytes()
            rows.append(row | {"first_seq": int(self.first[c]), "last_seq": int(self.last[c])})
        return rows

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, Any]], layout: Layout) -> Cells:
        """Cells from rows of the table ``tally``; BadCells when they have another layout."""
        held = list(rows)
        return cls.of_columns({name: [row[name] for row in held] for name in COLUMNS}, layout)

    @classmethod
    def of_columns(cls, columns: Mapping[str, Sequence[Any]], layout: Layout) -> Cells:
        """Cells from columns of the table ``tally``; without ``square_sums`` they have none."""
        places = (columns[name] for name in ("psu", "day", "channel", "flagged"))
        keys = tuple(Key(psu, day, channel, bool(flag)) for psu, day, channel, flag
                     in zip(*places, strict=True))  # fmt: skip
        composites = len(layout.weights)
        counts = _joined(keys, "counts", columns["counts"], layout.size)
        moments = _joined(keys, "moments", columns["moments"], 3 * composites)
        squares = columns.get("square_sums")
        return cls(
            keys,
            Sums(
                people=np.array(columns["people"], dtype=np.int64),
                weight=np.array(columns["weight"], dtype=np.float64),
                squares=np.array(columns["squares"], dtype=np.float64),
                counts=counts,
                sums=_weights(keys, "sums", columns["sums"], counts),
                square_sums=None
                if squares is None
                else _weights(keys, "square_sums", squares, counts),
                persons=_joined(keys, "persons", columns["persons"], composites),
                moments=moments.reshape(-1, composites, 3),
            ),
            np.array(columns["first_seq"], dtype=np.int64),
            np.array(columns["last_seq"], dtype=np.int64),
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
            mine, theirs = of(self), None if other is None else of(other)
            if other is None or mine is None or theirs is None:
                return mine if other is None else None
            return np.concatenate([mine, theirs])

        def summed(name: str) -> Any:
            values = joined(lambda cells: getattr(cells.sums, name))
            return None if values is None else np.add.reduceat(values[order], starts, axis=0)

        first = joined(lambda cells: cells.first)[order]
        last = joined(lambda cells: cells.last)[order]
        return Cells(
            tuple(place),
            Sums(*(summed(name) for name in Sums.__dataclass_fields__)),
            np.minimum.reduceat(first, starts),
            np.maximum.reduceat(last, starts),
        )


def month(day: str) -> str:
    """The month of a day, as cells name it."""
    return f"m{day[:7]}"


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
    names = ["weight", "squares", "sums", "moments"]
    if a.square_sums is not None and b.square_sums is not None:
        names.append("square_sums")
    return all(
        np.allclose(getattr(a, name)[i], getattr(b, name)[j], rtol=CLOSE, atol=CLOSE)
        for name in names
    )


def _joined(keys: Sequence[Key], name: str, blobs: Sequence[bytes], size: int) -> NDArray[Any]:
    """Packed numbers (c, size) of one column."""
    kind = np.dtype(KINDS[name])
    if bad := [n for n, blob in enumerate(blobs) if len(blob) != size * kind.itemsize]:
        key = keys[bad[0]]
        raise BadCells(f"tally of {key.psu} {key.day}: {name} has another layout")
    return np.frombuffer(b"".join(blobs), dtype=kind).reshape(len(blobs), size)


def _weights(
    keys: Sequence[Key], name: str, blobs: Sequence[bytes | None], counts: Counts
) -> Floats:
    """Sums of weights; those that were left out equal the counts."""
    kept = [n for n, blob in enumerate(blobs) if blob is not None]
    given = [blob for blob in blobs if blob is not None]
    found = _joined([keys[n] for n in kept], name, given, counts.shape[1])
    if len(kept) == len(keys):
        return found
    whole = counts.astype(np.float64)
    whole[kept] = found
    return whole
