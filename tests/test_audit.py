"""The chain of what staff did: every edit, gap and cut is found and named."""

import pytest
from faults import ground
from faults.ground import NOW

from survey import db
from survey.store import audit, people


@pytest.fixture
def store(tmp_path):
    with ground.make(tmp_path).connect() as base:
        for number in range(5):
            audit.append(base, at=NOW, actor="staff:lan", action="test", subject=str(number))
        yield base


def faults(store):
    return list(audit.verify(store))


def test_an_untouched_chain_is_whole(store):
    assert faults(store) == []


@pytest.mark.parametrize(
    "change",
    ["actor = 'staff:minh'", "detail = '{\"a\": 1}'", "at = '2020-01-01T00:00:00.000Z'",
     "subject = ''", "action = 'x'", "hash = 'x'", "previous = 'x'"],
)  # fmt: skip
def test_an_edited_row_is_named(store, change):
    store.execute(f"UPDATE audit SET {change} WHERE seq = 3")
    assert any("dòng 3" in fault for fault in faults(store))


def test_a_removed_row_is_noticed(store):
    store.execute("DELETE FROM audit WHERE seq = 3")
    assert any("thiếu dòng trước dòng 4" in fault for fault in faults(store))


def test_cutting_off_the_newest_rows_is_noticed(store):
    last = store.execute("SELECT MAX(seq) FROM audit").fetchone()[0]
    store.execute("DELETE FROM audit WHERE seq = :last", {"last": last})
    assert any("dòng cuối" in fault for fault in faults(store))


def test_emptying_the_audit_is_noticed(store):
    store.execute("DELETE FROM audit")
    assert len(faults(store)) == 1


def test_a_row_is_undone_with_the_change_it_tells_of(store):
    before = store.execute("SELECT COUNT(*) FROM audit").fetchone()[0]
    with pytest.raises(LookupError), db.write(store):
        people.set_password(store, append(store), "hash", now=NOW)
    assert store.execute("SELECT COUNT(*) FROM audit").fetchone()[0] == before
    assert faults(store) == []


def append(store):
    return audit.append(store, at=NOW, actor="a", action="b", subject="nobody has this number")
