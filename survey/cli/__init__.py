"""The command ``sipas``: everything an operator does from the shell."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click

from survey.cli.faults import explained

#: Command -> (module, attribute); a module is imported when its command is called.
COMMANDS = {
    "init": ("instances", "init"),
    "migrate": ("instances", "migrate"),
    "check": ("instances", "check"),
    "backup": ("instances", "backup"),
    "restore": ("instances", "restore"),
    "serve": ("serve", "serve"),
    "demo": ("demo", "demo"),
    "user": ("people", "user"),
    "units": ("units", "units"),
    "wave": ("waves", "wave"),
    "questionnaire": ("questionnaires", "questionnaire"),
    "door": ("doors", "door"),
    "poster": ("posters", "poster"),
    "links": ("links", "links"),
    "responses": ("responses", "responses"),
    "dossiers": ("dossiers", "dossiers"),
    "key": ("keys", "key"),
    "sample": ("sample", "sample"),
    "paper": ("paper", "paper"),
    "retention": ("retention", "retention"),
    "languages": ("languages", "languages"),
    "weights": ("weights", "weights"),
    "scan": ("scan", "scan"),
    "jobs": ("jobs", "jobs"),
    "feedback": ("feedback", "feedback"),
    "alerts": ("alerts", "alerts"),
    "external": ("external", "external"),
    "report": ("reports", "report"),
    "estimate": ("reports", "estimate"),
    "data": ("data", "data"),
}


class Commands(click.Group):
    """Commands by name, loaded when wanted, their refusals told in Vietnamese."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Every command whose module is installed, in the order of the table."""
        return [name for name, (module, _) in COMMANDS.items() if _known(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, or None when there is none of that name."""
        module, attribute = COMMANDS.get(cmd_name, ("", ""))
        if not module or not _known(module):
            return None
        command: click.Command = getattr(import_module(f"survey.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say that there is none of that name."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            ctx.fail(f"không có lệnh «{args[0]}».")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; whatever the program refuses becomes one clear message, exit 1."""
        with explained():
            return super().invoke(ctx)


def _known(module: str) -> bool:
    return find_spec(f"survey.cli.{module}") is not None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--instance",
    type=click.Path(path_type=Path, file_okay=False),
    help="Thư mục dữ liệu (mặc định: SIPAS_INSTANCE, hoặc ./instance).",
)
@click.version_option(package_name="sipas")
@click.pass_context
def main(ctx: click.Context, instance: Path | None) -> None:
    """SIPAS: khảo sát và công bố mức độ hài lòng của người dân với cơ quan hành chính."""
    ctx.obj = instance
