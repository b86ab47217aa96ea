"""What is unacknowledged at each link, now."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Final, Self

import psycopg

from edge_agent.contract.errors import PulseError, Retryable
from edge_agent.outbox.inspection import Numbers, inspect
from stream.clients import Consumer, open_consumer
from stream.topics import UP_TOPICS
from tests.faults.stage import Theatre
from warehouse import postgres

MOMENT_S: Final = 3.0
"""How long a kill waits for a moment at which its victim is at work."""
_LOOK_S: Final = 0.002


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """Counts just before a fault; ``None`` where the link could not be asked."""

    agent_broker: int | None = None
    """Messages that agents published and the broker has not acknowledged."""
    broker_bridge: int | None = None
    """Messages that the broker gave the bridge and the bridge has not acknowledged: it does so once Kafka has them,
    so they are as well what is under way from the bridge to Kafka."""
    kafka_sink: int | None = None
    """Records on Kafka that no offset in the warehouse covers."""
    sink_postgres: int | None = None
    """Transactions of the sink that have written something and are not committed."""
    agent_warehouse: int | None = None
    """Messages on the agents' disks: the warehouse has not confirmed them, or the agent has not heard it."""

    def at(self, process: str) -> int:
        """Return how much would be lost or left undecided with ``process``, if nobody else kept it."""
        links = {
            "agent": (self.agent_broker, self.agent_warehouse),
            "mosquitto": (self.agent_broker, self.broker_bridge),
            "bridge": (self.broker_bridge,),
            "kafka": (self.broker_bridge, self.kafka_sink),
            "sink": (self.kafka_sink, self.sink_postgres),
            "postgres": (self.sink_postgres,),
        }
        return sum(count or 0 for count in links[process.partition("-")[0]])

    def under_way(self, process: str) -> bool:
        """True when ``process`` is at work at this moment: what it has is half done."""
        match process:
            case "mosquitto" | "bridge" | "kafka":
                return bool(self.broker_bridge)
            case "sink" | "postgres":
                return bool(self.sink_postgres)
        return bool(self.agent_broker)

    def as_dict(self) -> dict[str, int | None]:
        """Return all of it for a report."""
        return asdict(self)


class Gauges:
    """Asks proxies, Kafka, the database and the agents' buffers; connects anew where a fault broke a connection."""

    def __init__(self, theatre: Theatre) -> None:
        self._theatre = theatre
        self._database: postgres.Connection | None = None
        self._consumer: Consumer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._drop_database()
        self._drop_consumer()

    def moment(self, process: str, gateways: tuple[str, ...]) -> Unacknowledged:
        """Wait for a moment at which ``process`` is at work, and return what is unacknowledged."""
        slow = self.now(gateways)
        deadline_mono_s = time.monotonic() + MOMENT_S
        while True:
            found = self._fast(process, slow)
            if found.under_way(process) or time.monotonic() > deadline_mono_s:
                return found
            self._wait(process)

    def now(self, gateways: tuple[str, ...]) -> Unacknowledged:
        """Return what is unacknowledged now, as far as can be asked; takes some ten milliseconds."""
        numbers = [self.numbers(gateway) for gateway in gateways]
        known = [each for each in numbers if each is not None]
        return Unacknowledged(
            agent_broker=self._theatre.wires.agent_mqtt.from_clients(),
            broker_bridge=self._theatre.wires.bridge_mqtt.from_broker(),
            kafka_sink=self._lag(),
            sink_postgres=self._open_transactions(),
            agent_warehouse=sum(each.held_messages + (each.pending_readings > 0) for each in known) if known else None,
        )

    def numbers(self, gateway: str) -> Numbers | None:
        """Return the numbers of an agent's buffer; ``None`` while it cannot be read."""
        path = self._theatre.outbox(gateway)
        if not path.is_file():
            return None
        try:
            return inspect(path, 8 << 20, 1.0, time.time_ns() // 1_000_000)
        except Retryable:
            return None

    def settled(self, numbers: dict[str, Numbers], *, every: bool = True) -> bool:
        """True when the warehouse has settled every message up to the last one of each of ``numbers``.

        Not ``every``: the last one, or any later one, is enough.
        """

        def ask(connection: postgres.Connection) -> int:
            row = connection.execute(
                """
                SELECT count(*) FROM unnest(%s::text[], %s::int8[], %s::int8[]) AS w (gateway, epoch, last)
                JOIN ingest.ledger AS l USING (gateway, epoch)
                WHERE CASE
                  WHEN %s THEN l.settled @> int8range(1, w.last, '[]') ELSE l.settled && int8range(w.last, NULL)
                END
                """,
                (
                    list(numbers),
                    [each.epoch for each in numbers.values()],
                    [each.last_seq for each in numbers.values()],
                    every,
                ),
            ).fetchone()
            return 0 if row is None else int(row[0])

        return self._asked(ask) == len(numbers)

    def _fast(self, process: str, slow: Unacknowledged) -> Unacknowledged:
        """Look again at what changes within milliseconds."""
        wires = self._theatre.wires
        return Unacknowledged(
            agent_broker=wires.agent_mqtt.from_clients(),
            broker_bridge=wires.bridge_mqtt.from_broker(),
            kafka_sink=slow.kafka_sink,
            sink_postgres=self._open_transactions() if process in ("sink", "postgres") else slow.sink_postgres,
            agent_warehouse=slow.agent_warehouse,
        )

    def _wait(self, process: str) -> None:
        wires = self._theatre.wires
        if process in ("sink", "postgres"):
            time.sleep(_LOOK_S)
        elif process in ("mosquitto", "bridge", "kafka"):
            wires.bridge_mqtt.wait(0.1)
        else:
            wires.agent_mqtt.wait(0.1)

    def _open_transactions(self) -> int | None:
        def ask(connection: postgres.Connection) -> int:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'g60 sink %%'"
                " AND backend_xid IS NOT NULL"
            ).fetchone()
            return 0 if row is None else int(row[0])

        return self._asked(ask)

    def _lag(self) -> int | None:
        """Return how many records Kafka has beyond the stored offsets."""
        try:
            if self._consumer is None:
                self._consumer = open_consumer(self._theatre.kafka.bootstrap, "faults", "faults")
            partitions = [partition for topic in UP_TOPICS for partition in self._consumer.partitions_of(topic.name)]
            ends = {partition: end for partition, (_, end) in self._consumer.bounds(partitions).items()}
        except PulseError:
            self._drop_consumer()
            return None

        def ask(connection: postgres.Connection) -> int:
            stored: dict[tuple[str, int], int] = {
                (topic, partition): int(offset)
                for topic, partition, offset in connection.execute(
                    "SELECT topic, partition, next_offset FROM ingest.sink_offset"
                )
            }
            return sum(max(0, end - stored.get((place.topic, place.partition), 0)) for place, end in ends.items())

        return self._asked(ask)

    def _asked(self, ask: Callable[[postgres.Connection], int]) -> int | None:
        try:
            with postgres.translated():
                if self._database is None or self._database.closed:
                    self._database = postgres.connect(self._theatre.dsn, application="g60-faults")
                return ask(self._database)
        except Retryable:
            self._drop_database()
            return None

    def _drop_database(self) -> None:
        if self._database is not None:
            with suppress(psycopg.Error):
                self._database.close()
        self._database = None

    def _drop_consumer(self) -> None:
        if self._consumer is not None:
            with suppress(PulseError):
                self._consumer.close(0.2)
        self._consumer = None
