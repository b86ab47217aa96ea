"""Messages straight into Kafka, as the bridge would have put them there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.contract.errors import PulseError
from edge_agent.contract.topics import Channel
from stream.clients import Producer, open_producer
from stream.topics import BIRTHS, CHANNEL, RECEIVED, TELEMETRY
from tests.benchmarks.fleet import SERIES_A_MESSAGE, Gateway, Template, fleet, new_epoch, templates
from tests.benchmarks.stage import PATIENCE_S

MOST_WAITING: Final = 4_000
"""Records that wait for Kafka at most."""
STEP_MS: Final = 1_000
"""Time between two readings of a series."""


@dataclass(frozen=True, slots=True)
class Load:
    """Gateways, and how they say what they have read."""

    gateways: tuple[Gateway, ...]
    templates: tuple[Template, ...]
    points: int
    epoch: int
    begin_ms: int

    @property
    def readings(self) -> int:
        """Readings in one message."""
        return SERIES_A_MESSAGE * self.points

    def messages(self, first: int, count: int) -> Iterator[tuple[Gateway, bytes]]:
        """Yield ``count`` messages of each gateway from its number ``first`` on, one of each in turn."""
        groups = len(self.templates)
        for seq in range(first, first + count):
            turn, group = divmod(seq - 1, groups)
            from_ms = self.begin_ms + turn * self.points * STEP_MS
            times = [from_ms + at * STEP_MS for at in range(self.points)]
            for gateway in self.gateways:
                template = self.templates[group]
                yield gateway, template.fill(gateway.digest, self.epoch, seq, times[-1], times)


def load(gateways: int, points: int, series: int = SERIES_A_MESSAGE, rows: int = 0) -> Load:
    """Return ``gateways`` of ``series`` each that send ``points`` of 20 series a message.

    Their readings end about now when ``rows`` of them are sent, so that none lies in the future.
    """
    now_ms = time.time_ns() // 1_000_000
    span_ms = (rows // (gateways * series) + points) * STEP_MS
    return Load(fleet(gateways, series), templates(series, points), points, new_epoch(now_ms), now_ms - span_ms)


class Filling:
    """Puts records into Kafka and waits until they are there."""

    def __init__(self, bootstrap: str) -> None:
        self._producer: Producer = open_producer(bootstrap, "bench", linger_ms=20)
        self._room = threading.BoundedSemaphore(MOST_WAITING)
        self._failure: PulseError | None = None

    def births(self, gateways: Sequence[Gateway]) -> None:
        """Put down the births."""
        for gateway in gateways:
            key = f"{gateway.name}/{gateway.digest}".encode()
            self._send(BIRTHS.name, key, gateway.birth, Channel.BIRTH)
        self._producer.flush(PATIENCE_S)

    def telemetry(self, messages: Iterator[tuple[Gateway, bytes]]) -> int:
        """Put down messages; return the bytes of the last one."""
        size = 0
        for gateway, payload in messages:
            self._send(TELEMETRY.name, gateway.name.encode(), payload, Channel.LIVE)
            size = len(payload)
        self._producer.flush(PATIENCE_S)
        if self._failure is not None:
            raise self._failure
        return size

    def close(self) -> None:
        """Disconnect."""
        self._producer.close(5.0)

    def _send(self, topic: str, key: bytes, value: bytes, channel: Channel) -> None:
        headers = [(CHANNEL, channel.encode()), (RECEIVED, b"%d" % (time.time_ns() // 1_000_000))]
        self._room.acquire()
        self._producer.send(topic, key, value, headers, self._done)

    def _done(self, error: PulseError | None) -> None:
        self._room.release()
        self._failure = error or self._failure
