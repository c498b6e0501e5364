"""A backup with the files beside the database: whole, proved, and put back as it was."""

import hashlib
import io
import stat
import tarfile
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from faults import ground

from survey import bundle
from survey.cli import main
from survey.entry.shelf import Shelf
from survey.store.copies import BadCopy

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


@pytest.fixture
def place(tmp_path):
    """An instance with an original, a picture, a recording, and what is no business of a copy."""
    made = ground.make(tmp_path / "instance")
    home = made.settings.instance
    shelf = Shelf(home)
    shelf.put(b"\xff\xd8\xff a picture")
    shelf.take([b"%PDF-1.4 scanned"], "0-" + "a" * 32)
    shelf.grow("1-" + "b" * 32, 0, b"on its way")
    (shelf.home / "reading.log").write_text("x")
    folder = home / "sound" / "sipas-2026.1" / "vi"
    folder.mkdir(parents=True)
    (folder / "c1.economy.mp3").write_bytes(b"first voice")
    return made


def run(home, *words):
    return CliRunner().invoke(main, ["--instance", str(home), *words])


def tree(home):
    """Every copied file of an instance with its bytes."""
    return {name: path.read_bytes() for name, path in bundle._files(home)}


def test_a_backup_says_what_it_leaves_out(place, tmp_path):
    told = run(place.settings.instance, "backup", str(tmp_path / "a.sqlite")).output

    assert "Chưa chép 3 tệp (0 MB) ảnh quét (scans/) và bản thu (sound/)" in told
    assert "--with-files" in told
    assert not bundle.beside(tmp_path / "a.sqlite").exists()


def test_files_come_back_into_a_new_instance_as_they_were(place, tmp_path):
    home, file, other = place.settings.instance, tmp_path / "a.sqlite", tmp_path / "other"
    done = run(home, "backup", str(file), "--with-files")
    tar = bundle.beside(file)
    assert done.exit_code == 0, done.output
    assert f"Đã chép 3 tệp (0 MB) ảnh quét và bản thu vào {tar}" in done.output
    assert stat.S_IMODE(tar.stat().st_mode) == 0o600
    with tarfile.open(tar) as held:
        assert len(held.getnames()) == 4
        assert held.getnames()[-1] == "SHA256SUMS"

    without = run(other, "restore", str(file))
    assert f"Chưa chép lại ảnh quét và bản thu trong {tar}" in without.output
    assert tree(other) == {}
    back = run(other, "restore", str(file), "--with-files")
    assert back.exit_code == 0, back.output
    assert "Đã chép lại 3 tệp" in back.output
    assert tree(other) == tree(home)
    assert "Đã chép lại 0 tệp" in run(other, "restore", str(file), "--with-files").output


def test_what_differs_is_kept_aside_and_what_is_newer_stays(place, tmp_path):
    home, tar = place.settings.instance, tmp_path / "a.tar"
    bundle.pack(home, tar)
    before = tree(home)
    voice = home / "sound" / "sipas-2026.1" / "vi" / "c1.economy.mp3"
    voice.write_bytes(b"second voice")
    newer = Shelf(home).picture(Shelf(home).put(b"read since"))

    assert bundle.unpack(tar, home, at=NOW) == bundle.Size(1, len(b"first voice"))
    assert tree(home) == before | {
        newer.relative_to(home).as_posix(): b"read since",
    }
    [kept] = (home / "backups").rglob("*.mp3")
    assert kept.read_bytes() == b"second voice"


def test_neither_the_copy_nor_its_files_replace_anything(place, tmp_path):
    home, file = place.settings.instance, tmp_path / "a.sqlite"
    bundle.beside(file).write_bytes(b"mine")

    assert run(home, "backup", str(file), "--with-files").exit_code == 1
    assert not file.exists()
    with pytest.raises(FileExistsError):
        bundle.pack(home, bundle.beside(file))
    assert bundle.beside(file).read_bytes() == b"mine"


def test_a_dry_run_writes_nothing(place, tmp_path):
    home, file, other = place.settings.instance, tmp_path / "a.sqlite", tmp_path / "other"
    assert run(home, "backup", str(file), "--with-files", "--dry-run").exit_code == 0
    assert not bundle.beside(file).exists()

    run(home, "backup", str(file), "--with-files")
    assert "3 tệp" in run(other, "restore", str(file), "--with-files", "--dry-run").output
    assert not other.exists()


def test_a_copy_without_its_files_is_refused_when_they_are_asked_for(place, tmp_path):
    home, file = place.settings.instance, tmp_path / "a.sqlite"
    run(home, "backup", str(file))
    told = run(tmp_path / "other", "restore", str(file), "--with-files")

    assert told.exit_code == 1
    assert "a.sqlite.tar" in told.output
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("harm", ["changed", "cut", "rubbish", "empty"])
def test_a_damaged_tar_is_refused_before_anything_is_touched(place, tmp_path, harm):
    home, file = place.settings.instance, tmp_path / "a.sqlite"
    run(home, "backup", str(file), "--with-files")
    tar = bundle.beside(file)
    content = tar.read_bytes()
    tar.write_bytes({
        "changed": content.replace(b"first voice", b"first vOice"),
        "cut": content[: content.index(b"SHA256SUMS")],
        "rubbish": b"no tar at all" * 99,
        "empty": b"",
    }[harm])  # fmt: skip
    told = run(tmp_path / "other", "restore", str(file), "--with-files")

    assert told.exit_code == 1
    assert told.output.startswith("Lỗi: ")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "secret", "sound/../vi/x.mp3", "scans/pictures/x.jpg"]
)
def test_a_tar_writes_nowhere_else(tmp_path, name):
    tar = tmp_path / "evil.tar"
    with tarfile.open(tar, "w") as made:
        for member, content in (
            (name, b"x"),
            (bundle.SUMS, f"{hashlib.sha256(b'x').hexdigest()}  {name}\n".encode()),
        ):
            facts = tarfile.TarInfo(member)
            facts.size = len(content)
            made.addfile(facts, io.BytesIO(content))
    with pytest.raises(BadCopy, match="tệp lạ"):
        bundle.unpack(tar, tmp_path / "home", at=NOW)
    assert not (tmp_path / "home").exists()


def test_a_link_in_a_tar_is_refused(tmp_path):
    tar = tmp_path / "link.tar"
    with tarfile.open(tar, "w") as made:
        facts = tarfile.TarInfo("sound/q/vi/a.mp3")
        facts.type, facts.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(facts)
    with pytest.raises(BadCopy, match="không phải tệp thường"):
        bundle.verify(tar)
