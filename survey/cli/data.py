"""Commands about data out: export, check, table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey.cli import session, tables
from survey.cli.faults import Fault
from survey.store import clock

if TYPE_CHECKING:
    from datetime import datetime

FORMS = ("csv", "xlsx", "sav", "dta", "zip")
LEVELS = ("internal", "research", "public")
_day = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def data() -> None:
    """Dữ liệu ra tệp, bảng đếm, đối chiếu."""


@data.command()
@click.argument("wave")
@click.option(
    "--format", "form", type=click.Choice(FORMS), default="zip", show_default=True,
    help="Dạng tệp; zip là trọn bộ.",
)  # fmt: skip
@click.option(
    "--level", type=click.Choice(LEVELS), default="research", show_default=True,
    help="Mức ẩn danh.",
)  # fmt: skip
@click.option("--unit", default="", help="Đơn vị, ví dụ vn34:01; trống = toàn đợt.")
@click.option("--since", type=_day, help="Nhận từ ngày (2026-07-01).")
@click.option("--until", type=_day, help="Nhận đến ngày.")
@click.option("--comments", is_flag=True, help="Kèm ý kiến viết tay (nếu quy tắc của đợt cho).")
@click.option(
    "--also", multiple=True, type=click.Choice(("xlsx", "sav", "dta")),
    help="Thêm dạng này vào zip; dùng nhiều lần được.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="Tệp sẽ ghi.",
)  # fmt: skip
@session.dry_run
@click.pass_context
def export(
    ctx: click.Context, wave: str, form: str, level: str, unit: str, since: datetime | None,
    until: datetime | None, comments: bool, also: tuple[str, ...], output: Path, dry_run: bool,
) -> None:  # fmt: skip
    """Lấy phiếu của đợt WAVE ra tệp, ẩn danh theo mức, kèm đối chiếu."""
    from survey.datafiles import asking, extract, given, manifest
    from survey.store import datafiles

    ask = asking.read(
        {"wave": wave, "level": level, "unit": unit, "comments": comments, "also": also,
         "since": since.date() if since else None, "until": until.date() if until else None}
    )  # fmt: skip
    settings, now = session.settings(ctx), clock.now()
    with session.database(ctx) as db:
        try:
            with datafiles.snapshot(db):
                found = extract.opened(db, ask, settings.secret, on=clock.day(now))
        except LookupError:
            raise Fault(f"Không có đợt «{wave}».") from None
        if not dry_run:
            show = session.progress(100, "Đã ghi (%)")
            number = given.noted(ask, form, now=now, actor=session.actor())(db)
            part = session.draft(output)
            try:
                session.private(part)
                found, digest = given.made(
                    db, ask, form, part, lambda done, whole: show(100 * done // max(1, whole)),
                    secret=settings.secret, on=clock.day(now),
                )  # fmt: skip
                part.replace(output)
            finally:
                part.unlink(missing_ok=True)
            datafiles.seal(db, number, digest=digest, n=found.n, upto=found.counted.upto)
    click.echo(manifest.identity(found.accounts))
    session.outcome(f"{found.n} phiếu ghi vào {output} (mức {level})", dry_run)


@data.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_context
def check(ctx: click.Context, file: Path) -> None:
    """Đối chiếu tệp zip (hoặc manifest.json cạnh các tệp) với chính nó và với cơ sở dữ liệu.

    Số phiếu trên trang kết quả = số dòng của tệp = số phiếu trong cơ sở dữ liệu.
    """
    from survey.datafiles import checking

    with session.database(ctx, readonly=True) as db:
        found = checking.check(db, file)
    for line in found.lines:
        click.echo(line)
    if found.faults:
        raise Fault("\n".join(found.faults))
    click.echo("Khớp.")


@data.command()
@click.argument("wave")
@click.option("--rows", required=True, help="Dòng: unit, area, channel, service, … hoặc một câu.")
@click.option("--columns", required=True, help="Cột: mã một câu hỏi đóng, ví dụ s01.")
@click.option("--unit", default="", help="Đơn vị; trống = toàn đợt.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="Tệp CSV sẽ ghi.",
)  # fmt: skip
@session.dry_run
@click.pass_context
def table(
    ctx: click.Context, wave: str, rows: str, columns: str, unit: str, output: Path, dry_run: bool
) -> None:
    """Lập bảng đếm của đợt WAVE; ô ít người được ẩn, cả ô giúp tính ngược ra nó."""
    from survey.datafiles import crosstab
    from survey.store import waves

    with session.database(ctx, readonly=True) as db:
        try:
            of = waves.get(db, wave)
        except LookupError:
            raise Fault(f"Không có đợt «{wave}».") from None
        found = crosstab.table(db, of, rows=rows, columns=columns, unit=unit)
    if not dry_run:
        part = session.draft(output)
        try:
            with part.open("w", encoding="utf-8-sig", newline="") as out:
                tables.write(out, found.heading(), found.cells())
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)
    hidden = f"{found.small + found.more} ô được ẩn" if found.small else "không ẩn ô nào"
    session.outcome(f"{len(found.lines)} dòng ghi vào {output}, {hidden}", dry_run)


@data.command()
@click.argument("wave")
@click.option("--k", type=click.IntRange(2, 100), help="Số người giống nhau ít nhất.")
@click.option(
    "--comments", type=click.Choice(("none", "internal", "research")),
    help="Mức xa nhất được có ý kiến viết tay.",
)  # fmt: skip
@session.dry_run
@click.pass_context
def rule(ctx: click.Context, wave: str, k: int | None, comments: str | None, dry_run: bool) -> None:
    """Xem hoặc đặt quy tắc đưa dữ liệu của đợt WAVE ra ngoài."""
    from survey.store import datafiles, waves

    with session.change(ctx, dry_run) as db:
        try:
            waves.get(db, wave)
        except LookupError:
            raise Fault(f"Không có đợt «{wave}».") from None
        held = datafiles.rule(db, wave)
        said = held.comments if comments is None else comments.replace("none", "")
        to = datafiles.Rule(k or held.k, said)
        if to != held:
            datafiles.set_rule(db, wave, to, now=clock.now(), actor=session.actor())
    session.outcome(f"{wave}: k = {to.k}, ý kiến viết tay: {to.comments or 'không'}", dry_run)
