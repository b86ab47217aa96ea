"""How many messages may be unacknowledged, and what an acknowledgement means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from edge_agent.publisher.backoff import Backoff, Chance

SUCCESS: Final = 0
NO_SUBSCRIBERS: Final = 16
"""The broker took the message and threw it away: nobody subscribes (measured on Mosquitto 2.0.11)."""
STALL_S: Final = 60.0
"""A broker that acknowledges nothing for so long is given up."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Sent(Generic[T]):
    item: T
    since_mono_s: float


class Window(Generic[T]):
    """Messages under way, by packet id; at most ``capacity``, and only one at a time after a refusal."""

    def __init__(self, capacity: int, chance: Chance, pause_first_s: float = 1.0, pause_most_s: float = 60.0) -> None:
        self._capacity = capacity
        self._sent: dict[int, _Sent[T]] = {}
        self._backoff = Backoff(pause_first_s, pause_most_s, chance)
        self._paused_until_mono_s: float | None = None

    @property
    def refused(self) -> bool:
        """True from a refusal until the next success."""
        return self._backoff.failures > 0

    def room(self, now_mono_s: float) -> int:
        """Return how many telemetry messages may be sent now."""
        if self._paused_until_mono_s is not None and now_mono_s < self._paused_until_mono_s:
            return 0
        return max((1 if self.refused else self._capacity) - len(self._sent), 0)

    def worthwhile(self, now_mono_s: float) -> int:
        """Return the room once half the window is free, else 0: marking a few at a time would cost a commit each."""
        room = self.room(now_mono_s)
        return room if 2 * room >= self._capacity or self.refused else 0

    @property
    def free(self) -> int:
        """How many packets of any kind may be under way besides those that are, refusals or not."""
        return max(self._capacity - len(self._sent), 0)

    def sent(self, packet_id: int, item: T, now_mono_s: float) -> None:
        """Note that ``item`` is under way."""
        self._sent[packet_id] = _Sent(item, now_mono_s)

    def acknowledged(self, packet_id: int) -> T | None:
        """Take the item of ``packet_id`` out of the window; ``None`` when it is not under way in this generation."""
        found = self._sent.pop(packet_id, None)
        return None if found is None else found.item

    def succeeded(self) -> None:
        """Somebody takes our telemetry: open the window again."""
        self._backoff.succeeded()
        self._paused_until_mono_s = None

    def refuse(self, now_mono_s: float) -> float | None:
        """Pause after a refusal; return the pause in seconds, or ``None`` when one is running already."""
        if self._paused_until_mono_s is not None and now_mono_s < self._paused_until_mono_s:
            return None
        pause_s = self._backoff.failed()
        self._paused_until_mono_s = now_mono_s + pause_s
        return pause_s

    def stalled(self, now_mono_s: float) -> bool:
        """True when the oldest packet has waited :data:`STALL_S` for its acknowledgement."""
        oldest = next(iter(self._sent.values()), None)
        return oldest is not None and now_mono_s - oldest.since_mono_s >= STALL_S

    def under_way(self) -> list[T]:
        """Return everything unacknowledged, in the order of sending."""
        return [sent.item for sent in self._sent.values()]
