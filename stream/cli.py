"""``g60 stream …``: the bridge, and the topics it writes to."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path
from typing import Final

import click

from edge_agent.contract.errors import PulseError

MOST_PER_S: Final = 100_000.0
"""Far beyond what an agent can send; catches a mistyped rate."""

_KAFKA = click.option("--kafka", required=True, metavar="HOST:PORT", help="Addresses of Kafka (Kafka 地址).")


@click.group()
def cli() -> None:
    """Kafka and the bridge to it (消息流与网桥)."""


@cli.command()
@click.option("--config", required=True, type=click.Path(path_type=Path), help="TOML file of the bridge (配置文件).")
def bridge(config: Path) -> None:
    """Bridge MQTT and Kafka until told to stop (运行网桥)."""
    from edge_agent.contract.settings import load
    from stream.bridge.bridge import Bridge
    from stream.bridge.settings import BridgeSettings

    _log()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        Bridge(load(BridgeSettings, [config])).run(stop)
    except PulseError as error:
        raise click.ClickException(str(error)) from error


@cli.group()
def topics() -> None:
    """The Kafka topics (Kafka 主题)."""


@cli.command("status")
@_KAFKA
@click.option("--group", default="g60-sink", show_default=True, help="Consumer group of the sinks (消费组).")
def status_command(kafka: str, group: str) -> None:
    """Show how far behind the sinks are, as Kafka was told, and how much was refused (积压与拒收情况).

    How many minutes that takes is known by the warehouse, which `g60 status` asks.
    """
    from stream.clients.watch import Watch
    from stream.topics import REFUSED, UP_TOPICS

    watch = Watch(kafka, "g60-status", [topic.name for topic in UP_TOPICS], group)
    try:
        watch.source()
        bounds, committed = watch.bounds(), watch.committed()
    except PulseError as error:
        raise click.ClickException(str(error)) from error
    finally:
        watch.close()
    total = 0
    click.echo(f"{'topic':<20}  {'partition':>9}  {'end':>12}  {'stored':>12}  {'lag':>12}")
    for place, found in sorted(bounds.items()):
        stored = committed[place]
        lag = found.end - min(max(stored or 0, found.start), found.end)
        total += lag
        told = "-" if stored is None else str(stored)
        click.echo(f"{place.topic:<20}  {place.partition:>9}  {found.end:>12}  {told:>12}  {lag:>12}")
    refused = sum(found.end - found.start for place, found in bounds.items() if place.topic == REFUSED.name)
    click.echo(f"behind (积压): {total} records; refused by the bridge and still in Kafka (网桥拒收): {refused}")


@cli.command("drain")
@_KAFKA
@click.argument("gateway")
@click.option("--per-second", type=float, metavar="N", help="Messages of the backlog per second (每秒补传条数).")
@click.option("--default", "default", is_flag=True, help="Leave it to the agent's own setting again (恢复默认).")
def drain_command(kafka: str, gateway: str, per_second: float | None, *, default: bool) -> None:
    """Say how fast GATEWAY may send its backlog (设置补传速率).

    It holds until it is changed, also for an agent that is away now. What the agent reads meanwhile is not slowed
    down. `cmd/drain` goes through Kafka and the bridge, so the gateway hears it within a second or two.
    """
    import re

    from edge_agent.contract.command import Drain
    from edge_agent.contract.topics import GATEWAY_PATTERN, Command
    from stream.commands import CommandSender

    if (per_second is None) is not default:
        raise click.UsageError("either --per-second or --default")
    if per_second is not None and not 0 < per_second <= MOST_PER_S:
        raise click.BadParameter(f"{per_second}; allowed: above 0, at most {MOST_PER_S:.0f}", param_hint="--per-second")
    if re.fullmatch(GATEWAY_PATTERN, gateway) is None:
        raise click.BadParameter(f"{gateway!r} is no gateway name (网关名称无效)", param_hint="GATEWAY")
    try:
        with CommandSender(kafka, "g60-drain") as sender:
            sender.send(gateway, Command.DRAIN, Drain(messages_per_s=per_second).encode())
            sender.flush()
    except PulseError as error:
        raise click.ClickException(str(error)) from error
    rate = (
        "as the agent is set (按网关自身设置)" if per_second is None else f"at most {per_second:g} messages/s (条/秒)"
    )
    click.echo(f"{gateway}: backlog {rate}")


@topics.command()
@_KAFKA
@click.option(
    "--replication", type=click.IntRange(min=1), help="Copies of each record; default: the broker's (副本数)."
)
def ensure(kafka: str, replication: int | None) -> None:
    """Create the topics that are missing (创建缺少的主题).

    Exits with 1 when one exists and is not as wanted; it is never changed.
    """
    from stream.clients import ensure_topics

    try:
        reports = ensure_topics(kafka, replication=replication)
    except PulseError as error:
        raise click.ClickException(str(error)) from error
    for report in reports:
        click.echo(f"{report.name}  partitions={report.partitions}  {'exists' if report.exists else 'created'}")
        for difference in report.differences:
            click.echo(f"    {difference}")
    if any(report.differences for report in reports):
        sys.exit(1)


@topics.command("list")
@_KAFKA
def list_topics(kafka: str) -> None:
    """Show the topics and where they are not as wanted (列出主题及差异)."""
    from stream.clients import describe_topics

    try:
        reports = describe_topics(kafka)
    except PulseError as error:
        raise click.ClickException(str(error)) from error
    for report in reports:
        click.echo(f"{report.name}  " + (f"partitions={report.partitions}" if report.exists else "missing (缺失)"))
        for difference in report.differences:
            click.echo(f"    {difference}")


def _log() -> None:
    """Log to standard error, one line per event; kafka-python's own lines tell again, and longer, what ours say."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
