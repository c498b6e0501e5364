"""Commands about questionnaires: list, import and export as XLSForm."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import click

from forms import questionnaire as questionnaires
from forms import xlsform, xlsform_write
from survey.cli import session
from survey.cli.faults import Fault, Faults
from survey.store import questionnaires as published
from survey.store.clock import now
from survey.text import day


@click.group()
def questionnaire() -> None:
    """Bảng hỏi."""


@questionnaire.command("import")
@click.argument("file", type=click.File("rb"))
@session.dry_run
@click.pass_context
def import_(ctx: click.Context, file: BytesIO, dry_run: bool) -> None:
    """Phát hành bảng hỏi trong FILE (XLSForm, .xlsx); có lỗi thì nêu hết và không ghi gì.

    Bảng hỏi đã phát hành không đổi nữa: sửa thì xuất ra, đổi form_id thành số hiệu mới, nhập lại.
    """
    with session.change(ctx, dry_run) as db:
        try:
            form = xlsform.read(file, Path(str(file.name)).name)
        except questionnaires.Faulty as wrong:
            raise Faults(wrong.faults, "bảng hỏi") from None
        key = form.questionnaire.key
        facts = {"now": now(), "actor": session.actor()}
        published.publish(db, key, form.text, form.translations, **facts)  # type: ignore[arg-type]
    n = len(form.questionnaire.items)
    session.outcome(f"Bảng hỏi {key}: {n} mục, {form.questionnaire.title}", dry_run)


@questionnaire.command()
@click.argument("key")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="Tệp .xlsx.",
)  # fmt: skip
@click.pass_context
def export(ctx: click.Context, key: str, output: Path) -> None:
    """Ghi bảng hỏi KEY, với mọi bản dịch, thành tệp XLSForm."""
    content = BytesIO()
    with session.database(ctx, readonly=True):
        try:
            xlsform_write.write(key, content)
        except LookupError:
            raise Fault(f"Không có bảng hỏi «{key}».") from None
    draft = session.draft(output)
    draft.write_bytes(content.getvalue())
    draft.replace(output)
    click.echo(f"Đã ghi bảng hỏi {key} vào {output}")


@questionnaire.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Liệt kê các bảng hỏi: có sẵn, hay phát hành ở đây."""
    with session.database(ctx, readonly=True) as db:
        held = {one.key: one for one in published.all(db)}
        for key in published.keys(db):
            q = questionnaires.load(key)
            origin = f"phát hành {day(held[key].published_at)}" if key in held else "có sẵn"
            click.echo(f"{key}\t{origin}\t{len(q.items)} mục\t{q.title}")
