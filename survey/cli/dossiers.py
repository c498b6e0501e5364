"""Commands about dossiers: import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from survey import dossiers as rows_of
from survey.cli import session, tables
from survey.cli.faults import Fault, Faults
from survey.store import clock
from survey.store import dossiers as store
from survey.store.units import name_key

#: What the heading of a column may say -> its field; compared without case, tones of style, signs.
HEADINGS = {
    "key": ("key", "code", "mã hồ sơ", "số hồ sơ", "ma ho so", "mã số hồ sơ"),
    "service": (
        "service", "dịch vụ", "thủ tục", "thủ tục hành chính", "tên thủ tục", "mã thủ tục",
        "thu tuc", "dich vu",
    ),
    "receiving_unit": (
        "receiving_unit", "receiving", "đơn vị tiếp nhận", "nơi tiếp nhận", "cơ quan tiếp nhận",
        "don vi tiep nhan",
    ),
    "resolving_unit": (
        "resolving_unit", "resolving", "đơn vị giải quyết", "cơ quan giải quyết",
        "nơi giải quyết", "đơn vị xử lý", "don vi giai quyet",
    ),
    "officer": ("officer", "cán bộ", "cán bộ giải quyết", "cán bộ xử lý", "can bo"),
    "received_on": (
        "received_on", "received", "ngày tiếp nhận", "ngày nhận", "ngày nộp", "ngay tiep nhan",
    ),
    "due_on": (
        "due_on", "due", "ngày hẹn trả", "hẹn trả", "hạn trả", "hạn giải quyết", "ngay hen tra",
    ),
    "settled_on": (
        "settled_on", "settled", "ngày trả", "ngày trả kết quả", "ngày giải quyết",
        "ngày hoàn thành", "ngay tra ket qua",
    ),
    "phone": ("phone", "điện thoại", "số điện thoại", "sđt", "so dien thoai", "dien thoai"),
    "applicant": (
        "applicant", "người nộp", "họ tên người nộp", "tên người nộp", "người nộp hồ sơ",
        "tổ chức, cá nhân nộp hồ sơ", "nguoi nop",
    ),
    "applicant_kind": ("applicant_kind", "loại người nộp", "đối tượng nộp", "loai nguoi nop"),
}  # fmt: skip
_FIELD = {name_key(name): field for field, names in HEADINGS.items() for name in names}
#: How each field is called in messages.
NAMES = {
    "key": "Mã hồ sơ", "service": "Thủ tục", "receiving_unit": "Đơn vị tiếp nhận",
    "resolving_unit": "Đơn vị giải quyết", "officer": "Cán bộ", "received_on": "Ngày tiếp nhận",
    "due_on": "Ngày hẹn trả", "settled_on": "Ngày trả kết quả", "phone": "Điện thoại",
    "applicant": "Người nộp", "applicant_kind": "Loại người nộp",
}  # fmt: skip
NEEDED = (*rows_of.REQUIRED, "settled_on")


@click.group()
def dossiers() -> None:
    """Hồ sơ của bộ phận một cửa."""


@dossiers.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@session.dry_run
@click.pass_context
def import_(ctx: click.Context, file: Path, dry_run: bool) -> None:
    """Nạp hồ sơ từ FILE (CSV UTF-8).

    Cột: Mã hồ sơ, Thủ tục, Đơn vị tiếp nhận, Ngày tiếp nhận, Ngày hẹn trả, Ngày trả kết quả; có
    thể thêm Đơn vị giải quyết, Cán bộ, Điện thoại, Người nộp, Loại người nộp (cá nhân hoặc tổ
    chức). Đơn vị là mã (vn34:08000 hoặc 08000) hoặc
    tên; ngày dạng 22/11/2026 hoặc 2026-11-22. Nạp lại cùng tệp không đổi gì; có lỗi thì nêu mọi
    dòng sai và không ghi gì.
    """
    rows = tables.read(file, ())
    if not rows:
        raise Fault(f"Tệp «{file.name}» không có dòng dữ liệu nào.")
    fields = _fields(rows[0][1], file)
    now = clock.now()
    with session.database(ctx, readonly=True) as db:  # while it is read, nobody waits
        reader = rows_of.Reader(store.known_units(db), today=clock.day(now))
        found = _read(rows, fields, reader, file)
        fresh = store.differing(db, found, today=clock.day(now))
    show = session.progress(len(fresh), "Hồ sơ đã nạp")
    with session.change(ctx, dry_run) as db:
        done = store.put(db, _told(fresh, show), now=now, actor=session.actor(), source=file.name)
    same = len(found) - done.new - done.changed
    session.outcome(
        f"{len(found)} hồ sơ: {done.new} mới, {done.changed} sửa, {same} như cũ", dry_run
    )


def _fields(row: dict[str, str], file: Path) -> dict[str, str]:
    """Which field each column of the file holds; columns of other names are passed over."""
    found: dict[str, str] = {}
    for heading in row:
        field = _FIELD.get(name_key(heading))
        if field is None:
            continue
        if field in found.values():
            raise Fault(f"Tệp «{file.name}» có hai cột cho “{NAMES[field]}”.")
        found[heading] = field
    if missing := [NAMES[field] for field in NEEDED if field not in found.values()]:
        raise Fault(f"Tệp «{file.name}» thiếu cột: {', '.join(missing)}.")
    return found


def _read(
    rows: list[tuple[int, dict[str, str]]], fields: dict[str, str], reader: rows_of.Reader,
    file: Path,
) -> list[store.Dossier]:  # fmt: skip
    """The dossiers of a file, each once; raises Faults with everything wrong with it."""
    found: dict[str, tuple[int, store.Dossier]] = {}
    faults: list[str] = []
    for line, row in rows:
        read, wrong = reader.read({field: row[name] for name, field in fields.items()})
        faults += [f"Dòng {line}, cột “{NAMES[f.field]}”: {f.text}" for f in wrong]
        if "*" in row:
            faults.append(f"Dòng {line}: thừa ô «{row['*'][:80]}»")
        if read is None:
            continue
        first, held = found.setdefault(read.key, (line, read))
        if held != read:
            other = ", ".join(NAMES[name] for name in _different(held, read))
            faults.append(
                f"Dòng {line}, cột “{NAMES['key']}”: hồ sơ «{read.key}» đã có ở dòng {first},"
                f" khác ở {other}"
            )
    if faults:
        raise Faults(faults, file.name)
    return [dossier for _, dossier in found.values()]


def _different(one: store.Dossier, other: store.Dossier) -> list[str]:
    fields = {name: "organisation" if name == "applicant_kind" else name for name in NAMES}
    return [
        name
        for name, field in fields.items()
        if replace(one, **{field: getattr(other, field)}) != one
    ]


def _told(found: list[store.Dossier], show: Callable[[int], None]) -> Iterator[store.Dossier]:
    for number, dossier in enumerate(found, 1):
        yield dossier
        if number % 1000 == 0 or number == len(found):
            show(number)
