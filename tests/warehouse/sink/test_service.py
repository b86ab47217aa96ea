"""The service, with a real Kafka and a real database: starts, stores, confirms, stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from click.testing import CliRunner

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from edge_agent.contract.command import parse_stored
from edge_agent.contract.topics import Command
from stream.clients import ensure_topics, open_producer
from stream.topics import BIRTHS, COMMANDS, TELEMETRY, command_key
from tests.warehouse.sink.feed import T0, birth, eventually, telemetry
from warehouse.cli import cli
from warehouse.postgres import Connection


@contextmanager
def service(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from warehouse.cli import cli; cli()", "sink", "--config", config]
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stored_commands(bootstrap: str, gateway: str) -> list[Any]:
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        places = [TopicPartition(COMMANDS.name, number) for number in range(COMMANDS.partitions)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        found: list[Any] = []
        while any(consumer.position(place) < ends[place] for place in places):
            found += [record for batch in consumer.poll(timeout_ms=500).values() for record in batch]
    finally:
        consumer.close()
    return [parse_stored(record.value) for record in found if record.key == command_key(gateway, Command.STORED)]


@pytest.mark.slow
def test_from_kafka_to_the_tables_and_back_and_a_clean_stop(
    kafka: Kafka | ExternalKafka, warehouse: str, connection: Connection, tmp_path: Path
) -> None:
    bootstrap = kafka.bootstrap
    ensure_topics(bootstrap, replication=1)
    gateway = f"gw-{token_hex(6)}"
    of = birth(gateway)
    producer = open_producer(bootstrap, "test")
    # Telemetry before its birth, so that it has to wait for it.
    failures: list[object] = []
    for seq in (1, 2, 4):
        body = telemetry(of, seq, {"p": [(T0 + seq, seq)]})
        producer.send(TELEMETRY.name, gateway.encode(), body, [("channel", b"live")], failures.append)
    producer.send(BIRTHS.name, f"{gateway}/{of.digest()}".encode(), of.encode(), [], failures.append)
    producer.flush(20)
    producer.close(5)
    assert failures == [None] * 4
    config = tmp_path / "sink.toml"
    config.write_text(
        f'group = "sink-{gateway}"\nconfirm_every_s = 0.2\n'
        f'[kafka]\nbootstrap = "{bootstrap}"\n[database]\ndsn = "{warehouse}"\n',
        "utf-8",
    )
    mine = "select v from ingest.reading_gauge r join ingest.series s using (series_id) where s.gateway = %s order by t"
    with service(config) as process:
        eventually(lambda: connection.execute(mine.encode(), (gateway,)).fetchall() == [(1,), (2,), (4,)], 60)
        eventually(lambda: [one.through for one in stored_commands(bootstrap, gateway)][-1:] == [4], 30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    assert stored_commands(bootstrap, gateway)[-1].missing == ((3, 3),)
    # Another life goes on where the first one ended.
    batches = connection.execute("select count(*) from ingest.batch where readings > 0").fetchall()
    with service(config) as process:
        eventually(lambda: sinks_connected(connection) == 1, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    assert connection.execute("select count(*) from ingest.batch where readings > 0").fetchall() == batches
    listed = CliRunner().invoke(cli, ["ledger", "--database", warehouse, "--gateway", gateway])
    assert listed.exit_code == 0
    assert [line.split()[2:8] for line in listed.output.splitlines()[::2]] == [
        ["stored", "rejected", "dropped", "held", "open", "lost"],
        ["3", "0", "0", "?", "1", "0"],
    ]


def sinks_connected(connection: Connection) -> int:
    row = connection.execute(
        """select count(*) from pg_stat_activity
           where application_name like 'g60 sink%' and datname = current_database()"""
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_wrong_setting_ends_it_with_words(tmp_path: Path) -> None:
    config = tmp_path / "sink.toml"
    config.write_text('[kafka]\nbootstrap = ""\n', "utf-8")
    told = CliRunner().invoke(cli, ["sink", "--config", str(config)], env={**os.environ})
    assert told.exit_code == 1
    assert "kafka.bootstrap" in told.output
    assert "database" in told.output
