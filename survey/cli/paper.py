"""Commands of the field work on paper: forms, lots and the papers that go with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import click

from survey import batches, serials
from survey.cli import session, tables
from survey.cli.faults import Fault, Faults
from survey.store import cases, clock, lots, people, prints, units, waves

output = click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="Tệp PDF sẽ ghi, hoặc một thư mục: mỗi lô một tệp.",
)  # fmt: skip
#: Papers that name people: printing them is written down.
NAMED = frozenset({"households", "payments"})
_of_unit = click.option("--unit", default="", help="Chỉ đơn vị này và cấp dưới.")


@click.group()
def paper() -> None:
    """Phiếu giấy: in phiếu, lập lô, giao và nhận lô, bảng kê."""


@paper.command()
@click.argument("wave")
@click.option("--lot", "code", default="", help="Chỉ phiếu của lô này.")
@_of_unit
@click.option("--psu", default="", help="Chỉ phiếu của thôn, tổ dân phố này.")
@click.option("--serial", "numbers", multiple=True, help="Chỉ phiếu số này (phiếu hỏng in lại).")
@click.option("--large", is_flag=True, help="Bản chữ lớn.")
@click.option("--one-sided", is_flag=True, help="In một mặt: không thêm trang trắng.")
@output
@session.dry_run
@click.pass_context
def forms(
    ctx: click.Context, wave: str, code: str, unit: str, psu: str, numbers: tuple[str, ...],
    large: bool, one_sided: bool, output: Path, dry_run: bool,
) -> None:  # fmt: skip
    """In phiếu của đợt WAVE ra PDF; in lại cùng phiếu cho ra đúng các byte cũ."""
    edition, now = "large" if large else "normal", clock.now()
    with session.database(ctx, readonly=True) as db:
        found = _wave(db, wave)
        _known_unit(db, unit)
        parts = _parts(db, found.key, code, unit, psu, split=_folder(output))
    if numbers:
        parts = _only(parts, numbers)
    if not parts:
        raise Fault("Không có phiếu nào để in.")
    total = sum(len(ids) for _, ids in parts)
    with session.change(ctx, dry_run) as db:
        every = [case for _, ids in parts for case in ids]
        run = batches.note(db, found, every, edition, now=now, actor=session.actor())
    pages = 0
    if not dry_run:
        tell, done = session.progress(total, "In"), 0
        for name, ids in parts:
            path = _place(output, f"{name}-phieu{'-chu-lon' if large else ''}.pdf")
            pages += _write(path, ids, found, run, session.settings(ctx).secret, one_sided)
            done += len(ids)
            tell(done)
    said = f"{output}: {total} phiếu" + (f", {pages} trang" if pages else "")
    session.outcome(said, dry_run)


def _write(
    path: Path, ids: list[int], wave: waves.Wave, run: prints.PrintRun, secret: bytes, one: bool
) -> int:
    part = session.draft(path)
    try:
        with part.open("wb") as file:
            pages = batches.write(wave, run, ids, secret, file, 1 if one else 2)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return pages


def _parts(
    db: sqlite3.Connection, wave: str, code: str, unit: str, psu: str, *, split: bool
) -> list[tuple[str, list[int]]]:
    """What goes into which file: one for all, or one a lot and one for what is in no lot."""
    lot = _lot(db, code, wave) if code else None
    every = prints.cases_of(db, wave, unit=unit, psu=psu, lot=lot.id if lot else None)
    if not split:
        return [(wave, every)] if every else []
    wanted, found, left = set(every), list[tuple[str, list[int]]](), set(every)
    for one in [lot] if lot else lots.of_wave(db, wave):
        ids = [case.id for case in cases.of_lot(db, one.id) if case.id in wanted]
        left -= set(ids)
        if ids:
            found.append((one.code, ids))
    rest = [case for case in every if case in left]
    return [*found, *([(f"{wave}-chua-co-lo", rest)] if rest else [])]


def _only(
    parts: list[tuple[str, list[int]]], numbers: tuple[str, ...]
) -> list[tuple[str, list[int]]]:
    """Of what would be printed, the forms with these numbers; Faults for any other number."""
    wanted, faults = set[int](), list[str]()
    every = {case for _, ids in parts for case in ids}
    for number in numbers:
        try:
            case = serials.case_of(number)
        except LookupError:
            faults.append(f"số phiếu «{number}» sai.")
            continue
        if case in every:
            wanted.add(case)
        else:
            faults.append(f"không có phiếu «{number}» để in.")
    if faults:
        raise Faults(faults)
    chosen = [(name, [case for case in ids if case in wanted]) for name, ids in parts]
    return [(name, ids) for name, ids in chosen if ids]


@paper.group("lots")
def lots_() -> None:
    """Lô phiếu: một điều tra viên nhận và trả cùng một lần."""


@lots_.command("list")
@click.argument("wave")
@_of_unit
@click.pass_context
def list_(ctx: click.Context, wave: str, unit: str) -> None:
    """Liệt kê các lô của đợt WAVE: phiếu đã giao, đang ở ngoài, đã về, không thu được."""
    with session.database(ctx, readonly=True) as db:
        _wave(db, wave)
        _known_unit(db, unit)
        found = lots.counted(db, wave, unit)
    for one in found:
        due = one.lot.due_on or "-"
        state = "đã về" if one.lot.returned_at else "đã giao" if one.lot.issued_at else "chưa giao"
        click.echo(
            f"{one.lot.code}  {state:<9}  {one.forms:>4} phiếu  {one.out:>4} ngoài"
            f"  {one.back:>4} về  {one.lost:>4} mất  hạn {due}  {one.name}"
        )
    click.echo(f"{len(found)} lô")


@lots_.command()
@click.argument("wave")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@session.dry_run
@click.pass_context
def make(ctx: click.Context, wave: str, file: Path, dry_run: bool) -> None:
    """Lập lô từ FILE (CSV UTF-8): mỗi dòng một thôn cho một điều tra viên.

    Cột: psu (mã thôn), interviewer (tên đăng nhập); có thể thêm unit (mặc định: xã của thôn),
    due_on (hạn trả, 2026-12-01) và lot (các dòng cùng nhãn vào chung một lô). Có lỗi thì nêu mọi
    dòng sai và không ghi gì.
    """
    rows = tables.read(file, ("psu", "interviewer"))
    now = clock.now()
    with session.change(ctx, dry_run) as db:
        _wave(db, wave)
        wanted = _wanted(db, wave, rows, file.name)
        made = [
            lots.make(
                db, wave, cases=ids, interviewer=staff, unit=unit, due_on=due, now=now,
                actor=session.actor(),
            )
            for unit, staff, due, ids in wanted
        ]  # fmt: skip
        forms = sum(len(ids) for *_, ids in wanted)
    span = f" ({made[0].code} đến {made[-1].code})" if made else ""
    session.outcome(f"{len(made)} lô, {forms} phiếu{span}", dry_run)


Wanted = tuple[str, int, date | None, list[int]]


def _wanted(
    db: sqlite3.Connection, wave: str, rows: list[tuple[int, dict[str, str]]], source: str
) -> list[Wanted]:
    """The lots of an assignment file; Faults with every line that does not fit."""
    free = {area.psu: area for area in lots.free(db, wave)}
    made: dict[str, Wanted] = {}
    faults, taken = [], set[str]()
    for line, row in rows:
        area, staff = free.get(row["psu"]), people.find(db, row["interviewer"])
        due, wrong = _due(row.get("due_on", ""))
        unit = row.get("unit") or (area.unit if area else "")
        if area is None or row["psu"] in taken:
            wrong = f"thôn «{row['psu']}» không có phiếu nào chưa vào lô"
        elif staff is None or staff.role != "interviewer" or staff.disabled:
            wrong = f"không có điều tra viên «{row['interviewer']}»"
        elif staff.unit and staff.unit not in units.path(db, unit):
            wrong = f"«{row['interviewer']}» không thuộc đơn vị «{unit}»"
        elif unit not in units.path(db, area.unit):
            wrong = f"thôn «{row['psu']}» không thuộc đơn vị «{unit}»"
        label = row.get("lot") or f"\0{line}"
        if not wrong and staff and area:
            held = made.get(label, (unit, staff.id, due, []))
            if held[:3] != (unit, staff.id, due):
                wrong = f"lô «{label}» có điều tra viên, đơn vị hoặc hạn trả khác dòng trước"
            else:
                made[label] = (*held[:3], [*held[3], *area.cases])
                taken.add(row["psu"])
        if wrong:
            faults.append(f"Dòng {line}: {wrong}.")
    if faults:
        raise Faults(faults, source)
    return list(made.values())


def _due(text: str) -> tuple[date | None, str]:
    try:
        return (date.fromisoformat(text) if text else None), ""
    except ValueError:
        return None, f"hạn trả «{text}» phải có dạng 2026-12-01"


@lots_.command()
@click.argument("codes", metavar="CODE...", nargs=-1, required=True)
@session.dry_run
@click.pass_context
def issue(ctx: click.Context, codes: tuple[str, ...], dry_run: bool) -> None:
    """Giao các lô CODE cho điều tra viên: phiếu chuyển sang “đã giao”."""
    with session.change(ctx, dry_run) as db:
        for code in codes:
            lots.issue(db, _lot(db, code), now=clock.now(), actor=session.actor())
    session.outcome(f"{len(codes)} lô đã giao", dry_run)


@lots_.command()
@click.argument("code")
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False
)
@click.option("--rest", is_flag=True, help="Mọi phiếu không có trong FILE đã thu về.")
@session.dry_run
@click.pass_context
def back(ctx: click.Context, code: str, file: Path | None, rest: bool, dry_run: bool) -> None:
    """Nhận lại lô CODE; FILE (CSV UTF-8) có cột serial và outcome cho từng phiếu.

    outcome: collected, refused, absent, moved, wrong_address, deceased, spoiled, other. Với
    --rest, FILE chỉ cần ghi phiếu không thu được.
    """
    if file is None and not rest:
        raise click.UsageError("cần FILE, hoặc --rest.", ctx)
    rows = tables.read(file, ("serial", "outcome")) if file else []
    with session.change(ctx, dry_run) as db:
        lot = _lot(db, code)
        held = {case.id: case.state for case in cases.of_lot(db, lot.id)}
        outcomes = _outcomes(rows, set(held), file.name if file else "")
        if rest:
            waiting = [id for id, state in held.items() if state in (*cases.OUT, "planned")]
            outcomes |= {id: ("collected", "") for id in waiting if id not in outcomes}
        lot = lots.take_back(db, lot, outcomes, now=clock.now(), actor=session.actor())
    done = "đã về đủ" if lot.returned_at else "còn phiếu ở ngoài"
    session.outcome(f"{lot.code}: {len(outcomes)} phiếu, {done}", dry_run)


def _outcomes(
    rows: list[tuple[int, dict[str, str]]], held: set[int], source: str
) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    faults = []
    for line, row in rows:
        state = row["outcome"]
        try:
            case = serials.case_of(row["serial"])
        except LookupError:
            faults.append(f"Dòng {line}: số phiếu «{row['serial']}» sai.")
            continue
        if case not in held:
            faults.append(f"Dòng {line}: phiếu «{row['serial']}» không thuộc lô này.")
        elif state not in lots.OUTCOMES:
            faults.append(f"Dòng {line}: không có kết quả «{state}».")
        elif case in found:
            faults.append(f"Dòng {line}: phiếu «{row['serial']}» ghi hai lần.")
        else:
            found[case] = (state, state if state in cases.LOST else "")
    if faults:
        raise Faults(faults, source)
    return found


def _sheet(name: str, kind: str, words: str) -> Callable[..., None]:
    """One command for each kind of paper that goes with a lot."""

    @paper.command(name, help=words)
    @click.argument("codes", metavar="[CODE]...", nargs=-1)
    @click.option("--wave", default="", help="Mọi lô của đợt này.")
    @_of_unit
    @output
    @click.pass_context
    def command(
        ctx: click.Context, codes: tuple[str, ...], wave: str, unit: str, output: Path
    ) -> None:
        from survey.printing import sheets

        if bool(codes) == bool(wave):
            raise click.UsageError("cần mã lô CODE, hoặc --wave.", ctx)
        today = clock.day(clock.now())
        with session.database(ctx, readonly=True) as db:
            found = [_lot(db, code) for code in codes] or list(_lots(db, wave, unit))
            if not found:
                raise Fault("Không có lô nào để in.")
            made = [batches.of(db, lot, today) for lot in found]
        if kind == "payments" and not all(batch.payment for batch in made):
            raise Fault("Đợt này không trả tiền cho người trả lời.")
        if kind in NAMED:
            with session.change(ctx, dry_run=False) as db:
                for lot in found:
                    lots.named(db, lot, kind, now=clock.now(), actor=session.actor())
        split = _folder(output)
        pages = 0
        for group in [[batch] for batch in made] if split else [made]:
            path = _place(output, f"{group[0].lot.code}-{name}.pdf")
            part = session.draft(path)
            try:
                if kind in NAMED:
                    session.private(part)
                with part.open("wb") as file:
                    pages += sheets.write(group, kind, file)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        session.outcome(f"{output}: {len(made)} lô, {pages} trang", dry_run=False)

    return command


handover = _sheet("handover", "handover", "In bảng kê bàn giao phiếu của các lô CODE.")
cover = _sheet("cover", "cover", "In bìa lô, đặt trên tập phiếu khi nhập liệu.")
households = _sheet("households", "households", "In danh sách hộ cho điều tra viên.")
payments = _sheet("payments", "payments", "In danh sách ký nhận tiền, lưu riêng, không số phiếu.")


def _folder(output: Path) -> bool:
    """Whether files go into a folder: it exists, or the name has no ending."""
    return output.is_dir() or not output.suffix


def _place(output: Path, name: str) -> Path:
    if not _folder(output):
        return output
    output.mkdir(parents=True, exist_ok=True)
    return output / name


def _wave(db: sqlite3.Connection, key: str) -> waves.Wave:
    try:
        return waves.get(db, key)
    except LookupError:
        raise Fault(f"Không có đợt «{key}».") from None


def _known_unit(db: sqlite3.Connection, unit: str) -> None:
    if unit and units.get(db, unit) is None:
        raise Fault(f"Không có đơn vị «{unit}».")


def _lot(db: sqlite3.Connection, code: str, wave: str = "") -> lots.Lot:
    try:
        lot = lots.by_code(db, code)
    except LookupError:
        raise Fault(f"Không có lô «{code}».") from None
    if wave and lot.wave != wave:
        raise Fault(f"Lô «{code}» thuộc đợt «{lot.wave}».")
    return lot


def _lots(db: sqlite3.Connection, wave: str, unit: str) -> Iterator[lots.Lot]:
    _wave(db, wave)
    _known_unit(db, unit)
    yield from lots.of_wave(db, wave, unit)
