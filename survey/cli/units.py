"""Commands about units: import and list."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import click

from survey.cli import session, tables
from survey.cli.faults import Fault, Faults
from survey.store import units as store
from survey.store.clock import now

REQUIRED = ("code", "name", "kind", "province")
#: What the column ``kind`` may say -> (scheme, kind, word before the name).
KINDS = {
    "phường": ("vn34", "commune", "phường"),
    "xã": ("vn34", "commune", "xã"),
    "đặc khu": ("vn34", "commune", "đặc khu"),
    "sở": ("local", "department", ""),
    "trung tâm": ("local", "one_stop_centre", ""),
    "chi nhánh": ("local", "branch", ""),
    "điểm": ("local", "point", ""),
    "quầy": ("local", "counter", ""),
}
_KIND_KEYS = {store.name_key(word): kind for word, kind in KINDS.items()}
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
_COMMUNE_CODE = re.compile(r"[0-9]{5}")
FIRST_DAY = "2025-07-01"


@click.group()
def units() -> None:
    """Đơn vị hành chính và bộ phận một cửa."""


@units.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@session.dry_run
@click.pass_context
def import_(ctx: click.Context, file: Path, dry_run: bool) -> None:
    """Nạp đơn vị từ FILE (CSV UTF-8: code, name, kind, province[, valid_from][, valid_to]).

    kind là phường, xã, đặc khu (hoặc sở, trung tâm, chi nhánh, điểm, quầy); province là mã hoặc
    tên tỉnh/thành phố. Đổi tên: thêm dòng có valid_from mới; sáp nhập: ghi valid_to là ngày cuối
    của đơn vị cũ, số liệu và tài khoản của nó vẫn còn. Nạp lại cùng tệp không đổi gì; có lỗi thì
    nêu mọi dòng sai và không ghi gì.
    """
    rows = tables.read(file, REQUIRED)
    with session.change(ctx, dry_run) as db:
        provinces = _provinces(db)
        found, faults = [], []
        seen: dict[tuple[str, str, str], int] = {}
        for line, row in rows:
            unit, wrong = _unit(row, provinces)
            if unit is not None:
                first = seen.setdefault((unit.scheme, unit.code, unit.valid_from), line)
                if first != line:
                    wrong.append(f"cột code: mã «{unit.code}» đã có ở dòng {first}")
                found.append(unit)
            faults += [f"Dòng {line}, {text}" for text in wrong]
        if faults:
            raise Faults(faults, file.name)
        if not found:
            raise Fault(f"Tệp «{file.name}» không có dòng dữ liệu nào.")
        done = store.import_rows(db, found, now=now(), actor=session.actor(), source=file.name)
    session.outcome(
        f"{len(found)} đơn vị: {done.new} mới, {done.changed} sửa, {done.same} như cũ", dry_run
    )


@units.command("list")
@click.argument("parent", default="vn34:00")
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="Ngày cần xem.")
@click.pass_context
def list_(ctx: click.Context, parent: str, on: datetime | None) -> None:
    """Liệt kê đơn vị trực thuộc PARENT (mặc định: 34 tỉnh, thành phố)."""
    day = on.date() if on else None
    with session.database(ctx, readonly=True) as db:
        if store.get(db, parent) is None:
            raise Fault(f"Không có đơn vị «{parent}».")
        for unit in store.children(db, parent, day):
            click.echo(f"{unit.id}\t{unit.title}")


def _provinces(db: sqlite3.Connection) -> dict[str, str]:
    """Code, and name in any spelling, of today's provinces -> unit id."""
    known = {}
    for unit in store.all(db, kind="province", scheme="vn34"):
        for name in (unit.code, unit.name_key, store.name_key(unit.title)):
            known[name] = unit.id
        known[f"tp {unit.name_key}"] = unit.id
    return known


def _unit(
    row: Mapping[str, str], provinces: Mapping[str, str]
) -> tuple[store.Unit | None, list[str]]:
    """The unit of a line, or everything wrong with it, column by column."""
    wrong = []
    scheme, kind, word = _KIND_KEYS.get(store.name_key(row["kind"]), ("", "", ""))
    if not kind:
        wrong.append(f"cột kind: «{row['kind']}» không phải {', '.join(KINDS)}")
    code = row["code"]
    if not _CODE.fullmatch(code) or (scheme == "vn34" and not _COMMUNE_CODE.fullmatch(code)):
        need = "5 chữ số" if scheme == "vn34" else "chữ không dấu, số, dấu . _ -"
        wrong.append(f"cột code: mã «{code}» phải gồm {need}")
    if not row["name"] or len(row["name"]) > 200 or not row["name"].isprintable():
        wrong.append("cột name: tên trống, quá dài hoặc có ký tự điều khiển")
    parent = provinces.get(row["province"]) or provinces.get(store.name_key(row["province"]))
    if parent is None:
        wrong.append(f"cột province: không có tỉnh, thành phố «{row['province']}»")
    since, until = row.get("valid_from") or FIRST_DAY, row.get("valid_to") or None
    days = {"valid_from": since, "valid_to": until or since}
    wrong += [
        f"cột {column}: «{day}» không phải ngày dạng 2025-07-01"
        for column, day in days.items()
        if not _is_day(day)
    ]
    if not wrong and until and until < since:
        wrong.append(f"cột valid_to: «{until}» trước valid_from «{since}»")
    if "*" in row:
        wrong.append(f"thừa ô: «{row['*']}»")
    if wrong:
        return None, wrong
    return store.Unit(
        scheme, code, since, until, kind, word, row["name"], store.name_key(row["name"]), parent
    ), []


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
