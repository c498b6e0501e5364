"""Commands about doors: the addresses printed on posters and screens."""

from __future__ import annotations

from dataclasses import replace

import click

from survey import tokens
from survey.cli import session
from survey.cli.faults import Fault
from survey.store import doors, units, waves
from survey.store.clock import now
from survey.text import LANGUAGES

ON_OFF = ("on", "off")


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


@door.command("set")
@click.argument("number", type=int)
@click.option("--idle", type=click.IntRange(doors.IDLE.start, doors.IDLE.stop - 1),
              help="Số giây không ai chạm thì ki-ốt hỏi “Ông/Bà còn ở đây không?”.")  # fmt: skip
@click.option("--language", type=click.Choice(LANGUAGES), help="Ngôn ngữ mở đầu.")
@click.option("--large", type=click.Choice(ON_OFF), help="Chữ to ngay từ đầu.")
@click.option("--contrast", type=click.Choice(ON_OFF), help="Tương phản cao ngay từ đầu.")
@click.option("--sound", type=click.Choice(ON_OFF), help="Nút “Nghe câu hỏi” nơi có bản ghi.")
@session.dry_run
@click.pass_context
def set_(ctx: click.Context, /, number: int, dry_run: bool, **wished: str | int | None) -> None:
    """Đặt ki-ốt tại địa chỉ số NUMBER; mục không nêu giữ nguyên.

    Ki-ốt đang chạy nhận cài đặt trong vòng một phút, khi không có ai đang trả lời.
    """
    changed = {name: value for name, value in wished.items() if value is not None}
    changed = {name: value == "on" if value in ON_OFF else value for name, value in changed.items()}
    with session.change(ctx, dry_run) as db:
        try:
            settings = replace(doors.get(db, number).kiosk, **changed)  # type: ignore[arg-type]
            doors.adjust(db, number, settings, now=now(), actor=session.actor())
        except LookupError:
            raise Fault(f"Không có địa chỉ số {number}.") from None
        except ValueError:
            raise Fault(f"Địa chỉ số {number} không phải của một quầy.") from None
    told = [f"chờ {settings.idle} giây", settings.language or "ngôn ngữ theo địa chỉ"]
    for on, words in ((settings.large, "chữ to"), (settings.contrast, "tương phản cao")):
        told += [words] if on else []
    told.append("có âm thanh" if settings.sound else "không âm thanh")
    session.outcome(f"Ki-ốt {number}: {', '.join(told)}", dry_run)
