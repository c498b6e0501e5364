"""Commands about the weights of a sampled wave: known totals, making, checking."""

from __future__ import annotations

from pathlib import Path

import click

from survey.cli import session, tables
from survey.cli.faults import Fault, Faults
from survey.store import waves, weighting
from survey.store.clock import now


@click.group()
def weights() -> None:
    """Quyền số của đợt điều tra chọn mẫu."""


@weights.command()
@click.argument("wave")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@session.dry_run
@click.pass_context
def margins(ctx: click.Context, wave: str, file: Path, dry_run: bool) -> None:
    """Nạp tổng dân số đã biết của đợt WAVE từ FILE.csv (cột: name, category, target, source)."""
    from forms.questionnaire import load
    from survey.weighting import margins as written

    with session.change(ctx, dry_run) as db:
        try:
            asked = load(waves.get(db, wave).questionnaire)
        except LookupError:
            raise Fault(f"Không có đợt «{wave}».") from None
        try:
            rows = written.read(tables.decode(file.read_bytes()), asked)
        except written.CannotWeigh as fault:
            raise Faults(fault.faults, f"tệp «{file.name}»") from None
        weighting.set_margins(db, wave, rows, now=now(), actor=session.actor())
    session.outcome(f"Đợt {wave}: {len(rows)} nhóm dân số", dry_run)


@weights.command()
@click.argument("wave")
@click.option(
    "--cells", type=click.Choice(("psu", "stratum", "unit", "none")), default="psu",
    show_default=True, help="Bù cho nơi không trả lời trong từng địa bàn, tầng, đơn vị, cả đợt.",
)  # fmt: skip
@click.option(
    "--least", type=click.IntRange(1), default=1, show_default=True,
    help="Ô có ít phiếu hơn thì gộp.",
)  # fmt: skip
@click.option(
    "--method", type=click.Choice(("rake", "linear", "logit", "none")), default="rake",
    show_default=True, help="Cách khớp với tổng dân số.",
)  # fmt: skip
@click.option(
    "--bounds", type=float, nargs=2, default=(0.5, 2.0), show_default=True,
    help="Hệ số nhỏ nhất và lớn nhất (với logit).",
)  # fmt: skip
@click.option(
    "--cap", type=click.FloatRange(0), default=5.0, show_default=True,
    help="Quyền số lớn nhất, bằng bao nhiêu lần trung vị (0: không cắt).",
)  # fmt: skip
@click.option("--rescale", is_flag=True, help="Quy tổng của mọi biến về tổng của biến đầu.")
@session.dry_run
@click.pass_context
def make(ctx: click.Context, /, wave: str, method: str, dry_run: bool, **given: object) -> None:
    """Lập quyền số cuối cùng của đợt WAVE; --dry-run chỉ in kết quả."""
    from analysis.weights.making import Settings
    from survey.weighting import weights as made
    from survey.weighting.margins import CannotWeigh

    how = Settings(method=method.replace("none", ""), **given)  # type: ignore[arg-type]
    with session.database(ctx, readonly=True) as db:  # citizens do not wait for the figures
        try:
            found = made.preview(db, wave, how)
        except LookupError:
            raise Fault(f"Không có đợt «{wave}».") from None
        except CannotWeigh as fault:
            raise Faults(fault.faults, f"quyền số của đợt «{wave}»") from None
        except ValueError as fault:
            raise Fault(str(fault)) from None
    with session.change(ctx, dry_run) as db:
        weighting.put(
            db, wave, found.rows, settings=found.settings, report=found.report, now=now(),
            actor=session.actor(),
        )  # fmt: skip
    for name, text in made.told(found.report):
        click.echo(f"{name}: {text}")
    session.outcome(f"Đợt {wave}: quyền số của {len(found.rows)} phiếu", dry_run)


@weights.command()
@click.argument("wave")
@session.dry_run
@click.pass_context
def clear(ctx: click.Context, wave: str, dry_run: bool) -> None:
    """Bỏ quyền số đã lập của đợt WAVE, về quyền số gốc."""
    with session.change(ctx, dry_run) as db:
        weighting.clear(db, wave, now=now(), actor=session.actor())
    session.outcome(f"Đợt {wave}: dùng lại quyền số gốc", dry_run)


@weights.command()
@click.argument("wave")
@click.pass_context
def check(ctx: click.Context, wave: str) -> None:
    """Cho biết quyền số của đợt WAVE còn đúng với phiếu và với mã băm không."""
    with session.database(ctx, readonly=True) as db:
        held = weighting.get(db, wave)
        if held is None:
            click.echo(f"Đợt {wave}: chưa lập quyền số, số liệu dùng quyền số gốc")
            return
        wrong = []
        if held.digest != weighting.digest(db, wave):
            wrong.append(f"Đợt {wave}: quyền số không còn đúng như khi lập (mã băm khác)")
        if held.settings and (n := weighting.stale(db, wave)):
            wrong.append(f"Đợt {wave}: {n} phiếu đến hoặc bị hủy sau khi lập quyền số")
    if wrong:
        raise Faults(wrong, "quyền số")
    state = "đã khóa" if held.frozen_at else "chưa khóa"
    click.echo(f"Đợt {wave}: quyền số còn đúng, {state}, mã băm {held.digest}")
