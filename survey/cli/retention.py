"""The command that deletes what is past its day."""

from __future__ import annotations

import click

from survey import retention as job
from survey.cli import session
from survey.entry import keeping
from survey.store import contacts
from survey.store.clock import now


@click.command()
@session.dry_run
@click.pass_context
def retention(ctx: click.Context, /, dry_run: bool) -> None:
    """Xóa dữ liệu cá nhân đã đến hạn và in báo cáo; chạy mỗi ngày một lần.

    Xóa số điện thoại (người dân để lại, hoặc kèm hồ sơ) đã đến ngày xóa, lượt nhắn tin và gọi
    điện cũ hơn 180 ngày, tệp tin nhắn cũ hơn 7 ngày, lượt đếm truy cập cũ hơn 1 ngày, họ tên và
    địa chỉ hộ, ảnh phiếu quét và ghi chú phúc tra của đợt đóng đã 90 ngày. Không đụng đến câu
    trả lời; mã kiểm tra và kết quả đọc của trang quét vẫn giữ.
    """
    moment = now()
    instance = session.settings(ctx).instance
    files = job.expired(instance, moment)
    with session.change(ctx, dry_run) as db:
        report = job.run(db, now=moment, actor=session.actor(), files=len(files))
        pictures = keeping.expired(db, instance, moment)
    for line in report.lines():
        click.echo(line)
    click.echo(f"Tệp ảnh quét phải xóa: {len(pictures)}")
    if dry_run:
        session.outcome("Báo cáo trên là dự kiến", dry_run)
        return
    for path in (*files, *pictures):
        path.unlink(missing_ok=True)
    with session.database(ctx) as db:
        contacts.scrub(db)
