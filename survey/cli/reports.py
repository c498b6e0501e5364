"""Commands that calculate: the official report of a wave, and an estimate from any file."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey.cli import session
from survey.cli.faults import Fault, Faults
from survey.store import Refused, waves
from survey.store.clock import day, now

if TYPE_CHECKING:
    from survey.reporting.kinds import Ask

#: Bytes from which reading a file takes long enough to show how far it is.
LONG_FILE = 4_000_000


@click.command()
@click.argument("name")
@click.option("--wave", default="", help="Mã đợt khảo sát, với báo cáo lập theo đợt.")
@click.option("--unit", default="", help="Đơn vị, ví dụ vn34:01; trống = toàn đợt.")
@click.option("--period", default="", help="Kỳ, với báo cáo lập theo kỳ: 2026-Q3, 2026-H1, 2026.")
@click.option(
    "--format", "form", type=click.Choice(["pdf", "docx", "xlsx", "csv", "html"]), default="pdf",
    show_default=True, help="Dạng tệp.",
)  # fmt: skip
@click.option("--number", default="", help="Số hiệu văn bản.")
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), help="Ngày ghi trên báo cáo (mặc định: hôm nay)."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="Tệp sẽ ghi.",
)  # fmt: skip
@session.dry_run
@click.pass_context
def report(
    ctx: click.Context, name: str, wave: str, unit: str, period: str, form: str, number: str,
    on: datetime | None, output: Path, dry_run: bool,
) -> None:  # fmt: skip
    """Lập báo cáo NAME của một đợt khảo sát, hoặc của một đơn vị trong một kỳ.

    Không có NAME nào như vậy thì lệnh kể tên các báo cáo.
    """
    from survey.reporting import kinds

    if name not in kinds.KINDS:
        raise click.BadParameter(f"«{name}» không phải {', '.join(kinds.KINDS)}", ctx)
    ask = kinds.Ask(name, on.date() if on else day(now()), wave, unit, period, number)
    pages = 0
    with session.database(ctx, readonly=True) as db:
        _known(db, ask)
        part = session.draft(output)
        try:
            pages = _write(db, ask, form, part)
            if not dry_run:
                part.replace(output)
        finally:
            part.unlink(missing_ok=True)
    session.outcome(f"Báo cáo {output}" + (f": {pages} trang" if pages else ""), dry_run)


def _known(db: sqlite3.Connection, ask: Ask) -> None:
    from survey.reporting import kinds

    kinds.check(ask)
    if not ask.wave:
        return
    try:
        kind = waves.get(db, ask.wave).kind
    except LookupError:
        raise Fault(f"Không có đợt «{ask.wave}».") from None
    if ask.name == "counter" and kind == "probability":
        raise Fault(f"Đợt «{ask.wave}» là mẫu xác suất: chọn báo cáo «unit» hoặc «national».")


def _write(db: sqlite3.Connection, ask: Ask, form: str, part: Path) -> int:
    from survey.reporting import making

    try:
        return making.write(db, ask, form, part)
    except LookupError:
        place = f"Đợt «{ask.wave}»" if ask.wave else f"Kỳ «{ask.period}»"
        raise Fault(f"{place} không có số liệu của đơn vị «{ask.unit}».") from None
    except Refused as refusal:
        if refusal.code != "report_broken":
            raise
        raise Fault(f"Đợt «{ask.wave}» chưa đủ số liệu để lập báo cáo.") from refusal
    except ModuleNotFoundError as fault:
        raise Fault(f"Máy này chưa cài gói «{fault.name}» để ghi tệp {form}.") from fault


@click.command()
@click.argument("design", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("data", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
    help="Tệp JSON sẽ ghi (mặc định: in ra màn hình).",
)  # fmt: skip
@session.dry_run
def estimate(design: Path, data: Path, output: Path | None, dry_run: bool) -> None:
    """Ước lượng từ tệp bất kỳ: thiết kế mẫu DESIGN (TOML) và số liệu DATA (CSV)."""
    from analysis.file.command import BadInput, run

    size = data.stat().st_size
    tell = session.progress(size, f"Đọc {data.name} (byte)") if size >= LONG_FILE else None
    try:
        found = run(design, data, tell)
    except BadInput as fault:
        raise Faults(fault.faults) from fault
    text = json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False)
    if output is None:
        click.echo(text)
        return
    if not dry_run:
        part = session.draft(output)
        try:
            part.write_text(text + "\n", encoding="utf-8")
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)
    session.outcome(f"Đã ghi {output}", dry_run)
