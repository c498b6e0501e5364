"""The command that serves the instance."""

from __future__ import annotations

import click

from survey.cli import session
from survey.cli.faults import Fault


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Địa chỉ lắng nghe.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Cổng."
)
@click.pass_context
def serve(ctx: click.Context, host: str, port: int) -> None:
    """Chạy máy chủ web cho đến khi nhận SIGTERM hoặc Ctrl-C."""
    from survey.serve import AddressError, run

    settings = session.settings(ctx)
    with session.database(ctx):
        pass  # an old or missing database is told before the address is taken
    try:
        run(settings, host=host, port=port)
    except AddressError as fault:
        raise Fault(str(fault)) from fault
