"""The Modbus source: one task for a connection, the devices on it in turn."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from edge_agent.contract.birth import SeriesSpec
from edge_agent.contract.errors import BadRecord
from edge_agent.contract.quality import Quality
from edge_agent.sources import Poll, Reading, Recorder
from edge_agent.sources.clock import Clock, SystemClock
from edge_agent.sources.modbus.client import Answer, Client, Unanswered, Unreachable
from edge_agent.sources.modbus.decode import decode
from edge_agent.sources.modbus.plan import Block, plan
from edge_agent.sources.modbus.reads import Reads
from edge_agent.sources.modbus.schedule import Backoff, Job, Timetable
from edge_agent.sources.modbus.settings import Device, ModbusConnection
from edge_agent.sources.modbus.tags import Tag, tags_of

SETTLE_S: Final = 3.0
"""How long a stop waits for the recorder: what was read is worth it, a full disk is not worth being killed for."""


class ModbusSource:
    """Reads what one connection's settings name, each device at its interval.

    Guarantees: a value is one that the device answered to exactly this request, stamped when the answer arrived; a
    poll is recorded before its unit is asked again; a unit that is silent, busy or refuses delays the others by one
    time-out at most, and backs off alone.
    """

    def __init__(
        self, settings: ModbusConnection, *, clock: Clock | None = None, chance: Callable[[], float] = random.random
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._chance = chance
        self._tags = {device.name: tags_of(device) for device in settings.devices}
        self._series = {tag.series: tag.spec for tags in self._tags.values() for tag in tags}

    def series(self) -> Mapping[str, SeriesSpec]:
        """Return the series of all devices on the connection, by name."""
        return MappingProxyType(self._series)

    async def run(self, recorder: Recorder) -> None:
        """Poll until cancelled; an error of the recorder ends the run, since a poll must not be lost unseen."""
        try:
            async with asyncio.TaskGroup() as recordings:
                line = _Line(self._settings, self._tags, self._clock, self._chance, recorder, recordings)
                try:
                    await line.run()
                finally:
                    # A poll that is complete is recorded even when the agent is told to stop.
                    await line.settle()
        except ExceptionGroup as group:
            raise group.exceptions[0] from group


class _Line:
    """One run over one connection."""

    def __init__(
        self,
        settings: ModbusConnection,
        tags: Mapping[str, tuple[Tag, ...]],
        clock: Clock,
        chance: Callable[[], float],
        recorder: Recorder,
        recordings: asyncio.TaskGroup,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._recorder = recorder
        self._recordings = recordings
        self._backoff = Backoff(settings.backoff_first_s, settings.backoff_max_s)
        self._reads = {
            job: reads for device in settings.devices for job, reads in _jobs(device, tags[device.name], self._backoff)
        }
        self._client = Client(settings, clock)
        self._pending: dict[int, asyncio.Task[None]] = {}
        self._devices = {device.name: device.unit_id for device in settings.devices}
        self._unit_trouble: dict[int, str] = {}
        self._said: dict[str, str | None] = {}
        self._failures = 0
        self._retry_mono_s = clock.mono_s()
        self._timetable = Timetable(tuple(self._reads), self._backoff, clock.mono_s())

    async def run(self) -> None:
        try:
            while True:
                found = self._timetable.next(self._clock.mono_s())
                if not isinstance(found, Job):
                    await self._clock.sleep(found - self._clock.mono_s())
                elif await self._connected():
                    await self._poll(found)
        finally:
            self._client.close()

    async def settle(self) -> None:
        """Wait until everything read is recorded, or ``SETTLE_S`` have passed."""
        if self._pending:
            await asyncio.wait(self._pending.values(), timeout=SETTLE_S)

    async def _connected(self) -> bool:
        """Connect when there is no connection; False after a failure, whose wait the next call sits out."""
        if self._client.connected:
            return True
        await self._clock.sleep(max(0.0, self._retry_mono_s - self._clock.mono_s()))
        try:
            await self._client.connect()
        except Unreachable as error:
            self._connection_failed()
            for device in self._devices:
                self._say(device, str(error))
            return False
        return True

    def _connection_failed(self) -> None:
        self._failures += 1
        self._retry_mono_s = self._clock.mono_s() + self._backoff.after(self._failures, self._chance())

    async def _poll(self, job: Job) -> None:
        """Read the blocks of ``job``, and hand what was read to the recorder; the bus goes on meanwhile."""
        if job.unit_id in self._pending:
            await asyncio.wait((self._pending.pop(job.unit_id),))
        reads = self._reads[job]
        todo = reads.begin(self._clock.mono_s())
        if not todo:
            self._timetable.passed(job, self._clock.mono_s())
            return
        readings: list[Reading] = []
        answers = 0
        silence: str | None = None
        while todo and silence is None:
            block = todo.pop(0)
            try:
                found = await self._client.read(job.unit_id, block.function, block.address, block.count)
            except Unanswered as error:
                silence = str(error)
                if error.cut and not answers:
                    self._connection_failed()
            else:
                self._failures = 0
                if isinstance(found, Answer):
                    answers += 1
                    reads.answered(block)
                    readings.extend(_readings(block, found.words, found.t_ms))
                elif found.concerns_block:
                    answers += 1
                    why = f"{block.shown}: {found.shown}"
                    todo[:0] = reads.refused(block, why, self._clock.mono_s(), may_cut=found.concerns_address)
                else:
                    silence = found.shown
            if silence is not None:
                reads.silent(block, f"{block.shown}: {silence}", self._clock.mono_s(), self._chance())
        reads.end()
        if readings:
            self._record(job, tuple(readings))
        if answers:
            self._timetable.answered(job, self._clock.mono_s())
            self._unit_trouble.pop(job.unit_id, None)
        else:
            self._timetable.silent(job, self._clock.mono_s(), self._chance())
            self._unit_trouble[job.unit_id] = f"unit {job.unit_id}: {silence}"
        self._tell(job)

    def _record(self, job: Job, readings: tuple[Reading, ...]) -> None:
        recording = self._recordings.create_task(self._recorder.record(Poll(job.device, readings)))
        self._pending[job.unit_id] = recording

    def _tell(self, polled: Job) -> None:
        """Tell how the device of ``polled`` is, and those that share its unit and were spoken of before."""
        trouble = self._unit_trouble.get(polled.unit_id)
        for device, unit_id in self._devices.items():
            if unit_id != polled.unit_id or (device != polled.device and device not in self._said and not trouble):
                continue
            whys = [reads.why for job, reads in self._reads.items() if job.device == device and reads.why]
            self._say(device, trouble or "; ".join(whys) or None)

    def _say(self, device: str, why: str | None) -> None:
        """Tell the recorder how ``device`` is; that it is down, only when the reason is new."""
        if why is None:
            self._recorder.device_up(device)
        elif self._said.get(device) != why:
            self._recorder.device_down(device, why)
        self._said[device] = why


def _jobs(device: Device, tags: tuple[Tag, ...], backoff: Backoff) -> list[tuple[Job, Reads]]:
    return [
        (
            Job(device.name, device.unit_id, interval_ms / 1000),
            Reads(
                plan((tag for tag in tags if tag.interval_ms == interval_ms), device.max_registers, device.max_gap),
                backoff,
            ),
        )
        for interval_ms in sorted({tag.interval_ms for tag in tags})
    ]


def _readings(block: Block, words: list[int], t_ms: int) -> list[Reading]:
    readings = []
    for tag in block.tags:
        offset = tag.address - block.address
        try:
            value = decode(words[offset : offset + tag.layout.dtype.words], tag.layout)
        except BadRecord as error:
            quality = Quality.OUT_OF_RANGE if error.reason == "register_range" else Quality.BAD
            readings.append(Reading(tag.series, t_ms, None, quality))
        else:
            readings.append(Reading(tag.series, t_ms, value))
    return readings
