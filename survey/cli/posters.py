"""The command that prints signs: posters, desk stands and stickers of doors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import click

from survey.cli import session
from survey.cli.faults import Fault
from survey.counter import signs
from survey.store import doors, units, waves


@click.command()
@click.argument("numbers", metavar="[DOOR]...", type=int, nargs=-1)
@click.option("--wave", default="", help="Mọi quầy đang mở của đợt này.")
@click.option("--unit", default="", help="Chỉ các quầy của đơn vị này (với --wave).")
@click.option("--dossiers", is_flag=True, help="Hồ sơ thay cho quầy (với --wave).")
@click.option(
    "--size", type=click.Choice(["a4", "a5", "stickers"]), default="a4", show_default=True,
    help="Áp phích, để bàn, hoặc tờ 24 nhãn dán.",
)  # fmt: skip
@click.option(
    "--address", default="", help="Địa chỉ trang, ví dụ https://hl.tinh.gov.vn (SIPAS_ADDRESS)."
)
@click.option("--language", type=click.Choice(["vi", "en"]), default="vi", show_default=True,
              help="Ngôn ngữ.")  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="Tệp PDF sẽ ghi.",
)  # fmt: skip
@session.dry_run
@click.pass_context
def poster(
    ctx: click.Context, /, numbers: tuple[int, ...], output: Path, dry_run: bool, **given: str
) -> None:
    """In áp phích, biển để bàn hoặc nhãn dán mã QR của các địa chỉ DOOR."""
    from survey.printing.poster import write

    if bool(numbers) == bool(given["wave"]):
        raise click.UsageError("cần số địa chỉ DOOR, hoặc --wave.", ctx)
    secret = session.settings(ctx).secret
    try:
        root = signs.root({"SIPAS_ADDRESS": given["address"]} if given["address"] else os.environ)
    except signs.AddressError as fault:
        raise Fault(str(fault)) from None
    with session.database(ctx, readonly=True) as db:
        kind = "dossier" if given["dossiers"] else "counter"
        found = (
            [_get(db, number) for number in numbers]
            if numbers
            else list(_of_wave(db, given["wave"], kind, given["unit"]))
        )
        if not found:
            raise Fault("Không có địa chỉ nào đang mở để in.")
        drawn = (signs.of(db, secret, root, door, given["language"]) for door in found)
        pages = 0
        if not dry_run:
            part = session.draft(output)
            try:
                with part.open("wb") as file:
                    pages = write(drawn, given["size"], file)
                part.replace(output)
            except ValueError:
                raise Fault("Địa chỉ trang quá dài cho mã QR.") from None
            finally:
                part.unlink(missing_ok=True)
    done = f"{output}: {len(found)} địa chỉ" + (f", {pages} trang" if pages else "")
    session.outcome(done, dry_run)


def _get(db: sqlite3.Connection, number: int) -> doors.Door:
    try:
        return doors.get(db, number)
    except LookupError:
        raise Fault(f"Không có địa chỉ số {number}.") from None


def _of_wave(db: sqlite3.Connection, wave: str, kind: str, unit: str) -> Iterator[doors.Door]:
    try:
        waves.get(db, wave)
    except LookupError:
        raise Fault(f"Không có đợt «{wave}».") from None
    if unit and units.get(db, unit) is None:
        raise Fault(f"Không có đơn vị «{unit}».")
    for door in doors.of_wave(db, wave, kind):
        if not door.closed_at and (not unit or unit in units.path(db, door.unit)):
            yield door
