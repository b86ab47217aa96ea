"""The replay source: files of past readings, each row recorded once, whatever happens in between."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from edge_agent.contract.birth import SeriesSpec
from edge_agent.contract.errors import BadRecord, Misconfigured, Retryable
from edge_agent.sources import Poll, Recorder, Stamped
from edge_agent.sources.clock import Clock, SystemClock
from edge_agent.sources.replay.bookmarks import Mark, bookmark_of, key_of, resume
from edge_agent.sources.replay.lines import identify
from edge_agent.sources.replay.reader import open_reader
from edge_agent.sources.replay.rows import latest_ms
from edge_agent.sources.replay.settings import Replay

_SKIP_LINES: Final = 50_000

_log = logging.getLogger(__name__)
T = TypeVar("T")


class ReplaySource:
    """Reads files of past readings for series that ``known`` or the settings declare.

    Guarantees: rows are recorded in order, each with the bookmark that says so, so that a run goes on exactly after the
    last recorded row, also after ``kill -9``; a bad row is kept in the rejected file, on disk before the bookmark
    passes it, and stops nothing.
    """

    def __init__(self, settings: Replay, known: Mapping[str, SeriesSpec], *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._series = {series.series: series.spec() for series in settings.series}
        double = sorted(self._series.keys() & known.keys())
        if double:
            raise Misconfigured(
                f"replay {settings.name}: series {double[0]!r} is declared by another source as well (序列重复声明); "
                "allowed: leave it out here, the files may hold it all the same"
            )
        self._specs = {**known, **self._series}

    def series(self) -> Mapping[str, SeriesSpec]:
        """Return the series that only this source declares, by name."""
        return MappingProxyType(self._series)

    async def run(self, recorder: Recorder) -> None:
        """Return when every file is done; a file that is away is waited for, a damaged one is reported and left."""
        for path in self._settings.files:
            await self._whole(path, recorder)

    async def _whole(self, path: Path, recorder: Recorder) -> None:
        wait_s = min(1.0, self._settings.backoff_max_s)
        while True:
            try:
                await self._rest_of(path, recorder)
            except _Trouble as trouble:
                recorder.device_down(self._settings.name, str(trouble))
                _log.warning("replay.trouble name=%s file=%s why=%r", self._settings.name, path, str(trouble))
                if not trouble.passes:
                    return
            else:
                return
            await self._clock.sleep(wait_s)
            wait_s = min(2 * wait_s, self._settings.backoff_max_s)

    async def _rest_of(self, path: Path, recorder: Recorder) -> None:
        """Record the rows of ``path`` that its bookmark does not cover; ``_Trouble`` when the file fails."""
        name = self._settings.name
        identity = await _of_file(lambda: identify(path))
        mark = resume(await recorder.bookmark(key_of(name, identity)), identity)
        if mark.done:
            return
        opened = open_reader(path, self._settings, self._specs, latest_ms(self._clock.utc_ms()), mark.line)
        with ExitStack() as stack:
            reader = await _of_file(lambda: stack.enter_context(opened))
            while reader.line < mark.line:
                await _of_file(lambda: reader.skip(min(mark.line, reader.line + _SKIP_LINES)))
            pace = _Pace(self._settings, self._clock)
            line, done = mark.line, False
            while not done:
                batch = await _of_file(lambda: reader.batch(pace.rows))
                bookmark = bookmark_of(name, Mark(identity, batch.line, batch.done))
                await recorder.record(Poll(name, batch.readings, bookmark, Stamped.RECORD))
                recorder.device_up(name)
                await pace.rest(batch.line - line)
                line, done = batch.line, batch.done
        _log.info("replay.done name=%s file=%s lines=%d rejected=%d", name, path, line, reader.rejected)


class _Pace:
    """Holds the rate that the settings allow; after a stall it does not catch up."""

    def __init__(self, settings: Replay, clock: Clock) -> None:
        self._rows_per_s = settings.rows_per_s
        self._clock = clock
        self._next_mono_s = clock.mono_s()
        # With a slow rate a batch is what one second may hold.
        self.rows = min(settings.batch_rows, math.ceil(settings.rows_per_s or settings.batch_rows))

    async def rest(self, rows: int) -> None:
        if self._rows_per_s is None:
            return
        now_mono_s = self._clock.mono_s()
        self._next_mono_s = max(now_mono_s, self._next_mono_s + rows / self._rows_per_s)
        await self._clock.sleep(self._next_mono_s - now_mono_s)


class _Trouble(Exception):
    """A file fails; ``passes`` when the same call may succeed later. Never an error of the recorder."""

    def __init__(self, why: str, *, passes: bool) -> None:
        super().__init__(why)
        self.passes = passes


async def _of_file(call: Callable[[], T]) -> T:
    """Run ``call``, which reads or writes files, beside the event loop: a slow disk must not stall other sources.

    When cancelled it waits for the call, so that nobody closes a file under it.
    """
    running = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait((running,))
        raise
    except Retryable as error:
        raise _Trouble(str(error), passes=True) from error
    except BadRecord as error:
        raise _Trouble(str(error), passes=False) from error
