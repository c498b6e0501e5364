"""Made-up answers for demonstrations: the same bytes on every machine, never a real person's.

Every random number is splitmix64 of a stream and an index (integer arithmetic), and what follows
uses addition, multiplication and comparison only: no library's generator, no transcendental
function that one machine rounds differently from another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forms.model import NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forms.model import Column, Questionnaire

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]

SEED = 2026
URBAN, RURAL = 0, 1

#: Province of today -> its urban communes (phường) and the others (xã, đặc khu); 3.321 in all.
COMMUNES = {
    "01": (51, 75), "04": (3, 53), "08": (7, 117), "11": (3, 42), "12": (2, 36), "14": (8, 67),
    "15": (10, 89), "19": (15, 77), "20": (4, 61), "22": (30, 24), "24": (33, 66),
    "25": (15, 133), "31": (45, 69), "33": (11, 93), "37": (32, 97), "38": (19, 147),
    "40": (11, 119), "42": (9, 60), "44": (8, 70), "46": (21, 19), "48": (23, 71), "51": (9, 87),
    "52": (25, 110), "56": (16, 49), "66": (14, 88), "68": (20, 104), "75": (33, 62),
    "79": (113, 55), "80": (14, 82), "82": (20, 82), "86": (19, 105), "91": (14, 88),
    "92": (31, 72), "96": (9, 55),
}  # fmt: skip


def words(stream: str, n: int) -> NDArray[np.uint64]:
    """n 64-bit words, a pure function of the stream's name and the index."""
    key: NDArray[np.uint64] = np.asarray(SEED, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for byte in stream.encode():
            key = _mix(key ^ np.uint64(byte))
        return _mix(_mix(np.arange(n, dtype=np.uint64)) ^ key)


def uniform(stream: str, n: int) -> Floats:
    """n numbers in (0, 1)."""
    return ((words(stream, n) >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def normal(stream: str, n: int) -> Floats:
    """n nearly normal numbers: four uniforms of 16 bits added (mean 0, variance 1, bounded)."""
    quarters = words(stream, n).view(np.uint16).reshape(n, 4).astype(np.float64)
    total: Floats = quarters.sum(axis=1)
    return (total / 65536 - 2 + 2 / 65536) * 1.7320508075688772


def _mix(x: np.uint64 | NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finalise by splitmix64 (Steele, Lea & Flood 2014)."""
    y = np.asarray(x, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    y = (y ^ (y >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    y = (y ^ (y >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return y ^ (y >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Sample:
    """A drawn sample.  Strata are province x area (urban first); villages are the PSUs.

    provinces : their codes
    stratum_villages : (2 provinces,) villages of the stratum in the population (the FPC)
    psu_stratum, psu_persons : (villages,) stratum of each village, persons asked there
    person_psu, weight : (persons,) village of each person, persons represented (4 decimals)
    """

    provinces: tuple[str, ...]
    stratum_villages: Ints
    psu_stratum: Ints
    psu_persons: Ints
    person_psu: Ints
    weight: Floats

    @property
    def person_stratum(self) -> Ints:
        """(persons,) stratum of each person."""
        return self.psu_stratum[self.person_psu]


def draw(provinces: Sequence[str], villages: int, persons: int) -> Sample:
    """Draw a two-stage sample of that many villages and persons from provinces given by code.

    Villages are allotted by the number of communes, each stratum at least two (a variance
    needs two); a village gives 25-37 persons before the sum is made to fit.
    """
    communes = np.array([k for code in provinces for k in COMMUNES[code]], dtype=np.int64)
    taken = _allot(communes, villages, least=2)
    strata = len(communes)
    population = communes * (18 + np.floor(14 * uniform("villages", strata)).astype(np.int64))
    population = np.maximum(population, taken + 1)
    psu_stratum = np.repeat(np.arange(strata), taken)
    asked = _fit(
        np.floor((0.8 + 0.4 * uniform("take", villages)) * persons / villages).astype(np.int64),
        persons,
    )
    adults = np.floor(280 + 900 * uniform("adults", villages))
    adults = np.where(psu_stratum % 2 == URBAN, adults * 1.4, adults)
    person_psu = np.repeat(np.arange(villages), asked)
    village = population[psu_stratum] / taken[psu_stratum] * adults / asked
    household = np.floor(70 + 60 * uniform("household", persons)) / 100
    weight = np.floor(village[person_psu] * household * 1e4 + 0.5) / 1e4
    return Sample(tuple(provinces), population, psu_stratum, asked, person_psu, weight)


def _allot(size: Ints, total: int, *, least: int) -> Ints:
    """Share ``total`` by size, largest remainders last, each part at least ``least``."""
    if total < least * len(size):
        raise ValueError(f"{len(size)} strata need {least * len(size)} villages, not {total}")
    spare = total - least * len(size)
    exact = size * spare / size.sum()
    share: Ints = np.floor(exact).astype(np.int64)
    order = np.argsort(share - exact, kind="stable")
    share[order[: spare - int(share.sum())]] += 1
    return share + least


def _fit(take: Ints, total: int) -> Ints:
    """Add or take one person here and there until the sum is ``total``."""
    order = np.argsort(words("fit", len(take)), kind="stable")
    while gap := total - int(take.sum()):
        take = take.copy()
        take[order[: abs(gap)]] += 1 if gap > 0 else -1
    return take


#: Answer shares by item or column id where they are not all alike; the rest of the percent goes
#: to the last code.  Harassment (Câu 5) as published for 2024.
SHARES: dict[str, tuple[float, ...]] = {
    "sex": (0.482, 0.518),
    "ethnicity": (0.853, 0.147),
    "age": (0.11, 0.21, 0.33, 0.20, 0.15),
    "education": (0.13, 0.29, 0.29, 0.12, 0.15, 0.02),
    "occupation": (0.04, 0.14, 0.47, 0.05, 0.17, 0.11, 0.02),
    "c1": (0.10, 0.27, 0.44, 0.19),
    "c3": (0.08, 0.29, 0.47, 0.16),
    "c4": (0.41, 0.17, 0.28, 0.14),
    "c5": (0.9006, 0.0898, 0.0096),
    "c6": (0.927, 0.066, 0.007),
    "c7": (0.11, 0.28, 0.45, 0.16),
    "c8": (0.30, 0.70),
    "c10": (0.05, 0.18, 0.45, 0.32),
}
#: Shares of a column by its place among the columns of its item.
BY_PLACE: dict[str, tuple[float, ...]] = {
    "c2": (0.47, 0.42, 0.27, 0.36, 0.71, 0.58, 0.02),  # channels used, each its own yes
    "c8": (0.60, 0.78, 0.19, 0.52, 0.31, 0.17, 0.11),  # experience, each its own yes
}
#: How satisfied people are with a factor and with a policy, in standard deviations: 1,0 is 84 %.
FACTORS = {
    "I.A": 1.02, "I.B": 0.91, "I.C": 1.05, "I.D": 1.06, "II.A": 1.10, "II.B": 1.09, "II.C": 1.13,
    "II.D": 1.11, "II.E": 0.94,
}  # fmt: skip
POLICIES = {
    "economy": -0.12, "health": -0.05, "education": 0.06, "water": 0.02, "electricity": 0.24,
    "security": 0.15, "roads": -0.17, "welfare": 0.06, "reform": -0.02,
}  # fmt: skip
#: Where the latent satisfaction passes to the levels 2, 3, 4 and 5.
CUTS = np.array([-1.5, -0.88, 0.0, 1.62])
#: The parts of the latent satisfaction (standard deviations); the squares add to 1.
PROVINCE, VILLAGE, PERSON, FACTOR, ITEM = 0.15, 0.17, 0.72, 0.30, 0.583

COMMENTS = (
    "Cán bộ hướng dẫn tận tình, dễ hiểu.",
    "Đề nghị trả kết quả sớm hơn đối với hồ sơ đất đai.",
    "Cần thêm ghế ngồi chờ và quạt mát vào mùa hè.",
    "Mong có người hỗ trợ người cao tuổi nộp hồ sơ trực tuyến.",
    "Thời gian giải quyết nhanh hơn trước, cảm ơn các anh chị.",
    "Biển chỉ dẫn các quầy chưa rõ, tôi phải hỏi hai lần.",
    "Đề nghị công khai số điện thoại phản ánh, kiến nghị ở nơi dễ thấy.",
    "Đường thôn xuống cấp, mong chính quyền sớm sửa chữa.",
    "Không có ý kiến gì thêm.",
    "Nên nhắn tin báo khi hồ sơ đã có kết quả.",
    "Nước sinh hoạt mùa khô còn yếu, mong được quan tâm.",
    "Thái độ phục vụ tốt, đúng hẹn.",
)


@dataclass(frozen=True, slots=True)
class Answers:
    """Made-up answers: packed codes (n, columns) and, where a person wrote one, a comment.

    Iterating gives each person's answers in the canonical shape of ``forms.rules``.
    """

    questionnaire: Questionnaire
    codes: Codes
    comments: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[dict[str, object]]:
        columns, items = self.questionnaire.columns, self.questionnaire.items
        plain = tuple(None if c.item.kind == "multiple" else c.id for c in columns)
        several = [(at, c.item.id) for at, c in enumerate(columns) if c.item.kind == "multiple"]
        marks = [int(columns[at].id.rsplit(".", 1)[1]) for at, _ in several]
        comment = next((item.id for item in reversed(items) if item.kind == "text"), "")
        consents = [(item.id, f"consent_{item.consent}") for item in items if item.consent]
        for row, said in zip(self.codes.tolist(), self.comments, strict=True):
            given: dict[str, object] = {
                name: code for name, code in zip(plain, row, strict=True) if code and name
            }
            chosen: dict[str, list[int]] = {}
            for (at, item), mark in zip(several, marks, strict=True):
                if row[at] == 1:
                    chosen.setdefault(item, []).append(mark)
            given |= chosen
            given |= {consent: 1 for item, consent in consents if item in given}
            if said and comment:
                given[comment] = said
            yield given


def household(
    questionnaire: Questionnaire, sample: Sample, *, stream: str = "household", shift: float = 0.0
) -> Answers:
    """Answers of a sampled household wave: provinces, villages and people differ.

    Another ``stream`` is another year in the same places: they keep what they are, ``shift``
    standard deviations from this year, and each province moves a little by itself.
    """
    province = normal("province", len(sample.provinces))
    if stream != "household":
        province = 0.9 * province + 0.4 * normal(f"{stream}.province", len(sample.provinces))
    area = np.where(sample.psu_stratum % 2 == URBAN, 0.05, -0.02)
    village = VILLAGE * normal("village", len(sample.psu_stratum))
    place = PROVINCE * province[sample.psu_stratum // 2] + area + village + shift
    return people(questionnaire, stream, place[sample.person_psu], silent=0.012, comments=0.015)


def people(
    questionnaire: Questionnaire, stream: str, place: Floats, *, silent: float, comments: float
) -> Answers:
    """Answers of people at places that please them more or less than the average (0).

    Parameters
    ----------
    stream : name of the random numbers; another name is another survey
    place : (n,) effect of the place on satisfaction, in standard deviations
    silent : share of "no answer" and blanks an item, somewhat more on services
    comments : share of people who write a comment
    """
    n = len(place)
    mood = place + PERSON * normal(f"{stream}.person", n)
    codes = np.zeros((n, len(questionnaire.columns)), dtype=np.uint8)
    places: dict[str, int] = {}
    for at, column in enumerate(questionnaire.columns):
        nth = places[column.item.id] = places.get(column.item.id, -1) + 1
        name = f"{stream}.{column.id}"
        if column.item.kind == "scale":
            codes[:, at] = _level(column, stream, mood)
        else:
            codes[:, at] = _choice(column, nth, uniform(name, n) - 0.02 * (mood > 0.9))
    names = [column.id for column in questionnaire.columns]
    _agree(codes, names)
    _keep_silent(questionnaire, codes, stream, silent)
    wrote = uniform(f"{stream}.comment", n) < comments
    which = (words(f"{stream}.words", n) % np.uint64(len(COMMENTS))).tolist()
    said = tuple(COMMENTS[w] if yes else "" for w, yes in zip(which, wrote.tolist(), strict=True))
    return Answers(questionnaire, codes, said)


def _level(column: Column, stream: str, mood: Floats) -> Codes:
    """Levels 1..5 of a satisfaction item from a latent satisfaction with five causes."""
    item = column.item
    n = len(mood)
    level = FACTORS.get(item.factor, 1.05) + POLICIES.get(item.policy, 0.0)
    level += 0.05 * float(normal(f"item.{item.id}", 1)[0])
    latent = (
        level
        + mood
        + FACTOR * normal(f"{stream}.factor.{item.factor}", n)
        + ITEM * normal(f"{stream}.{item.id}", n)
    )
    return (1 + np.searchsorted(CUTS, latent)).astype(np.uint8)


def _choice(column: Column, nth: int, u: Floats) -> Codes:
    """Codes of a question outside the index, by its table of shares."""
    item = column.item
    if item.id in BY_PLACE and nth < len(BY_PLACE[item.id]):
        return np.where(u < BY_PLACE[item.id][nth], 1, 2).astype(np.uint8)
    codes = sorted(column.codes - {NO_ANSWER})
    shares = SHARES.get(column.id) or SHARES.get(item.id) or (1 / len(codes),) * len(codes)
    reached = np.searchsorted(np.cumsum(shares[: len(codes) - 1]), u)
    return np.array(codes, dtype=np.uint8)[reached]


def _agree(codes: Codes, names: list[str]) -> None:
    """What a person says of himself agrees; who used no channel heard of it on television."""
    if "age" in names and "occupation" in names:
        age, job = codes[:, names.index("age")], codes[:, names.index("occupation")]
        job[(age == 5) & ((job == 3) | (job == 5) | (job == 6))] = 1
        job[(age < 4) & (job == 1)] = 3
        job[(age > 2) & (job == 4)] = 3
    channels = [at for at, name in enumerate(names) if name.startswith("c2.")]
    if channels:
        none = ~(codes[:, channels] == 1).any(axis=1)
        codes[none, channels[4]] = 1


def _keep_silent(questionnaire: Questionnaire, codes: Codes, stream: str, silent: float) -> None:
    """Answers not given: code 9 where it is offered, else a blank; who never went cannot judge."""
    n = len(codes)
    names = [column.id for column in questionnaire.columns]
    visits = [at for at, c in enumerate(questionnaire.columns) if c.item.id == "c8"][2:4]
    stranger = (codes[:, visits] == 2).all(axis=1) if visits else np.zeros(n, dtype=bool)
    for at, column in enumerate(questionnaire.columns):
        if column.item.kind == "multiple":
            continue
        u = uniform(f"{stream}.silent.{names[at]}", n)
        share = np.full(n, silent)
        if column.item.factor.startswith("II") and visits:
            share += np.where(stranger, 0.30, 0.015) + 0.04 * (column.item.factor == "II.E")
        code = NO_ANSWER if NO_ANSWER in column.codes else 0
        codes[u < share, at] = code
        codes[u < 0.3 * silent, at] = 0
