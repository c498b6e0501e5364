"""What every command needs: the instance, its database, who runs it, dry runs and progress."""

from __future__ import annotations

import getpass
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from survey import asked, config
from survey.cli.faults import Fault
from survey.db import connect, write

dry_run = click.option(
    "--dry-run", is_flag=True, help="Chỉ kiểm tra và cho biết sẽ làm gì; không ghi gì."
)

NOTHING_WRITTEN = " (chạy thử, không ghi gì)"


class _Undone(Exception):
    """Ends a dry run."""


def settings(ctx: click.Context) -> config.Settings:
    """The settings of the instance the command was called for, whose questionnaires are found."""
    found = config.load(ctx.find_root().obj)
    asked.provide(found.database)
    return found


def opened(ctx: click.Context, *, readonly: bool = False) -> closing[sqlite3.Connection]:
    """The instance's database as it is, migrated or not."""
    return closing(connect(settings(ctx).database, readonly=readonly, create=False))


@contextmanager
def database(ctx: click.Context, *, readonly: bool = False) -> Iterator[sqlite3.Connection]:
    """The instance's database, migrated, closed afterwards."""
    from survey import migrations

    with opened(ctx, readonly=readonly) as db:
        if waiting := migrations.pending(db):
            raise Fault(f"Dữ liệu thuộc phiên bản cũ ({', '.join(waiting)}): chạy «sipas migrate».")
        yield db


@contextmanager
def change(ctx: click.Context, dry_run: bool) -> Iterator[sqlite3.Connection]:
    """One write transaction for the whole command; undone at its end in a dry run."""
    with database(ctx) as db:
        try:
            with write(db):
                yield db
                if dry_run:
                    raise _Undone
        except _Undone:
            return


def actor() -> str:
    """Who runs the command, for the audit."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):  # no account of that number on this machine
        return "shell"


def progress(total: int, what: str) -> Callable[[int], None]:
    """Something to tell how many of ``total`` are done: one line, on a terminal only."""
    if not sys.stderr.isatty():
        return lambda _done: None

    def show(done: int) -> None:
        click.echo(f"\r{what}: {done:,}/{total:,}".replace(",", "."), err=True, nl=done >= total)

    return show


def outcome(text: str, dry_run: bool) -> None:
    """Say what was done, in one line."""
    click.echo(text + (NOTHING_WRITTEN if dry_run else ""))


def draft(path: Path) -> Path:
    """Where a file is written before it gets its name, so that nobody sees half of it."""
    return path.with_name(f".{path.name}.part")


def private(path: Path) -> None:
    """Make a file that only who runs the command may read: names and addresses come into it."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
