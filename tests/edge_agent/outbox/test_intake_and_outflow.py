from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.contract.command import SeqRange, Stored
from edge_agent.contract.event import Event, EventKind, parse_event
from edge_agent.contract.state import Held
from edge_agent.contract.telemetry import Dropped, DropReason, parse_batch
from edge_agent.contract.wire import decompress
from edge_agent.outbox.batches import Bounds
from edge_agent.outbox.database import OutboxFull
from edge_agent.outbox.events import KEPT_EVENTS
from edge_agent.outbox.intake import Composed, Compression
from edge_agent.outbox.outflow import Outflow
from edge_agent.outbox.overflow import Room, every_second
from tests.edge_agent.outbox.models import NOW_MS, birth, everything, gauges, marked, opened, registers

SOON_MS = 1_000


def stored(outflow: Outflow, through: int, *missing: tuple[int, int]) -> Stored:
    return Stored(epoch=outflow.epoch, through=through, missing=tuple(SeqRange(*gap) for gap in missing))


def test_registers_and_gauges_travel_apart(tmp_path: Path) -> None:
    with opened(tmp_path / "o.db") as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 3), registers(1, 2), gauges(4, 1)])
        composed = intake.compose(NOW_MS)
        assert (composed.messages, composed.readings, composed.more) == (2, 6, False)
        batches = [parse_batch(out.payload) for out in outflow.take([1, 2], SOON_MS)]
        assert [list(batch.series) for batch in batches] == [["m1.power"], ["m1.energy"]]
        assert batches[0].series["m1.power"].t == (1, 2, 3, 4)
        assert all(batch.sent == NOW_MS and batch.b == birth().digest() for batch in batches)
        assert intake.compose(NOW_MS).messages == 0
        assert outflow.held() == Held(epoch=outflow.epoch, first=1, last=2)


def test_pending_polls_keep_the_birth_they_were_recorded_under(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    with opened(path) as (_, intake, _):
        intake.adopt(birth(0))
        intake.record([gauges(1, 1)])
    with opened(path) as (_, intake, outflow):
        intake.adopt(birth(1))
        intake.record([gauges(2, 1)])
        intake.compose(NOW_MS)
        digests = [parse_batch(out.payload).b for out in outflow.take([1, 2], SOON_MS)]
        assert digests == [birth(0).digest(), birth(1).digest()]
        assert [(kept.digest, kept.current) for kept in outflow.births()] == [
            (birth(0).digest(), False),
            (birth(1).digest(), True),
        ]
        outflow.settle(stored(outflow, 1), NOW_MS)
        assert [kept.digest for kept in outflow.births()] == [birth(1).digest()], "kept only while it is needed"
        intake.adopt(birth(0))
        assert [kept.digest for kept in outflow.births()] == [birth(1).digest(), birth(0).digest()]


def test_a_bookmark_is_written_with_its_poll_or_not_at_all(tmp_path: Path) -> None:
    with opened(tmp_path / "o.db", max_bytes=320 << 10) as (_, intake, _):
        intake.adopt(birth())
        intake.record([marked(gauges(1, 1), "a")])
        with pytest.raises(OutboxFull):
            intake.record([marked(gauges(2, 1), "b"), gauges(3, 20_000)])
        assert intake.bookmark("place") == "a"
        assert intake.pending_readings() == 1
        intake.record([marked(gauges(2, 1), "c")])
        assert intake.bookmark("place") == "c", "the file can be used after it was full"


def test_compressed_messages_unpack_to_the_contract(tmp_path: Path) -> None:
    with opened(tmp_path / "o.db", compression=Compression.GZIP) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 500)])
        intake.compose(NOW_MS)
        (out,) = outflow.take([1], SOON_MS)
        assert out.encoding == "gzip"
        plain = decompress(out.payload, out.encoding)
        assert parse_batch(plain).readings == 500
        assert len(out.payload) < len(plain) / 2


def test_the_brokers_limit_bounds_what_is_composed_and_holds_back_what_is_too_long(tmp_path: Path) -> None:
    with opened(tmp_path / "o.db") as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 500)])
        intake.compose(NOW_MS)
        oversized = outflow.limit(2_000)
        assert oversized is not None
        assert (oversized.messages, oversized.first_seq) == (1, 1)
        intake.record([gauges(600, 300)])
        assert intake.compose(NOW_MS).messages > 1
        sendable = outflow.unsent_after(0, 50)
        assert sendable
        assert 1 not in sendable
        assert all(len(out.payload) <= 2_000 for out in outflow.take(sendable, SOON_MS))
        assert outflow.limit(None) is None
        assert outflow.unsent_after(0, 50) == [1]


def test_a_long_backlog_is_composed_in_steps(tmp_path: Path) -> None:
    with opened(tmp_path / "o.db", bounds=Bounds(10_000, 1 << 20)) as (_, intake, _):
        intake.adopt(birth())
        for first in range(0, 120_000, 10_000):
            intake.record([gauges(first, 10_000)])
        steps: list[Composed] = []
        while not steps or steps[-1].more:
            steps.append(intake.compose(NOW_MS))
        assert [step.readings for step in steps] == [50_000, 50_000, 20_000]


def test_only_what_was_sent_and_confirmed_leaves_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    with opened(path, bounds=Bounds(1, 10_000)) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 10)])
        intake.compose(NOW_MS)
        outflow.take([1, 2, 3, 4, 5, 6], SOON_MS)
        assert outflow.settle(Stored(epoch=outflow.epoch + 1, through=10), NOW_MS).messages == 0
        assert outflow.settle(stored(outflow, 8, (2, 3), (5, 5)), NOW_MS).messages == 3
        assert sorted(everything(path)) == [2, 3, 5, 7, 8, 9, 10]
        assert outflow.settle(stored(outflow, 8, (2, 3), (5, 5)), NOW_MS).messages == 0
        assert outflow.confirmed_through() == 8
        assert outflow.settle(stored(outflow, 4), NOW_MS).messages == 2, "an older confirmation is still true"
        assert outflow.confirmed_through() == 8
        assert outflow.held() == Held(epoch=outflow.epoch, first=5, last=10)


def test_sendings_are_remembered_within_a_run(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    everywhere = [SeqRange(1, 100)]
    with opened(path, bounds=Bounds(1, 10_000)) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 6)])
        intake.compose(NOW_MS)
        outflow.take([1, 2], 1_000)
        outflow.take([3, 4], 2_000)
        assert outflow.sent_before(everywhere, 1_000, 10) == [1, 2]
        assert outflow.sent_before([SeqRange(2, 2), SeqRange(4, 9)], 2_000, 10) == [2, 4]
        assert outflow.sent_before(everywhere, 2_000, 3) == [1, 2, 3]
        assert outflow.last_sent() == 4
        outflow.take([1], 3_000)
        assert outflow.unsend([1, 4, 99]) == [1], "1 was sent before, 4 reached nobody"
        assert outflow.unsent_after(0, 10) == [4, 5, 6]
        assert outflow.unsent_through(4, 10) == [4]
        assert outflow.last_sent() == 3
    with opened(path) as (_, _, outflow):
        assert outflow.sent_before(everywhere, 0, 10) == [1, 2, 3], "the clock of another run says nothing"


def test_a_message_whose_bytes_changed_is_reported_as_corrupt(tmp_path: Path) -> None:
    with opened(tmp_path / "o.db", bounds=Bounds(2, 10_000)) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 4)])
        intake.compose(NOW_MS)
        outflow._database._connection.execute("UPDATE main.payload SET body = zeroblob(9) WHERE payload_id = 1")
        assert [out.seq for out in outflow.take([1, 2], SOON_MS)] == [2]
        assert intake.compose(NOW_MS).messages == 1
        (report,) = outflow.take([3], SOON_MS)
        batch = parse_batch(report.payload)
        assert batch.dropped == (Dropped(1, 1, DropReason.CORRUPT, 2),)
        assert batch.readings == 0


def test_events_wait_for_the_broker_in_bounded_number(tmp_path: Path) -> None:
    with opened(tmp_path / "o.db") as (_, intake, outflow):
        events = [Event(kind=EventKind.DEVICE_DOWN, at=number) for number in range(KEPT_EVENTS + 5)]
        intake.record([], events[:-1])
        outflow.add_event(events[-1])
        waiting = outflow.events(0, 2_000)
        assert [parse_event(body).at for _, body in waiting] == list(range(5, KEPT_EVENTS + 5))
        first, second = waiting[0][0], waiting[1][0]
        outflow.delete_event(first)
        assert outflow.events(0, 1)[0][0] == second
        assert outflow.events(second, 1)[0][0] == second + 1


def test_thinning_takes_the_later_of_each_pair() -> None:
    assert every_second([1, 2, 4, 8, 9]) == ([1, 4], [2, 8])
    assert every_second([7]) == ([], [])


@pytest.mark.parametrize("max_bytes", [400_000, 8 << 20, 4 << 30])
def test_room_keeps_a_margin_and_stays_in_order(max_bytes: int) -> None:
    room = Room.within(max_bytes)
    assert 0 < room.stop_bytes < room.start_bytes < room.max_bytes == max_bytes
    assert room.start_bytes - room.stop_bytes <= 32 << 20
    short = room.where_disk_is_short(max_bytes // 2)
    assert short.start_bytes < max_bytes // 2
    assert room.where_disk_is_short(max_bytes * 2).start_bytes == room.start_bytes


def test_registers_outlast_gauges(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    gone: list[Dropped] = []
    with opened(path, max_bytes=400 << 10) as (_, intake, outflow):
        intake.adopt(birth())
        for first in range(NOW_MS, NOW_MS + 16_800, 600):
            intake.record([gauges(first, 300), registers(first, 300)])
            gone += intake.compose(NOW_MS).dropped
        assert {gap.reason for gap in gone} == {DropReason.OVERFLOW_THINNED, DropReason.OVERFLOW_GAUGES}
        held = [parse_batch(body) for body in everything(path).values()]
        assert sum("m1.energy" in batch.series for batch in held) == 28
        reported = {seq for batch in held for gap in batch.dropped for seq in range(gap.first, gap.last + 1)}
        assert reported, "and what went stands in the messages that came after"
        assert reported <= {gap.first for gap in gone}
        assert outflow.held().last == 56


def test_on_a_disk_that_others_have_filled_the_file_stops_growing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "o.db"
    with opened(path) as (_, intake, outflow):
        intake.adopt(birth())

        def write(messages: int) -> int:
            gone = 0
            for first in range(NOW_MS, NOW_MS + messages * 1_000, 1_000):
                intake.record([gauges(first, 1_000)])
                gone += len(intake.compose(NOW_MS).dropped)
            intake._database.pragma("wal_checkpoint(TRUNCATE)")
            return gone

        assert write(100) == 0
        full = path.stat().st_size
        monkeypatch.setattr("edge_agent.outbox.intake.DISK_MARGIN_BYTES", 1 << 60)
        gone = write(100)
        assert path.stat().st_size <= full * 1.02
        held = len(everything(path))
        assert gone + held == outflow.held().last
        assert held > 50, "only what must go is given up"
