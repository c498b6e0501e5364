"""`sipas demo`: an instance to try everything on, every figure of it made up and marked so."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey import config

if TYPE_CHECKING:
    from survey.demonstration.demo import Demo


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="In một đối tượng JSON, không in gì khác.")
@click.option("--if-missing", is_flag=True, help="Đã có dữ liệu thì dùng lại, không báo lỗi.")
@click.option("--small", is_flag=True, help="Dữ liệu nhỏ: 4 tỉnh, 40 thôn, 400 người.")
@click.pass_context
def demo(ctx: click.Context, as_json: bool, if_missing: bool, small: bool) -> None:
    """Tạo một nơi dùng thử: đơn vị thật, câu trả lời MÔ PHỎNG.

    Đợt sipas-2026 theo cỡ mẫu thật năm 2024 (36.525 người, 1.170 thôn, 34 tỉnh), đợt đánh giá
    tại quầy và đợt khảo sát bằng mã QR đang mở. In địa chỉ kiosk, phiếu QR, trang đăng nhập.
    """
    from survey.demonstration import demo as demonstration

    home = config.directory(_instance(ctx))
    made = demonstration.known(home) if if_missing else None
    if made is None:
        try:
            made = demonstration.make(home, small=small, progress=None if as_json else _progress)
        except demonstration.Exists as there:
            if not if_missing:
                raise click.ClickException(
                    f"Trong «{there}» đã có dữ liệu; không ghi đè. Chọn thư mục khác bằng "
                    "--instance hoặc SIPAS_INSTANCE, hoặc thêm --if-missing để dùng lại."
                ) from None
            if as_json:
                raise click.ClickException(
                    f"Dữ liệu trong «{there}» không phải do «sipas demo» tạo."
                ) from None
            click.echo(f"Dùng dữ liệu đang có trong «{there}».")
            return
    click.echo(json.dumps(asdict(made), ensure_ascii=False) if as_json else _told(made))


def _instance(ctx: click.Context) -> Path | None:
    """The directory given to `sipas --instance`, None for the environment's or the default."""
    given = ctx.find_root().params.get("instance")
    return Path(given) if given else None


def _told(made: Demo) -> str:
    """The addresses as a person needs them, with the server that `make run` starts."""
    server = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
    password = f"mật khẩu lần đầu: {made.password}" if made.password else "mật khẩu đã được đổi"
    return "\n".join(
        [
            "DỮ LIỆU MÔ PHỎNG: câu trả lời do máy tạo ra, không phải của người dân.",
            f"  Kiosk tại quầy   {server}{made.kiosk}",
            f"  Phiếu mã QR      {server}{made.qr}",
            f"  Cán bộ đăng nhập {server}/login",
            f"                   tên: {made.login} · {password}",
            f"  Khảo sát giấy    tên: {', '.join(made.paper_staff)} · cùng mật khẩu lần đầu ấy",
            f"  Văn phòng        tên: {', '.join(made.office_staff)} · cùng mật khẩu lần đầu ấy",
        ][: None if made.password else -1]
    )


def _progress(done: int, of: int) -> None:
    """One line that counts up, on a terminal only."""
    if not sys.stderr.isatty():
        return
    text = f"\rĐang tạo dữ liệu mô phỏng: {done:,}/{of:,} phiếu".replace(",", ".")
    click.echo(text, err=True, nl=done >= of)
