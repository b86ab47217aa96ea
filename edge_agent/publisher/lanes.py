"""Two lanes: what is written now goes before what has waited, four to one, and the backlog may be slowed down."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

LIVE_SHARE: Final = 4
"""Live messages for each message of the backlog while both wait."""


class Lane(StrEnum):
    """Where a message stands."""

    LIVE = "live"
    """Written since this connection began."""
    BACKLOG = "backlog"
    """Older, or sent before."""


class Lanes:
    """Deals out room between the lanes; the turn goes on from one call to the next."""

    def __init__(self) -> None:
        self._turn = 0

    def deal(self, room: int, live: int, backlog: int) -> list[Lane]:
        """Return whose turn each of ``room`` sendings is, given how many messages wait in each lane."""
        order: list[Lane] = []
        while len(order) < room and (live or backlog):
            wants_live = self._turn < LIVE_SHARE
            if (wants_live and live) or not backlog:
                order.append(Lane.LIVE)
                live -= 1
            else:
                order.append(Lane.BACKLOG)
                backlog -= 1
            self._turn = (self._turn + 1) % (LIVE_SHARE + 1)
        return order


class Rate:
    """Messages per second that the backlog may send; saves up for at most one second."""

    def __init__(self, per_s: float | None, now_mono_s: float) -> None:
        self._per_s = per_s
        self._saved = 1.0
        self._now_mono_s = now_mono_s

    @property
    def per_s(self) -> float | None:
        """The rate; ``None`` when there is none."""
        return self._per_s

    def change(self, per_s: float | None) -> None:
        """Go on at another rate."""
        self._per_s = per_s

    def allowance(self, most: int, now_mono_s: float) -> int:
        """Return how many messages may go now, at most ``most``."""
        if self._per_s is None:
            return most
        self._saved += (now_mono_s - self._now_mono_s) * self._per_s
        self._saved = min(self._saved, max(self._per_s, 1.0))
        self._now_mono_s = now_mono_s
        return min(most, int(self._saved))

    def spend(self, messages: int) -> None:
        """Count ``messages`` as sent."""
        if self._per_s is not None:
            self._saved -= messages
