"""Commands that calculate: the official report of a wave, and an estimate from any file."""

from __future__ import annotations

import json
import sqlite3
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey.cli import session
from survey.cli.faults import Fault, Faults
from survey.store import waves
from survey.store.clock import day, now

if TYPE_CHECKING:
    from analysis.results import Result

#: Bytes from which reading a file takes long enough to show how far it is.
LONG_FILE = 4_000_000


@click.command()
@click.argument("name")
@click.option("--wave", required=True, help="Mã đợt khảo sát.")
@click.option("--unit", default="", help="Đơn vị, ví dụ vn34:01; trống = toàn đợt.")
@click.option(
    "--format", "form", type=click.Choice(["pdf", "csv"]), default="pdf", show_default=True,
    help="Dạng tệp.",
)  # fmt: skip
@click.option("--number", default="", help="Số hiệu văn bản.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="Tệp sẽ ghi.",
)  # fmt: skip
@session.dry_run
@click.pass_context
def report(
    ctx: click.Context, name: str, wave: str, unit: str, form: str, number: str, output: Path,
    dry_run: bool,
) -> None:  # fmt: skip
    """Lập báo cáo NAME (unit, national, counter) của một đợt khảo sát."""
    from analysis.report import REPORTS

    if name not in REPORTS:
        raise click.BadParameter(f"«{name}» không phải {', '.join(REPORTS)}", ctx)
    with session.database(ctx, readonly=True) as db:
        result = _result(db, wave, unit)
    if name == "counter" and result.wave.kind == "probability":
        raise Fault(f"Đợt «{wave}» là mẫu xác suất: chọn báo cáo «unit» hoặc «national».")
    pages = 0
    if not dry_run:
        part = session.draft(output)
        try:
            pages = _write(result, name, form, number, part, on=day(now()))
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)
    session.outcome(f"Báo cáo {output}" + (f": {pages} trang" if pages else ""), dry_run)


def _result(db: sqlite3.Connection, wave: str, unit: str) -> Result:
    from analysis.sipas import wave_result

    try:
        waves.get(db, wave)
    except LookupError:
        raise Fault(f"Không có đợt «{wave}».") from None
    try:
        return wave_result(db, wave, scope=unit)
    except LookupError:
        raise Fault(f"Đợt «{wave}» không có số liệu của đơn vị «{unit}».") from None
    except ValueError as fault:
        raise Fault(f"Đợt «{wave}» chưa đủ số liệu để lập báo cáo.") from fault


def _write(result: Result, name: str, form: str, number: str, file: Path, *, on: date) -> int:
    """Write the file; returns the pages of a PDF, 0 for a table."""
    from analysis.report import REPORTS, csv

    made = REPORTS[name](result, on=on, number=number)
    if form == "csv":
        with file.open("w", encoding="utf-8", newline="") as text:
            csv.write(made, text)
        return 0
    from analysis.report import pdf

    with file.open("wb") as binary:
        return pdf.write(made, binary)


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
