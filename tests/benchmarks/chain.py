"""The whole chain for one benchmark: broker, bridge and sink, gateways on one end, rows on the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from deploy.local.mosquitto import Mosquitto
from deploy.local.process import Process
from stream.topics import TELEMETRY
from tests.benchmarks.appended import Appended
from tests.benchmarks.driving import Driver, driving
from tests.benchmarks.fleet import SERIES_A_MESSAGE, fleet, new_epoch
from tests.benchmarks.plan import Connect, Order
from tests.benchmarks.sink import births_stored, stored
from tests.benchmarks.stage import PATIENCE_S, Place, Stage, pid_of, running
from tests.services.waiting import until
from warehouse.postgres import Connection, statement

STANDSTILL_S = 30.0
"""The rest is given up once nothing more has been stored for so long."""
_SQL = "tests.benchmarks"


@dataclass(frozen=True, slots=True)
class Delay:
    """From `t` to the commit, milliseconds: the middle, the 99th percentile and the longest; ``None`` of nothing."""

    p50_ms: float | None = None
    p99_ms: float | None = None
    most_ms: float | None = None

    def __str__(self) -> str:
        return "no delay" if self.p50_ms is None else f"p50 {self.p50_ms:,.0f} ms, p99 {self.p99_ms:,.0f} ms"


@dataclass(frozen=True, slots=True)
class Chain:
    """A running chain whose gateways are connected and known."""

    place: Place
    mosquitto: Mosquitto
    bridge: Process
    sink: Process
    driver: Driver
    connection: Connection
    gateways: int
    epoch: int
    users_made_s: float
    """How long it took to make their users: a password hashed for each, the broker's files read anew."""
    admitted_s: float
    """How long it took to connect all gateways and to store their births."""

    def pids(self) -> dict[str, int]:
        """Return every process of the chain, and the generator."""
        pids = {"bridge": pid_of(self.bridge), "sink": pid_of(self.sink), "generator": self.driver.pid}
        if self.mosquitto.pid is not None:
            pids["mosquitto"] = self.mosquitto.pid
        return self.place.stage.pids() | pids

    def memory_mb(self) -> dict[str, int]:
        """Return the resident memory of each process and its children, shared pages counted once for each."""
        found = {}
        for name, pid in self.pids().items():
            process = psutil.Process(pid)
            family = [process, *process.children(recursive=True)]
            found[name] = round(sum(member.memory_info().rss for member in family) / (1 << 20))
        return found

    def lag(self, appended: Appended) -> int:
        """Return how many messages Kafka has that the sink has not stored."""
        row = self.connection.execute(statement(_SQL, "offsets.sql"), {"topic": TELEMETRY.name}).fetchone()
        return appended.count() - (int(row[0]) if row else 0)

    def await_readings(self, readings: int) -> int:
        """Return how many readings were stored: ``readings``, or what there is when nothing more comes."""
        return self.settled(lambda: stored(self.connection)[1], readings)

    def settled(self, count: Callable[[], int], enough: int) -> int:
        """Return ``count()`` once it is ``enough``, or has stood still for ``STANDSTILL_S``."""
        seen, seen_mono_s = -1, time.monotonic()
        while True:
            now = count()
            if now > seen:
                seen, seen_mono_s = now, time.monotonic()
            if now >= enough or time.monotonic() > seen_mono_s + STANDSTILL_S:
                return now
            pid_of(self.sink)
            pid_of(self.bridge)
            time.sleep(0.2)

    def rate(self, after_batch: int) -> float:
        """Return the readings per second from the first commit after ``after_batch`` to the last."""
        commits = self.connection.execute(statement(_SQL, "commits.sql"), {"after": after_batch}).fetchall()
        if len(commits) < 2:
            return 0.0
        (first_s, first_rows), (last_s, _) = commits[0], commits[-1]
        return float((sum(readings for _, readings in commits) - first_rows) / (last_s - first_s))

    def rows(self) -> int:
        """Return how many gauges the table holds."""
        row = self.connection.execute(statement(_SQL, "rows.sql")).fetchone()
        return int(row[0]) if row else 0

    def delays(self, since_ms: int, boundaries: Sequence[int] = ()) -> tuple[Delay, Delay]:
        """Return the delays of readings, and those of messages, which count from their newest reading."""
        names = [gateway.name for gateway in fleet(len(boundaries), SERIES_A_MESSAGE)]
        row = self.connection.execute(
            statement(_SQL, "latency.sql"), {"gateways": names, "boundaries": list(boundaries), "since_ms": since_ms}
        ).fetchone()
        if row is None or row[0] is None:
            return Delay(), Delay()
        return Delay(*(round(ms, 1) for ms in row[0])), Delay(*(round(ms, 1) for ms in row[1]))


@contextmanager
def chain(stage: Stage, gateways: int, points: int, admitted_per_s: float) -> Iterator[Chain]:
    """Give a chain whose ``gateways`` are connected and whose births are stored."""
    with stage.place() as place, place.mosquitto() as mosquitto, place.database() as connection:
        bridge, sink = place.bridge(mosquitto), place.sink()
        began_mono_s = time.monotonic()
        epoch = new_epoch(time.time_ns() // 1_000_000)
        with (
            running(bridge),
            running(sink),
            driving(mosquitto, place.folder, gateways, points, epoch) as driver,
        ):
            users_made_s = round(time.monotonic() - began_mono_s, 1)
            until(lambda: "event=mqtt_up" in bridge.log.read_text("utf-8") or not pid_of(bridge), PATIENCE_S)
            began_mono_s = time.monotonic()
            answer = driver.ask(Order(connect=Connect(per_s=admitted_per_s)))
            if answer.connected < gateways:
                raise ValueError(f"only {answer.connected} of {gateways} gateways were let in")
            until(lambda: bool(pid_of(sink)) and births_stored(connection) == gateways, PATIENCE_S, every_s=0.2)
            admitted_s = round(time.monotonic() - began_mono_s, 1)
            yield Chain(place, mosquitto, bridge, sink, driver, connection, gateways, epoch, users_made_s, admitted_s)
