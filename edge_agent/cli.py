"""``g60-edge``: run the agent, check its configuration, probe its devices, show its buffer.

Exit codes: 0 all is well, 1 something outside is not, 2 the configuration or the command line is wrong, 3 another agent
runs under this gateway's id (a service manager must not start this one again before a person has looked).
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Final, NoReturn, ParamSpec

import click

from edge_agent import __version__
from edge_agent.agent import Agent, address_of, birth_of, sources_of
from edge_agent.contract.birth import Birth, Kind
from edge_agent.contract.errors import Misconfigured, PulseError
from edge_agent.contract.settings import load
from edge_agent.forecast import Verdict, bytes_per_hour, verdict
from edge_agent.listing import Row, table
from edge_agent.outbox.inspection import free_bytes, inspect
from edge_agent.publisher import report
from edge_agent.publisher.identity import IdTaken
from edge_agent.settings import PLACES, EdgeSettings
from edge_agent.standing import describe, room

P = ParamSpec("P")
_TROUBLE: Final = 1
_MISCONFIGURED: Final = 2
_ID_TAKEN: Final = 3


def _told(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the project's errors into a message and an exit code, without a traceback."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except IdTaken as error:
            _end(str(error), _ID_TAKEN)
        except Misconfigured as error:
            _end(str(error), _MISCONFIGURED)
        except PulseError as error:
            _end(str(error), _TROUBLE)

    return run


def _end(message: str, code: int) -> NoReturn:
    click.echo(f"g60-edge: {message}", err=True)
    sys.exit(code)


config_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    help=f"Configuration file. Default: the first of {', '.join(map(str, PLACES))}.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="g60-edge")
def cli() -> None:
    """Read meters and PLCs, keep what they said on disk, publish it (采集网关)."""


@cli.command()
@config_option
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
@_told
def run(config: Path | None, log_level: str) -> None:
    """Read, record and publish until stopped (运行)."""
    logging.basicConfig(
        stream=sys.stderr,
        level=log_level.upper(),
        format="%(asctime)s level=%(levelname)s %(message)s",
    )
    agent = Agent(_load(config))
    asyncio.run(agent.run())


@cli.command()
@config_option
@_told
def check(config: Path | None) -> None:
    """Check the configuration without touching the network; print what would be read (检查配置)."""
    settings = _load(config)
    birth = birth_of(settings, sources_of(settings))
    address = address_of(settings)
    rows: list[Row] = [
        ("series 序列", "device 设备", "quantity 量", "unit 单位", "kind 类型", "interval_s 周期", "decimals 小数")
    ]
    for name, spec in sorted(birth.series.items()):
        decimals = str(spec.decimals) if spec.kind is Kind.REGISTER else ""
        rows.append(
            (name, spec.device, spec.quantity, spec.unit, spec.kind.value, f"{spec.interval_ms / 1000:g}", decimals)
        )
    click.echo(table(rows))
    click.echo(f"\nbuffer 缓冲: {room(_expected(settings, birth), settings.outbox.hours)}")
    click.echo(
        f"{len(birth.series)} series of gateway {birth.gateway}, to {address.host}:{address.port} as {address.user}; "
        f"birth {birth.digest()}\nconfiguration is valid (配置有效)"
    )


@cli.command()
@config_option
@_told
def probe(config: Path | None) -> None:
    """Read each point once and print what came (试读每个点)."""
    settings = _load(config)
    sources_of(settings)
    rows: list[Row] = [("series 序列", "value 值", "unit 单位", "raw 原始寄存器", "trouble 问题")]
    failed = 0
    if settings.modbus:
        from edge_agent.sources.modbus.probe import probe as probe_modbus

        for connection in settings.modbus:
            for line in asyncio.run(probe_modbus(connection)):
                raw = " ".join(f"{word:04x}" for word in line.words)
                rows.append((line.series, line.shown, line.unit, raw, line.error))
                failed += bool(line.error)
    for replay in settings.replay:
        for path in replay.files:
            trouble = "" if path.is_file() else "no such file (文件不存在)"
            rows.append((f"replay {replay.name}", str(path), "", "", trouble))
            failed += bool(trouble)
    click.echo(table(rows))
    if failed:
        _end(f"{failed} of {len(rows) - 1} gave no value ({failed} 个点无值)", _TROUBLE)


@cli.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_told
def status(config: Path | None, as_json: bool) -> None:
    """Show the buffer and the connection; exit code 1 unless the agent runs and is connected (状态)."""
    settings = _load(config)
    now_ms = time.time_ns() // 1_000_000
    outbox = settings.outbox
    numbers = inspect(outbox.path, outbox.max_bytes, outbox.hours, now_ms)
    expected = _expected(settings, birth_of(settings, sources_of(settings)))
    connection = report.read(report.path_beside(outbox.path), now_ms)
    if as_json:
        found = {
            "gateway": settings.gateway.id,
            "running": connection is not None and not connection.stopped,
            "connection": None if connection is None else asdict(connection),
            "outbox": asdict(numbers),
            "expected": asdict(expected),
        }
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        click.echo(describe(settings.gateway.id, numbers, connection, expected, outbox.hours, now_ms))
    if connection is None or not connection.connected:
        sys.exit(_TROUBLE)


def _expected(settings: EdgeSettings, birth: Birth) -> Verdict:
    outbox = settings.outbox
    per_hour = bytes_per_hour(settings.publish, birth.series)
    return verdict(per_hour, outbox.hours, outbox.max_bytes, free_bytes(outbox.path))


def _load(config: Path | None) -> EdgeSettings:
    return load(EdgeSettings, list(PLACES) if config is None else [config])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``g60-edge``."""
    cli.main(args=None if arguments is None else list(arguments), prog_name="g60-edge")
