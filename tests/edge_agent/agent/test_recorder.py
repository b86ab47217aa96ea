"""What sources hand over, and what becomes of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent.contract.errors import BadRecord, Retryable
from edge_agent.contract.event import EventKind, parse_event
from edge_agent.contract.quality import Quality
from edge_agent.contract.telemetry import parse_batch
from edge_agent.outbox.outbox import Outbox
from edge_agent.recorder import Devices, DeviceState, DiskRecorder
from edge_agent.settings import Publish
from edge_agent.sources import Poll, Reading
from tests.edge_agent.outbox.models import MANY_BYTES, NOW_MS, birth, everything, gauges, marked, pending_times
from tests.edge_agent.publisher.fakes import MovedClock


@asynccontextmanager
async def recording(
    path: Path, clock: MovedClock, devices: Devices, publish: Publish | None = None
) -> AsyncIterator[DiskRecorder]:
    with Outbox(path, MANY_BYTES) as outbox:
        recorder = DiskRecorder(outbox, birth(), publish or Publish(batch_s=3600), clock, devices, lambda: None)
        recorder.start()
        try:
            yield recorder
        finally:
            await recorder.finish()
            recorder.ended.result()


def test_record_returns_when_the_poll_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "o.db"

    async def go() -> None:
        async with recording(path, MovedClock(), Devices()) as recorder:
            assert await recorder.bookmark("place") is None
            await recorder.record(marked(gauges(1, 3), "here"))
            assert pending_times(path) == [1, 2, 3]
            assert await recorder.bookmark("place") == "here"
            await asyncio.gather(*(recorder.record(gauges(10 * n, 10)) for n in range(1, 50)))
            assert len(pending_times(path)) == 493
        with pytest.raises(Retryable, match="ended"):
            await recorder.record(gauges(1, 1))

    asyncio.run(go())
    assert sum(parse_batch(body).readings for body in everything(path).values()) == 493


def test_what_no_message_can_carry_is_kept_as_bad_and_spoils_nothing(tmp_path: Path) -> None:
    path = tmp_path / "o.db"

    async def go() -> None:
        async with recording(path, MovedClock(), Devices()) as recorder:
            await recorder.record(
                Poll("m1", (Reading("m1.power", NOW_MS, math.nan), Reading("m1.power", NOW_MS + 1, 1.5)))
            )

    asyncio.run(go())
    (body,) = everything(path).values()
    points = parse_batch(body).series["m1.power"]
    assert (points.v, points.q) == ((None, 1.5), (Quality.BAD, Quality.GOOD))


def test_readings_of_a_clock_that_was_never_set_carry_the_doubt(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    readings = (
        Reading("m1.power", 1, 1.0),
        Reading("m1.power", 2, 1.0, Quality.UNCERTAIN),
        Reading("m1.power", 3, None, Quality.BAD),
    )

    async def go() -> None:
        async with recording(path, MovedClock(offset_ms=0), Devices()) as recorder:
            await recorder.record(Poll("m1", readings))

    asyncio.run(go())
    (body,) = everything(path).values()
    assert parse_batch(body).series["m1.power"].q == (Quality.CLOCK_UNSYNCED, Quality.UNCERTAIN, Quality.BAD)


@pytest.mark.parametrize("reading", [Reading("m1.other", 1, 1.0), Reading("m1.power", -1, 1.0)])
def test_a_poll_that_no_birth_explains_is_refused_whole(tmp_path: Path, reading: Reading) -> None:
    path = tmp_path / "o.db"

    async def go() -> None:
        async with recording(path, MovedClock(), Devices()) as recorder:
            with pytest.raises(BadRecord):
                await recorder.record(Poll("m1", (Reading("m1.power", 1, 1.0), reading)))
            assert pending_times(path) == []

    asyncio.run(go())


def test_a_cancelled_source_leaves_its_poll_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "o.db"

    async def go() -> None:
        async with recording(path, MovedClock(), Devices()) as recorder:
            task = asyncio.create_task(recorder.record(gauges(1, 2)))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await recorder.record(gauges(3, 1))

    asyncio.run(go())
    assert sum(parse_batch(body).readings for body in everything(path).values()) == 3


def test_devices_are_told_of_when_they_change(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    devices = Devices()

    async def go() -> None:
        async with recording(path, MovedClock(), devices) as recorder:
            recorder.device_up("press-1")
            recorder.device_down("press-1", "no answer")
            recorder.device_down("press-1", "no route")
            recorder.device_up("press-1")
            recorder.device_up("press-1")
            recorder.device_down("press-2", "refused")

    asyncio.run(go())
    assert devices.states() == {"press-1": DeviceState(up=True), "press-2": DeviceState(up=False, why="refused")}
    with Outbox(path, MANY_BYTES) as outbox, outbox.outflow() as outflow:
        events = [parse_event(body) for _, body in outflow.events(0, 10)]
    assert [(event.kind, event.device, event.text) for event in events] == [
        (EventKind.DEVICE_DOWN, "press-1", "no answer"),
        (EventKind.DEVICE_UP, "press-1", ""),
        (EventKind.DEVICE_DOWN, "press-2", "refused"),
    ]
