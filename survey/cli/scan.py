"""``sipas scan``: read scanned forms from the shell, and see how far the reading is."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from survey import scanning
from survey.cli.faults import Fault
from survey.cli.session import actor, database, progress, settings
from survey.store import Refused

if TYPE_CHECKING:
    from survey.store.scans import Counted, Upload

_PIECE = 1024 * 1024
#: Memory of the reader (a page of 80 million points takes 1 GB) and seconds for one page (0,3).
_MEMORY, _SECONDS = 3 * 1024**3, 60


@click.group()
def scan() -> None:
    """Đọc phiếu giấy đã quét."""


@scan.command()
@click.argument("wave")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.pass_context
def read(ctx: click.Context, wave: str, files: tuple[Path, ...]) -> None:
    """Đọc các tệp quét FILES (PDF, TIFF, JPEG, PNG) của đợt WAVE.

    Tệp đã đọc rồi không bị đọc lại. Trang không rõ mã bị từ chối, không đoán; ô nghi ngờ chờ
    người quyết định ở trang Quét phiếu.
    """
    from survey.entry import reading

    _demand()
    here = settings(ctx)
    ids = [_handed_in(ctx, wave, path) for path in files]
    shown: dict[int, int] = {}

    def told(upload: Upload, number: int) -> None:
        if upload.id not in shown:
            shown[upload.id] = upload.id
            click.echo(f"{upload.name}:", err=True)
        progress(max(upload.pages, number), "Trang")(number)

    reading.work(here, wait=True, told=told)
    _print(ctx, wave, set(ids))


@scan.command()
@click.argument("wave")
@click.pass_context
def status(ctx: click.Context, wave: str) -> None:
    """Cho biết các tệp quét của đợt WAVE đã đọc đến đâu."""
    from survey.entry import reading

    _print(ctx, wave, None)
    if packages := scanning.missing():
        click.echo(f"Máy này chưa đọc được phiếu quét: thiếu {', '.join(packages)}.")
    else:
        click.echo("Máy đang đọc." if reading.running(settings(ctx)) else "Máy không đọc tệp nào.")


@scan.command()
@click.pass_context
def work(ctx: click.Context) -> None:
    """Đọc mọi tệp đang chờ rồi kết thúc (máy chủ tự gọi lệnh này)."""
    from survey.entry import reading

    _demand()
    with suppress(OSError):
        os.nice(10)  # people who answer and who key in go first
    _bounded()
    done = reading.work(settings(ctx), told=lambda *_: _clock())
    signal.alarm(0)
    click.echo(f"Đã đọc {done} trang.")


def _bounded() -> None:
    """End this process, rather than the server, where a page unpacks to gigabytes or to hours.

    The page is then tried once more and refused.
    """
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # forms are no matter for a core file
    os.umask(0o077)
    _clock()


def _clock() -> None:
    """Give the next page its time: the signal ends the process, whatever library it is in."""
    signal.alarm(_SECONDS)


def _demand() -> None:
    if packages := scanning.missing():
        raise Fault(
            f"máy này chưa đọc được phiếu quét: thiếu {', '.join(packages)}."
            " Hãy cài thêm gói «sipas[scan]»."
        )


def _handed_in(ctx: click.Context, wave: str, path: Path) -> int:
    from survey.entry.shelf import Shelf
    from survey.store import clock, scans, waves

    with database(ctx) as db:
        try:
            key = waves.get(db, wave).key
        except LookupError:
            raise Fault(f"không có đợt khảo sát «{wave}».") from None
        try:
            digest = Shelf(settings(ctx).instance).take(_pieces(path), f"0-{uuid4().hex}")
            upload, _ = scans.add(
                db, key, name=path.name, digest=digest, staff=None, now=clock.now(),
                actor=actor(),
            )  # fmt: skip
        except Refused as refusal:
            raise Fault(f"{path.name}: {_REFUSED[refusal.code].format(**refusal.facts)}") from None
        return upload.id


_REFUSED = {
    "upload_kind": "không phải tệp PDF, TIFF, JPEG hay PNG.",
    "upload_large": "tệp lớn hơn 1 GB. Hãy chia nhỏ rồi nộp lại.",
    "upload_elsewhere": "tệp này đã nộp cho đợt «{wave}».",
}


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _print(ctx: click.Context, wave: str, ids: set[int] | None) -> None:
    """Print a line a file, and the pages that were refused with their reasons."""
    from survey.store import readings, scans
    from survey.text import has, t

    with database(ctx, readonly=True) as db:
        for one in reversed(scans.counted(db, wave)):
            if ids is not None and one.upload.id not in ids:
                continue
            click.echo(_line(one))
            for page in scans.pages_of(db, one.upload.id):
                if page.state == "refused" and page.fault[0] != scans.EMPTY:
                    click.echo(f"  trang {page.number}: {_why(page.fault)}")
        for waiting in readings.waiting(db, wave):
            missing = ", ".join(map(str, waiting.missing))
            named = f"scans.stuck.{waiting.fault[0]}"
            why = t(named) if has(named) else f"chưa nhập được ({waiting.fault[0]})"
            why = f"còn thiếu trang {missing}" if missing else why
            click.echo(f"  phiếu {waiting.serial}: {why}")


_FAR = {
    "waiting": "chờ đọc",
    "reading": "chưa đọc xong",
    "done": "không có phiếu nào để nhập",
    "entered": "phiếu đã nhập",
}


def _line(one: Counted) -> str:
    from survey.text import day, t

    upload = one.upload
    if upload.state == "failed":
        return f"{upload.name}: {t(f'scans.fault.{upload.fault}')}"
    far = f"{one.held} phiếu chưa nhập" if one.state == "held" else _FAR[one.state]
    if upload.removed_on:
        far += f"; ảnh đã xóa ngày {day(upload.removed_on)}"
    return (
        f"{upload.name}: {one.done}/{upload.pages} trang; đọc {one.read}, từ chối {one.refused},"
        f" trắng {one.empty}, đã có {one.known}; {one.doubts} ô chờ quyết định; {far}."
    )


def _why(fault: tuple[str, dict[str, object]]) -> str:
    """A fault as people read it."""
    from survey.text import t

    code, facts = fault
    said = facts | ({"state": t(f"case.{facts['state']}")} if "state" in facts else {})
    return t(f"scans.fault.{code}", "vi", **said)
