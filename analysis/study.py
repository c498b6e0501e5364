"""A wave made ready for estimation: its design, its index and the cells of its answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis import folds, publish, reader
from analysis.cells import Cells
from analysis.design import Bools, Design, Ints, arrange
from analysis.estimate import Estimate, Estimates, Grid, NoRows, estimate, parts
from analysis.frame import Frame, frame
from analysis.paper import Paper, paper
from analysis.reader import BadRows, Roster, Wave
from analysis.residuals import Regression, dummies
from analysis.results import DesignSummary, Figure, Kind
from analysis.tally import Sums, Tally, layout, tally
from analysis.weights.making import BETWEEN
from forms.questionnaire import Questionnaire


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The cells of a wave that count, and where they lie.

    ``unit`` (c,) and ``channel`` (c,) are indices into ``units`` and ``channels``; ``flagged``
    (c,).  ``drawn`` are the units of the whole sample, answered or not; () of self-selected
    answers.  ``loose`` counts answers of a probability wave that belong to no sampled case:
    they have no weight and stay out.
    """

    cells: Cells
    unit: Ints
    units: tuple[str, ...]
    channel: Ints
    channels: tuple[str, ...]
    flagged: Bools
    drawn: tuple[str, ...]
    loose: int

    @property
    def sums(self) -> Sums:
        """What the cells hold."""
        return self.cells.sums

    def take(self, cells: Bools) -> Answers:
        """The answers in the cells that are marked."""
        return replace(
            self,
            cells=self.cells.take(cells),
            unit=self.unit[cells],
            channel=self.channel[cells],
            flagged=self.flagged[cells],
        )

    def people(self, of: Ints) -> int:
        """Persons in the cells with indices ``of``."""
        return int(self.sums.people[of].sum())


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A wave with its answers; ``tally`` is None while there are none.

    ``roster`` and ``regression`` are those of a wave whose weights were fitted to margins;
    ``paper`` tells how its forms were entered.
    """

    wave: Wave
    frame: Frame
    answers: Answers
    psus: Mapping[str, reader.Psu] | None
    design: Design | None
    tally: Tally | None
    roster: Roster | None = None
    regression: Regression | None = None
    paper: Paper | None = None

    def without_flagged(self) -> Study:
        """The same wave without answers that carry a quality flag."""
        answers = self.answers.take(~self.answers.flagged)
        kept = _laid_out(self.wave, self.frame, answers, self.psus, self.roster)
        return replace(kept, paper=self.paper)

    @property
    def questionnaire(self) -> Questionnaire:
        """The questionnaire in the words of the wave."""
        return self.frame.questionnaire

    @property
    def sampled(self) -> bool:
        """Whether sampling error may be claimed."""
        return self.wave.kind == "probability"

    def estimates(self, of: Ints) -> Estimates | None:
        """Estimates of the domain of the cells ``of`` (indices), None when it is empty."""
        if self.tally is None or self.design is None or of.size == 0:
            return None
        mine = np.zeros(self.tally.psu.size, dtype=bool)
        mine[of] = True
        return estimate(
            self.tally,
            self.design,
            self.frame.scheme,
            self.wave.index_method,
            cells=mine,
            interval=self.wave.interval,
            level=self.wave.level,
            regression=self.regression,
        )

    def grid(self, domains: Sequence[Ints]) -> Grid:
        """Estimates of domains that share no cell, each the indices of its cells (NoRows)."""
        if self.tally is None or self.design is None:
            raise NoRows("no answers")
        part = np.full(self.tally.psu.size, -1, dtype=np.int64)
        for d, cells in enumerate(domains):
            part[cells] = d
        return parts(
            self.tally,
            self.design,
            self.frame.scheme,
            self.wave.index_method,
            part,
            len(domains),
            interval=self.wave.interval,
            level=self.wave.level,
            regression=self.regression,
        )

    def figures(self, estimates: Sequence[Estimate] | None) -> tuple[Figure, ...]:
        """Estimates as they are printed; without any, figures that say "no answer".

        Intervals hold what keying may have changed, where that is known.
        """
        found = publish.figures(
            self.questionnaire,
            estimates or self._nothing(),
            sampled=self.sampled,
            min_n=self.wave.min_n,
            hide_n=self.wave.hide_n,
        )
        if self.paper is None or self.paper.limits is None:
            return found
        return publish.widened(found, self.paper.limits)

    def total(self, estimate: Estimate) -> Figure:
        """The overall index alone as it is printed, without its shares."""
        wave = self.wave
        found = publish.total(estimate, sampled=self.sampled, min_n=wave.min_n, hide_n=wave.hide_n)
        if self.paper is None or self.paper.limits is None:
            return found
        return publish.widened([found], self.paper.limits)[0]

    def summary(self, of: Ints, estimates: Estimates | None) -> DesignSummary | None:
        """The sample behind a domain; None for self-selected answers."""
        if not self.sampled or self.design is None or estimates is None:
            return None
        design, present = self.design, estimates.present
        strata = np.unique(design.stratum[present])
        mine = {design.labels[h] for h in strata}
        return DesignSummary(
            n=self.answers.people(of),
            n_psu=int(present.sum()),
            n_strata=int(strata.size),
            df=design.df(present),
            weight_sum=float(self.answers.sums.weight[of].sum()),
            fpc=design.fpc,
            lonely=tuple(label for label in design.lonely_strata if label in mine),
            communes=any(village.cluster for village in (self.psus or {}).values()),
        )

    def _nothing(self) -> list[Estimate]:
        scheme = self.frame.scheme
        items = [_unanswered("item", id) for id in scheme.items]
        pairs = zip(scheme.kinds, scheme.ids, strict=True)
        return items + [_unanswered(kind, id) for kind, id in pairs]


def _unanswered(kind: Kind, id: str) -> Estimate:
    return Estimate(kind, id, 0, None, None, None, None, None, None, None, 0, None, ("no_answer",))


def study(
    db: sqlite3.Connection, wave: Wave, questionnaire: Questionnaire, *, tallies: bool = True
) -> Study:
    """Lay out the index of a wave and take its answers in.

    ``tallies`` False reads every response.  Raises BadIndex (weights that do not fit), BadDesign
    (a sample that contradicts itself), BadRows, BadCells.
    """
    how = frame(wave, questionnaire)
    psus = reader.psus(db, wave.key) if wave.kind == "probability" else None
    with reader.snapshot(db):
        cells = folds.whole(db, wave, how, tallies=tallies)
        roster = reader.roster(db, wave, len(questionnaire.columns))
        answers = answers_of(cells, psus, wave)
        forms = paper(db, wave, questionnaire, int(answers.sums.people.sum()))
    return replace(_laid_out(wave, how, answers, psus, roster), paper=forms)


def of_cells(wave: Wave, questionnaire: Questionnaire, cells: Cells) -> Study:
    """A self-selected wave with these cells alone, as of a period."""
    how = frame(wave, questionnaire)
    return _laid_out(wave, how, answers_of(cells, None, wave), None, None)


def _laid_out(
    wave: Wave,
    how: Frame,
    answers: Answers,
    psus: Mapping[str, reader.Psu] | None,
    roster: Roster | None,
) -> Study:
    """The design of the first-stage units with answers, each village's cells counted in its own;
    self-selected answers are as if in one."""
    keys = answers.cells.keys
    if not keys:
        return Study(wave, how, answers, psus, None, None)
    if psus is None:
        design, _ = arrange(np.zeros(1, dtype=np.int64), lonely="remove")
        psu = np.zeros(len(keys), dtype=np.int64)
    else:
        of = {key.psu: psus[key.psu] for key in keys}
        first = {name: village.cluster or name for name, village in of.items()}
        drawn = {first[name]: of[name] for name in sorted(of)}  # units of the first stage
        names = sorted(drawn)
        strata = np.array([drawn[name].stratum for name in names])
        fpc = np.array([drawn[name].fpc for name in names])
        design, place = arrange(strata, fpc, lonely=wave.lonely)
        at = dict(zip(names, place.tolist(), strict=True))
        psu = np.array([at[first[key.psu]] for key in keys], dtype=np.int64)
    regression = _regression(roster, how, wave, answers.cells, psu) if roster else None
    counted = tally(answers.sums, how.layout, psu)
    return Study(wave, how, answers, psus, design, counted, roster, regression)


def _regression(roster: Roster, how: Frame, wave: Wave, cells: Cells, psu: Ints) -> Regression:
    """Who answered, by the cells they are counted in; those of no cell stay out."""
    place = {(key.psu, key.channel, key.flagged): c for c, key in enumerate(cells.keys)}
    keys = zip(roster.psu, roster.channel, (s == "flagged" for s in roster.state), strict=True)
    cell = np.array([place.get(key, -1) for key in keys], dtype=np.int64)
    rows = cell >= 0
    names = list(dict.fromkeys(roster.label))
    number = {label: k for k, label in enumerate(names)}
    kind = np.array([number[label] for label in roster.label], dtype=np.int64)
    return Regression(
        cell=cell[rows],
        psu=psu[cell[rows]],
        start=roster.start[rows],
        weight=roster.weight[rows],
        codes=how.codes(roster.codes)[:, how.layout.items][rows],
        kind=kind[rows],
        dummies=dummies(names, BETWEEN),
        layout=layout(how.scheme, wave.index_method, how.layout.levels),
    )


def answers_of(cells: Cells, psus: Mapping[str, reader.Psu] | None, wave: Wave) -> Answers:
    """The cells with somebody in them, with their units."""
    loose = 0
    if psus is not None:
        inside = np.array([bool(key.psu) for key in cells.keys], dtype=bool)
        loose = int(cells.sums.people[~inside].sum())
        cells = cells.take(inside)
        if missing := sorted({key.psu for key in cells.keys} - psus.keys()):
            raise BadRows(f"PSU {missing[0]} is not in the sample of {wave.key}")
    cells = cells.take(cells.sums.people > 0)
    units = [psus[key.psu].unit if psus is not None else key.unit for key in cells.keys]
    unit, unit_names = _coded(units)
    channel, channels = _coded([key.channel for key in cells.keys])
    return Answers(
        cells=cells,
        unit=unit,
        units=unit_names,
        channel=channel,
        channels=channels,
        flagged=np.array([key.flagged for key in cells.keys], dtype=bool),
        drawn=tuple(sorted({psu.unit for psu in (psus or {}).values()})),
        loose=loose,
    )


def _coded(values: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Codes of the values and the values in their order."""
    names = sorted(set(values))
    seen = {name: code for code, name in enumerate(names)}
    return np.array([seen[value] for value in values], dtype=np.int64), tuple(names)
