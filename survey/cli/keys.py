"""Commands about the keys of other programs."""

from __future__ import annotations

import click

from survey.cli import session
from survey.cli.faults import Fault
from survey.store import keys, units
from survey.store.clock import now
from survey.text import day

_LONGEST = 100


@click.group()
def key() -> None:
    """Khóa cho phần mềm khác gửi dữ liệu qua API."""


@key.command()
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice(keys.SCOPES), multiple=True, required=True,
    help="Khóa được làm gì: dossiers gửi hồ sơ, còn lại là đọc; ghi nhiều lần được.",
)  # fmt: skip
@click.option("--unit", default="", help="Chỉ cho đơn vị này, ví dụ vn34:01; trống = tất cả.")
@session.dry_run
@click.pass_context
def add(ctx: click.Context, name: str, scopes: tuple[str, ...], unit: str, dry_run: bool) -> None:
    """Tạo khóa tên NAME và in ra một lần; sau đó không ai xem lại được."""
    if not name.strip() or len(name) > _LONGEST or not name.isprintable():
        raise Fault(f"Tên khóa không được trống, dài quá {_LONGEST} ký tự hay có ký tự điều khiển.")
    with session.change(ctx, dry_run) as db:
        if unit and units.get(db, unit) is None:
            raise Fault(f"Không có đơn vị «{unit}».")
        made, text = keys.add(
            db, name.strip(), scopes=scopes, unit=unit, now=now(), actor=session.actor()
        )
    where = f", đơn vị {unit}" if unit else ""
    session.outcome(f"Khóa: {made.name} ({', '.join(made.scopes)}{where})", dry_run)
    if not dry_run:
        click.echo(text)


@key.command()
@click.argument("name")
@session.dry_run
@click.pass_context
def revoke(ctx: click.Context, name: str, dry_run: bool) -> None:
    """Hủy khóa NAME; từ lúc đó không dùng được nữa."""
    with session.change(ctx, dry_run) as db:
        try:
            ended = keys.revoke(db, name, now=now(), actor=session.actor())
        except LookupError:
            raise Fault(f"Không có khóa «{name}».") from None
    session.outcome(f"Khóa {name}: {'đã hủy' if ended else 'đã hủy từ trước'}", dry_run)


@key.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Liệt kê các khóa (không in khóa)."""
    with session.database(ctx, readonly=True) as db:
        for each in keys.all(db):
            note = f" (đã hủy ngày {day(each.revoked_at)})" if each.revoked_at else ""
            scopes = ",".join(each.scopes)
            click.echo(f"{each.name}\t{scopes}\t{each.unit or '-'}\t{day(each.created_at)}{note}")
