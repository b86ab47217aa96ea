"""What the tests feed to a sink: births, messages and states as Kafka records, and a sink to take them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from edge_agent.contract.birth import Birth, Kind, SeriesSpec
from edge_agent.contract.command import Stored, parse_stored
from edge_agent.contract.errors import PulseError
from edge_agent.contract.topics import Command
from stream.clients import Source
from stream.settings import ConsumerSettings
from stream.topics import BIRTHS, EVENTS, STATES, TELEMETRY, UP_TOPICS, Partition, Record
from warehouse.settings import DatabaseSettings
from warehouse.sink.settings import SinkSettings
from warehouse.sink.store import PostgresStore

T0 = 1_790_000_000_000
"""A time in September 2026, UTC ms."""
APPENDED = T0 + 3_600_000
EPOCH = 1_795_000_000_000_512
SOURCE = Source("cluster", {topic.name: f"id-of-{topic.name}" for topic in UP_TOPICS})
PARTITIONS = [Partition(topic.name, number) for topic in UP_TOPICS for number in range(2)]

GAUGE = SeriesSpec(device="main", quantity="active_power", unit="kW", kind=Kind.GAUGE, interval_ms=10_000)
REGISTER = SeriesSpec(
    device="main",
    quantity="active_energy",
    unit="kWh",
    kind=Kind.REGISTER,
    interval_ms=900_000,
    decimals=2,
    range=1_000,
)
STATE = SeriesSpec(device="press", quantity="mode", unit="", kind=Kind.STATE, interval_ms=60_000)


def birth(gateway: str = "gw", series: Mapping[str, SeriesSpec] | None = None, agent: str = "") -> Birth:
    return Birth(gateway=gateway, series=dict(series or {"p": GAUGE, "e": REGISTER, "m": STATE}), agent=agent)


def telemetry(
    of: Birth,
    seq: int,
    series: Mapping[str, Sequence[tuple[Any, ...]]],
    *,
    epoch: int = EPOCH,
    dropped: Sequence[Sequence[Any]] = (),
) -> bytes:
    """A message; a reading is (t, v) or (t, v, q)."""
    body: dict[str, Any] = {"v": 1, "b": of.digest(), "epoch": epoch, "seq": seq, "sent": T0, "series": {}}
    for name, readings in series.items():
        points: dict[str, Any] = {"t": [r[0] for r in readings], "v": [r[1] for r in readings]}
        if any(len(r) > 2 for r in readings):
            points["q"] = [r[2] if len(r) > 2 else 0 for r in readings]
        body["series"][name] = points
    if dropped:
        body["dropped"] = dropped
    return json.dumps(body).encode()


@dataclass
class Log:
    """Kafka's side: gives out offsets."""

    following: dict[Partition, int] = field(default_factory=dict)

    def add(
        self,
        topic: str,
        key: str,
        value: bytes | None,
        *,
        partition: int = 0,
        headers: Mapping[str, bytes] | None = None,
    ) -> Record:
        place = Partition(topic, partition)
        offset = self.following.get(place, 0)
        self.following[place] = offset + 1
        all_headers = {"received": str(APPENDED - 1_000 + offset).encode(), **(headers or {})}
        return Record(topic, partition, offset, key.encode(), value, all_headers, APPENDED)

    def birth(self, of: Birth) -> Record:
        return self.add(BIRTHS.name, f"{of.gateway}/{of.digest()}", of.encode())

    def message(self, value: bytes, gateway: str = "gw", headers: Mapping[str, bytes] | None = None) -> Record:
        return self.add(TELEMETRY.name, gateway, value, headers=headers)

    def state(self, gateway: str = "gw", **body: Any) -> Record:
        return self.add(STATES.name, gateway, json.dumps({"v": 1, "online": True, **body}).encode())

    def event(self, gateway: str = "gw", **body: Any) -> Record:
        return self.add(EVENTS.name, gateway, json.dumps({"v": 1, **body}).encode())


@dataclass
class Sent:
    """Takes commands instead of Kafka; fails while ``failure`` is set."""

    commands: list[tuple[str, Command, bytes]] = field(default_factory=list)
    failure: PulseError | None = None

    def send(self, gateway: str, command: Command, payload: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        self.commands.append((gateway, command, payload))

    def stored(self, gateway: str = "gw") -> list[Stored]:
        return [parse_stored(body) for to, what, body in self.commands if to == gateway and what is Command.STORED]


@dataclass
class Clock:
    """Monotonic seconds that stand still until moved."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def settings(dsn: str, **changes: Any) -> SinkSettings:
    return SinkSettings(
        kafka=ConsumerSettings(bootstrap="unused:1"), database=DatabaseSettings(dsn=dsn), name="test", **changes
    )


@contextmanager
def sink(
    dsn: str, sent: Sent | None = None, clock: Clock | None = None, *, assign: bool = True, **changes: Any
) -> Iterator[PostgresStore]:
    """A sink that has all partitions."""
    store = PostgresStore(settings(dsn, **changes), sent or Sent(), now_mono_s=clock or Clock())
    try:
        if assign:
            store.assigned(PARTITIONS, SOURCE)
        yield store
    finally:
        store.close()


def write(store: PostgresStore, *records: Record) -> None:
    store.write(store.prepare(records), offsets_after(records))


def offsets_after(records: Iterable[Record]) -> dict[Partition, int]:
    return {record.place: record.offset + 1 for record in records}


def eventually(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    """Return as soon as ``holds`` does; fail when it does not in time."""
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, "did not come true in time"
        time.sleep(0.01)
