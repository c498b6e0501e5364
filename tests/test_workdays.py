"""Working days: weekends, holidays and the weekends worked in their place."""

from datetime import date

import pytest

from survey.store import workdays

HELD = {one.day: one for one in workdays.shipped()}


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        ("2026-11-20", 1, "2026-11-23"),  # Friday to Monday
        ("2026-02-13", 1, "2026-02-23"),  # over Tết
        ("2026-08-21", 1, "2026-08-22"),  # a Saturday worked for Monday 31/8
        ("2026-08-28", 1, "2026-09-03"),
        ("2026-04-24", 2, "2026-04-29"),  # Monday 27/4 is free for Giỗ Tổ
        ("2026-11-22", 5, "2026-11-27"),
    ],
)
def test_so_many_working_days_later(start, n, end):
    first, last = date.fromisoformat(start), date.fromisoformat(end)

    assert workdays.after(first, n, HELD) == last
    assert workdays.between(first, last, HELD) == n
    assert workdays.between(last, first, HELD) == -n


def test_every_shipped_day_has_a_name_and_a_source():
    assert all(one.name and one.source for one in HELD.values())
    assert {one.day.year for one in HELD.values()} == {2026, 2027}
