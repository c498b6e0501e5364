"""Commands about doors: the addresses printed on posters and screens."""

from __future__ import annotations

import click

from survey import tokens
from survey.cli import session
from survey.cli.faults import Fault
from survey.store import doors, units, waves
from survey.store.clock import now


@click.group()
def door() -> None:
    """Địa chỉ trả lời (ki-ốt, mã QR) của một đợt tại một đơn vị."""


@door.command()
@click.argument("wave")
@click.argument("unit")
@click.option("--counter", help="Quầy.")
@click.option("--service", help="Lĩnh vực, thủ tục.")
@click.option("--resolving", help="Đơn vị giải quyết, khi khác đơn vị tiếp nhận.")
@click.option("--label", default="", help="Tên gọi của địa chỉ này.")
@session.dry_run
@click.pass_context
def add(
    ctx: click.Context, wave: str, unit: str, counter: str | None, service: str | None,
    resolving: str | None, label: str, dry_run: bool,
) -> None:  # fmt: skip
    """Mở địa chỉ cho đợt WAVE tại đơn vị UNIT và in ra đường dẫn."""
    secret = session.settings(ctx).secret
    with session.change(ctx, dry_run) as db:
        try:
            waves.get(db, wave)
        except LookupError:
            raise Fault(f"Không có đợt «{wave}».") from None
        for id in filter(None, (unit, resolving)):
            if units.get(db, id) is None:
                raise Fault(f"Không có đơn vị «{id}».")
        made = doors.add(
            db, kind="counter", wave=wave, unit=unit, counter=counter, service=service,
            resolving=resolving, label=label, now=now(), actor=session.actor(),
        )  # fmt: skip
    token = tokens.issue(secret, made.kind, made.id)
    session.outcome(f"Ki-ốt: /k/{token}\nMã QR: /q/{token}", dry_run)


@door.command("list")
@click.argument("wave")
@click.pass_context
def list_(ctx: click.Context, wave: str) -> None:
    """Liệt kê địa chỉ của đợt WAVE."""
    secret = session.settings(ctx).secret
    with session.database(ctx, readonly=True) as db:
        for found in doors.of_wave(db, wave):
            state = "đã đóng" if found.closed_at else "mở"
            token = tokens.issue(secret, found.kind, found.id)
            where = found.label or found.counter or ""
            click.echo(f"{found.id}\t{state}\t{found.unit}\t/k/{token}\t{where}")


@door.command()
@click.argument("number", type=int)
@session.dry_run
@click.pass_context
def close(ctx: click.Context, number: int, dry_run: bool) -> None:
    """Đóng địa chỉ số NUMBER."""
    with session.change(ctx, dry_run) as db:
        try:
            doors.close(db, number, now=now(), actor=session.actor())
        except LookupError:
            raise Fault(f"Không có địa chỉ số {number}.") from None
    session.outcome(f"Địa chỉ {number} đã đóng", dry_run)
