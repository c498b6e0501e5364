"""Commands about alerts."""

from __future__ import annotations

import click

from survey.cli import session
from survey.store import alerts as store
from survey.store import clock


@click.group()
def alerts() -> None:
    """Cảnh báo qua thư điện tử hoặc webhook."""


@alerts.command()
@session.dry_run
@click.pass_context
def send(ctx: click.Context, dry_run: bool) -> None:
    """Xem có gì cần báo rồi gửi các cảnh báo đang chờ; máy chủ tự làm mỗi phút."""
    from survey.alerts import post, watch

    settings = session.settings(ctx)
    if dry_run:
        with session.change(ctx, dry_run) as db:
            new = watch.look(db, now=clock.now())
            waiting = len(store.due(db, now=clock.now()))
        session.outcome(f"{new} cảnh báo mới, {waiting} chờ gửi", dry_run)
        return
    with session.database(ctx) as db:
        new = watch.look(db, now=clock.now())
        sent, failed = post.deliver(db, settings)
    click.echo(f"{new} cảnh báo mới, {sent} đã gửi, {failed} chưa gửi được")


@alerts.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Liệt kê các cảnh báo đã đặt."""
    with session.database(ctx, readonly=True) as db:
        for rule in store.rules(db):
            state = "chạy" if rule.active else "dừng"
            click.echo(
                f"{rule.id}\t{rule.kind}\t{rule.threshold}\t{rule.via}\t{rule.target}"
                f"\t{rule.unit or '-'}\t{state}"
            )
