"""The consumer loop for a store that keeps the offsets itself, in the transaction that keeps the records.

Kafka's group deals out the partitions; where to begin in each is asked of the store, and only of it. The store's
calls come one at a time, writes from a thread of their own; only ``prepare`` is called beside a write:

    assigned → (lost) → write → write … → revoked        and idle in between

What happens when

    the store is away        partitions are paused and polling goes on, so the membership lives; the same write again
    a write takes long       one more batch is read and prepared, no more; after 5 s polling stops
    the offset is stale      somebody else wrote: everything in memory is dropped, the store is asked again
    Kafka is away            polling goes on; a broken client is replaced by a new one
    the log start overtook   ``lost`` is called, reading goes on at the log start
    the log was cut          loud; reading goes back (``rewind_s``), since offsets read before name other records now
    the topic was made anew  records of the new log are dropped until the store has been asked with its identity
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic

from edge_agent.contract.errors import Retryable
from stream.clients import Source, open_consumer
from stream.health import IDLE_EVERY_S, Health
from stream.membership import Membership
from stream.settings import ConsumerSettings
from stream.store import P, Prepared, StaleOffset, Store
from stream.topics import Partition, Record

__all__ = ["ConsumerLoop", "ConsumerSettings", "Partition", "Prepared", "Record", "Source", "StaleOffset", "Store"]

log = logging.getLogger(__name__)


class ConsumerLoop(Generic[P]):
    """Reads ``topics`` as a member of ``group`` and hands them to ``store``; see the module."""

    def __init__(
        self,
        settings: ConsumerSettings,
        store: Store[P],
        group: str,
        topics: Sequence[str],
        *,
        now_mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._store = store
        self._group = group
        self._topics = tuple(topics)
        self._now_mono_s = now_mono_s
        self._health = Health(settings, store, group, now_mono_s)

    def run(self, stop: threading.Event) -> None:
        """Read and write until ``stop``; then leave the group, within a few seconds.

        What was read but not written is read again by the next member. Raises what the store raises, unless it is
        ``Retryable``, and ``Misconfigured`` when Kafka refuses for good.
        """
        while not stop.is_set():
            try:
                consumer = open_consumer(
                    self._settings.bootstrap,
                    f"g60-{self._group}",
                    self._group,
                    instance=self._settings.instance,
                    max_poll_interval_s=self._settings.max_poll_interval_s,
                    session_timeout_s=self._settings.session_timeout_s,
                    fetch_bytes=self._settings.fetch_bytes,
                )
            except Retryable as error:
                self._wait(stop, self._health.failed("kafka_away", error))
                continue
            membership = Membership(self._settings, self._store, consumer, self._topics, self._health)
            try:
                membership.run(stop)
            except Retryable as error:
                self._wait(stop, self._health.failed("client_replaced", error))
            finally:
                membership.close()

    def _wait(self, stop: threading.Event, wait_s: float) -> None:
        until_mono_s = self._now_mono_s() + wait_s
        while not stop.is_set() and (left_s := until_mono_s - self._now_mono_s()) > 0:
            self._health.idle()
            stop.wait(min(left_s, IDLE_EVERY_S))
