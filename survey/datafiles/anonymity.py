"""k-anonymity: in a public file at least k persons share whatever is told about a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: What is known of a person: unit, area, then the answers about the person (codes, 0 = blank).
Key = tuple[str | int, ...]
#: Blank of a name and of a code.
BLANK_NAME, BLANK_CODE = "", 0


@dataclass(frozen=True, slots=True)
class Report:
    """``k`` asked for; persons, how many groups they fall into and the smallest group (of those
    that are told), persons in groups below k ``before`` and ``after``; ``blanked`` values by
    variable; ``withheld`` persons left out, as nothing could be told of them."""

    k: int
    persons: int
    groups: int
    smallest: int
    before: int
    after: int
    blanked: Mapping[str, int]
    withheld: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """``told`` is what a file tells of persons with a key, None where it leaves them out."""

    told: Mapping[Key, Key | None]
    report: Report


def check(counts: Mapping[Key, int], k: int) -> Report:
    """How many persons stand in groups below ``k``; nothing is changed."""
    below = sum(n for n in counts.values() if n < k)
    return Report(
        k, sum(counts.values()), len(counts), min(counts.values(), default=0), below, below, {}, 0
    )


def plan(counts: Mapping[Key, int], names: Sequence[str], k: int, *, fixed: int = 0) -> Plan:
    """Choose what to blank so that every group that is told holds at least ``k`` persons.

    Parameters
    ----------
    counts : persons by key
    names : of the parts of a key: unit, area, questions about the person
    k : persons a group must hold
    fixed : how many parts, from the first, are never blanked (other columns would tell them)

    Notes
    -----
    Local suppression by a ladder (in the spirit of Sweeney 2002): who stands in a group below k
    loses the last answer, then the one before, and so on; answers that more people need for the
    figures stand first and are lost last.  A group that has come down a rung counts only those
    who stand on that rung, so nobody hides among people of whom more is told.  Where too few are
    left at the end, the smallest group of the same ``fixed`` parts joins them; who is alone even
    then is left out.  k-anonymity does not help where all of a group answered the same.
    """
    told: dict[Key, Key] = {}
    here: dict[Key, list[Key]] = {key: [key] for key in counts}  # as shown -> keys behind it
    for lost in range(len(names) - 1, fixed - 1, -1):
        size = _sizes(here, counts)
        small = {shown: behind for shown, behind in here.items() if size[shown] < k}
        for shown in here.keys() - small.keys():
            told.update(dict.fromkeys(here[shown], shown))
        here = {}
        for shown, behind in small.items():
            here.setdefault(_blanked(shown, lost), []).extend(behind)
    left = _joined(here, told, counts, k, fixed)
    return Plan(found := {**told, **left}, _report(counts, found, names, k))


def _blanked(key: Key, lost: int) -> Key:
    blank = BLANK_NAME if isinstance(key[lost], str) else BLANK_CODE
    return (*key[:lost], blank, *key[lost + 1 :])


def _sizes(groups: Mapping[Key, list[Key]], counts: Mapping[Key, int]) -> dict[Key, int]:
    return {shown: sum(counts[key] for key in behind) for shown, behind in groups.items()}


def _joined(
    here: Mapping[Key, list[Key]], told: Mapping[Key, Key], counts: Mapping[Key, int], k: int,
    fixed: int,
) -> dict[Key, Key | None]:  # fmt: skip
    """What is told of the last groups; those below ``k`` take the smallest group beside them."""
    groups: dict[Key, list[Key]] = {}
    for key, shown in told.items():
        groups.setdefault(shown, []).append(key)
    size = _sizes(groups, counts)
    beside: dict[Key, list[Key]] = {}
    for shown in sorted(groups, key=lambda key: (size[key], repr(key))):
        beside.setdefault(shown[:fixed], []).append(shown)
    found: dict[Key, Key | None] = {}
    for shown, behind in here.items():
        n, near = sum(counts[key] for key in behind), beside.get(shown[:fixed], [])
        behind = list(behind)
        while n < k and near:
            taken = near.pop(0)
            n += size[taken]
            behind += groups[taken]
        found.update(dict.fromkeys(behind, shown if n >= k else None))
    return found


def _report(
    counts: Mapping[Key, int], told: Mapping[Key, Key | None], names: Sequence[str], k: int
) -> Report:
    groups: Counter[Key] = Counter()
    blanked: Counter[str] = Counter()
    withheld = 0
    for key, n in counts.items():
        shown = told[key]
        if shown is None:
            withheld += n
            continue
        groups[shown] += n
        for name, was, now in zip(names, key, shown, strict=True):
            if was != now:
                blanked[name] += n
    return Report(
        k=k,
        persons=sum(counts.values()),
        groups=len(groups),
        smallest=min(groups.values(), default=0),
        before=sum(n for n in counts.values() if n < k),
        after=sum(n for n in groups.values() if n < k),
        blanked={name: blanked[name] for name in names if blanked[name]},
        withheld=withheld,
    )
