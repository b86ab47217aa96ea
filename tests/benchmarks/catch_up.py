"""``python -m tests.benchmarks.catch_up``: how fast the sink catches up after its database was away.

Messages go on arriving at a steady rate all the time. What counts is the rate at which they are stored from the
moment at which the sink has found the database again until less than a second of arrivals is left, as a multiple of the
rate at which they arrive.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final, LiteralString

from edge_agent.contract.errors import PulseError
from stream.clients import Producer, ensure_topics, open_producer
from stream.topics import BIRTHS, TELEMETRY
from tests.services.plugin import make_kafka, make_postgres
from tests.warehouse.sink.feed import T0, birth, telemetry
from tests.warehouse.sink.test_service import service
from warehouse.migrate import migrate
from warehouse.postgres import connect

PER_S: Final = 50
"""Messages that arrive each second."""
READINGS: Final = 200
AWAY_S: Final = 60.0
GATEWAYS: Final = 20
LOOK_S: Final = 0.5


class Arrivals:
    """Sends messages at a steady rate in a thread, until it is left."""

    def __init__(self, producer: Producer) -> None:
        self.sent = 0
        self._producer = producer
        self._births = [birth(f"gw-{number}") for number in range(GATEWAYS)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Arrivals:
        for of in self._births:
            self._send(BIRTHS.name, f"{of.gateway}/{of.digest()}", of.encode())
        self._producer.flush(60)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        began_mono_s = time.monotonic()
        for number in count():
            if self._stop.wait(max(0.0, began_mono_s + number / PER_S - time.monotonic())):
                return
            of, seq = self._births[number % GATEWAYS], 1 + number // GATEWAYS
            readings = [(T0 + READINGS * seq + index, index) for index in range(READINGS)]
            self._send(TELEMETRY.name, of.gateway, telemetry(of, seq, {"p": readings}))
            self.sent = number + 1

    def _send(self, topic: str, key: str, value: bytes) -> None:
        headers = [("channel", b"live"), ("received", b"%d" % T0)]
        self._producer.send(topic, key.encode(), value, headers, lambda _: None)


def measure(folder: Path, say: Callable[[str], object]) -> float:
    """Return how many times faster messages were stored than they arrived."""
    kafka, postgres = make_kafka(folder / "kafka"), make_postgres(folder / "postgres")
    kafka.start()
    postgres.start()
    try:
        ensure_topics(kafka.bootstrap, replication=1)
        with connect(postgres.dsn, application="catch up") as connection:
            migrate(connection)
        config = folder / "sink.toml"
        config.write_text(
            f'[kafka]\nbootstrap = "{kafka.bootstrap}"\ninstance = "sink"\n[database]\ndsn = "{postgres.dsn}"\n',
            "utf-8",
        )
        producer = open_producer(kafka.bootstrap, "catch-up")
        with service(config), Arrivals(producer) as arrivals:
            _await(lambda: stored(postgres.dsn) > PER_S)
            postgres.kill()
            time.sleep(AWAY_S)
            postgres.start()
            before = stored(postgres.dsn)
            _await(lambda: sinks(postgres.dsn) > 0)
            backlog, began_mono_s = arrivals.sent - before, time.monotonic()
            _await(lambda: arrivals.sent - stored(postgres.dsn) < PER_S)
            took_s, done = time.monotonic() - began_mono_s, stored(postgres.dsn) - before
        producer.close(5)
    finally:
        kafka.stop()
        postgres.stop()
    say(f"away {AWAY_S:.0f} s, backlog {backlog} messages of {READINGS}; {done} stored in {took_s:.1f} s")
    return done / took_s / PER_S


def stored(dsn: str) -> int:
    """Return how many messages are stored."""
    return _number(dsn, "select coalesce(sum(readings), 0) from ingest.batch") // READINGS


def sinks(dsn: str) -> int:
    """Return how many sinks are connected."""
    return _number(dsn, "select count(*) from pg_stat_activity where application_name like 'g60 sink%'")


def _number(dsn: str, query: LiteralString) -> int:
    try:
        with connect(dsn, application="catch up") as connection:
            row = connection.execute(query).fetchone()
    except PulseError:
        return 0
    assert row is not None
    return int(row[0])


def _await(holds: Callable[[], bool]) -> None:
    while not holds():
        time.sleep(LOOK_S)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as room:
        ratio = measure(Path(room), lambda text: sys.stdout.write(f"{text}\n"))
    sys.stdout.write(f"stored {ratio:.1f} times as fast as arriving\n")
