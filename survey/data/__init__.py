"""The provinces of Việt Nam as dated data: today's 34, their 63 predecessors, regions, cities.

Days are both included.  The 63 stand with the borders of 01/8/2008 to 30/6/2025, the 34 from
01/7/2025.  A province that becomes a centrally governed city keeps its code and gets a new dated
row.  The six regions of each scheme are those of the Government's socio-economic planning; the
old ones are also those of the statistics office.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files

COUNTRY = "vn34:00"
OLD_FROM, OLD_TO, NEW_FROM = "2008-08-01", "2025-06-30", "2025-07-01"
CITIES = "cities"

_NEW_REGIONS = {
    "TDMNPB": "Trung du và miền núi phía Bắc",
    "DBSH": "Đồng bằng sông Hồng",
    "BTB": "Bắc Trung Bộ",
    "DHNTB-TN": "Duyên hải Nam Trung Bộ và Tây Nguyên",
    "DNB": "Đông Nam Bộ",
    "DBSCL": "Đồng bằng sông Cửu Long",
}
_OLD_REGIONS = {
    "TDMNPB": "Trung du và miền núi phía Bắc",
    "DBSH": "Đồng bằng sông Hồng",
    "BTB-DHMT": "Bắc Trung Bộ và Duyên hải miền Trung",
    "TN": "Tây Nguyên",
    "DNB": "Đông Nam Bộ",
    "DBSCL": "Đồng bằng sông Cửu Long",
}
#: The six northern provinces of the old central region are also ranked among themselves.
_OLD_NORTH_CENTRAL = ("38", "40", "42", "44", "45", "46")


@dataclass(frozen=True, slots=True)
class Row:
    """A province, or the country, in one span of days."""

    scheme: str
    code: str
    valid_from: str
    valid_to: str | None
    kind: str
    word: str
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Set:
    """Units that are ranked among themselves, with the days each belonged."""

    key: str
    name: str
    kind: str
    valid_from: str
    valid_to: str | None
    members: tuple[tuple[str, str, str | None], ...]  # unit, valid_from, valid_to


def rows() -> Iterator[Row]:
    """The country and every province in every span."""
    yield Row("vn34", "00", OLD_FROM, None, "country", "", "Việt Nam", None)
    for old in _read("provinces-63.csv"):
        yield Row(
            "vn63", old["code"], old["valid_from"], old["valid_to"], "province", old["word"],
            old["name"], COUNTRY,
        )  # fmt: skip
    for new in _read("provinces-34.csv"):
        for word, since, until in _spans(new["city_since"]):
            yield Row("vn34", new["code"], since, until, "province", word, new["name"], COUNTRY)


def origins() -> Iterator[tuple[str, str]]:
    """(unit, the older unit it was formed from)."""
    for new in _read("provinces-34.csv"):
        for code in new["formed_from"].split():
            yield f"vn34:{new['code']}", f"vn63:{code}"


def sets() -> Iterator[Set]:
    """Regions of both schemes, the north central six, and the centrally governed cities."""
    new, old = list(_read("provinces-34.csv")), list(_read("provinces-63.csv"))
    for key, name in _NEW_REGIONS.items():
        units = [f"vn34:{row['code']}" for row in new if row["region"] == key]
        yield _region(f"vn34-{key}", name, units, NEW_FROM, None)
    for key, name in _OLD_REGIONS.items():
        codes = sorted({row["code"] for row in old if row["region"] == key})
        yield _region(f"vn63-{key}", name, [f"vn63:{c}" for c in codes], OLD_FROM, OLD_TO)
    north = [f"vn63:{code}" for code in _OLD_NORTH_CENTRAL]
    yield _region("vn63-BTB", "Bắc Trung Bộ", north, OLD_FROM, OLD_TO)
    was = [
        (f"vn63:{row['code']}", row["valid_from"], row["valid_to"])
        for row in old
        if row["word"] == "thành phố"
    ]
    now = [(f"vn34:{row['code']}", row["city_since"], None) for row in new if row["city_since"]]
    name = "Thành phố trực thuộc Trung ương"
    yield Set(CITIES, name, "group", OLD_FROM, None, (*was, *now))


def _region(key: str, name: str, units: list[str], since: str, until: str | None) -> Set:
    return Set(key.lower(), name, "region", since, until, tuple((u, since, until) for u in units))


def _spans(city_since: str) -> list[tuple[str, str, str | None]]:
    if not city_since:
        return [("tỉnh", NEW_FROM, None)]
    if city_since <= NEW_FROM:
        return [("thành phố", NEW_FROM, None)]
    eve = (date.fromisoformat(city_since) - timedelta(days=1)).isoformat()
    return [("tỉnh", NEW_FROM, eve), ("thành phố", city_since, None)]


def _read(name: str) -> Iterator[dict[str, str]]:
    text = files("survey.data").joinpath(name).read_text("utf-8")
    return csv.DictReader(text.splitlines())
