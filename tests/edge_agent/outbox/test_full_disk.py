"""A disk that is really full: under the recorder, under the publisher, and at the start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.contract.event import EventKind, parse_event
from edge_agent.contract.telemetry import Dropped, DropReason, parse_batch
from edge_agent.outbox.database import Database, OutboxFull
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.troubles import TELL_S, Troubles
from edge_agent.recorder import Devices, DiskRecorder
from edge_agent.settings import Publish
from edge_agent.sources import Poll, Reading
from tests.edge_agent.outbox.models import MANY_BYTES, NOW_MS, birth, everything, opened, pending_times
from tests.edge_agent.outbox.small_disk import SmallDisk, small_disk
from tests.edge_agent.publisher.fakes import MovedClock

POLL_READINGS = 2_000
DEADLINE_S = 60.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 40) as disk:
        yield disk


def poll(number: int) -> Poll:
    """Every second one carries a register."""
    series = "m1.energy" if number % 2 else "m1.power"
    first = NOW_MS + number * POLL_READINGS
    return Poll("m1", tuple(Reading(series, first + at, at) for at in range(POLL_READINGS)))


def fates(path: Path) -> tuple[set[int], int]:
    """The times that are held, and how many readings are reported, or wait to be, as given up."""
    batches = [parse_batch(body) for body in everything(path).values()]
    times = {t for batch in batches for points in batch.series.values() for t in points.t}
    with Database(path, readonly=True) as database:
        waiting = sum(row[3] for row in database.rows("dropped", {"ranges": -1}))
        assert database.pragma("integrity_check") == "ok"
    reported = sum(gap.readings for batch in batches for gap in batch.dropped)
    return times | set(pending_times(path)), reported + waiting


def test_acquisition_goes_on_over_a_full_disk_and_what_goes_is_told(disk: SmallDisk) -> None:
    path = disk.folder / "o.db"
    clock = MovedClock()
    recorded: set[int] = set()

    async def record(recorder: DiskRecorder, first: int, polls: int) -> None:
        for number in range(first, first + polls):
            one = poll(number)
            await recorder.record(one)
            recorded.update(reading.t_ms for reading in one.readings)

    async def go() -> None:
        with Outbox(path, MANY_BYTES, now_ms=lambda: NOW_MS) as outbox:
            recorder = DiskRecorder(outbox, birth(), Publish(batch_readings=2_000), clock, Devices(), lambda: None)
            recorder.start()
            try:
                await record(recorder, 0, 100)
                disk.fill()
                held_up = asyncio.create_task(record(recorder, 100, 200))
                await asyncio.wait((held_up,), timeout=2)  # goes on inside the file, or waits; either is well
                disk.empty()
                await asyncio.wait_for(held_up, DEADLINE_S)
                await record(recorder, 300, 20)
            finally:
                await recorder.finish()
                recorder.ended.result()

    asyncio.run(go())
    held, gone = fates(path)
    assert held <= recorded
    assert len(recorded) == 320 * POLL_READINGS
    assert len(recorded - held) == gone, "what is not held is reported, to the reading"
    with Outbox(path, MANY_BYTES) as outbox, outbox.outflow() as outflow:
        assert outbox.set_aside is None
        kinds = {parse_event(body).kind for _, body in outflow.events(0, 100)}
        assert kinds & {EventKind.BUFFER_OVERFLOW, EventKind.DISK_FULL}


def test_a_disk_that_is_full_at_the_start_is_waited_for(disk: SmallDisk) -> None:
    path = disk.folder / "o.db"
    disk.fill()
    with pytest.raises(OutboxFull), Outbox(path, MANY_BYTES):
        pytest.fail("opened without room")
    disk.empty()
    with opened(path) as (_, intake, outflow):
        epoch = outflow.epoch
        intake.adopt(birth())
        intake.record([poll(0)])
        intake.compose(NOW_MS)
    disk.fill()
    with pytest.raises(OutboxFull), Outbox(path, MANY_BYTES):
        pytest.fail("opened without room")
    disk.empty()
    with opened(path) as (outbox, intake, outflow):
        assert outbox.set_aside is None
        assert outflow.epoch == epoch
        assert sum(parse_batch(body).readings for body in everything(path).values()) == POLL_READINGS


def test_a_damaged_file_on_a_full_disk_is_set_aside_once_there_is_room(disk: SmallDisk) -> None:
    path = disk.folder / "o.db"
    with opened(path) as (_, intake, outflow):
        epoch = outflow.epoch
        intake.adopt(birth())
        intake.record([poll(0)])
        intake.compose(NOW_MS)
    path.write_bytes(b"\x55" * path.stat().st_size)
    disk.fill()
    with pytest.raises(OutboxFull), Outbox(path, MANY_BYTES):
        pytest.fail("opened without room")
    disk.empty()
    with opened(path) as (_, _, outflow):
        assert outflow.epoch > epoch
        assert EventKind.BUFFER_SET_ASIDE in {parse_event(body).kind for _, body in outflow.events(0, 10)}
    assert len(list(disk.folder.glob("o.db.damaged-*"))) == 1


def test_sending_and_confirming_survive_a_full_disk(disk: SmallDisk) -> None:
    path = disk.folder / "o.db"
    with opened(path) as (_, intake, outflow):
        intake.adopt(birth())
        for number in range(50):
            intake.record([poll(number)])
            intake.compose(NOW_MS)
        before = everything(path)
        disk.fill()
        sent: set[int] = set()
        try:
            for seq in sorted(before):
                sent |= {out.seq for out in outflow.take([seq], 0)}
        except OutboxFull:
            pass
        assert everything(path) == before
        disk.empty()
        assert {out.seq for out in outflow.take(sorted(before), 0)} == set(before)
        assert sent <= set(before)


def test_an_overflow_that_goes_on_is_told_now_and_then_with_complete_counts() -> None:
    troubles = Troubles()
    texts = []
    for second in range(1_500):
        troubles.overflowed([Dropped(second + 1, second + 1, DropReason.OVERFLOW_GAUGES, 10)])
        texts += [event.text for event in troubles.overflow(NOW_MS, second)]
    assert len(texts) == 3
    assert [text.split(" ")[:2] for text in texts] == [
        ["messages=1", "readings=10"],
        [f"messages={TELL_S:.0f}", f"readings={TELL_S * 10:.0f}"],
        [f"messages={TELL_S:.0f}", f"readings={TELL_S * 10:.0f}"],
    ]
    assert troubles.overflow(NOW_MS, 1_600) == []
    assert [event.text.split(" ")[0] for event in troubles.overflow(NOW_MS, 1_900)] == ["messages=299"]


def test_the_time_without_room_is_told_once_it_is_over() -> None:
    troubles = Troubles()
    assert troubles.writable(1) == []
    troubles.unwritable(2)
    troubles.unwritable(3)
    troubles.refused(2, 40)
    (event,) = troubles.writable(9)
    assert event.kind is EventKind.DISK_FULL
    assert event.text.startswith("since=2 until=9 refused_polls=2 refused_readings=40:")
    assert troubles.writable(10) == []
