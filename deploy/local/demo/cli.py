"""``g60 demo``: the whole system on this machine, with simulated factories."""

from __future__ import annotations

import time
from pathlib import Path

import click


@click.command("demo")
@click.option(
    "--seconds",
    type=click.FloatRange(min=1, max=86_400),
    default=60,
    show_default=True,
    help="How long the simulated meters are read live (实时采集秒数).",
)
@click.option(
    "--report",
    "report_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report as JSON to this file (报告文件).",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".g60/demo",
    show_default=True,
    help="Where everything is kept; emptied at the start (数据目录, 启动时清空).",
)
def demo(seconds: float, report_path: Path | None, folder: Path) -> None:
    """Show the whole system with simulated factories (演示，合成数据).

    A real plant's load curve is played by Modbus meters, read by four edge agents, carried through Mosquitto, Apache
    Kafka and PostgreSQL into energy accounts and indicators, and judged reading by reading against the meters' own
    journals. The exit code is 0 when nothing was lost, nothing stored twice, and every figure is the planted one.
    """
    from rich.console import Console

    from deploy.local.demo.report import shown
    from deploy.local.demo.run import Plan, run

    console = Console()
    report = run(Plan(folder.absolute(), seconds), console, lambda: time.time_ns() // 1_000_000)
    if report_path is not None:
        report_path.write_text(report.model_dump_json(indent=2) + "\n", "utf-8")
    console.print(shown(report))
    console.print(f"data, logs, journals (数据与日志): {folder}", highlight=False)
    if report_path is not None:
        console.print(f"report (报告): {report_path}", highlight=False)
    if not report.well:
        raise click.exceptions.Exit(1)
