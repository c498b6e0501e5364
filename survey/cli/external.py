"""Commands about published figures and the points an index earns."""

from __future__ import annotations

from pathlib import Path

import click

from survey.cli import session
from survey.cli.faults import Fault, Faults
from survey.store import external as store
from survey.store import par
from survey.store.clock import day, now


@click.group()
def external() -> None:
    """Số liệu đã công bố, đặt bên cạnh kết quả; cách tính điểm PAR INDEX."""


@external.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@session.dry_run
@click.pass_context
def import_(ctx: click.Context, file: Path, dry_run: bool) -> None:
    """Nạp số liệu đã công bố từ FILE.csv.

    Cột: loại số liệu (sipas, par, nd766, self_score, other), đơn vị, năm, giá trị, nguồn, ngày;
    có thể thêm thành phần, kỳ, điểm tối đa, hạng, số đơn vị xếp hạng, thấp nhất, cao nhất, số
    phiếu, ghi chú. Nạp lại cùng tệp không đổi gì; có lỗi thì nêu mọi dòng sai và không ghi gì.
    """
    from survey import external as rows_of

    with session.change(ctx, dry_run) as db:
        try:
            text = rows_of.decoded(file.read_bytes())
            found = rows_of.read(text, db, today=day(now()))
        except rows_of.Faulty as wrong:
            raise Faults(wrong.faults, f"tệp «{file.name}»") from None
        new, same = store.add(
            db, found.figures, name=file.name, digest=found.digest, now=now(), actor=session.actor()
        )
    session.outcome(f"Số liệu đã công bố: {new} mới, {same} đã có", dry_run)


@external.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Kể các tệp đã nạp, mới nhất trước."""
    with session.database(ctx, readonly=True) as db:
        for file in store.files(db):
            state = f"đã bỏ: {file.reason}" if file.removed_at else "đang dùng"
            click.echo(f"{file.id}\t{file.name}\t{file.rows} số liệu\t{file.actor}\t{state}")


@external.command()
@click.argument("file", type=int)
@click.option("--reason", required=True, help="Vì sao bỏ.")
@session.dry_run
@click.pass_context
def remove(ctx: click.Context, file: int, reason: str, dry_run: bool) -> None:
    """Bỏ số liệu của tệp có số FILE (xem «sipas external list»)."""
    with session.change(ctx, dry_run) as db:
        try:
            gone = store.remove(db, file, reason=reason, now=now(), actor=session.actor())
        except LookupError:
            raise Fault(f"Không có tệp số {file} đang dùng.") from None
    session.outcome(f"Đã bỏ {gone} số liệu", dry_run)


@external.command()
@click.argument("wave")
@click.option("--most", default=par.MOST, show_default=True, help="Điểm tối đa.")
@click.option(
    "--step", "steps", multiple=True,
    help="Ngưỡng và điểm, ví dụ 80=6,5 (từ 80% được 6,5 điểm); không có thì tính theo tỷ lệ.",
)  # fmt: skip
@click.option("--source", required=True, help="Căn cứ, ví dụ số và ngày quyết định.")
@session.dry_run
@click.pass_context
def points(
    ctx: click.Context, wave: str, most: str, steps: tuple[str, ...], source: str, dry_run: bool
) -> None:
    """Đặt cách tính điểm PAR INDEX cho đợt WAVE."""
    from survey.board import points as rule

    try:
        most, pairs = rule.read(most, steps)
    except ValueError as wrong:
        raise Fault(str(wrong)) from None
    with session.change(ctx, dry_run) as db:
        try:
            par.put(
                db, wave, most=most, steps=pairs, source=source, now=now(), actor=session.actor()
            )
        except LookupError:
            raise Fault(f"Không có đợt «{wave}».") from None
    how = f"{len(pairs)} ngưỡng" if pairs else "theo tỷ lệ"
    session.outcome(f"Đợt {wave}: điểm tối đa {most}, {how}", dry_run)
