"""Sends commands towards gateways: onto the commands topic, from which the bridge publishes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from edge_agent.contract.errors import PulseError, Retryable
from edge_agent.contract.topics import Command
from stream.clients import Producer, open_producer
from stream.topics import COMMANDS, command_key

MOST_PENDING: Final = 20_000
"""Commands that may wait for Kafka; beyond it sending fails, and the next confirmation says what this one would."""

LOOK_EVERY_S: Final = 5.0
"""How often a Kafka that is away is looked for."""


class CommandSender:
    """Connects at the first command and stays connected; used by one thread."""

    def __init__(
        self, bootstrap: str, client_id: str = "g60-commands", now_mono_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._now_mono_s = now_mono_s
        self._look_at_mono_s = 0.0
        self._producer: Producer | None = None
        self._lock = threading.Lock()
        self._pending = 0
        self._failure: PulseError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, gateway: str, command: Command, payload: bytes) -> None:
        """Queue ``command`` for ``gateway``; the last one of its kind is the one that holds.

        ``Retryable`` when Kafka cannot be reached or too much waits for it; nothing was queued then. Whether Kafka
        took it is told by :meth:`flush`.
        """
        self._send(gateway, command, payload)

    def clear(self, gateway: str, command: Command) -> None:
        """Queue that nothing of ``command`` holds any longer; errors as for :meth:`send`."""
        self._send(gateway, command, None)

    def flush(self, timeout_s: float = 10.0) -> None:
        """Return once Kafka has every command sent so far.

        Raises what went wrong with any of them since the last call (``Retryable``: send again what should hold now).
        """
        if self._producer is None:
            return
        self._producer.flush(timeout_s)
        with self._lock:
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what is queued for at most ``timeout_s``, then disconnect."""
        if self._producer is not None:
            self._producer.close(timeout_s)
            self._producer = None

    def _send(self, gateway: str, command: Command, payload: bytes | None) -> None:
        producer = self._producer or self._connect()
        if self._pending >= MOST_PENDING:
            raise Retryable(f"{self._pending} commands wait for Kafka")
        with self._lock:
            self._pending += 1
        producer.send(COMMANDS.name, command_key(gateway, command), payload, [], self._done)

    def _connect(self) -> Producer:
        """Connect; after a failure not before ``LOOK_EVERY_S``, since each attempt takes seconds."""
        now = self._now_mono_s()
        if now < self._look_at_mono_s:
            raise Retryable("Kafka was away a moment ago")
        try:
            self._producer = open_producer(self._bootstrap, self._client_id)
        except Retryable:
            self._look_at_mono_s = self._now_mono_s() + LOOK_EVERY_S
            raise
        return self._producer

    def _done(self, error: PulseError | None) -> None:
        with self._lock:
            self._pending -= 1
            self._failure = error or self._failure
