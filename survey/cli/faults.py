"""How commands fail: one message in Vietnamese, all faults of a file, exit code 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EPIPE
from typing import IO, Any

import click

from survey.config import NotInitialised
from survey.db import NotStored
from survey.store import Refused
from survey.store.copies import BadCopy

#: Faults printed before the rest is only counted.
SHOWN = 100

_REFUSED = {
    "exists": "«{key}» đã có.",
    "past": "Ngày kết thúc {on:%d/%m/%Y} đã qua. Hãy thêm --until NGÀY.",
    "role": "Không có vai trò «{role}».",
    "other_wave": "Hồ sơ này đã có địa chỉ trong đợt «{wave}».",
    "used": "Có phiếu đã được ghi nhận trước đó; không ghi gì thêm.",
}


class Fault(click.ClickException):
    """Bad input: exit 1, in Vietnamese."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message to the standard error."""
        click.echo(f"Lỗi: {self.format_message()}", file=file or sys.stderr)


class Usage(click.UsageError):
    """The command was called wrongly: exit 2, in Vietnamese."""

    @classmethod
    def of(cls, fault: click.UsageError) -> Usage:
        """What click found, in our words where it speaks English of its own."""
        text = fault.format_message()
        if isinstance(fault, click.MissingParameter) and fault.param is not None:
            text = f"thiếu {fault.param.get_error_hint(fault.ctx)}."
        elif isinstance(fault, click.NoSuchOption):
            text = f"không có tùy chọn «{fault.option_name}»."
        elif isinstance(fault, click.BadParameter) and fault.param is not None:
            text = f"{fault.param.get_error_hint(fault.ctx)}: {fault.message}"
        return cls(text, fault.ctx)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print how the command is called, and what was wrong, to the standard error."""
        file = file or sys.stderr
        if self.ctx is not None:
            usage = self.ctx.get_usage().removeprefix("Usage: ")
            click.echo(f"Cách dùng: {usage}", file=file)
            click.echo(f"Xem thêm: {self.ctx.command_path} --help", file=file)
        click.echo(f"Lỗi: {self.format_message()}", file=file)


class Faults(Fault):
    """Several faults of one input, each with its place; nothing was changed."""

    def __init__(self, faults: Sequence[str], source: str = "") -> None:
        lines = [f"  {fault}" for fault in faults[:SHOWN]]
        if more := len(faults) - SHOWN:
            lines += [f"  … và {more} lỗi nữa"] if more > 0 else []
        where = f" trong {source}" if source else ""
        super().__init__("\n".join([f"có {len(faults)} lỗi{where}, không ghi gì:", *lines]))


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the program refuses into a Fault; errors of ours keep their traceback."""
    try:
        yield
    except click.UsageError as fault:
        raise Usage.of(fault) from fault
    except NotInitialised as fault:
        raise Fault(str(fault)) from fault
    except BadCopy as fault:
        raise Fault(str(fault)) from fault
    except Refused as refusal:
        if isinstance(found := refusal.facts.get("faults"), list):
            raise Faults(found) from refusal
        text = _REFUSED.get(refusal.code) or _worded(refusal.code)
        raise Fault(text.format(code=refusal.code, **refusal.facts)) from refusal
    except OSError as fault:
        if fault.errno == EPIPE:  # the reader went away: click ends quietly
            raise
        raise Fault(f"không đọc hoặc ghi được «{fault.filename}»: {fault.strerror}.") from fault
    except NotStored as fault:
        raise Fault(f"không ghi được dữ liệu, không có gì thay đổi ({fault}).") from fault


def _worded(code: str) -> str:
    """The words that the pages have for a refusal, for what only pages refused at first."""
    from survey.text import catalogue

    return catalogue("vi").get(f"refused.{code}", "bị từ chối ({code}).")
