"""Whole sinks on genuine Kafka and PostgreSQL: consumer loops with the real store, and what is fed to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from kafka import KafkaAdminClient
from psycopg import sql

from edge_agent.contract.birth import Birth
from stream.clients import Producer, ensure_topics, open_producer
from stream.consumer import ConsumerLoop
from stream.settings import ConsumerSettings
from stream.store import StaleOffset
from stream.topics import BIRTHS, STATES, TELEMETRY, TOPICS, UP_TOPICS, Partition
from tests.stream.eventually import running
from tests.warehouse.sink.feed import EPOCH, T0, Sent, birth, eventually, telemetry
from warehouse.postgres import Connection
from warehouse.settings import DatabaseSettings
from warehouse.sink.settings import SinkSettings
from warehouse.sink.store import PostgresStore

PARTITIONS = 2
"""Of each topic; fewer than in production, so that topics can be made anew quickly."""
READINGS = 3
"""In each message."""
WITHIN_S = 90.0


@contextmanager
def administered(bootstrap: str) -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        yield client
    finally:
        client.close()


def make_topics(bootstrap: str) -> None:
    """Make all topics, empty; those that exist are deleted first, so that they get other ids."""
    names = [topic.name for topic in TOPICS]

    def gone() -> bool:
        return all(found["error_code"] != 0 for found in client.describe_topics(names))

    with administered(bootstrap) as client:
        present = [found["name"] for found in client.describe_topics(names) if found["error_code"] == 0]
        if present:
            client.delete_topics(present)
            eventually(gone, WITHIN_S)
    ensure_topics(bootstrap, [replace(topic, partitions=PARTITIONS) for topic in TOPICS])


@dataclass
class Fleet:
    """Some gateways: what each has written, and so what has to be in the tables, each once."""

    gateways: tuple[str, ...]
    last_seq: dict[str, int] = field(default_factory=dict)

    def births(self) -> dict[str, Birth]:
        return {gateway: birth(gateway) for gateway in self.gateways}

    def messages(self, count: int) -> list[tuple[str, int]]:
        """Have each gateway write ``count`` more messages; return them as (gateway, seq), in turn."""
        written = []
        for _ in range(count):
            for gateway in self.gateways:
                self.last_seq[gateway] = seq = self.last_seq.get(gateway, 0) + 1
                written.append((gateway, seq))
        return written

    def rows(self) -> set[tuple[str, int]]:
        """Every reading as (gateway, value)."""
        return {(g, v) for g, last in self.last_seq.items() for seq in range(1, last + 1) for _, v in readings(seq)}


def readings(seq: int) -> list[tuple[int, int]]:
    return [(T0 + READINGS * seq + number, READINGS * seq + number) for number in range(READINGS)]


class Feed:
    """Sends to Kafka as the bridge does."""

    def __init__(self, producer: Producer, fleet: Fleet) -> None:
        self._producer = producer
        self._fleet = fleet
        self._births = fleet.births()

    def births(self) -> None:
        for gateway, of in self._births.items():
            self._send(BIRTHS.name, f"{gateway}/{of.digest()}", of.encode())
        self.flush()

    def messages(self, messages: Sequence[tuple[str, int]]) -> None:
        for gateway, seq in messages:
            self._send(TELEMETRY.name, gateway, telemetry(self._births[gateway], seq, {"p": readings(seq)}))
        self.flush()

    def state(self, gateway: str, first: int, last: int) -> None:
        """Say what a gateway still holds."""
        held = {"epoch": EPOCH, "first": first, "last": last}
        self._send(STATES.name, gateway, json.dumps({"v": 1, "online": True, "held": held}).encode())
        self.flush()

    def flush(self) -> None:
        self._producer.flush(60)

    def _send(self, topic: str, key: str, value: bytes) -> None:
        self._producer.send(topic, key.encode(), value, [("channel", b"live"), ("received", b"1790000000000")], taken)


def taken(error: object) -> None:
    assert error is None, error


@contextmanager
def feeding(bootstrap: str, fleet: Fleet) -> Iterator[Feed]:
    producer = open_producer(bootstrap, "feed")
    try:
        yield Feed(producer, fleet)
    finally:
        producer.close(5)


class Watched(PostgresStore):
    """A store that notes what it was asked and told, and waits before a write while it is held."""

    def __init__(self, settings: SinkSettings, sent: Sent) -> None:
        super().__init__(settings, sent)
        self.free = threading.Event()
        self.free.set()
        self.held = threading.Event()
        """Set once a write waits."""
        self.asked: list[tuple[Partition, ...]] = []
        self.taken: list[tuple[Partition, ...]] = []
        self.stale = 0
        self.owned: set[Partition] = set()

    def assigned(self, partitions: Sequence[Partition], source: Any) -> Mapping[Partition, int | None]:
        found = super().assigned(partitions, source)
        self.asked.append(tuple(partitions))
        self.owned |= set(partitions)
        return found

    def write(self, *arguments: Any, **named: Any) -> None:
        if not self.free.is_set():
            self.held.set()
            assert self.free.wait(WITHIN_S)
        try:
            super().write(*arguments, **named)
        except StaleOffset:
            self.stale += 1
            raise

    def revoked(self, partitions: Sequence[Partition]) -> None:
        self.taken.append(tuple(partitions))
        self.owned -= set(partitions)
        super().revoked(partitions)


@contextmanager
def sinking(
    bootstrap: str, dsn: str, group: str, *, name: str = "one", sent: Sent | None = None, **kafka: Any
) -> Iterator[Watched]:
    """Run a sink in a thread."""
    quick = {"session_timeout_s": 6.0, "retry_first_s": 0.05, "retry_most_s": 0.5, "max_wait_ms": 50}
    settings = SinkSettings(
        kafka=ConsumerSettings.model_validate({"bootstrap": bootstrap, **quick, **kafka}),
        database=DatabaseSettings(dsn=dsn),
        name=name,
        group=group,
        confirm_every_s=0.2,
    )
    store = Watched(settings, sent or Sent())
    loop = ConsumerLoop(settings.kafka, store, group, [topic.name for topic in UP_TOPICS])
    try:
        with running(loop.run, stops_within_s=30):
            yield store
    finally:
        store.close()


def has_all(store: Watched) -> Callable[[], bool]:
    return lambda: len(store.owned) == PARTITIONS * len(UP_TOPICS)


def stored(connection: Connection) -> set[tuple[str, int]]:
    """Return every reading as (gateway, value); fail when one stands twice."""
    rows = connection.execute(
        "select s.gateway, r.v from ingest.reading_gauge as r join ingest.series as s using (series_id)"
    ).fetchall()
    found = {(str(gateway), int(value)) for gateway, value in rows}
    assert len(found) == len(rows), "a reading stands twice"
    return found


def all_stored(connection: Connection, fleet: Fleet) -> Callable[[], bool]:
    return lambda: stored(connection) == fleet.rows()


def readings_taken(connection: Connection) -> int:
    """Return how many readings committed writes took, repeated ones included."""
    row = connection.execute("select coalesce(sum(readings), 0) from ingest.batch").fetchone()
    assert row is not None
    return int(row[0])


def assert_settled(connection: Connection, fleet: Fleet) -> None:
    """The ledger says the same as the readings, and nothing was found strange."""
    found = connection.execute("select gateway, settled::text from ingest.ledger order by gateway").fetchall()
    assert found == [(gateway, f"{{[1,{last + 1})}}") for gateway, last in sorted(fleet.last_seq.items())]
    for table in ("exception", "dead_letter", "reading_rejected", "reading_replaced", "parked_message"):
        query = sql.SQL("select * from ingest.{}").format(sql.Identifier(table))
        assert connection.execute(query).fetchall() == [], table
