"""Fakes for time and for the agent's disk, and a way to run a source until something has happened."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from edge_agent.sources import Poll, Reading, Recorder, Source

DEADLINE_S = 20.0


class MemoryRecorder:
    """A recorder that keeps everything in lists; ``gate`` holds recording back while it is clear."""

    def __init__(self) -> None:
        self.polls: list[Poll] = []
        self.told: list[tuple[str, str | None]] = []
        self.bookmarks: dict[str, str] = {}
        self.waiting: list[Poll] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._changed = asyncio.Event()

    @property
    def readings(self) -> list[Reading]:
        return [reading for poll in self.polls for reading in poll.readings]

    def of(self, series: str) -> list[int | float | None]:
        return [reading.value for reading in self.readings if reading.series == series]

    def downs(self, device: str) -> list[str]:
        return [why for told, why in self.told if told == device and why is not None]

    async def record(self, poll: Poll) -> None:
        self.waiting.append(poll)
        self._changed.set()
        await self.gate.wait()
        self.waiting.remove(poll)
        self.polls.append(poll)
        if poll.bookmark is not None:
            self.bookmarks[poll.bookmark.key] = poll.bookmark.value
        self._changed.set()

    async def bookmark(self, key: str) -> str | None:
        return self.bookmarks.get(key)

    def device_up(self, device: str) -> None:
        self.told.append((device, None))
        self._changed.set()

    def device_down(self, device: str, why: str) -> None:
        self.told.append((device, why))
        self._changed.set()

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not happened():
                self._changed.clear()
                await self._changed.wait()


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self, utc_ms: int = 1_760_000_000_000) -> None:
        self.now_s = 1000.0
        self._zero_ms = utc_ms

    def utc_ms(self) -> int:
        return self._zero_ms + round((self.now_s - 1000.0) * 1000)

    def mono_s(self) -> float:
        return self.now_s

    async def sleep(self, duration_s: float) -> None:
        self.now_s += max(0.0, duration_s)
        await asyncio.sleep(0)


async def run_until(source: Source, recorder: MemoryRecorder, happened: Callable[[], bool]) -> None:
    """Run ``source`` until ``happened``, then stop it as the agent does; its own errors come out."""
    protocol: Recorder = recorder
    running = asyncio.create_task(source.run(protocol))
    waiting = asyncio.create_task(recorder.until(happened))
    try:
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        await waiting
    finally:
        waiting.cancel()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
