"""``g60 up | down | status | logs``: the system in a folder, held up by a process in the background."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import click

from deploy.local import runfile
from deploy.local.follow import followed
from deploy.local.process import log_path
from deploy.local.runfile import Phase, Run
from deploy.local.standing import standing_line
from deploy.local.supervisor import State
from edge_agent.contract.errors import Misconfigured

DEFAULT_FOLDER: Final = ".g60"
_LOOK_S: Final = 0.1

folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Where data, logs and keys of the system are kept (数据目录).",
)


@click.command("up")
@folder_option
@click.option("--wait/--no-wait", default=True, show_default=True, help="Return only when all is up.")
@click.option("--within-s", type=click.IntRange(1), default=1200, show_default=True, help="Longest time to wait.")
@click.option("--only-servers", is_flag=True, help="Leave our own services out (只启动服务器).")
def up(folder: Path, *, wait: bool, within_s: int, only_servers: bool) -> None:
    """Start the system in the background (在后台启动). Nothing to do when it runs."""
    from deploy.local.background import await_up, launch

    folder = folder.absolute()
    deadline_mono_s = time.monotonic() + within_s
    child = launch(folder, deadline_mono_s, only_servers=only_servers)
    if wait:
        for line in table(await_up(folder, child, deadline_mono_s)):
            click.echo(line)
        click.echo(f"for other programs (其他程序的环境变量): . {folder / 'env'}")


@click.command("down")
@folder_option
def down(folder: Path) -> None:
    """Stop all that runs in the folder, also what a killed supervisor left behind (停止)."""
    from deploy.local.background import stop

    ended, left = stop(folder.absolute())
    if left:
        click.echo(f"ended what was left behind (已清理残留进程): {', '.join(left)}")
    click.echo("stopped (已停止)" if ended or left else f"nothing runs in {folder} (没有运行)")


@click.command("status")
@folder_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(folder: Path, *, as_json: bool) -> None:
    """Show what runs (查看状态). The exit code is 0 when all of it does, else 1."""
    folder = folder.absolute()
    run = runfile.now(folder) or Run(phase=Phase.STOPPED, pid=0)
    if as_json:
        click.echo(run.model_dump_json(indent=2))
    else:
        for line in table(run):
            click.echo(line)
        if run.phase is Phase.RUNNING and (said := standing_line(folder)):
            click.echo(said)
    if run.phase is not Phase.RUNNING or any(entry.state is not State.RUNNING for entry in run.entries):
        raise click.exceptions.Exit(1)


@click.command("logs")
@folder_option
@click.argument("name", required=False)
@click.option("-n", "--lines", type=click.IntRange(0, 100_000), default=50, show_default=True, help="Last lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written (持续显示).")
def logs(folder: Path, name: str | None, *, lines: int, follow: bool) -> None:
    """Show the log of NAME; without NAME, which logs there are (查看日志)."""
    folder = folder.absolute()
    known = sorted(path.stem for path in (folder / "logs").glob("*.log"))
    if name is None:
        for each in known:
            click.echo(f"{each}  {log_path(folder, each)}")
        return
    if name not in known:
        raise Misconfigured(f"no log is named {name!r} (没有这个日志); there are: {', '.join(known) or 'none'}")
    for text in followed(log_path(folder, name), lines, _pause if follow else _enough):
        click.echo(text, nl=False)


@click.command("admit")
@folder_option
@click.argument("gateway")
def admit_command(folder: Path, gateway: str) -> None:
    """Give GATEWAY a user at the running broker and print the beginning of its agent.toml (登记网关).

    The password is shown once and kept as a hash; admitting again gives a new one.
    """
    from deploy.local.gateways import admit

    click.echo(admit(folder.absolute(), gateway).toml(), nl=False)


def table(run: Run) -> list[str]:
    """Return the lines that show a system to a person: names, addresses, states, logs."""
    rows = [("NAME", "STATE", "ADDRESS", "VERSION", "PID", "RESTARTS", "LOG")]
    rows += [
        (
            entry.name,
            entry.state,
            entry.address or "-",
            entry.version or "-",
            str(entry.pid or "-"),
            str(entry.restarts),
            entry.log or "(not ours 外部)",
        )
        for entry in run.entries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]
    troubles = [f"{entry.name}: {said}" for entry in run.entries for said in (entry.note, entry.trouble) if said]
    return [f"system (系统): {run.phase} {_PHASES[run.phase]}", *lines, *troubles, *([run.error] if run.error else [])]


_PHASES: Final = {
    Phase.STARTING: "启动中",
    Phase.RUNNING: "运行中",
    Phase.STOPPING: "停止中",
    Phase.STOPPED: "已停止",
    Phase.FAILED: "启动失败",
    Phase.LOST: "管理进程已消失;g60 up 或 g60 down 会清理",
}


def _pause() -> bool:
    time.sleep(_LOOK_S)
    return True


def _enough() -> bool:
    return False
