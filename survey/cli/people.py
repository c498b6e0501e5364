"""Commands about staff accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from survey.cli import session
from survey.cli.faults import Fault
from survey.store import factors, people, units
from survey.store.clock import now

if TYPE_CHECKING:
    from sqlite3 import Connection

    from survey.store.people import Staff


@click.group()
def user() -> None:
    """Tài khoản cán bộ."""


@user.command()
@click.argument("username")
@click.option("--name", default="", help="Họ và tên.")
@click.option(
    "--role", type=click.Choice(people.ROLES), default="administrator", show_default=True,
    help="Vai trò.",
)  # fmt: skip
@click.option("--unit", default="", help="Chỉ thấy đơn vị này, ví dụ vn34:01; trống = tất cả.")
@click.option("--officer", default="", help="Mã cán bộ trong phần mềm một cửa.")
@session.dry_run
@click.pass_context
def add(
    ctx: click.Context, username: str, name: str, role: str, unit: str, officer: str, dry_run: bool
) -> None:
    """Tạo tài khoản USERNAME; in ra mật khẩu đầu tiên, phải đổi khi đăng nhập."""
    if not people.login_name(username) or len(username) > 100:
        raise Fault("Tên đăng nhập không được trống hoặc dài quá 100 ký tự.")
    password = people.first_password()
    hashed = people.hashed(password)
    with session.change(ctx, dry_run) as db:
        if unit and units.get(db, unit) is None:
            raise Fault(f"Không có đơn vị «{unit}».")
        staff = people.add(
            db, username=username, name=name or username, role=role, unit=unit,
            officer=officer, password_hash=hashed, now=now(), actor=session.actor(),
        )  # fmt: skip
    session.outcome(f"Tài khoản: {staff.username} ({role})", dry_run)
    if not dry_run:
        click.echo(f"Mật khẩu đầu tiên: {password}")


@user.command()
@click.argument("username")
@session.dry_run
@click.pass_context
def reset(ctx: click.Context, username: str, dry_run: bool) -> None:
    """Cấp lại mật khẩu đầu tiên cho USERNAME; mọi phiên đăng nhập kết thúc."""
    password = people.first_password()
    hashed = people.hashed(password)
    with session.change(ctx, dry_run) as db:
        staff = _known(db, username)
        people.set_password(
            db, staff.id, hashed, now=now(), actor=session.actor(), must_change=True
        )
    session.outcome(f"Đã cấp lại mật khẩu cho {staff.username}", dry_run)
    if not dry_run:
        click.echo(f"Mật khẩu đầu tiên: {password}")


@user.command("factor-off")
@click.argument("username")
@session.dry_run
@click.pass_context
def factor_off(ctx: click.Context, username: str, dry_run: bool) -> None:
    """Tắt xác thực hai bước của USERNAME (mất điện thoại, hết mã dự phòng)."""
    with session.change(ctx, dry_run) as db:
        staff = _known(db, username)
        try:
            people.drop_factor(db, staff.id, now=now(), actor=session.actor())
        except LookupError:
            raise Fault(f"«{username}» chưa bật xác thực hai bước.") from None
    session.outcome(f"Đã tắt xác thực hai bước của {staff.username}", dry_run)


@user.command("end")
@click.argument("username")
@session.dry_run
@click.pass_context
def end(ctx: click.Context, username: str, dry_run: bool) -> None:
    """Kết thúc mọi phiên đăng nhập của USERNAME."""
    with session.change(ctx, dry_run) as db:
        staff = _known(db, username)
        people.end_sessions(db, staff.id, now=now(), actor=session.actor())
    session.outcome(f"Đã kết thúc mọi phiên của {staff.username}", dry_run)


@user.command("disable")
@click.argument("username")
@click.option("--undo", is_flag=True, help="Mở lại tài khoản.")
@session.dry_run
@click.pass_context
def disable(ctx: click.Context, username: str, undo: bool, dry_run: bool) -> None:
    """Khóa tài khoản USERNAME, hoặc mở lại; mọi phiên đăng nhập kết thúc."""
    with session.change(ctx, dry_run) as db:
        staff = _known(db, username)
        people.disable(db, staff.id, not undo, now=now(), actor=session.actor())
    session.outcome(f"{'Đã mở lại' if undo else 'Đã khóa'} {staff.username}", dry_run)


@user.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Liệt kê tài khoản."""
    with session.database(ctx, readonly=True) as db:
        held = factors.holders(db)
        for staff in people.all(db):
            note = " (hai bước)" if staff.id in held else ""
            note += " (đã khóa)" if staff.disabled else ""
            click.echo(f"{staff.username}\t{staff.role}\t{staff.unit or '-'}\t{staff.name}{note}")


def _known(db: Connection, username: str) -> Staff:
    staff = people.find(db, username)
    if staff is None:
        raise Fault(f"Không có tài khoản «{username}».")
    return staff
