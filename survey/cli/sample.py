"""Commands about the sample of a wave: its frames, its plan, its draw, and drawing it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from survey.cli import session, tables
from survey.cli.faults import Fault, Faults
from survey.store import audit, cases, draws, frames, replacements, waves
from survey.store.clock import now

STAGES = ("villages", "households", "all")


@contextmanager
def _told(source: str = "") -> Iterator[None]:
    """Turn what is wrong with a frame or a plan into the faults of a command."""
    from survey.sample.frames import Faulty

    try:
        yield
    except Faulty as wrong:
        raise Faults([*wrong.faults, *([f"… +{wrong.more}"] if wrong.more else [])], source) from (
            wrong
        )


@click.group()
def sample() -> None:
    """Mẫu khảo sát: danh sách, kế hoạch, rút mẫu, thay thế."""


@sample.command()
@click.argument("wave")
@click.argument("kind", type=click.Choice(["villages", "households"]))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--whole", is_flag=True, help="Thay toàn bộ danh sách thôn, không chỉ các tầng có.")
@session.dry_run
@click.pass_context
def frame(ctx: click.Context, wave: str, kind: str, file: Path, whole: bool, dry_run: bool) -> None:
    """Nạp danh sách thôn (villages) hoặc hộ (households) từ FILE (CSV UTF-8).

    Thôn: Mã thôn, Tầng, Mã xã, Khu vực, Tên thôn, Số hộ. Hộ: Mã thôn, Mã hộ; có thể thêm Số
    người lớn, Họ tên, Địa chỉ. Có lỗi thì nêu mọi dòng sai và không ghi gì.
    """
    from survey.sample import framing

    facts: dict[str, Any] = {"source": file.name, "now": now(), "actor": session.actor()}
    with file.open("rb") as stream, _told(file.name):
        with session.database(ctx, readonly=True) as db:
            _wave(db, wave)
            if kind == "villages":
                checked = framing.villages(db, wave, stream, whole=whole, **facts)
            else:
                checked = framing.households(db, wave, stream, **facts)
        if not dry_run:
            with session.change(ctx, dry_run) as db:
                checked.job(db)
    for line in checked.odd:
        click.echo(f"Lưu ý: {line}", err=True)
    session.outcome(checked.words, dry_run)


@sample.command()
@click.argument("wave")
@click.option("--take", "takes", multiple=True, metavar="TẦNG=SỐ",
              help="Số thôn của một tầng; số xã nếu rút xã trước.")  # fmt: skip
@click.option("--villages", type=click.IntRange(1), help="Tổng số thôn, phân bổ cho các tầng.")
@click.option("--communes", type=click.IntRange(1),
              help="Rút xã trước: tổng số xã, phân bổ cho các tầng.")  # fmt: skip
@click.option("--per-commune", type=click.IntRange(0),
              help="Số thôn mỗi xã (2 nếu không nêu); 0: rút thẳng thôn.")  # fmt: skip
@click.option("--commune-method", type=click.Choice(draws.METHODS), help="Cách rút xã.")
@click.option(
    "--rule", type=click.Choice(["equal", "proportional", "power"]), default="proportional",
    show_default=True, help="Cách phân bổ tổng số thôn hoặc xã.",
)  # fmt: skip
@click.option("--minimum", type=click.IntRange(1), default=2, show_default=True,
              help="Ít nhất bấy nhiêu thôn (xã) một tầng.")  # fmt: skip
@click.option("--method", type=click.Choice(draws.METHODS), help="Cách rút thôn.")
@click.option("--households", type=click.IntRange(1), help="Số hộ mỗi thôn.")
@click.option("--reserves", type=click.IntRange(0), help="Số hộ dự phòng mỗi thôn.")
@click.option("--person", type=click.Choice(draws.PERSONS), help="Một người lớn, hoặc cả hộ.")
@session.dry_run
@click.pass_context
def plan(
    ctx: click.Context, /, wave: str, takes: tuple[str, ...], villages: int | None,
    communes: int | None, rule: str, minimum: int, dry_run: bool, **changes: Any,
) -> None:  # fmt: skip
    """Đặt hoặc xem kế hoạch mẫu: số thôn hay xã mỗi tầng, số hộ và dự phòng mỗi thôn."""
    from survey.sample import drawing

    with session.change(ctx, dry_run) as db, _told():
        _wave(db, wave)
        held = draws.get(db, wave).plan
        made = replace(held, **{k: v for k, v in changes.items() if v is not None})
        if communes and not made.per_commune:
            made = replace(made, per_commune=2)
        if villages and made.per_commune:
            raise Fault("kế hoạch rút xã trước: dùng --communes, hoặc thêm --per-commune 0.")
        if total := villages or communes:
            first = drawing.allocated(db, wave, total, rule, minimum, communes=bool(communes))
            made = replace(made, takes=first)
        elif bool(made.per_commune) != bool(held.per_commune) and held.takes and not takes:
            raise Fault("đổi giữa rút thôn và rút xã: nêu lại --villages, --communes hoặc --take.")
        if takes:
            same = total or bool(made.per_commune) == bool(held.per_commune)
            joined = {**(made.takes if same else {}), **dict(map(_take, takes))}
            made = replace(made, takes={name: take for name, take in joined.items() if take})
        if made != held:
            draws.set_plan(db, wave, made, now=now(), actor=session.actor())
        faults = drawing.plan_faults(db, wave, made)
        strata = frames.strata(db, wave)
        few = drawing.few(db, wave, made)
    for row in strata:
        what = f"{row.communes} xã" if made.per_commune else f"{row.villages} thôn"
        click.echo(f"{row.stratum}\t{made.takes.get(row.stratum, 0)}/{what}")
    if few:
        faults.append(f"{few} xã có ít hơn {made.per_commune} thôn: rút trúng thì lấy hết thôn.")
    for fault in faults:
        click.echo(f"Lưu ý: {fault}", err=True)
    n = made.villages()
    text = f"{n} thôn ({made.method}), mỗi thôn {made.households} hộ và {made.reserves} dự phòng"
    if made.per_commune:
        first_stage = f"{sum(made.takes.values())} xã ({made.commune_method})"
        text = f"{first_stage}, mỗi xã {made.per_commune} thôn, nhiều nhất {text}"
    session.outcome(f"{text}: {n * made.households} phiếu, {made.person}", dry_run)


@sample.command()
@click.option("--half-width", type=float, required=True, help="Nửa khoảng mong muốn: 0.04 là ±4%.")
@click.option("--share", type=float, default=0.5, show_default=True, help="Tỷ lệ dự kiến.")
@click.option("--icc", type=float, default=0.03, show_default=True, help="Tương quan trong thôn.")
@click.option("--take", type=click.IntRange(1), default=30, show_default=True, help="Hộ mỗi thôn.")
@click.option("--response", type=float, default=0.95, show_default=True, help="Tỷ lệ trả lời.")
@click.option("--population", type=click.IntRange(1), help="Số người của tổng thể.")
@click.option("--per-commune", type=click.IntRange(0), default=0, show_default=True,
              help="Số thôn mỗi xã khi rút xã trước.")  # fmt: skip
@click.option("--commune-icc", type=float, default=0.01, show_default=True,
              help="Tương quan giữa hai thôn cùng xã.")  # fmt: skip
def size(
    half_width: float, share: float, icc: float, take: int, response: float,
    population: int | None, per_commune: int, commune_icc: float,
) -> None:  # fmt: skip
    """Tính cỡ mẫu cho nửa khoảng mong muốn, có kể hiệu ứng thiết kế của thôn và xã."""
    from analysis.sampling.size import BadSize
    from survey.sample import drawing

    try:
        found = drawing.wanted(
            half_width, share=share, icc=icc, take=take, response=response, population=population,
            per_commune=per_commune, commune_icc=commune_icc,
        )  # fmt: skip
    except BadSize as bad:
        raise Fault(f"{bad.name}: số không dùng được.") from bad
    where = f"{found.villages} thôn"
    if found.communes:
        where += f" ở {found.communes} xã"
    click.echo(
        f"{found.answers} phiếu hợp lệ, phát {found.issued} phiếu, {where}"
        f" (hiệu ứng thiết kế {found.deff:.2f}); công thức quy định: {found.official} phiếu"
    )


@sample.command()
@click.argument("wave")
@click.option("--stage", type=click.Choice(STAGES), default="all", show_default=True, help="Bước.")
@click.option("--seed", default="", help="Hạt giống, công bố trước khi rút.")
@click.option("--ready", is_flag=True, help="Bỏ qua thôn chưa có danh sách hộ.")
@session.dry_run
@click.pass_context
def draw(ctx: click.Context, wave: str, stage: str, seed: str, ready: bool, dry_run: bool) -> None:
    """Rút thôn và hộ theo kế hoạch; cùng hạt giống và danh sách thì cùng một mẫu."""
    from survey.sample import drawing

    facts: dict[str, Any] = {"now": now(), "actor": session.actor()}
    with session.change(ctx, dry_run) as db, _told():
        _wave(db, wave)
        if stage != "households":
            rows, made = drawing.villages(db, wave, seed)
            draws.keep_villages(db, wave, rows, draw=made, **facts)
            click.echo(f"{len(rows)} thôn, mã băm danh sách {made.village_digest}")
        elif seed and seed != draws.get(db, wave).seed:
            raise Fault("hạt giống khác hạt giống đã rút thôn; bỏ --seed.")
        if stage != "villages":
            rows, made, waiting = drawing.households(db, wave, ready=ready)
            if rows:
                draws.keep_cases(db, wave, rows, draw=made, done=not waiting, **facts)
            main = sum(row["reserve"] is None for row in rows)
            click.echo(f"{main} hộ chính, {len(rows) - main} dự phòng")
            if waiting:
                click.echo(f"Còn {len(waiting)} thôn chưa có danh sách hộ.")
        made = draws.get(db, wave)
    session.outcome(f"Đã rút: hạt giống «{made.seed}», thuật toán {made.algorithm}", dry_run)


@sample.command()
@click.argument("wave")
@click.pass_context
def check(ctx: click.Context, wave: str) -> None:
    """Rút lại từ đầu và so với mẫu đang lưu; khác thì nêu từng chỗ, mã thoát 1."""
    from survey.sample import drawing

    with session.database(ctx, readonly=True) as db, _told():
        _wave(db, wave)
        villages, households, found = drawing.check(db, wave)
    if found:
        raise Faults(found, wave)
    click.echo(f"{villages} thôn, {households} hộ: rút lại giống hệt.")


@sample.command()
@click.argument("wave")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="Tệp CSV.")  # fmt: skip
@click.option("--names", is_flag=True, help="Kèm họ tên và địa chỉ (dữ liệu cá nhân; ghi nhật ký).")
@click.pass_context
def export(ctx: click.Context, wave: str, output: Path, names: bool) -> None:
    """Xuất danh sách mẫu: mã, số thứ tự, dự phòng, xác suất đúng và quyền số."""
    from survey.sample import samplelist

    draft = session.draft(output)
    with session.database(ctx, readonly=True) as db:
        _wave(db, wave)
        if names:
            session.private(draft)
        with draft.open("w", encoding="utf-8-sig", newline="") as file:
            columns = samplelist.COLUMNS + (samplelist.NAMES if names else ())
            rows = (samplelist.line(row, columns) for row in draws.rows(db, wave))
            n = tables.write(file, columns, rows)
    if names:
        with session.change(ctx, False) as db:
            audit.append(
                db, at=now(), actor=session.actor(), action="sample.names", subject=wave,
                detail={"cases": n},
            )  # fmt: skip
    draft.replace(output)
    click.echo(f"{n} hộ → {output}")


@sample.command("replace")
@click.argument("serial")
@click.option("--reason", type=click.Choice(cases.REASONS), required=True, help="Lý do.")
@session.dry_run
@click.pass_context
def replace_(ctx: click.Context, serial: str, reason: str, dry_run: bool) -> None:
    """Thay hộ của phiếu SERIAL bằng hộ dự phòng kế tiếp cùng thôn."""
    from survey import serials

    try:
        with session.change(ctx, dry_run) as db:
            done = replacements.replace_case(
                db, serials.case_of(serial), reason, now=now(), actor=session.actor()
            )
    except LookupError as fault:
        raise Fault(f"Không có phiếu «{serial}».") from fault
    new = serials.printed(done.id)
    session.outcome(f"Hộ dự phòng số {done.reserve} thay thế: phiếu {new}", dry_run)


@sample.command()
@click.argument("wave")
@click.argument("psu")
@click.option(
    "--reason", type=click.Choice(replacements.AREA_REASONS), required=True, help="Lý do."
)
@click.option("--no-substitute", is_flag=True, help="Không rút thôn khác; tăng quyền số của tầng.")
@session.dry_run
@click.pass_context
def drop(
    ctx: click.Context, wave: str, psu: str, reason: str, no_substitute: bool, dry_run: bool
) -> None:
    """Bỏ thôn PSU khỏi mẫu và rút thôn khác cùng tầng thay thế."""
    from survey.sample import drawing

    try:
        with session.change(ctx, dry_run) as db:
            other = None if no_substitute else drawing.substitute(db, wave, psu)
            n = replacements.drop_area(
                db, wave, psu, reason, substitute=other, now=now(), actor=session.actor()
            )
    except LookupError as fault:
        raise Fault(f"Không có thôn «{psu}» trong mẫu của đợt «{wave}».") from fault
    instead = f"thôn thay thế {other['psu']} ({other['name']})" if other else "tăng quyền số"
    session.outcome(f"Đã bỏ thôn {psu} ({n} hộ); {instead}", dry_run)


@sample.command()
@click.argument("wave")
@click.option("--reason", required=True, help="Lý do, ghi vào nhật ký.")
@session.dry_run
@click.pass_context
def undo(ctx: click.Context, wave: str, reason: str, dry_run: bool) -> None:
    """Hủy lần rút khi chưa in, chưa giao phiếu nào; nhật ký giữ hạt giống cũ."""
    try:
        with session.change(ctx, dry_run) as db:
            draws.undo(db, wave, reason=reason, now=now(), actor=session.actor())
    except LookupError as fault:
        raise Fault(f"Đợt «{wave}» chưa rút mẫu.") from fault
    session.outcome("Đã hủy lần rút mẫu", dry_run)


def _take(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition("=")
    if not name or not number.isdigit():
        raise click.BadParameter(f"«{text}» không có dạng TẦNG=SỐ", param_hint="--take")
    return name, int(number)


def _wave(db: Any, key: str) -> waves.Wave:
    try:
        found = waves.get(db, key)
    except LookupError as fault:
        raise Fault(f"Không có đợt «{key}».") from fault
    if found.kind != "probability":
        raise Fault(f"Đợt «{key}» không phải khảo sát theo mẫu (--kind probability).")
    return found
