"""``g60``: one command for everything but the gateway; a room is imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, NamedTuple

import click

from edge_agent.contract.errors import Misconfigured, PulseError


class Room(NamedTuple):
    """A command that stands in a module of its own."""

    target: str
    """``module:attribute``."""
    extra: str
    """What ``pip install`` needs for it."""
    help: str


ROOMS: Final = {
    "demo": Room("deploy.local.demo.cli:demo", "demo", "Show the whole system with simulated factories (演示)."),
    "up": Room("deploy.local.cli:up", "demo", "Start the system in the background (在后台启动)."),
    "down": Room("deploy.local.cli:down", "demo", "Stop it (停止)."),
    "status": Room("deploy.local.cli:status", "demo", "Show what runs (查看状态)."),
    "logs": Room("deploy.local.cli:logs", "demo", "Show logs (查看日志)."),
    "admit": Room("deploy.local.cli:admit_command", "demo", "Give a gateway a user at the broker (登记网关)."),
    "stream": Room("stream.cli:cli", "stream", "Bridge and topics (消息桥接)."),
    "warehouse": Room("warehouse.cli:cli", "sink", "Schema, sink and reference data (数据仓库)."),
    "metrics": Room("metrics.cli:cli", "metrics", "Indicators (指标)."),
}
_OURS: Final = frozenset({"edge_agent", "stream", "warehouse", "metrics", "deploy"})


class _PersonHasToAct(click.ClickException):
    exit_code = 2


class _MaySucceedLater(click.ClickException):
    exit_code = 1


class Rooms(click.Group):
    """A group whose commands are imported when they are called, and whose errors are told without a traceback.

    Exit codes: 2 when a person has to act, 1 when the same call may succeed later.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands; imports none."""
        return list(ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, imported."""
        room = ROOMS.get(cmd_name)
        if room is None:
            return None
        module, _, attribute = room.target.partition(":")
        try:
            command: click.Command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise _not_installed(error, cmd_name) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands; imports none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, room.help) for name, room in ROOMS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except Misconfigured as error:
            raise _PersonHasToAct(str(error)) from error
        except PulseError as error:
            raise _MaySucceedLater(str(error)) from error
        except ModuleNotFoundError as error:
            # A room imports what it needs inside its commands.
            raise _not_installed(error, ctx.invoked_subcommand or "") from error


def _not_installed(error: ModuleNotFoundError, room: str) -> Exception:
    """Return what to raise for a module that is not there: a message with the command, unless it is one of ours."""
    if error.name is None or error.name.partition(".")[0] in _OURS or room not in ROOMS:
        return error
    command = f"pip install 'g60-pulse[{ROOMS[room].extra}]'"
    return _PersonHasToAct(f"{error.name} is not installed (未安装). Install it with (请运行): {command}")


@click.group(cls=Rooms)
@click.version_option(package_name="g60-pulse", prog_name="g60")
def cli() -> None:
    """G60 Pulse: from meters and PLCs to the district's statistics (从电表到园区统计)."""


def main() -> None:
    """Run ``g60``."""
    cli()


if __name__ == "__main__":
    main()
