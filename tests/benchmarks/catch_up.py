"""How fast the sink catches up after its database was away.

Messages go on arriving at a steady rate all the time. What counts is the rate at which they are stored from the
moment at which the sink has found the database again until less than a second of arrivals is left, as a multiple of the
rate at which they arrive.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from itertools import count
from typing import Final, LiteralString

from deploy.local.postgres import Postgres
from edge_agent.contract.errors import PulseError
from stream.clients import Producer, open_producer
from stream.topics import BIRTHS, TELEMETRY
from tests.benchmarks.scale import Scale
from tests.benchmarks.sink import Result, Say
from tests.benchmarks.stage import PATIENCE_S, Stage, running
from tests.services.waiting import until
from tests.warehouse.sink.feed import T0, birth, telemetry
from warehouse.postgres import connect

PER_S: Final = 50
"""Messages that arrive each second."""
READINGS: Final = 200
GATEWAYS: Final = 20


def catch_up(stage: Stage, scale: Scale, say: Say) -> Result:
    """Kill the database for ``scale.away_s`` under steady arrivals; ``times_arriving`` is the multiple."""
    if not isinstance(stage.server, Postgres):
        raise TypeError("a database that is given is not killed")
    with stage.place() as place, ExitStack() as ending:
        producer = open_producer(stage.kafka.bootstrap, "catch-up")
        ending.callback(producer.close, 5)
        ending.enter_context(running(place.sink()))
        arrivals = ending.enter_context(Arrivals(producer))
        until(lambda: _stored(place.dsn) > PER_S, PATIENCE_S)
        stage.server.kill()
        time.sleep(scale.away_s)
        stage.server.start()
        before = _stored(place.dsn)
        until(lambda: _sinks(place.dsn) > 0, PATIENCE_S)
        backlog, began_mono_s = arrivals.sent - before, time.monotonic()
        until(lambda: arrivals.sent - _stored(place.dsn) < PER_S, PATIENCE_S)
        took_s, done = time.monotonic() - began_mono_s, _stored(place.dsn) - before
    say(f"  away {scale.away_s:.0f} s, backlog {backlog} messages of {READINGS}; {done} stored in {took_s:.1f} s")
    return {
        "away_s": scale.away_s,
        "backlog_messages": backlog,
        "stored_messages": done,
        "took_s": took_s,
        "times_arriving": done / took_s / PER_S,
    }


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


def _stored(dsn: str) -> int:
    return _number(dsn, "select coalesce(sum(readings), 0) from ingest.batch") // READINGS


def _sinks(dsn: str) -> int:
    return _number(dsn, "select count(*) from pg_stat_activity where application_name like 'g60 sink%'")


def _number(dsn: str, query: LiteralString) -> int:
    """Return what ``query`` says; 0 while the database is away."""
    try:
        with connect(dsn, application="g60 bench") as connection:
            row = connection.execute(query).fetchone()
    except PulseError:
        return 0
    return 0 if row is None else int(row[0])
