"""Clerks and an adjudicator who are killed (-9) and begin again: what must hold of their forms.

``python -m faults.clerks INSTANCE VARIANT`` loads everything once, then forks two processes for
each line it reads ("go NUMBER").  Each of them enters, enters again and adjudicates every form,
from a place of its own, and prints what was acknowledged.  Variants: ``true`` is ours; the others
are sabotage that the harness must catch: ``early`` acknowledges before the commit, ``apart`` stores
an entry in one transaction and settles in the next, ``two`` stores the response of a settled form
in one transaction and the rest in the next.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import paper_wave
from paper_wave import NOW, WAVE

from survey import config, db
from survey.store import Refused, cases, doors, entries, instances, responses, settling

TESTS = Path(__file__).parent.parent
FORMS, THREADS, PROCESSES = 240, 3, 2
ACT = {"now": NOW, "actor": "staff:test"}


def forms(case: int) -> tuple[dict[str, object], dict[str, object]]:
    """Both entries of a form; every third form's differ in one field."""
    first = paper_wave.fields(case)
    return first, first | ({"s01": 1 + first["s01"] % 5} if case % 3 == 0 else {})


def linked(case: int) -> bool:
    """Whether the household answered by its link before anybody entered its form."""
    return case % 11 == 0


def entry(case: int, number: int, staff: int) -> entries.Entry:
    return entries.Entry(
        id=str(UUID(int=10 * case + number)), case_id=case, via="desk", staff=staff,
        questionnaire=paper_wave.QUESTIONNAIRE, fields=forms(case)[number - 1],
    )  # fmt: skip


def steps(case: int, staff: dict[str, int]):
    """What is done about a form: (name, job) in order."""
    first, second = (entry(case, n, staff[name]) for n, name in ((1, "nhap1"), (2, "nhap2")))
    decision = partial(
        settling.adjudicate, case_id=case, fields=second.fields, decided={"s01": 2},
        staff=staff["doichieu"], **ACT,
    )  # fmt: skip
    yield "1", partial(entries.add, incoming=first, now=NOW)
    yield "2", partial(entries.add, incoming=second, now=NOW)
    if case % 3 == 0:
        yield "3", decision


def work(settings, cases, staff, number):
    """One process: its threads go through all forms, each from a place of its own."""
    writer = db.Writer(settings.database)

    def clerk(at):
        start = random.Random(f"{number} {at}").randrange(len(cases))
        for case in [*cases[start:], *cases[:start]]:
            for step, job in steps(case, staff):
                _do(writer, case, step, job)

    threads = [threading.Thread(target=clerk, args=[at]) for at in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def _do(writer, case, step, job):
    if VARIANT == "early":
        _tell(f"{case} {step}")
    try:
        writer.run(job)
    except Refused as refusal:
        _tell(f"{case} {step} {refusal.code}")
    else:
        _tell(f"{case} {step}")


def _tell(line):
    os.write(1, f"{line}\n".encode())  # one write: lines of several processes never mix


VARIANT = "true"


def sabotage(variant, settings):
    """Put the fault into our own code; the processes forked from here carry it."""
    if variant == "apart":
        advance = settling.advance

        def later(base, case_id, **act):
            state = base.execute("SELECT state FROM sample_case WHERE id = ?", [case_id])
            threading.Thread(target=_after, args=[partial(advance, case_id=case_id, **act)]).start()
            return state.fetchone()["state"]

        def _after(job):
            with closing(db.connect(settings.database)) as base:
                job(base)

        settling.advance = later
    if variant == "two":
        keep, move = responses.keep, cases.move

        def halves(base, case, asked, fields, entered, decided, staff, **act):
            given = (case, asked, fields, entered, decided, staff)
            threading.Thread(target=_second, args=given, kwargs=act).start()
            return case.state

        def _second(case, asked, fields, entered, decided, staff, *, now, actor):
            with closing(db.connect(settings.database)) as base:
                came = responses.Incoming(
                    id=str(uuid4()), questionnaire=paper_wave.QUESTIONNAIRE, channel="post",
                    door=doors.Door(id=0, kind="case", wave=WAVE, unit=case.unit, case_id=case.id),
                    answers={"s01": 1}, language="vi", started_at=None, submitted_at=None,
                )  # fmt: skip
                keep(base, came, now=now)
                facts = settling._facts(asked, case, fields, entered, decided, staff, now)
                with db.write(base):
                    base.execute(settling._SETTLED, facts | {"response": came.id})
                    move(base, [case.id], "compared", now=now, actor=actor)

        settling._settle = halves


def main(instance, variant):
    global VARIANT
    VARIANT = variant
    settings = config.load(Path(instance), environ={})
    with closing(db.connect(settings.database)) as base:
        numbers = [
            row[0]
            for row in base.execute(
                "SELECT id FROM sample_case WHERE wave = ? AND state != 'reserve' ORDER BY id",
                [WAVE],
            )
        ]
        staff = {row["username"]: row["id"] for row in base.execute("SELECT * FROM staff")}
    paper_wave.fields()
    sabotage(variant, settings)
    _tell("ready")
    for line in sys.stdin:
        number, children = line.split()[1], []
        for at in range(PROCESSES):
            child = os.fork()
            if child == 0:
                try:
                    work(settings, numbers, staff, f"{number} {at}")
                finally:
                    os._exit(0)
            children.append(child)
        _tell("children " + " ".join(map(str, children)))
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        _tell("ended " + " ".join(map(str, codes)))


@dataclass
class Found:
    """What a run did and what it proved."""

    kills: int = 0
    forms: int = 0
    acknowledged: int = 0
    repeats: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def clean(self):
        return not (self.lost or self.doubled or self.torn or self.faults)


def prepare(settings) -> list[int]:
    """Many forms in one province, all to be entered twice; some households used their link."""
    with closing(db.connect(settings.database)) as base:
        paper_wave.make(base)
        with db.write(base):
            [first] = base.execute("SELECT MAX(id) + 1 FROM sample_case").fetchone()
            psu = base.execute("SELECT psu FROM sample_psu WHERE wave = ?", [WAVE]).fetchone()[0]
            cases = list(range(first, first + FORMS))
            base.execute(
                "UPDATE sample_case SET state = 'reserve', number = NULL, reserve = id"
                " WHERE wave = ?",
                [WAVE],
            )
            base.executemany(
                "INSERT INTO sample_case (id, wave, psu, weight, state, number) VALUES"
                " (?, ?, ?, 1, 'collected', ?)",
                [(case, WAVE, psu, case) for case in cases],
            )
            came = [_by_link(base, case) for case in cases if linked(case)]
            responses.bulk(base, came)
    return cases


def _by_link(base, case):
    door = doors.add(base, kind="case", wave=WAVE, unit=paper_wave.HOME, case_id=case, **ACT)
    return responses.Incoming(
        id=str(UUID(int=10 * case)), door=door, questionnaire=paper_wave.QUESTIONNAIRE,
        answers={"s01": 3}, channel="link", language="vi", started_at=None, submitted_at=NOW,
    )  # fmt: skip


def run(settings, *, kills: int, seed: int, variant: str = "true", until_caught: bool = False):
    """Kill both processes under load again and again, let the last two finish, then judge."""
    cases, dice, found = prepare(settings), random.Random(seed), Found()
    told: Counter[str] = Counter()
    nursery = subprocess.Popen(
        [sys.executable, "-m", "faults.clerks", str(settings.instance), variant], cwd=TESTS,
        env=os.environ | {"PYTHONPATH": str(TESTS.parent)}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip
    assert nursery.stdout.readline() == "ready\n"
    for number in range(kills + 1):
        nursery.stdin.write(f"go {number}\n")
        nursery.stdin.flush()
        last = number == kills
        while not (line := nursery.stdout.readline()).startswith("ended"):
            if line.startswith("children") and not last:
                wait = 0.02 + 0.25 * dice.random()
                threading.Thread(target=_kill, args=[line.split()[1:], wait], daemon=True).start()
            elif not line.startswith("children"):
                told[line.strip()] += 1
        found.kills += line.split()[1:].count("-9")
        if until_caught and not judge(settings, cases, told, found, whole=False).clean:
            break
    nursery.stdin.close()
    nursery.wait(10)
    nursery.stdout.close()
    if not until_caught or found.clean:
        judge(settings, cases, told, found, whole=True)
    found.acknowledged, found.repeats = len(told), sum(told.values()) - len(told)
    return found


def _kill(numbers, wait):
    time.sleep(wait)
    for number in numbers:
        try:
            os.kill(int(number), signal.SIGKILL)
        except ProcessLookupError:
            continue


def judge(settings, cases, told, found, *, whole):
    """Hold what was acknowledged against what is stored."""
    found.forms = len(cases)
    with closing(db.connect(settings.database)) as base:
        kept = {
            (row["case_id"], str(row["round"]))
            for row in base.execute("SELECT case_id, round FROM paper_entry")
        }
        answers = Counter(
            row["case_id"]
            for row in base.execute("SELECT case_id FROM response WHERE wave = ?", [WAVE])
        )
        settled = {row["case_id"]: row for row in base.execute("SELECT * FROM paper_settled")}
        ids = {
            row["id"]
            for row in base.execute(
                "SELECT id FROM response WHERE wave = ? AND channel = 'post'", [WAVE]
            )
        }
        states = dict(base.execute("SELECT id, state FROM sample_case WHERE wave = ?", [WAVE]))
        if whole:
            found.faults = instances.check(base)
    for line in told:
        case, step, *refused = line.split()
        if not refused:
            gone = (int(case), step) not in kept if step in "12" else int(case) not in settled
            found.lost += gone
    found.doubled += sum(n > 1 for n in answers.values()) + len(answers.keys() - {*cases})
    found.torn += len(ids ^ {row["response"] for row in settled.values()})
    for case in cases:
        done, held = case in settled, answers[case]
        found.torn += (states[case] == "compared") != done
        agree = {(case, "1"), (case, "2")} <= kept and case % 3 != 0
        found.torn += agree and not done  # both entries are there and agree: settled with them
        if linked(case):
            found.torn += done or (case, "1") in kept
        elif whole:
            found.lost += held != 1 or not done
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
