"""Commands about feedback: cases opened from responses, and the days on which offices work."""

from __future__ import annotations

from pathlib import Path

import click

from survey.cli import session
from survey.cli.faults import Fault
from survey.store import Refused, arrivals, clock, workdays
from survey.text import thousands


@click.group()
def feedback() -> None:
    """Phản ánh: mở việc từ phiếu trả lời, lịch ngày nghỉ."""


@feedback.command()
@click.pass_context
def scan(ctx: click.Context) -> None:
    """Đọc các phiếu mới của những ngày đã qua: ý kiến vào mục tìm kiếm, điểm thấp thành việc.

    Máy chủ tự làm mỗi phút; lệnh này dùng khi máy chủ không chạy hoặc sau khi nhập nhiều phiếu.
    """
    from survey.feedback import scan as job

    with session.database(ctx) as db:
        before = arrivals.mark(db).seq
        tell = session.progress(arrivals.newest(db) - before, "Đọc phiếu")
        job.scan(db, now=clock.now(), progress=tell)
        read = arrivals.mark(db).seq - before
    click.echo(f"Đã đọc {thousands(max(0, read))} phiếu.")


@feedback.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@session.dry_run
@click.pass_context
def holidays(ctx: click.Context, file: Path, dry_run: bool) -> None:
    """Nhập ngày nghỉ lễ và ngày làm bù từ FILE (CSV: day,name,works,source)."""
    try:
        found = workdays.read(file.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        raise Fault(f"«{file.name}» không phải UTF-8.") from None
    except Refused as refusal:
        faults = refusal.facts["faults"]
        raise Fault("\n".join(faults if isinstance(faults, list) else [])) from None
    with session.change(ctx, dry_run) as db:
        n = workdays.put(db, found, now=clock.now(), actor=session.actor(), source=file.name)
    session.outcome(f"{n} ngày", dry_run)
