"""Commands that send people the link of their settled dossier."""

from __future__ import annotations

import click

from survey.cli import session
from survey.cli.faults import Fault
from survey.counter import messages, signs
from survey.store import clock, units, waves
from survey.store import messages as message_store


@click.group()
def links() -> None:
    """Gửi đường dẫn trả lời cho người có hồ sơ đã giải quyết."""


@links.command()
@click.option("--wave", required=True, help="Mã đợt khảo sát.")
@click.option("--unit", default="", help="Chỉ hồ sơ do đơn vị này (và cấp dưới) tiếp nhận.")
@click.option(
    "--rate", type=click.FloatRange(0.1, 1000), default=messages.RATE, show_default=True,
    help="Số tin nhiều nhất trong một giây.",
)  # fmt: skip
@session.dry_run
@click.pass_context
def send(ctx: click.Context, wave: str, unit: str, rate: float, dry_run: bool) -> None:
    """Gửi đường dẫn cho hồ sơ đã giải quyết chưa có ý kiến; mỗi hồ sơ một lần."""
    settings, now = session.settings(ctx), clock.now()
    try:
        chosen = messages.sender(settings.instance)
        root = signs.root()
    except ValueError as fault:
        raise Fault(str(fault)) from None
    with session.database(ctx) as db:
        try:
            found = waves.get(db, wave)
        except LookupError:
            raise Fault(f"Không có đợt «{wave}».") from None
        if unit and units.get(db, unit) is None:
            raise Fault(f"Không có đơn vị «{unit}».")
        if not found.is_open(now):
            raise Fault(f"Đợt «{wave}» không mở: đường dẫn sẽ không dùng được.")
        due = sum(1 for _ in message_store.due(db, found, unit, today=clock.day(now)))
        if dry_run:
            session.outcome(f"{due} đường dẫn sẽ được gửi", dry_run=True)
            return
        if chosen is None:
            raise Fault("Việc gửi đang tắt. Đặt SIPAS_SENDER (file, console hoặc module:Class).")
        job = messages.Job(found, unit, root, settings.secret, session.actor(), rate)
        tell = session.progress(due, "Gửi")
        done = []
        for sent in messages.deliver(db, job, *chosen):
            done.append(sent)
            tell(len(done))
    failed = done.count(False)
    session.outcome(f"{done.count(True)} đường dẫn đã gửi, {failed} chưa gửi được", dry_run)


@links.command()
@click.option("--wave", required=True, help="Mã đợt khảo sát.")
@click.pass_context
def status(ctx: click.Context, wave: str) -> None:
    """Cho biết bao nhiêu hồ sơ đã được gửi đường dẫn."""
    with session.database(ctx, readonly=True) as db:
        found = message_store.counts(db, wave)
    click.echo(
        f"{found['sent']} đã gửi, {found['failed']} chưa gửi được,"
        f" {found['unknown']} không rõ (gửi dở, không gửi lại)"
    )
