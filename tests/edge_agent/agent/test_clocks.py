"""Wrong clocks: the gateway's before the time came, and those of devices; measured, marked, never dropped."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from edge_agent.clock import PLAUSIBLE_FROM_MS, ClockWatch, Step
from edge_agent.contract.event import EventKind, parse_event
from edge_agent.contract.quality import Quality
from edge_agent.contract.state import ClockStatus
from edge_agent.contract.telemetry import parse_batch
from edge_agent.device_clocks import WRONG_FROM_MS, DeviceClocks
from edge_agent.outbox.outbox import Outbox
from edge_agent.recorder import Devices
from edge_agent.sources import Poll, Reading, Stamped
from tests.edge_agent.agent.test_recorder import recording
from tests.edge_agent.outbox.models import MANY_BYTES, NOW_MS, everything
from tests.edge_agent.publisher.fakes import MovedClock

YEAR_2000_MS = 946_684_800_000
DAY_MS = 86_400_000


def unset() -> MovedClock:
    """The clock of a gateway without a battery, at its start."""
    return MovedClock(offset_ms=YEAR_2000_MS - 1_000_000)


def kept(path: Path) -> list[tuple[int, float | int | None, int]]:
    """Time, value and quality of every reading in the buffer."""
    points = [points for body in everything(path).values() for points in parse_batch(body).series.values()]
    return sorted(
        (t, v, int(one.q[at]) if one.q else 0)
        for one in points
        for at, (t, v) in enumerate(zip(one.t, one.v, strict=True))
    )


def poll(*times: int, stamped: Stamped = Stamped.GATEWAY) -> Poll:
    return Poll("m1", tuple(Reading("m1.power", t, 1.5) for t in times), stamped=stamped)


def test_a_gateway_whose_clock_is_set_late_marks_what_it_read_before_and_tells_the_step(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    clock = unset()
    watch = ClockWatch(clock)
    steps: list[Step] = []

    async def go() -> None:
        async with recording(path, clock, Devices()) as recorder:
            assert watch.look() is None
            assert watch.state().status is ClockStatus.UNSYNCED
            for _ in range(3):
                await recorder.record(poll(clock.utc_ms()))
                clock.forward(10)
                assert watch.look() is None
            stamped_before_ms = clock.utc_ms()
            clock.offset_ms = NOW_MS - round(clock.now_mono_s * 1000)
            await recorder.record(poll(stamped_before_ms))  # read before the step, recorded after it
            await recorder.record(poll(clock.utc_ms()))
            step = watch.look()
            assert step is not None
            steps.append(step)

    asyncio.run(go())
    (step,) = steps
    assert (step.since_ms, step.from_ms, step.to_ms) == (YEAR_2000_MS, YEAR_2000_MS + 30_000, NOW_MS)
    found = kept(path)
    wrong = [t for t, _, quality in found if quality == Quality.CLOCK_UNSYNCED]
    assert wrong == [YEAR_2000_MS + late_ms for late_ms in (0, 10_000, 20_000, 30_000)]
    assert [t for t, _, quality in found if quality == Quality.GOOD] == [NOW_MS]
    assert all(step.since_ms <= t <= step.from_ms for t in wrong), "the step says what a repair has to move"
    assert [t + step.step_ms for t in wrong] == [NOW_MS - late_ms for late_ms in (30_000, 20_000, 10_000, 0)]
    state = watch.state()
    assert (state.status, state.step_ms) == (ClockStatus.STEPPED, step.step_ms)


def test_the_text_of_a_step_carries_its_numbers() -> None:
    text = Step(YEAR_2000_MS, YEAR_2000_MS + 30_000, NOW_MS).text
    numbers = {key: int(value) for key, value in re.findall(r"(\w+)=(-?\d+)", text)}
    assert numbers == {
        "since": YEAR_2000_MS,
        "from": YEAR_2000_MS + 30_000,
        "to": NOW_MS,
        "step_ms": NOW_MS - YEAR_2000_MS - 30_000,
    }
    assert "2000-01-01T00:00:30+00:00 -> 2025-" in text
    assert len(Step(0, 0, (1 << 53) - 1).text) < 1000, "the longest step fits an event"


def test_after_a_step_the_next_one_begins_where_it_ended() -> None:
    clock = MovedClock()
    watch = ClockWatch(clock)
    watch.look()
    clock.forward(60)
    clock.offset_ms += 5_000
    first = watch.look()
    clock.forward(60)
    clock.offset_ms -= 3_600_000
    second = watch.look()
    assert first is not None
    assert second is not None
    assert (first.step_ms, second.step_ms) == (5_000, -3_600_000)
    assert second.since_ms == first.to_ms


def test_two_polls_at_one_time_after_a_step_back_are_both_kept(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    clock = MovedClock()

    async def go() -> None:
        async with recording(path, clock, Devices()) as recorder:
            await recorder.record(Poll("m1", (Reading("m1.power", NOW_MS, 1.0), Reading("m1.energy", NOW_MS, 1))))
            clock.offset_ms -= 60_000
            await recorder.record(Poll("m1", (Reading("m1.power", NOW_MS, 2.0), Reading("m1.energy", NOW_MS, 2))))

    asyncio.run(go())
    assert sorted(v for t, v, _ in kept(path) if t == NOW_MS and v is not None) == [1, 1.0, 2, 2.0]


@pytest.mark.parametrize("gateway", [MovedClock(), unset()], ids=["set", "never set"])
def test_records_of_the_past_are_not_doubted_for_the_gateways_clock(tmp_path: Path, gateway: MovedClock) -> None:
    path = tmp_path / "o.db"
    past = [PLAUSIBLE_FROM_MS - 5 * 365 * DAY_MS, NOW_MS - DAY_MS, NOW_MS]

    async def go() -> None:
        async with recording(path, gateway, Devices()) as recorder:
            await recorder.record(poll(*past, stamped=Stamped.RECORD))

    asyncio.run(go())
    assert kept(path) == [(t, 1.5, Quality.GOOD) for t in past]


def test_records_with_impossible_times_are_kept_and_marked(tmp_path: Path) -> None:
    path = tmp_path / "o.db"

    async def go() -> None:
        async with recording(path, MovedClock(), Devices()) as recorder:
            await recorder.record(poll(YEAR_2000_MS, NOW_MS, NOW_MS + DAY_MS, stamped=Stamped.RECORD))

    asyncio.run(go())
    assert [quality for _, _, quality in kept(path)] == [
        Quality.CLOCK_UNSYNCED,
        Quality.GOOD,
        Quality.CLOCK_UNSYNCED,
    ]


@pytest.mark.parametrize(
    ("offset_ms", "quality"),
    [
        (YEAR_2000_MS - NOW_MS, Quality.CLOCK_UNSYNCED),
        (DAY_MS, Quality.CLOCK_UNSYNCED),
        (-2 * WRONG_FROM_MS, Quality.CLOCK_UNSYNCED),
        (WRONG_FROM_MS // 2, Quality.GOOD),
    ],
)
def test_a_device_with_a_wrong_clock_is_measured_marked_and_kept(
    tmp_path: Path, offset_ms: int, quality: Quality
) -> None:
    path = tmp_path / "o.db"
    clock, devices = MovedClock(), Devices()

    async def go() -> None:
        async with recording(path, clock, devices) as recorder:
            for _ in range(3):
                shown_ms = clock.utc_ms() + offset_ms
                await recorder.record(poll(shown_ms - 1_000, shown_ms, stamped=Stamped.DEVICE))
                clock.forward(10)

    asyncio.run(go())
    found = kept(path)
    assert len(found) == 6
    assert {q for _, _, q in found} == {quality}
    assert devices.clocks.offsets_ms() == {"m1": offset_ms}
    with Outbox(path, MANY_BYTES) as outbox, outbox.outflow() as outflow:
        told = [parse_event(body) for _, body in outflow.events(0, 10)]
    wrong = quality is Quality.CLOCK_UNSYNCED
    assert [(event.kind, event.device) for event in told] == [(EventKind.DEVICE_CLOCK, "m1")] * wrong
    assert all(f"offset_ms={offset_ms} " in event.text for event in told)


def test_a_device_whose_clock_steps_back_is_told_of_once_a_minute_at_most() -> None:
    clocks = DeviceClocks()
    told = [
        clocks.measured("m1", NOW_MS + 1_000 * second - (0 if second < 5 else DAY_MS), NOW_MS + 1_000 * second, second)
        for second in range(200)
    ]
    assert [second for second, text in enumerate(told) if text] == [5]
    assert clocks.measured("m1", NOW_MS, NOW_MS, 250) is not None, "right again"
    assert clocks.measured("m1", NOW_MS + DAY_MS, NOW_MS, 260) is None, "not within a minute"
    assert clocks.measured("m1", NOW_MS + DAY_MS, NOW_MS, 320) is not None
    assert clocks.offset_ms("m1") == DAY_MS


def test_nothing_is_measured_by_a_clock_that_was_never_set() -> None:
    clocks = DeviceClocks()
    assert clocks.measured("m1", NOW_MS, YEAR_2000_MS, 0) is None
    assert clocks.offset_ms("m1") is None
