"""Keys of other programs: shown once, kept as a hash, ended for good."""

import pytest
from click.testing import CliRunner
from faults import ground
from faults.ground import UNIT

from survey.cli import main
from survey.store import Refused, audit, keys


@pytest.fixture
def place(tmp_path):
    return ground.make(tmp_path / "instance")


@pytest.fixture
def store(place):
    with place.connect() as base:
        yield base


def run(place, *words):
    return CliRunner().invoke(main, ["--instance", str(place.settings.instance), "key", *words])


def test_a_key_is_found_by_its_text_and_by_nothing_else(store):
    made, text = keys.add(store, "Một cửa", scopes=("dossiers",), unit=UNIT, **ground.ACT)
    assert keys.find(store, text) == made
    assert (made.scopes, made.unit) == (("dossiers",), UNIT)
    for other in ("", text[:-1], text + "x", text.upper(), made.name):
        assert keys.find(store, other) is None


def test_the_text_of_a_key_is_nowhere_in_the_database(store):
    _, text = keys.add(store, "Một cửa", scopes=("dossiers",), **ground.ACT)
    held = "\n".join(store.iterdump())
    assert text not in held
    assert text.removeprefix(keys.PREFIX) not in held


def test_a_revoked_key_opens_nothing_and_its_name_is_not_given_again(store):
    _, text = keys.add(store, "Một cửa", scopes=("dossiers",), **ground.ACT)
    assert keys.revoke(store, "Một cửa", **ground.ACT)
    assert not keys.revoke(store, "Một cửa", **ground.ACT)
    assert keys.find(store, text) is None
    with pytest.raises(Refused, match="exists"):
        keys.add(store, "Một cửa", scopes=("dossiers",), **ground.ACT)
    with pytest.raises(LookupError):
        keys.revoke(store, "không có", **ground.ACT)
    actions = [row["action"] for row in store.execute("SELECT action FROM audit ORDER BY seq")]
    assert actions[-2:] == ["key.add", "key.revoke"]
    assert list(audit.verify(store)) == []


def test_the_command_prints_a_key_once(place, store):
    made = run(place, "add", "Một cửa", "--scope", "dossiers", "--unit", UNIT)
    said, text = made.output.splitlines()
    assert said == f"Khóa: Một cửa (dossiers, đơn vị {UNIT})"
    assert keys.find(store, text).name == "Một cửa"
    listed = run(place, "list").output
    assert listed.startswith(f"Một cửa\tdossiers\t{UNIT}\t")
    assert text not in listed
    assert run(place, "revoke", "Một cửa").output == "Khóa Một cửa: đã hủy\n"
    assert "(đã hủy ngày" in run(place, "list").output


def test_a_dry_run_makes_no_key_and_prints_none(place, store):
    assert keys.PREFIX not in run(place, "add", "x", "--scope", "dossiers", "--dry-run").output
    assert keys.all(store) == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "x", "--scope", "dossiers", "--unit", "vn34:999"), 1, "Không có đơn vị"),
        (("add", " ", "--scope", "dossiers"), 1, "Tên khóa không được trống"),
        (("add", "x"), 2, "--scope"),
        (("revoke", "x"), 1, "Không có khóa «x»"),
    ],
)
def test_what_is_asked_wrongly_is_told(place, words, code, said):
    found = run(place, *words)
    assert (found.exit_code, said in found.output) == (code, True), found.output
