"""Time, passed in, and whether the gateway's wall clock can be believed."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from edge_agent.contract.state import Clock as ClockState
from edge_agent.contract.state import ClockStatus

PLAUSIBLE_FROM_MS: Final = 1_704_067_200_000
"""2024-01-01 UTC: a clock before it was never set, as on a gateway without battery after a power cut."""
STEP_MS: Final = 1_000
"""A smaller jump between two looks is the ordinary discipline of the clock."""
STEP_REMEMBERED_S: Final = 600.0


class Clock(Protocol):
    """What the agent asks of time."""

    def utc_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""

    def mono_s(self) -> float:
        """Return seconds that never go back and go on while the machine sleeps."""

    def disciplined(self) -> bool | None:
        """Return whether the kernel says that something keeps its clock right; ``None`` when it does not say."""


class SystemClock:
    """The machine's own clock."""

    def utc_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def mono_s(self) -> float:
        """Return seconds since the machine was started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def disciplined(self) -> bool | None:
        """Ask adjtimex(2): it returns ``TIME_ERROR`` while the clock is not synchronised."""
        try:
            adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
        except (OSError, AttributeError):
            return None
        # struct timex is 208 bytes on 64 bit; all zero asks without changing anything (modes = 0).
        found = adjtimex(ctypes.create_string_buffer(512))
        return None if found < 0 else found != _TIME_ERROR


_TIME_ERROR: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_9999_MS: Final = 253_402_300_799_000


@dataclass(frozen=True, slots=True)
class Step:
    """The wall clock jumped; forward is positive.

    If the clock is right now, what it stamped from ``since_ms`` to ``from_ms`` lies ``step_ms`` too early.
    """

    since_ms: int
    """What the clock showed when it was first looked at, or after its last jump."""
    from_ms: int
    to_ms: int

    @property
    def step_ms(self) -> int:
        """How far it jumped."""
        return self.to_ms - self.from_ms

    @property
    def text(self) -> str:
        """The step for an event: numbers first, then the same for people."""
        numbers = f"since={self.since_ms} from={self.from_ms} to={self.to_ms} step_ms={self.step_ms}"
        return f"{numbers}; {_shown(self.from_ms)} -> {_shown(self.to_ms)} (时钟校正)"


class ClockWatch:
    """Notices steps of the wall clock against the monotonic one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ms: float | None = None
        self._since_ms = 0
        self._step: Step | None = None
        self._stepped_mono_s = 0.0

    def look(self) -> Step | None:
        """Return the step since the last look, if there was one; call it every few seconds."""
        mono_s = self._clock.mono_s()
        now_ms = self._clock.utc_ms()
        offset_ms = now_ms - mono_s * 1000
        before, self._offset_ms = self._offset_ms, offset_ms
        if before is None:
            self._since_ms = now_ms
        if before is None or abs(offset_ms - before) < STEP_MS:
            return None
        self._step = Step(self._since_ms, now_ms - round(offset_ms - before), now_ms)
        self._since_ms = now_ms
        self._stepped_mono_s = mono_s
        return self._step

    def state(self) -> ClockState:
        """Return ``stepped`` for ten minutes after a step, ``unsynced`` while nothing keeps the clock right."""
        if not plausible(self._clock.utc_ms()):
            return ClockState(status=ClockStatus.UNSYNCED)
        if self._step is not None and self._clock.mono_s() - self._stepped_mono_s < STEP_REMEMBERED_S:
            return ClockState(status=ClockStatus.STEPPED, step_ms=self._step.step_ms)
        if self._clock.disciplined() is False:
            return ClockState(status=ClockStatus.UNSYNCED)
        return ClockState(status=ClockStatus.SYNCED)


def _shown(utc_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=min(utc_ms, _YEAR_9999_MS))).isoformat(timespec="seconds")


def plausible(utc_ms: int) -> bool:
    """Return whether a clock that shows ``utc_ms`` can have been set at all."""
    return utc_ms >= PLAUSIBLE_FROM_MS
