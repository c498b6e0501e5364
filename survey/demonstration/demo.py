"""A demonstration instance: real units, made-up answers, every wave marked as synthetic."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from forms.questionnaire import load
from survey import config, data, db, tokens
from survey.demonstration import demo_office, demo_paper, demo_work, synthetic
from survey.store import clock, doors, instances, people, responses, samples, units, waves
from survey.store.clock import VIETNAM, day
from survey.store.doors import Door
from survey.store.responses import Incoming
from survey.store.units import Unit, name_key
from survey.store.waves import Wave

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from survey.demonstration.synthetic import Answers, Sample

#: Where the addresses and the first password wait until the password is changed.
NOTE = "demo.json"
USERNAME = "quantri"
ACTOR = "shell:demo"

PROVINCE, WARD, POINT = "vn34:01", "vn34:09604", "local:01-09604"
WARD_NAME = "Phường Tùng Thiện"
COUNTERS = (
    ("Quầy số 1", "Hộ tịch, chứng thực"),
    ("Quầy số 2", "Đất đai, xây dựng"),
    ("Quầy số 3", "Lao động, bảo trợ xã hội"),
    ("Quầy số 4", "Tiếp nhận chung, trả kết quả"),
)
PLACE = {
    "commune_word": "phường",
    "province_word": "thành phố",
    "hamlet_word": "tổ dân phố",
}
#: Provinces are ranked in the country, in their regions of today and among the cities.
RANKED = (*(s.key for s in data.sets() if s.key.startswith("vn34-")), data.CITIES)
#: The field work of the household wave.
FIELD_FROM, FIELD_DAYS = date(2026, 8, 3), 45


#: Told how many answers of how many are stored.
Progress = Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True)
class Size:
    """How much is made up."""

    provinces: tuple[str, ...]
    villages: int
    persons: int
    kiosk: int
    qr: int
    before: int  # persons asked the year before
    part: int  # one dossier of so many


#: As the national wave of 2024 (1.170 villages, 36.525 persons), in the provinces of today.
FULL = Size(tuple(synthetic.COMMUNES), 1170, 36525, 480, 160, 14040, 1)
SMALL = Size(("01", "22", "48", "79"), 40, 400, 60, 20, 160, 5)


@dataclass(frozen=True, slots=True)
class Demo:
    """What a visitor needs: addresses as paths, and the first password while it still holds."""

    kiosk: str
    qr: str
    api_token: str
    questionnaire: str  # of api_token
    wave: str
    open_wave: str  # of qr and api_token; the kiosk's is mot-cua-2026
    unit: str
    login: str
    password: str
    paper_wave: str = ""
    paper_staff: tuple[str, ...] = ()
    office_staff: tuple[str, ...] = ()


class Exists(Exception):
    """The instance has waves or staff already; nothing was changed."""


def make(
    instance: Path,
    *,
    small: bool = False,
    now: datetime | None = None,
    progress: Progress = None,
) -> Demo:
    """Make a demonstration instance in this directory, all of it or nothing.

    The answers are the same on every machine; ids of waves, doors and cases too.  Receipts, the
    secret and the first password are random.  ``now`` is the end of the counter survey's answers.

    Raises
    ------
    Exists
        There are waves or staff in it already.
    """
    at = now or clock.now()
    size = SMALL if small else FULL
    password = people.first_password()
    hashed = people.hashed(password)
    settings = instances.init(instance, at=at, actor=ACTOR)
    base = db.connect(settings.database, create=False)
    try:
        with db.write(base):
            if waves.all(base) or people.all(base):
                raise Exists(str(settings.instance))
            _units(base, at)
            people.add(
                base, username=USERNAME, name="Quản trị viên", role="administrator",
                password_hash=hashed, now=at, actor=ACTOR,
            )  # fmt: skip
            opened = _fill(base, size, at, progress)
            demo_office.fill(base, at, part=size.part)
            paper_wave = demo_paper.fill(base, hashed, at)
            office = demo_office.staff(base, hashed, at)
            demo_work.fill(base, at)
    finally:
        base.close()
    kiosk, qr = (tokens.issue(settings.secret, "counter", number) for number in opened)
    made = Demo(
        kiosk=f"/k/{kiosk}",
        qr=f"/q/{qr}",
        api_token=qr,
        questionnaire="sipas-2026.1",
        wave="sipas-2026",
        open_wave="qr-2026",
        unit=PROVINCE,
        login=USERNAME,
        password=password,
        paper_wave=paper_wave,
        paper_staff=tuple(name for name, *_ in demo_paper.STAFF),
        office_staff=office,
    )
    _note(settings.instance, made)
    return made


def known(instance: Path) -> Demo | None:
    """The demonstration made here before, without its password once that was changed."""
    note = config.directory(instance) / NOTE
    if not note.exists():
        return None
    made = Demo(**json.loads(note.read_text("utf-8")))
    base = db.connect(config.load(instance).database, readonly=True, create=False)
    try:
        staff = people.find(base, made.login)
    finally:
        base.close()
    if made.password and (staff is None or not staff.must_change):
        made = replace(made, password="")  # nosec B106 - none any more
        _note(note.parent, made)
    return made


def _note(home: Path, made: Demo) -> None:
    text = json.dumps(asdict(made), ensure_ascii=False, indent=1)
    handle = os.open(home / NOTE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")


def _units(base: sqlite3.Connection, at: datetime) -> None:
    def unit(id: str, kind: str, word: str, name: str, parent: str) -> Unit:
        scheme, _, code = id.partition(":")
        return Unit(scheme, code, data.NEW_FROM, None, kind, word, name, name_key(name), parent)

    point = "Điểm phục vụ hành chính công phường Tùng Thiện"
    rows = [
        unit(WARD, "commune", "phường", "Tùng Thiện", PROVINCE),
        unit(POINT, "point", "", point, WARD),
        *(
            unit(f"{POINT}-{number}", "counter", "", name, POINT)
            for number, (name, _) in enumerate(COUNTERS, 1)
        ),
    ]
    units.import_rows(base, rows, now=at, actor=ACTOR, source="demo")


def _fill(
    base: sqlite3.Connection, size: Size, at: datetime, progress: Progress
) -> tuple[int, int]:
    """Waves, doors, sample and answers; returns the doors of the first kiosk and of the poster."""
    for wave in _waves(at):
        waves.new(base, wave, now=at, actor=ACTOR)
    kiosks = [
        doors.add(
            base, kind="counter", wave="mot-cua-2026", unit=POINT, now=at, actor=ACTOR,
            counter=f"{POINT}-{number}", service=service, label=f"{WARD_NAME} · {name}",
        )
        for number, (name, service) in enumerate(COUNTERS, 1)
    ]  # fmt: skip
    poster = doors.add(
        base, kind="counter", wave="qr-2026", unit=WARD, now=at, actor=ACTOR,
        label=f"{WARD_NAME} · Áp phích mã QR",
    )  # fmt: skip
    drawn = synthetic.draw(size.provinces, size.villages, size.persons)
    cases = _sample(base, drawn)
    older = synthetic.draw(size.provinces, size.villages, size.before)
    older_cases = _sample(base, older, "sipas-2025")
    whole = size.persons + size.before + size.kiosk + size.qr

    def told(done: int) -> None:
        if progress:
            progress(done, whole)

    asked = load("sipas-2026.1")
    household = synthetic.household(asked, drawn)
    responses.bulk(base, _posted(household, drawn, cases), progress=told)
    earlier = synthetic.household(asked, older, stream="household-2025", shift=-0.05)
    posted = _posted(earlier, older, older_cases, "sipas-2025")
    responses.bulk(base, posted, progress=lambda done: told(size.persons + done))
    short = synthetic.people(
        load("mot-cua-2026.1"), "kiosk", np.full(size.kiosk, 0.5), silent=0.02, comments=0.18
    )
    responses.bulk(base, _visits(short, kiosks, "kiosk", at))
    place = np.full(size.qr, 0.1)
    phone = synthetic.people(load("sipas-2026.1"), "qr", place, silent=0.01, comments=0.12)
    responses.bulk(base, _visits(phone, [poster], "qr", at))
    told(whole)
    return kiosks[0].id, poster.id


def _waves(at: datetime) -> tuple[Wave, ...]:
    today = day(at)
    # An open survey must be open whatever the machine's clock says.
    opened = min(date(2026, 7, 1), today - timedelta(days=60))
    last = date(today.year + (today.month == 12), 12, 31)
    household = Wave(
        key="sipas-2026", name="Khảo sát hộ gia đình năm 2026", questionnaire="sipas-2026.1",
        kind="probability", year=2026, opens_on=FIELD_FROM, closes_on=date(2026, 9, 30),
        closed_at=datetime(2026, 10, 2, 10, tzinfo=UTC), owner=data.COUNTRY, owner_name="Bộ Nội vụ",
        place="Hà Nội", rank_sets=RANKED, synthetic=True, series="sipas",
    )  # fmt: skip
    counter = Wave(
        key="mot-cua-2026", name="Đánh giá tại Bộ phận Một cửa năm 2026",
        questionnaire="mot-cua-2026.1", kind="self_selected", year=2026, opens_on=opened,
        closes_on=last, owner=POINT, owner_name="Điểm phục vụ hành chính công phường Tùng Thiện",
        parent_name="Ủy ban nhân dân phường Tùng Thiện", place="Tùng Thiện", words=PLACE,
        synthetic=True, settled=1240,
    )  # fmt: skip
    phone = Wave(
        key="qr-2026", name="Khảo sát bằng mã QR năm 2026", questionnaire="sipas-2026.1",
        kind="self_selected", year=2026, opens_on=opened, closes_on=last, owner=WARD,
        owner_name="Ủy ban nhân dân phường Tùng Thiện", place="Tùng Thiện", words=PLACE,
        synthetic=True,
    )  # fmt: skip
    return demo_office.before(household), household, counter, phone


def _sample(base: sqlite3.Connection, drawn: Sample, key: str = "sipas-2026") -> range:
    """Store the drawn villages, cases and accounts; returns the numbers of the cases."""
    wave = {"wave": key}
    names = [_psu(drawn, psu) for psu in range(len(drawn.psu_stratum))]
    samples.add_psus(base, [wave | name for name in names])
    first = samples.last_case(base) + 1
    cases = range(first, first + len(drawn.person_psu))
    persons = zip(cases, drawn.person_psu.tolist(), drawn.weight.tolist(), strict=True)
    samples.add_cases(
        base,
        (
            wave | {"id": case, "psu": names[psu]["psu"], "weight": weight, "state": "locked"}
            for case, psu, weight in persons
        ),
    )
    valid = np.bincount(drawn.person_stratum // 2, minlength=len(drawn.provinces))
    # As published for 2021: 94,80 % of the forms came back, 99,76 % of these were valid.
    returned = np.ceil(valid / 0.9976).astype(int)
    issued = np.ceil(returned / 0.948).astype(int)
    rows = zip(drawn.provinces, issued.tolist(), returned.tolist(), strict=True)
    samples.add_accounts(
        base, [wave | {"unit": f"vn34:{p}", "issued": i, "returned": r} for p, i, r in rows]
    )
    return cases


def _psu(drawn: Sample, psu: int) -> dict[str, object]:
    stratum = int(drawn.psu_stratum[psu])
    province, urban = drawn.provinces[stratum // 2], stratum % 2 == synthetic.URBAN
    number = psu - int(np.searchsorted(drawn.psu_stratum, stratum)) + 1
    return {
        "psu": f"{province}-{'DT' if urban else 'NT'}-{number:03}",
        "stratum": f"{province}-{'DT' if urban else 'NT'}",
        "fpc": float(drawn.stratum_villages[stratum]),
        "unit": f"vn34:{province}",
        "area": "urban" if urban else "rural",
        "name": f"{'Tổ dân phố' if urban else 'Thôn'} {number} (mô phỏng)",
    }


def _posted(
    answers: Answers, drawn: Sample, cases: range, key: str = "sipas-2026"
) -> Iterator[Incoming]:
    """The household forms as the post brought them in."""
    n, stream = len(answers), "post" if key == "sipas-2026" else f"{key}.post"
    first = FIELD_FROM.replace(year=int(key[-4:]), day=FIELD_FROM.day + 2026 - int(key[-4:]))
    start = datetime.combine(first, datetime.min.time(), VIETNAM) + timedelta(hours=8)
    days = (synthetic.uniform(f"{stream}.day", n) * FIELD_DAYS).astype(int).tolist()
    minutes = (synthetic.uniform(f"{stream}.minute", n) * 540).astype(int).tolist()
    places = [f"vn34:{drawn.provinces[s // 2]}" for s in drawn.person_stratum.tolist()]
    shared = {"kind": "case", "wave": key}
    sent = zip(_ids(stream, n), cases, places, days, minutes, answers, strict=True)
    for number, (id, case, place, day_of, minute, given) in enumerate(sent):
        door = Door(id=number, unit=place, case_id=case, **shared)
        when = start + timedelta(days=day_of, minutes=minute)
        yield Incoming(id, door, answers.questionnaire.key, given, "post", "vi", None, when)


def _visits(
    answers: Answers, through: list[Door], channel: str, at: datetime
) -> Iterator[Incoming]:
    """Answers given at counters or by phone in the 45 days before, in working hours."""
    n = len(answers)
    today = datetime.combine(day(at), datetime.min.time(), VIETNAM)
    back = np.sort((synthetic.uniform(f"{channel}.day", n) * 45).astype(int))[::-1].tolist()
    minutes = (synthetic.uniform(f"{channel}.minute", n) * 540).astype(int).tolist()
    took = (20 + 70 * synthetic.uniform(f"{channel}.took", n)).astype(int).tolist()
    which = (synthetic.uniform(f"{channel}.door", n) ** 2 * len(through)).astype(int).tolist()
    sent = zip(_ids(channel, n), back, minutes, took, which, answers, strict=True)
    for id, ago, minute, seconds, door, given in sent:
        when = today - timedelta(days=ago + 1) + timedelta(hours=7.5, minutes=minute)
        begun = when - timedelta(seconds=seconds * (1 if channel == "kiosk" else 8))
        yield Incoming(
            id, through[door], answers.questionnaire.key, given, channel, "vi", begun, when
        )


def _ids(stream: str, n: int) -> Iterator[str]:
    """n UUIDs of version 4, the same on every machine."""
    high, low = synthetic.words(f"{stream}.id.high", n), synthetic.words(f"{stream}.id.low", n)
    for a, b in zip(high.tolist(), low.tolist(), strict=True):
        yield str(UUID(int=a << 64 | b, version=4))
