"""The way up to Kafka: tickets go in, outcomes come back through a queue."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Final, Self

from edge_agent.contract.errors import BadRecord, PulseError, Retryable
from stream.bridge.window import Ticket
from stream.clients import Poisoned, Producer

log = logging.getLogger(__name__)

ALONE_WITHIN_S: Final = 20.0
"""How long one record sent alone may take."""


class Uplink:
    """A producer while it is entered, replaced when Kafka's refusal of a record killed it.

    Everything but :meth:`_done` is called by the bridge's thread.
    """

    def __init__(self, connect: Callable[[], Producer], wake: Callable[[], None], stop: threading.Event) -> None:
        self._connect = connect
        self._wake = wake
        self._stop = stop
        self._producer: Producer | None = None
        self._outcomes: deque[tuple[Ticket, PulseError | None]] = deque()

    def __enter__(self) -> Self:
        self._producer = self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(0.2)

    def send(self, ticket: Ticket) -> None:
        """Hand ``ticket`` to the producer; its outcome appears among :meth:`outcomes`."""
        topic, key, value, headers = ticket.sent
        if self._producer is None:
            self._done(ticket, Retryable("not connected to Kafka"))
        else:
            self._producer.send(topic, key, value, headers, partial(self._done, ticket))

    def outcomes(self) -> Iterator[tuple[Ticket, PulseError | None]]:
        """Yield the tickets that are settled, each once: Kafka has it (``None``), or the error.

        ``BadRecord`` is about this very record. When a refusal killed the producer, all that it left is sent again
        one by one before this goes on, by new producers; ``Retryable`` when there is none to be had.
        """
        while self._outcomes:
            ticket, error = self._outcomes.popleft()
            if isinstance(error, Poisoned):
                self._outcomes.appendleft((ticket, error))
                self._outcomes.extend(self._one_by_one())
            else:
                yield ticket, error

    def _done(self, ticket: Ticket, error: PulseError | None) -> None:
        self._outcomes.append((ticket, error))
        self._wake()

    def _one_by_one(self) -> list[tuple[Ticket, PulseError | None]]:
        self._close(0.0)
        told = list(self._outcomes)
        self._outcomes.clear()
        suspects = sorted((ticket for ticket, error in told if error is not None), key=lambda one: one.read_mono_s)
        log.error("event=poisoned records=%d error=%s", len(suspects), told[0][1])
        found: list[tuple[Ticket, PulseError | None]] = [(ticket, None) for ticket, error in told if error is None]
        for ticket in suspects:
            if self._stop.is_set():
                raise Retryable("told to stop")
            if self._producer is None:
                self._producer = self._connect()
            try:
                self._producer.send_alone(*ticket.sent, timeout_s=ALONE_WITHIN_S)
            except BadRecord as error:
                found.append((ticket, error))
                self._close(0.0)
            else:
                found.append((ticket, None))
        if self._producer is None:
            self._producer = self._connect()
        return found

    def _close(self, timeout_s: float) -> None:
        if self._producer is not None:
            self._producer.close(timeout_s)
            self._producer = None
