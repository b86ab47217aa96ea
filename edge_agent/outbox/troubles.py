"""What a person has to hear of the buffer, as few events: that it overflowed, that the disk was full (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from edge_agent.contract.event import Event, EventKind
from edge_agent.contract.telemetry import Dropped

TELL_S: Final = 600.0
"""An overflow that goes on is told again after this long, with what was given up meanwhile."""


@dataclass(slots=True)
class _Gone:
    messages: int = 0
    readings: int = 0
    reasons: set[str] = field(default_factory=set)


class Troubles:
    """Collects what went wrong and makes events of it; the counts of all events together are complete."""

    def __init__(self) -> None:
        self._gone = _Gone()
        self._told_mono_s: float | None = None
        self._full_since_ms: int | None = None
        self._refused_polls = 0
        self._refused_readings = 0

    def overflowed(self, dropped: Sequence[Dropped]) -> None:
        """Note messages that were given up."""
        self._gone.messages += len(dropped)
        self._gone.readings += sum(gap.readings for gap in dropped)
        self._gone.reasons |= {gap.reason for gap in dropped}

    def unwritable(self, now_ms: int) -> None:
        """Note that nothing can be written."""
        self._full_since_ms = now_ms if self._full_since_ms is None else self._full_since_ms

    def refused(self, polls: int, readings: int) -> None:
        """Note polls that waited for too long and were given back to their sources."""
        self._refused_polls += polls
        self._refused_readings += readings

    def overflow(self, now_ms: int, now_mono_s: float) -> list[Event]:
        """Return the event that is due about what was given up, if one is."""
        resting = self._told_mono_s is not None and now_mono_s - self._told_mono_s < TELL_S
        if not self._gone.messages or resting:
            return []
        gone, self._gone, self._told_mono_s = self._gone, _Gone(), now_mono_s
        text = (
            f"messages={gone.messages} readings={gone.readings} reasons={','.join(sorted(gone.reasons))}: the buffer "
            "is full, what had never been sent was given up; raise outbox.max_bytes or mend the connection "
            "(缓冲已满，按策略丢弃了未发送的数据)"
        )
        return [Event(kind=EventKind.BUFFER_OVERFLOW, at=now_ms, text=text)]

    def writable(self, now_ms: int) -> list[Event]:
        """Note that something can be written; return the event about the time when it could not."""
        if self._full_since_ms is None:
            return []
        text = (
            f"since={self._full_since_ms} until={now_ms} refused_polls={self._refused_polls} "
            f"refused_readings={self._refused_readings}: nothing could be written to the buffer's disk "
            "(缓冲所在磁盘曾无法写入)"
        )
        self._full_since_ms, self._refused_polls, self._refused_readings = None, 0, 0
        return [Event(kind=EventKind.DISK_FULL, at=now_ms, text=text)]
