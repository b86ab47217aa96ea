"""Tells Kafka what is stored, for its display of lag only: where to begin is never asked of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from edge_agent.contract.errors import Retryable
from stream.clients import Consumer
from stream.topics import Partition

log = logging.getLogger(__name__)

TELL_EVERY_S: Final = 1.0
LAST_WORD_S: Final = 1.0
"""How long Kafka may take to hear the last of it."""


class Announcement:
    """Offsets that are stored and that Kafka has not been told yet; what it does not take is not told again."""

    def __init__(self, consumer: Consumer, group: str) -> None:
        self._consumer = consumer
        self._group = group
        self._untold: dict[Partition, int] = {}
        self._tell_at_mono_s = 0.0

    def owe(self, next_offsets: Mapping[Partition, int]) -> None:
        """Take in what was stored."""
        self._untold |= next_offsets

    def forget(self, partitions: Iterable[Partition]) -> None:
        """Say nothing of ``partitions``: they may be somebody else's now."""
        for place in partitions:
            self._untold.pop(place, None)

    def tell(self, now_mono_s: float) -> None:
        """Tell what is owed, at most once a second, without waiting for an answer."""
        if self._untold and now_mono_s >= self._tell_at_mono_s:
            self._tell_at_mono_s = now_mono_s + TELL_EVERY_S
            told, self._untold = self._untold, {}
            self._consumer.commit_soon(told, self._not_told)

    def tell_all(self) -> None:
        """Tell what is owed if Kafka answers at once."""
        try:
            if self._untold:
                self._consumer.commit(self._untold, timeout_s=LAST_WORD_S)
        except Retryable as error:
            self._not_told(error)

    def _not_told(self, error: Exception) -> None:
        log.info("event=lag_not_told group=%s error=%s", self._group, error)
