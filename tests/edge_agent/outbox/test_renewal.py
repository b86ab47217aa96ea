"""A buffer whose numbers somebody else may go on with: a new epoch, and everything held once more in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.contract.command import Stored
from edge_agent.contract.event import EventKind, parse_event
from edge_agent.contract.state import Held, PreviousEpoch
from edge_agent.contract.telemetry import Batch, Dropped, DropReason, parse_batch
from edge_agent.contract.wire import decompress
from edge_agent.outbox.batches import Bounds
from edge_agent.outbox.intake import Composed, Compression, Intake
from edge_agent.outbox.outbox import Outbox, new_epoch
from edge_agent.outbox.outflow import Outflow
from edge_agent.outbox.overflow import give_up
from edge_agent.outbox.waiting import INHERIT_READINGS
from tests.edge_agent.outbox.models import MANY_BYTES, NOW_MS, birth, everything, gauges, opened, registers

ONE_EACH = Bounds(readings=1, payload_bytes=10_000)
HERE = {"hw:board", "hw:card"}
ELSEWHERE = {"hw:another"}


def composed(intake: Intake) -> list[Composed]:
    steps = [intake.compose(NOW_MS)]
    while steps[-1].inheriting:
        steps.append(intake.compose(NOW_MS))
    return steps


def batches(outflow: Outflow) -> list[Batch]:
    found = outflow.take(outflow.unsent_after(0, 10_000), 0)
    return [parse_batch(decompress(out.payload, out.encoding)) for out in found]


def times(batch: Batch) -> list[int]:
    return [t for points in batch.series.values() for t in points.t]


def on(path: Path, machine: set[str]) -> Outbox:
    return Outbox(path, MANY_BYTES, now_ms=lambda: NOW_MS, random_bits=lambda _: 7, machine=machine)


@pytest.mark.parametrize("compression", Compression)
def test_a_copy_on_another_machine_sends_everything_under_an_epoch_of_its_own(
    tmp_path: Path, compression: Compression
) -> None:
    path = tmp_path / "o.db"
    with on(path, HERE) as outbox, outbox.intake(ONE_EACH, compression) as intake, outbox.outflow() as outflow:
        epoch = outflow.epoch
        intake.adopt(birth(0))
        intake.record([gauges(1, 3), registers(11, 3)])
        intake.compose(NOW_MS)
        outflow.take([1, 2], 0)
        intake.adopt(birth(1))
        intake.record([gauges(21, 2)])
    with on(path, ELSEWHERE) as outbox, outbox.intake(ONE_EACH, compression) as intake, outbox.outflow() as outflow:
        assert outflow.epoch > epoch
        assert outflow.previous() == PreviousEpoch(epoch=epoch, last=2), "beyond it nothing ever left the disk"
        assert outflow.held() == Held(epoch=outflow.epoch, first=1, last=0)
        assert intake.pending_readings() == 8
        (event,) = [parse_event(body) for _, body in outflow.events(0, 10)]
        assert event.kind is EventKind.BUFFER_RENEWED
        assert f"6 messages with 6 readings of epoch {epoch}" in event.text
        assert "another machine wrote this buffer" in event.text

        assert outflow.settle(Stored(epoch=epoch, through=6), NOW_MS).messages == 0, "may be the other one's messages"
        composed(intake)
        found = batches(outflow)
        assert [batch.epoch for batch in found] == [outflow.epoch] * 8
        assert [batch.seq for batch in found] == list(range(1, 9))
        assert sorted(t for batch in found for t in times(batch)) == [1, 2, 3, 11, 12, 13, 21, 22]
        assert {batch.b for batch in found if times(batch)[0] < 20} == {birth(0).digest()}, "explained as it was"
        outflow.settle(Stored(epoch=outflow.epoch, through=8), NOW_MS)
        assert [kept.digest for kept in outflow.births()] == [birth(1).digest()]
    with on(path, ELSEWHERE) as outbox, outbox.outflow() as again:
        assert again.epoch == outflow.epoch, "renewed once"


@pytest.mark.parametrize(
    ("known", "found", "same"),
    [
        (HERE, {"hw:board", "hw:new-card"}, True),
        (HERE, set(), True),
        (set(), HERE, True),
        ({"id:a"}, {"id:b"}, False),
        ({"hw:board", "id:a"}, {"hw:another", "id:a"}, False),
        ({"hw:board", "id:a"}, {"hw:board", "id:b"}, True),
        ({"hw:board", "id:a"}, {"id:a"}, True),
        ({"hw:board"}, {"id:a"}, True),
    ],
)
def test_doubt_is_no_other_machine(tmp_path: Path, known: set[str], found: set[str], same: bool) -> None:
    path = tmp_path / "o.db"
    with on(path, known) as outbox, outbox.outflow() as outflow:
        epoch = outflow.epoch
    with on(path, found) as outbox, outbox.outflow() as outflow:
        assert (outflow.epoch == epoch) is same


def test_copies_begin_different_epochs_even_without_a_clock() -> None:
    assert len({new_epoch(0, chance, NOW_MS << 10) for chance in range(1024)}) == 1024


def test_later_numbers_than_were_given_away_are_noticed(tmp_path: Path) -> None:
    with opened(tmp_path / "o.db", bounds=ONE_EACH) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 3)])
        intake.compose(NOW_MS)
        assert not outflow.outrun_by(Stored(epoch=outflow.epoch, through=3))
        assert outflow.outrun_by(Stored(epoch=outflow.epoch, through=4))
        assert not outflow.outrun_by(Stored(epoch=outflow.epoch - 1, through=4))


def test_what_the_overflow_removed_is_reported_in_the_new_epoch(tmp_path: Path) -> None:
    with opened(tmp_path / "o.db", bounds=ONE_EACH) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 6)])
        intake.compose(NOW_MS)
        for seq in (2, 4):
            give_up(intake._database, seq, DropReason.OVERFLOW_THINNED)
        intake.record([gauges(7, 1)])
        intake.compose(NOW_MS)  # message 7 reports 2 and 4
        give_up(intake._database, 5, DropReason.OVERFLOW_GAUGES)
        outflow.renew("a test", NOW_MS)
        assert outflow.held().last == 2, "two numbers stand for what is gone"
        composed(intake)
        found = batches(outflow)
        assert sorted(t for batch in found for t in times(batch)) == [1, 3, 6, 7]
        reports = [gap for batch in found for gap in batch.dropped]
        assert sorted(reports) == [
            Dropped(1, 1, DropReason.OVERFLOW_GAUGES, 1),
            Dropped(2, 2, DropReason.OVERFLOW_THINNED, 2),
        ]


def test_a_message_that_the_disk_does_not_give_back_is_reported(tmp_path: Path) -> None:
    with opened(tmp_path / "o.db", bounds=Bounds(5, 10_000)) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 5), gauges(6, 5)])
        intake.compose(NOW_MS)
        outflow.renew("a test", NOW_MS)
        intake._database._connection.execute("UPDATE main.payload SET body = zeroblob(9) WHERE payload_id = 1")
        composed(intake)
        found = batches(outflow)
        assert [t for batch in found for t in times(batch)] == [6, 7, 8, 9, 10]
        assert [gap for batch in found for gap in batch.dropped] == [Dropped(1, 1, DropReason.CORRUPT, 5)]


def test_a_long_backlog_is_numbered_anew_in_steps(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    with opened(path, bounds=Bounds(1_000, 1 << 20)) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(NOW_MS, 3 * INHERIT_READINGS)])
        intake.compose(NOW_MS)
        outflow.renew("a test", NOW_MS)
        first = intake.compose(NOW_MS)
        assert (first.readings, first.inheriting) == (INHERIT_READINGS, True)
    with opened(path, bounds=Bounds(1_000, 1 << 20)) as (_, intake, outflow):
        steps = composed(intake)
        assert [step.readings for step in steps] == [INHERIT_READINGS] * 2, "a restart goes on where it was"
        found = batches(outflow)
        assert sorted(t for batch in found for t in times(batch)) == list(range(NOW_MS, NOW_MS + 3 * INHERIT_READINGS))


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    with opened(path, bounds=ONE_EACH) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 3)])
        intake.compose(NOW_MS)
        outflow.take([1], 0)
        before = everything(path)
        epoch = outflow.epoch
        intake.record([gauges(11, 2)])
    with closing(sqlite3.connect(path)) as older, older:
        for statement in (
            "ALTER TABLE life DROP COLUMN machine",
            "ALTER TABLE pending RENAME TO later",
            "CREATE TABLE pending (poll_id INTEGER PRIMARY KEY, birth_id INTEGER, readings INTEGER, body BLOB) STRICT",
            "INSERT INTO pending SELECT poll_id, birth_id, readings, body FROM later",
            "DROP TABLE later",
            "ALTER TABLE message DROP COLUMN payload_id",
            "ALTER TABLE payload RENAME COLUMN payload_id TO seq",
            "DROP TABLE inherited",
            "PRAGMA user_version = 1",
        ):
            older.execute(statement)
    with opened(path, bounds=ONE_EACH) as (outbox, intake, outflow):
        assert outbox.set_aside is None
        assert outflow.epoch == epoch
        intake.record([gauges(4, 1)])
        intake.compose(NOW_MS)
        assert {seq: body for seq, body in everything(path).items() if seq <= 3} == before
        assert [times(batch) for batch in batches(outflow)] == [[2], [3], [11], [12], [4]]
        assert outflow.settle(Stored(epoch=epoch, through=6), NOW_MS).messages == 6
        assert everything(path) == {}
