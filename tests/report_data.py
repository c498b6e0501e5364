"""Made-up results for the tests and the benchmark of the reports: the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

from analysis.results import (
    Account,
    Choice,
    Coverage,
    DesignSummary,
    Distribution,
    Figure,
    Result,
    UnitResult,
    WaveInfo,
)
from forms.questionnaire import localized

REGIONS = {
    "Trung du và miền núi phía Bắc": "Cao Bằng;Tuyên Quang;Điện Biên;Lai Châu;Sơn La;Lào Cai;"
    "Thái Nguyên;Lạng Sơn;Phú Thọ",
    "Đồng bằng sông Hồng": "Hà Nội;Quảng Ninh;Bắc Ninh;Hải Phòng;Hưng Yên;Ninh Bình",
    "Bắc Trung Bộ": "Thanh Hóa;Nghệ An;Hà Tĩnh;Quảng Trị;Huế",
    "Duyên hải Nam Trung Bộ và Tây Nguyên": "Đà Nẵng;Quảng Ngãi;Gia Lai;Đắk Lắk;Khánh Hòa;Lâm Đồng",
    "Đông Nam Bộ": "Đồng Nai;Thành phố Hồ Chí Minh;Tây Ninh",
    "Đồng bằng sông Cửu Long": "Đồng Tháp;Vĩnh Long;An Giang;Cần Thơ;Cà Mau",
}
KEY = "sipas-2026.1"


def wave(**changes: object) -> WaveInfo:
    """A household wave of a province's Sở Nội vụ."""
    info = WaveInfo(
        key="sipas-2026",
        name="Khảo sát hộ gia đình năm 2026",
        questionnaire=KEY,
        questionnaire_title=localized(KEY, "vi", frozenset()).title,
        kind="probability",
        synthetic=True,
        year=2026,
        opens_on="2026-09-01",
        closes_on="2026-11-05",
        index="top2",
        aggregate="item",
        level=0.95,
        interval="beta",
        lonely="adjust",
        base="ask_all",
        min_n=30,
        hide_n=5,
        owner="vn34:08",
        owner_name="Sở Nội vụ",
        parent_name="Ủy ban nhân dân tỉnh Tuyên Quang",
        place="Tuyên Quang",
    )
    return replace(info, **changes)  # type: ignore[arg-type]


def _shares(rng: random.Random, middle: float, levels: int = 5) -> tuple[float, ...]:
    top = min(0.97, max(0.3, rng.gauss(middle, 0.02)))
    rest = 1 - top
    if levels == 3:
        return rest * 0.3, rest * 0.7, top
    a, b = rest * 0.04, rest * 0.2
    return a, b, rest - a - b, top * 0.65, top * 0.35


def _figure(
    kind: str,
    key: str,
    number: str,
    name: str,
    parent: str,
    n: int,
    shares: tuple[float, ...],
    *,
    sampled: bool,
) -> Figure:
    top = sum(shares[3:]) if len(shares) == 5 else shares[2]
    figure = Figure(kind, key, number, name, n, top, shares=shares, parent=parent)  # type: ignore[arg-type]
    if not sampled:
        return figure
    deff = 1.6 + (hash_of(key) % 70) / 100
    se = (deff * top * (1 - top) / max(n, 2)) ** 0.5
    low, high = max(0.0, top - 1.98 * se), min(1.0, top + 1.96 * se)
    return replace(figure, se=se, low=low, high=high, deff=deff, neff=n / deff, df=60)


def hash_of(text: str) -> int:
    """A number of a text that is the same on every machine."""
    return sum(ord(c) * (i + 7) for i, c in enumerate(text))


def _mean(parts: Iterable[Figure]) -> tuple[float, ...]:
    rows = [part.shares for part in parts if part.shares]
    return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))


def figures(
    rng: random.Random,
    *,
    key: str = KEY,
    n: int = 1137,
    middle: float = 0.84,
    sampled: bool = True,
    items: bool = True,
) -> tuple[Figure, ...]:
    """Figures of a whole questionnaire in its order, the total last."""
    form = localized(key, "vi", frozenset())
    names = {factor.id: factor for factor in form.factors}
    out: list[Figure] = []
    every: list[Figure] = []
    for area in form.areas:
        inside: list[Figure] = []
        parts: list[Figure] = []
        for code in area.factors:
            own = []
            for item_id in names[code].items:
                item = form.item(item_id)
                shares = _shares(rng, middle, form.index_scale)
                count = n - rng.randrange(max(1, n // 20))
                own.append(
                    _figure(
                        "item",
                        item.id,
                        item.number,
                        item.text,
                        code,
                        count,
                        shares,
                        sampled=sampled,
                    )
                )
            most = max(one.n for one in own)
            factor = _figure(
                "factor", code, code, names[code].name, area.id, most, _mean(own), sampled=sampled
            )
            parts += [factor, *(own if items else ())]
            inside += own
        head = _figure(
            "area", area.id, area.id, area.name, "total", n, _mean(inside), sampled=sampled
        )
        out += [head, *parts]
        every += inside
    out.append(
        _figure("total", "total", "", "Chỉ số hài lòng chung", "", n, _mean(every), sampled=sampled)
    )
    return tuple(out)


def others(rng: random.Random, n: int = 1137) -> tuple[Distribution, ...]:
    """Answers of Câu 1–8 and 10 as the reports get them."""
    out = []
    for column in localized(KEY, "vi", frozenset()).columns:
        if column.item.kind not in {"matrix", "single"} or not column.id.startswith("c"):
            continue
        raw = [rng.random() + k for k, _ in enumerate(column.item.choices)]
        choices = tuple(
            Choice(choice.code, choice.label, round(n * part / sum(raw)), part / sum(raw))
            for choice, part in zip(column.item.choices, raw, strict=True)
        )
        name = column.row.label if column.row else column.item.text
        out.append(Distribution(column.id, column.item.number, name, n, choices))
    return tuple(out)


def _units(rng: random.Random, whole: float) -> tuple[UnitResult, ...]:
    drawn = []
    for region, listed in REGIONS.items():
        for name in listed.split(";"):
            own = figures(
                rng, n=rng.randrange(930, 1260), middle=rng.gauss(whole, 0.025), items=False
            )
            drawn.append((region, name, own))
    drawn.sort(key=lambda entry: -(entry[2][-1].value or 0))
    out = []
    for place, (region, name, own) in enumerate(drawn, 1):
        total = own[-1]
        low, high = total.low or 0, total.high or 1
        above = sum((other[-1].low or 0) > high for *_, other in drawn)
        below = sum((other[-1].high or 1) < low for *_, other in drawn)
        inside = [entry[1] for entry in drawn if entry[0] == region]
        differs = 1 if low > whole + 0.005 else -1 if high < whole - 0.005 else 0
        out.append(
            UnitResult(
                f"vn34:{place:02d}",
                name,
                region,
                own,
                place,
                above + 1,
                len(drawn) - below,
                inside.index(name) + 1,
                len(inside),
                differs,
            )
        )
    return tuple(out)


def _accounts(
    rng: random.Random, names: Iterable[str], whole: str, size: int
) -> tuple[Account, ...]:
    rows = []
    for name in names:
        issued = size + rng.randrange(size // 5)
        back = issued - rng.randrange(size // 15)
        rows.append(Account(name, issued, back, back - rng.randrange(4)))
    sums = (sum(getattr(row, field) for row in rows) for field in ("issued", "returned", "valid"))
    return (*rows, Account(whole, *sums))


def national(seed: int = 1, **changes: object) -> Result:
    """The whole country: 34 provinces, 39 items, all other questions."""
    rng = random.Random(seed)
    all_figures = figures(rng, n=36525)
    whole = all_figures[-1].value or 0.84
    info = {
        "owner_name": "Bộ Nội vụ",
        "owner": "vn34:00",
        "parent_name": "",
        "place": "Hà Nội",
    }
    return Result(
        wave=wave(**(info | changes)),
        scope="",
        scope_name="cả nước",
        figures=all_figures,
        units=_units(rng, whole),
        accounts=_accounts(rng, REGIONS, "Cả nước", 6000),
        channels={"post": 36525},
        design=DesignSummary(36525, 1170, 68, 1102, 71_204_331.0, fpc=True),
        coverage=None,
        others=others(rng, 36525),
        flagged=37,
        void=105,
    )


def unit(seed: int = 2, **changes: object) -> Result:
    """One province on its own sample."""
    rng = random.Random(seed)
    return Result(
        wave=wave(**changes),
        scope="vn34:08",
        scope_name="tỉnh Tuyên Quang",
        figures=figures(rng),
        units=(),
        accounts=_accounts(
            rng, ("Phường", "Xã vùng thấp", "Xã vùng cao, biên giới"), "Toàn tỉnh", 390
        ),
        channels={"post": 1137},
        design=DesignSummary(1137, 38, 2, 36, 1_266_812.0, fpc=False),
        coverage=None,
        others=others(rng),
    )


def counter(seed: int = 3, key: str = "mot-cua-2026.1", **changes: object) -> Result:
    """Self-selected answers at a counter: no design, no interval."""
    rng = random.Random(seed)
    info: dict[str, object] = {
        "key": "mot-cua-2026",
        "name": "Ý kiến tại Bộ phận Một cửa năm 2026",
        "questionnaire": key,
        "questionnaire_title": localized(key, "vi", frozenset()).title,
        "kind": "self_selected",
        "owner_name": "Trung tâm Phục vụ hành chính công phường Minh Xuân",
        "parent_name": "Ủy ban nhân dân phường Minh Xuân",
        "place": "Minh Xuân",
    }
    own = figures(rng, key=key, n=412, middle=0.93, sampled=False)
    p = own[-1].value or 0.9
    r = 412 / 1630
    return Result(
        wave=wave(**(info | changes)),
        scope="local:minhxuan",
        scope_name="Trung tâm Phục vụ hành chính công phường Minh Xuân",
        figures=own,
        units=(),
        accounts=(),
        channels={"kiosk": 301, "qr": 111},
        design=None,
        coverage=Coverage(412, 1630, r, r * p, r * p + 1 - r),
        comments=(
            "Cán bộ hướng dẫn rõ ràng, nhanh.",
            "Ghế chờ ít quá, mong có thêm quạt và nước uống cho người già.",
        ),
        flagged=3,
    )


def changed(result: Result, number: int, **changes: object) -> Result:
    """The same result with its figure at ``number`` changed."""
    own = list(result.figures)
    own[number] = replace(own[number], **changes)  # type: ignore[arg-type]
    return replace(result, figures=tuple(own))
