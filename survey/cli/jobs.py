"""``sipas jobs``: do the long work that waits, and see how far it is."""

from __future__ import annotations

import os
from contextlib import suppress

import click

from survey.cli.session import database, settings


@click.group()
def jobs() -> None:
    """Việc lâu (lập báo cáo, xuất dữ liệu) làm ở tiến trình riêng."""


@jobs.command()
@click.option(
    "--linger", type=float, default=0.0, help="Số giây đợi thêm việc mới trước khi kết thúc."
)
@click.pass_context
def work(ctx: click.Context, linger: float) -> None:
    """Làm mọi việc đang chờ rồi kết thúc (máy chủ tự gọi lệnh này)."""
    from survey import jobs as queue

    with suppress(OSError):
        os.nice(10)  # people who answer go first
    os.umask(0o077)
    n = queue.work(settings(ctx), linger=linger)
    click.echo(f"Đã làm {n} việc.")


@jobs.command()
@click.pass_context
def status(ctx: click.Context) -> None:
    """Cho biết việc nào đang chờ, đang làm, và việc nào không xong."""
    from survey import jobs as queue
    from survey.store import jobs as store
    from survey.text import t

    here = settings(ctx)
    with database(ctx, readonly=True) as db:
        for job in store.latest(db):
            far = f" {job.done}/{job.whole}" if job.whole and job.open else ""
            click.echo(f"{job.id}: {job.title}: {t(f'jobs.{job.state}')}{far}")
        waits = store.unfinished(db)
    at_work = queue.running(here)
    if waits and not at_work:
        click.echo("Không có tiến trình nào đang làm: chạy «sipas jobs work».")
    else:
        click.echo("Máy đang làm." if at_work else "Không có việc nào đang chờ.")
