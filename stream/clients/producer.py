"""The producer: acks=all, idempotent, each record's outcome told exactly once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from edge_agent.contract.errors import BadRecord, PulseError, Retryable
from stream.clients.faults import Poisoned, translate, translated
from stream.clients.opening import REQUEST_TIMEOUT_S, forbid_creation, opening
from stream.topics import MAX_RECORD_BYTES

log = logging.getLogger(__name__)

Headers = list[tuple[str, bytes]]
Done = Callable[[PulseError | None], None]
"""Told the outcome of one send: ``None`` once Kafka has it on all in-sync replicas."""


class Producer:
    """Sends with acks=all and idempotence; the buffer is bounded by whoever sends (kafka-python's has no bound)."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def require(self, topics: Sequence[str]) -> None:
        """Return once the partitions of ``topics`` are known; ``Retryable`` names the one that is missing."""
        for topic in topics:
            try:
                self._inner.partitions_for(topic)
            except KafkaError as error:
                found = translate(error, f"topic {topic}")
                if isinstance(found, Retryable):
                    raise Retryable(f"{found}; if it does not exist: g60 stream topics ensure") from error
                raise found from error

    def send(self, topic: str, key: bytes, value: bytes | None, headers: Headers, done: Done) -> None:
        """Queue one record (without a value: a tombstone) and return.

        ``done`` is called exactly once, from the producer's thread or before this returns.
        With ``BadRecord`` when this record is too long for any topic of ours; with ``Poisoned`` when Kafka refused
        this or another record, after which the producer is of no use.
        """
        what = f"send to {topic}"
        try:
            future = self._inner.send(topic, value=value, key=key, headers=headers)
        except (KafkaError, ValueError) as error:  # ValueError: the topic vanished, no partition to choose
            done(translate(error, what))
            return
        future.add_callback(lambda _: done(None))
        future.add_errback(lambda error: done(_unsure(translate(error, what))))

    def send_alone(self, topic: str, key: bytes, value: bytes, headers: Headers, timeout_s: float) -> None:
        """Send one record while nothing else is in flight; return once Kafka has it.

        ``BadRecord``: Kafka refuses this very record, and the producer is of no use afterwards.
        """
        with translated(f"send to {topic}"):
            self._inner.send(topic, value=value, key=key, headers=headers).get(timeout_s)

    def flush(self, timeout_s: float) -> None:
        """Return once the outcome of everything sent so far is known; ``Retryable`` when that takes longer."""
        with translated("flush"):
            self._inner.flush(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Send what is queued for at most ``timeout_s``, then let go; every outcome has been told afterwards."""
        try:
            self._inner.flush(timeout_s)
        except KafkaTimeoutError:
            log.warning("event=producer_closed unsent=some")
        # flush() inside close() raises on time-out and leaves the thread running; forced, there is nothing to flush.
        sender = self._inner._sender
        sender.force_close()
        sender.join(REQUEST_TIMEOUT_S)
        self._inner.close(timeout=0)


def open_producer(
    bootstrap: str, client_id: str, *, linger_ms: int = 5, delivery_timeout_s: float = 120.0, block_s: float = 2.0
) -> Producer:
    """Connect a producer.

    ``delivery_timeout_s`` after it was queued a record fails with ``Retryable``. Batches of 256 KiB and a few
    milliseconds of linger: 1 kB records then go at 29 k/s instead of 10.7 k/s (brokers.md).
    """
    with opening(bootstrap, client_id, "connect a producer") as shared:
        inner = KafkaProducer(
            **shared,
            acks="all",
            enable_idempotence=True,
            linger_ms=linger_ms,
            batch_size=256 << 10,
            max_request_size=MAX_RECORD_BYTES,
            delivery_timeout_ms=int(max(delivery_timeout_s, REQUEST_TIMEOUT_S + 1) * 1000),
            max_block_ms=int(block_s * 1000),
            metrics_enabled=False,
        )
        forbid_creation(inner)
    return Producer(inner)


def _unsure(error: PulseError) -> PulseError:
    return Poisoned(str(error)) if isinstance(error, BadRecord) else error
