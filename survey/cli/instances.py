"""Commands about the whole instance: init, migrate, check, backup, restore."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import click

from survey import bundle, config
from survey.cli import session
from survey.cli.faults import Fault, Faults
from survey.db import NotStored, connect
from survey.store import audit, copies
from survey.store import instances as store
from survey.store.clock import now

_files = click.option(
    "--with-files", is_flag=True, help="Kèm ảnh phiếu quét và bản thu, ở tệp FILE.tar."
)


@click.command()
@session.dry_run
@click.pass_context
def init(ctx: click.Context, dry_run: bool) -> None:
    """Tạo thư mục dữ liệu: khóa bí mật, cơ sở dữ liệu, danh mục tỉnh/thành phố."""
    home = config.directory(ctx.find_root().obj)
    if not dry_run:
        store.init(home, actor=session.actor())
    session.outcome(f"Đã sẵn sàng: {home}", dry_run)


@click.command()
@session.dry_run
@click.pass_context
def migrate(ctx: click.Context, dry_run: bool) -> None:
    """Nâng cấu trúc dữ liệu lên phiên bản của chương trình này."""
    from survey import migrations

    with session.opened(ctx) as db:
        steps = migrations.pending(db) if dry_run else migrations.migrate(db)
    text = f"{len(steps)} bước: {', '.join(steps)}" if steps else "Không có bước nào phải làm"
    session.outcome(text, dry_run)


@click.command()
@click.option("--rebuild", is_flag=True, help="Trước đó cộng lại mọi số cộng dồn từ phiếu trả lời.")
@click.pass_context
def check(ctx: click.Context, rebuild: bool) -> None:
    """Kiểm tra toàn bộ dữ liệu: tệp, phiếu trả lời, quyền số, ảnh quét, số cộng dồn, nhật ký."""
    from survey import migrations, tallies
    from survey.entry import keeping
    from survey.store import weighting

    home = session.settings(ctx).instance
    wrong: list[str] = []
    try:
        if rebuild:
            _rebuild(ctx)
        with session.opened(ctx, readonly=True) as db:
            rows = store.size(db)
            faults = store.check(db, session.progress(rows, "Phiếu đã kiểm tra"))
            if not migrations.pending(db):
                faults += weighting.faults(db)
                told = session.progress(keeping.size(db), "Ảnh trang quét đã kiểm tra")
                faults += keeping.faults(db, home, told)
                wrong = tallies.faults(db, session.progress(rows, "Phiếu đã cộng lại"))
    except (sqlite3.DatabaseError, NotStored) as fault:
        raise Fault(f"tệp cơ sở dữ liệu hỏng, không đọc được ({fault}).") from fault
    if wrong:
        wrong.append("Để cộng lại từ phiếu trả lời: chạy «sipas check --rebuild»")
    if faults or wrong:
        raise Faults([*faults, *wrong], "dữ liệu")
    click.echo(f"Dữ liệu nguyên vẹn: {rows} phiếu, không có lỗi")


def _rebuild(ctx: click.Context) -> None:
    """Fold the tallies of every wave anew; what does not fit is named by the check."""
    from survey import tallies
    from survey.store import waves

    with session.database(ctx) as db:
        for wave in waves.all(db):
            with suppress(LookupError, ValueError):
                tallies.rebuild(db, wave.key)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_files
@session.dry_run
@click.pass_context
def backup(ctx: click.Context, file: Path, with_files: bool, dry_run: bool) -> None:
    """Sao lưu dữ liệu vào FILE trong khi hệ thống vẫn chạy, rồi kiểm tra bản sao.

    Ảnh phiếu quét (scans/) và bản thu (sound/) nằm ngoài cơ sở dữ liệu: --with-files chép chúng
    vào FILE.tar. Khóa bí mật (tệp «secret») không nằm trong bản sao: hãy cất riêng.
    """
    home, tar = session.settings(ctx).instance, bundle.beside(file)
    for path in (file, tar) if with_files else (file,):
        if path.exists():
            raise Fault(f"«{path}» đã có; hãy chọn tên khác.")
    if not file.absolute().parent.is_dir():
        raise Fault(f"Không có thư mục «{file.absolute().parent}».")
    with session.database(ctx) as db:
        rows = store.size(db) if dry_run else copies.backup(db, file)
    session.outcome(f"Đã sao lưu {rows} phiếu vào {file}", dry_run)
    if with_files:
        size = bundle.size(home) if dry_run else bundle.pack(home, tar)
        session.outcome(f"Đã chép {_told(size)} ảnh quét và bản thu vào {tar}", dry_run)
    elif (size := bundle.size(home)).files:
        click.echo(
            f"Chưa chép {_told(size)} ảnh quét (scans/) và bản thu (sound/) của {home}:"
            " thêm --with-files, hoặc chép riêng hai thư mục đó."
        )


def _told(size: bundle.Size) -> str:
    return f"{size.files:,} tệp ({size.bytes / 2**20:,.0f} MB)".replace(",", ".")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_files
@session.dry_run
@click.pass_context
def restore(ctx: click.Context, file: Path, with_files: bool, dry_run: bool) -> None:
    """Phục hồi dữ liệu từ bản sao FILE; dữ liệu hiện có được cất giữ trước.

    --with-files chép lại cả ảnh phiếu quét và bản thu từ FILE.tar.
    """
    home, tar = config.directory(ctx.find_root().obj), bundle.beside(file)
    rows, kept = copies.verify(file), None
    size = bundle.verify(tar) if with_files else bundle.Size(0, 0)
    first = not (home / config.KEY_FILE).exists()
    if not dry_run:
        config.create(home)
        if with_files:
            size = bundle.unpack(tar, home, at=now())
        rows, kept = copies.restore(file, home / config.DATABASE, at=now())
        with closing(connect(home / config.DATABASE, create=False)) as db:
            detail = {"file": file.name, "kept": kept.name if kept else ""}
            audit.append(
                db, at=now(), actor=session.actor(), action="instance.restore", subject="",
                detail=detail,
            )  # fmt: skip
    session.outcome(f"Đã phục hồi {rows} phiếu từ {file}", dry_run)
    if with_files:
        session.outcome(f"Đã chép lại {_told(size)} ảnh quét và bản thu từ {tar}", dry_run)
    elif tar.exists():
        click.echo(f"Chưa chép lại ảnh quét và bản thu trong {tar}: thêm --with-files.")
    if kept:
        click.echo(f"Dữ liệu trước đó: {kept}")
    if first:
        click.echo(
            "Khóa bí mật là mới: địa chỉ và mã QR đã in chỉ dùng được khi đặt lại tệp «secret» cũ."
        )
