"""The recorder of a running agent: what sources hand over is on disk when they go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from edge_agent.clock import Clock
from edge_agent.contract.birth import Birth
from edge_agent.contract.errors import BadRecord, PulseError
from edge_agent.contract.event import Event, EventKind
from edge_agent.contract.quality import Quality
from edge_agent.device_clocks import DeviceClocks, doubt
from edge_agent.outbox.batches import Bounds, storable
from edge_agent.outbox.intake import Intake
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.writer import Batching, Question, Waiting, Writer
from edge_agent.settings import Publish
from edge_agent.sources import Poll, Reading, Stamped

_log = logging.getLogger(__name__)
_Future = asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class DeviceState:
    """Whether a device answers, and if not, why."""

    up: bool
    why: str = ""


class Devices:
    """How the devices are; written by the loop's thread, read from any."""

    def __init__(self) -> None:
        self._states: Mapping[str, DeviceState] = {}
        self.clocks = DeviceClocks()
        """The clocks of devices that stamp their own values."""

    def changed(self, device: str, found: DeviceState) -> bool:
        """Note ``found``; True when ``device`` went down, or came up after that."""
        before = self._states.get(device)
        if before != found:
            self._states = {**self._states, device: found}
        return (before is None or before.up) != found.up

    def states(self) -> Mapping[str, DeviceState]:
        """Return how each device that was heard of is; never changes afterwards."""
        return self._states


class DiskRecorder:
    """Implements :class:`~edge_agent.sources.Recorder` on an outbox, with a thread of its own.

    ``composed`` is called from that thread whenever there are new messages or events.
    """

    def __init__(
        self,
        outbox: Outbox,
        birth: Birth,
        publish: Publish,
        clock: Clock,
        devices: Devices,
        composed: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._birth = birth
        self._publish = publish
        self._clock = clock
        self._devices = devices
        self._clocks = devices.clocks
        batching = Batching(publish.batch_s, publish.batch_readings, publish.max_message_bytes)
        self._writer: Writer[_Future] = Writer(batching, clock, self._settled, self._answered, composed)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: _Future | None = None

    def start(self) -> None:
        """Make the birth the current one and start writing; from within the loop that the sources run in."""
        self._loop = asyncio.get_running_loop()
        with self._intake() as intake:
            intake.adopt(self._birth)
        self._ended = self._loop.run_in_executor(self._thread, self._run)

    async def finish(self) -> None:
        """Have everything recorded so far composed, and end."""
        self._writer.stop()
        await asyncio.wait((self.ended,))
        self._thread.shutdown()

    @property
    def ended(self) -> _Future:
        """Done when the thread has ended; its exception says why, when it was not told to."""
        if self._ended is None:
            raise RuntimeError("the recorder was not started")
        return self._ended

    def _intake(self) -> Intake:
        bounds = Bounds(self._publish.batch_readings, self._publish.max_message_bytes)
        return self._outbox.intake(bounds, self._publish.compression)

    def _run(self) -> None:
        with self._intake() as intake:
            self._writer.run(intake)

    async def record(self, poll: Poll) -> None:
        """Return once ``poll`` and its bookmark are on disk, in one transaction.

        While nothing can be written this waits, for a minute; then it raises ``Retryable``. A series that the birth
        does not list is a ``BadRecord``.
        """
        for reading in poll.readings:
            if reading.series not in self._birth.series:
                raise BadRecord("series", f"{reading.series!r} of device {poll.device!r} is not in the birth")
            if not 0 <= reading.t_ms < 1 << 53:
                raise BadRecord("time", f"{reading.t_ms} of {reading.series!r} is no time in UTC milliseconds")
        done = asyncio.get_running_loop().create_future()
        self._writer.put(Waiting(self._carried(poll), done, self._clock.mono_s()))
        await done

    async def bookmark(self, key: str) -> str | None:
        """Return what was last recorded under ``key``; ``None`` when nothing was."""
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._writer.put(Question(key, answer))
        return await answer

    def device_up(self, device: str) -> None:
        """Say that ``device`` answers; cheap, may be said at every poll."""
        self._device(device, DeviceState(up=True))

    def device_down(self, device: str, why: str) -> None:
        """Say that ``device`` does not answer, and why, in words for a person."""
        self._device(device, DeviceState(up=False, why=why))

    def tell(self, event: Event) -> None:
        """Keep ``event`` until the broker has taken it; returns before it is on disk."""
        self._writer.put(event)

    def _device(self, device: str, found: DeviceState) -> None:
        if self._devices.changed(device, found):
            kind = EventKind.DEVICE_UP if found.up else EventKind.DEVICE_DOWN
            _log.info("agent.%s device=%s why=%r", kind, device, found.why)
            self.tell(Event(kind=kind, at=self._clock.utc_ms(), device=device[:100], text=found.why[:1000]))

    def _carried(self, poll: Poll) -> Poll:
        """Return ``poll`` as the contract can carry it, with doubt added where the clock that stamped it was wrong."""
        now_ms = self._clock.utc_ms()
        if poll.stamped is Stamped.DEVICE and poll.readings:
            latest_ms = max(reading.t_ms for reading in poll.readings)
            news = self._clocks.measured(poll.device, latest_ms, now_ms, self._clock.mono_s())
            if news is not None:
                _log.warning("agent.device_clock device=%s %s", poll.device, news)
                self.tell(Event(kind=EventKind.DEVICE_CLOCK, at=now_ms, device=poll.device[:100], text=news))
        is_doubtful = doubt(poll.stamped, self._clocks.offset_ms(poll.device), now_ms)
        return replace(poll, readings=tuple(_carried(reading, is_doubtful(reading.t_ms)) for reading in poll.readings))

    def _settled(self, futures: Sequence[_Future], error: PulseError | None) -> None:
        self._in_loop(_resolve, futures, None, error)

    def _answered(self, future: _Future, value: str | None) -> None:
        self._in_loop(_resolve, (future,), value, None)

    def _in_loop(self, *call: Any) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(*call)


def _carried(reading: Reading, is_doubtful: bool) -> Reading:
    value, quality = storable(reading.value, int(reading.quality))
    if is_doubtful:
        quality = max(quality, int(Quality.CLOCK_UNSYNCED))
    if value is reading.value and quality == reading.quality:
        return reading
    if value is None and reading.value is not None:
        _log.warning("agent.value_refused series=%s value=%r", reading.series, reading.value)
    return replace(reading, value=value, quality=Quality(quality))


def _resolve(futures: Sequence[_Future], value: object, error: PulseError | None) -> None:
    for future in futures:
        if future.done():
            continue  # its source was cancelled; the poll is on disk all the same
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
