"""``g60 stream …``: the bridge, and the topics it writes to."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path

import click

from edge_agent.contract.errors import PulseError


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


_KAFKA = click.option("--kafka", required=True, metavar="HOST:PORT", help="Addresses of Kafka (Kafka 地址).")


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
