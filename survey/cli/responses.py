"""Commands about responses: export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click

from survey.cli import session, tables
from survey.cli.faults import Fault
from survey.store import responses as store
from survey.store import waves
from survey.store.clock import now

#: Columns before the answers.
FACTS = (
    "wave", "questionnaire", "channel", "state", "flags", "received_on", "receiving_unit",
    "resolving_unit", "counter", "service", "language", "assisted_by", "stratum", "psu",
    "village", "fpc", "base", "start", "weight", "psu_unit", "area",
)  # fmt: skip


@click.group()
def responses() -> None:
    """Phiếu trả lời."""


@responses.command()
@click.argument("wave")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="Tệp CSV sẽ ghi.",
)  # fmt: skip
@click.option(
    "--design", type=click.Path(path_type=Path, dir_okay=False),
    help="Ghi thêm tệp thiết kế: «sipas estimate» với hai tệp cho đúng số liệu của báo cáo.",
)  # fmt: skip
@session.dry_run
@click.pass_context
def export(ctx: click.Context, wave: str, output: Path, design: Path | None, dry_run: bool) -> None:
    """Xuất các phiếu của đợt WAVE ra CSV (UTF-8, an toàn với bảng tính).

    Không có mã phiếu, mã biên nhận và giờ trả lời, để không truy ra người trả lời.
    Với --design chỉ có các phiếu được tính, và chỉ các mức trả lời được tính vào chỉ số.
    """
    from forms import questionnaire

    if design is not None:
        _with_design(ctx, wave, output, design, dry_run)
        return
    with session.database(ctx, readonly=True) as db:
        try:
            asked = questionnaire.load(waves.get(db, wave).questionnaire)
        except LookupError:
            raise Fault(f"Không có đợt «{wave}».") from None
        counts = store.counts(db, wave)
        total = counts.total + counts.void
        codes = [column.id for column in asked.columns]
        texts = [item.id for item in asked.items if not item.closed]
        texts += [f"{item.id}.other" for item in asked.items if item.other]
        columns = [*FACTS, *codes, *(name for name in texts if name not in codes)]
        if not dry_run:
            show = session.progress(total, "Phiếu đã xuất")
            part = session.draft(output)
            try:
                with part.open("w", encoding="utf-8-sig", newline="") as file:
                    tables.write(file, columns, _cells(store.export(db, wave), columns, show))
                part.replace(output)
            finally:
                part.unlink(missing_ok=True)
    session.outcome(f"{total} phiếu ghi vào {output} ({now():%d/%m/%Y})", dry_run)


def _with_design(ctx: click.Context, wave: str, output: Path, design: Path, dry_run: bool) -> None:
    from survey.weighting import designfile

    with session.database(ctx, readonly=True) as db:
        try:
            made = designfile.opened(db, wave)
        except LookupError:
            raise Fault(f"Không có đợt «{wave}».") from None
        except designfile.NoDesign as fault:
            raise Fault(str(fault)) from None
        if not dry_run:
            show = session.progress(made.people, "Phiếu đã xuất")
            columns = [*FACTS, *made.columns]
            parts = {path: session.draft(path) for path in (output, design)}
            try:
                with parts[output].open("w", encoding="utf-8-sig", newline="") as file:
                    tables.write(file, columns, _cells(made.rows(db), columns, show))
                parts[design].write_text(made.toml, "utf-8")
                for path, part in parts.items():
                    part.replace(path)
            finally:
                for part in parts.values():
                    part.unlink(missing_ok=True)
    text = f"{made.people} phiếu ghi vào {output}, thiết kế ghi vào {design} ({now():%d/%m/%Y})"
    session.outcome(text, dry_run)


def _cells(
    rows: Iterable[Mapping[str, object]], columns: Sequence[str], show: Callable[[int], None]
) -> Iterator[list[object]]:
    for done, row in enumerate(rows, 1):
        yield [row.get(name) for name in columns]
        show(done)
