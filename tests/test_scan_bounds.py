"""Files that are handed in to do harm: each is refused with words, in bounded time and memory."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zlib
from contextlib import closing
from io import BytesIO
from uuid import uuid4

import paper_wave
import pytest
from citizens import hidden
from paper_wave import NOW, WAVE

from survey import db
from survey.entry.shelf import Shelf
from survey.store import Refused, scans

ACT = {"now": NOW, "actor": "shell:test"}


def pdf(*objects):
    out, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + one + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    n, at = len(objects) + 1, len(out)
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n" % n + table
        + b"trailer <</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (n, at)
    )  # fmt: skip


def pages(n, box=b"0 0 595 842", more=b""):
    kids = b" ".join(b"%d 0 R" % (at + 3) for at in range(n))
    one = b"<</Type/Page/Parent 2 0 R/MediaBox[" + box + b"]" + more + b">>"
    return (
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count %d/Kids[%s]>>" % (n, kids),
        *[one] * n,
    )  # fmt: skip


def stream(words, content):
    return b"<<" + words + b"/Length %d>>stream\n" % len(content) + content + b"\nendstream"


def unpacking(size):
    """Zeros packed twice: a few thousand bytes that unpack to ``size``."""
    pack, block = zlib.compressobj(9), bytes(1 << 24)
    packed = b"".join(pack.compress(block) for _ in range(size >> 24)) + pack.flush()
    return zlib.compress(packed, 9)


def png(width, height):
    def part(name, content):
        whole = name + content
        return len(content).to_bytes(4) + whole + zlib.crc32(whole).to_bytes(4)

    head = width.to_bytes(4) + height.to_bytes(4) + bytes((8, 0, 0, 0, 0))
    data = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", data) + part(b"IEND", b"")


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def wave(base):
    return paper_wave.make(base)


def hand_in(base, settings, content, name="x.pdf"):
    digest = Shelf(settings.instance).take([content], f"0-{uuid4().hex}")
    return scans.add(base, WAVE, name=name, digest=digest, staff=None, **ACT)[0]


def work(settings, *, memory=3 << 30):
    """Read in a process of its own, as the server does; its code, and its peak of memory in MB."""
    watched = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:]);"
        "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
    )
    bound = (
        "import sys; from survey.cli import main, scan;"
        f"assert scan._MEMORY == {3 << 30}; scan._MEMORY = {memory}; main()"
    )
    command = [sys.executable, "-c", bound, "--instance", str(settings.instance)]
    ran = subprocess.run(
        [sys.executable, "-c", watched, *command, "scan", "work"], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return tuple(map(int, ran.stdout.split()[-2:]))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (pdf(*pages(5001)), "long"),
        (png(60_000, 60_000), "broken"),
        (pdf(*pages(1, b"0 0 14173 14173")), "size"),
        (pdf(*pages(1, b"0 0 14173000000 1")), "blank"),
        (b"%PDF-1.4\n" + png(100, 100), "broken"),
        (b"\x89PNG\r\n\x1a\n" + pdf(*pages(1)), "broken"),
        (b"\xff\xd8\xff" + os.urandom(1000), "broken"),
        (b"II*\x00\x08\0\0\0" + b"\0\0" + b"\x08\0\0\0", "broken"),
    ],
    ids=["5001 pages", "png 60000", "page 5 m", "page endless", "png in pdf", "pdf in png",
         "noise", "tiff in a ring"],
)  # fmt: skip
def test_a_file_made_to_harm_is_refused_with_a_reason(base, wave, settings, content, fault):
    upload = hand_in(base, settings, content)
    code, peak = work(settings)
    upload = scans.get(base, upload.id)
    found = {page.fault[0] for page in scans.pages_of(base, upload.id)} | {upload.fault}

    assert code == 0
    assert found - {""} == {fault}
    assert upload.state in ("done", "failed")
    assert peak < 400


def test_a_page_that_unpacks_to_gigabytes_is_tried_twice_and_refused(base, wave, settings):
    packed = stream(b"/Filter[/FlateDecode/FlateDecode]", unpacking(5 << 28))
    [root, tree, page] = pages(1, more=b"/Contents 4 0 R")
    upload = hand_in(base, settings, pdf(root, tree, page, packed))
    ends = [work(settings, memory=5 << 28) for _ in range(3)]  # 1,25 GB: quicker than the 3 GB

    assert [code == 0 for code, _ in ends] == [False, False, True]
    assert max(peak for _, peak in ends) < 1400
    [page] = scans.pages_of(base, upload.id)
    assert page.fault[0] == "reader_died"
    assert scans.get(base, upload.id).state == "done"


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "..\\..\\x.pdf", "/etc/x\0.pdf", "<b>.pdf"]
)
def test_the_name_of_a_file_leads_nowhere(client, base, wave, settings, name):
    client.login("nhap1")
    page = f"/desk/scans?wave={WAVE}"
    before = {path for path in settings.instance.rglob("*") if "scans" not in path.parts}
    data = {
        "csrf_token": dict(hidden(client.get(page).text))["csrf_token"],
        "file": (BytesIO(pdf(*pages(1))), name),
    }
    assert client.post(page, data=data, content_type="multipart/form-data").status_code == 303
    [one] = scans.counted(base, WAVE)

    assert not {"/", "\\", "\0"} & set(one.upload.name)
    assert "<b>" not in client.get(page).text
    after = {path for path in settings.instance.rglob("*") if "scans" not in path.parts}
    assert {path.name.partition("-")[0] for path in after - before} <= {settings.database.name}


@pytest.mark.parametrize("token", ["../x", "1-" + "g" * 32, "1-" + "a" * 31, "1-" + "a" * 33, ""])
def test_pieces_of_a_strange_token_are_written_nowhere(settings, token):
    with pytest.raises(LookupError):
        Shelf(settings.instance).grow(token, 0, b"%PDF-")
    with pytest.raises(LookupError):
        Shelf(settings.instance).picture(token)
    assert not (settings.instance / "scans").exists()


def test_what_is_handed_in_is_for_the_servers_user_alone(settings):
    shelf, former = Shelf(settings.instance), os.umask(0)
    try:
        shelf.grow(f"1-{'a' * 32}", 0, pdf(*pages(1)))
        shelf.grow(f"1-{'b' * 32}", 0, pdf(*pages(2)))
        shelf.shelve(f"1-{'a' * 32}")
        shelf.take([pdf(*pages(3))], f"1-{'c' * 32}")
        shelf.put(b"picture")
    finally:
        os.umask(former)
    home = settings.instance / "scans"
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [home, *home.rglob("*")]}

    assert modes[home] == 0o700
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert sum(path.is_file() for path in modes) == 4


def test_an_endless_file_is_cut_off_and_leaves_nothing(settings, monkeypatch):
    monkeypatch.setattr("survey.entry.shelf.LARGEST", 1000)
    shelf = Shelf(settings.instance)
    with pytest.raises(Refused) as refusal:
        shelf.take((b"%PDF-" * 50 for _ in range(10**9)), f"1-{'a' * 32}")
    assert (refusal.value.code, refusal.value.status) == ("upload_large", 413)
    with pytest.raises(Refused):
        shelf.grow(f"1-{'b' * 32}", 0, b"%PDF-" * 500)
    assert [path for path in (settings.instance / "scans").rglob("*") if path.is_file()] == []
