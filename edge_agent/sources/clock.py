"""Time, passed in: UTC for what is stamped, monotonic for what is waited."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What a source asks of time."""

    def utc_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""

    def mono_s(self) -> float:
        """Return seconds that never go back."""

    async def sleep(self, duration_s: float) -> None:
        """Return after ``duration_s`` of :meth:`mono_s`."""


class SystemClock:
    """The machine's own clock."""

    def utc_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def mono_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        """Return after ``duration_s``."""
        await asyncio.sleep(duration_s)
