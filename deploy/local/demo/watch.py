"""Watching the demo: one line that says how far the readings have come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.status import Status

from deploy.local.demo.fate import Tally

PLAIN_EVERY_S: Final = 5.0
"""How often a line is written where there is no terminal."""


class Watch:
    """Tells a person what is going on: a moving line on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, now_mono_s: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._now_mono_s = now_mono_s
        self._began_mono_s = now_mono_s()
        self._said_mono_s = float("-inf")
        self._status: Status | None = None

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Say what is being done, and how long it took once it is."""
        began = self._now_mono_s()
        if not self._console.is_terminal:
            self._console.print(f"… {what}", highlight=False)
        with self._console.status(what) as status:
            self._status = status
            yield
            self._status = None
        self._console.print(f"✓ {what} ({self._now_mono_s() - began:.1f} s)", highlight=False)

    def tell(self, past: int, tally: Tally | None, remaining_s: float) -> None:
        """Say how far the readings are; ``None`` when the database could not be asked."""
        line = self._line(past, tally, remaining_s)
        if self._status is not None and self._console.is_terminal:
            self._status.update(line)
        elif self._now_mono_s() - self._said_mono_s >= PLAIN_EVERY_S:
            self._said_mono_s = self._now_mono_s()
            self._console.print(f"  {line}", highlight=False)

    def _line(self, past: int, tally: Tally | None, remaining_s: float) -> str:
        left = f"live for {remaining_s:.0f} s more (实时采集)" if remaining_s > 0 else "draining (清空缓冲)"
        if tally is None:
            return f"{left} · the database does not answer, it is being started again (数据库暂无应答)"
        return (
            f"{left} · stored (已入库) {tally.stored:,}"
            f" · past (历史) {tally.backfilled:,}/{past:,} · on agents' disks (待确认) {tally.held:,}"
        )
