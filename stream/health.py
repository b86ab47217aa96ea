"""What outlives a client: failures in a row, and what is due by the clock."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from edge_agent.contract.errors import Retryable
from stream.backoff import Backoff
from stream.settings import ConsumerSettings
from stream.store import Store

log = logging.getLogger(__name__)

IDLE_EVERY_S: Final = 0.5
REPORT_EVERY_S: Final = 30.0


class Health:
    """How the work of one loop goes, whichever client does it."""

    def __init__(
        self, settings: ConsumerSettings, store: Store[Any], group: str, now_mono_s: Callable[[], float]
    ) -> None:
        self.now_mono_s = now_mono_s
        self.group = group
        self._store = store
        self._backoff = Backoff(settings.retry_first_s, settings.retry_most_s)
        self._idle_at_mono_s = 0.0
        self._report_at_mono_s = now_mono_s() + REPORT_EVERY_S
        self._records = 0
        self._writes = 0
        self._failures = 0

    def failed(self, event: str, error: Retryable) -> float:
        """Count and log a failure; return how long to wait before the next attempt."""
        wait_s = self._backoff.next_s()
        self._failures += 1
        log.warning("event=%s group=%s wait_s=%.2f error=%s", event, self.group, wait_s, error)
        return wait_s

    def works(self) -> None:
        """Note that what may have failed before did not."""
        self._backoff.reset()

    def wrote(self, records: int) -> None:
        """Count a write."""
        self._records += records
        self._writes += 1

    def idle(self) -> None:
        """Let the store do what is due, at most twice a second."""
        now = self.now_mono_s()
        if now < self._idle_at_mono_s:
            return
        self._idle_at_mono_s = now + IDLE_EVERY_S
        try:
            self._store.idle()
        except Retryable as error:
            log.warning("event=store_away group=%s during=idle error=%s", self.group, error)

    def report(self, partitions: int) -> None:
        """Log the counts, every half a minute."""
        now = self.now_mono_s()
        if now < self._report_at_mono_s:
            return
        self._report_at_mono_s = now + REPORT_EVERY_S
        log.info(
            "event=consumed group=%s partitions=%d records=%d writes=%d failures=%d",
            *(self.group, partitions, self._records, self._writes, self._failures),
        )
