"""The file: one holder, checked at opening, set aside when damaged, and epochs that only grow."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.event import EventKind, parse_event
from edge_agent.contract.state import PreviousEpoch
from edge_agent.outbox.database import OutboxDamaged
from edge_agent.outbox.outbox import Outbox, new_epoch
from tests.edge_agent.outbox.models import MANY_BYTES, NOW_MS, birth, gauges, opened


def test_an_epoch_is_time_and_chance_and_larger_than_the_last_one() -> None:
    assert new_epoch(NOW_MS, 5, 0) == NOW_MS * 1024 + 5
    assert new_epoch(NOW_MS, 1023, 0) < new_epoch(NOW_MS + 1, 0, 0)
    assert new_epoch(0, 5, NOW_MS * 1024) == NOW_MS * 1024 + 6, "a clock that was never set"
    assert new_epoch(1 << 60, 5, 0) == (1 << 53) - 1, "a clock beyond all reason"


def test_an_epoch_lasts_as_long_as_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "outbox.db"
    with opened(path) as (_, intake, outflow):
        epoch = outflow.epoch
        intake.adopt(birth())
        intake.record([gauges(1, 3)])
    with opened(path) as (outbox, intake, outflow):
        assert outbox.set_aside is None
        assert outflow.epoch == epoch
        assert outflow.previous() is None
        assert intake.pending_readings() == 3


def test_a_second_agent_is_told_who_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    told = r"another agent \(process \d+\) uses this buffer"
    with opened(path), pytest.raises(Misconfigured, match=told), Outbox(path, MANY_BYTES):
        pytest.fail("two holders")
    with opened(path):
        pass


@pytest.mark.parametrize("damage", ["header", "page", "text"])
def test_a_damaged_file_is_kept_under_another_name_and_reported(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as (_, intake, outflow):
        epoch = outflow.epoch
        intake.adopt(birth())
        for t in range(0, 60_000, 600):
            intake.record([gauges(t, 600)])
            intake.compose(NOW_MS)
        last = outflow.held().last
    before = bytearray(path.read_bytes())
    if damage == "header":
        before[:64] = b"\xff" * 64
    elif damage == "page":
        before[4096 * 60 : 4096 * 90] = b"\x55" * (4096 * 30)
    else:
        before[:] = b"this is not a database at all\n" * 400
    path.write_bytes(before)

    with opened(path) as (outbox, intake, outflow):
        aside = outbox.set_aside
        assert aside is not None
        assert aside.path.read_bytes()[:4096] == bytes(before[:4096]), "kept as it was"
        assert outflow.epoch > epoch
        readable = damage == "page"
        assert aside.previous == ((epoch, last) if readable else None)
        assert outflow.previous() == (PreviousEpoch(epoch=epoch, last=last) if readable else None)
        (_, body), *_rest = outflow.events(0, 10)
        event = parse_event(body)
        assert event.kind is EventKind.BUFFER_SET_ASIDE
        assert aside.path.name in event.text
        intake.adopt(birth())
        intake.record([gauges(1, 1)])
    with opened(path) as (outbox, _, outflow):
        assert outbox.set_aside is None, "set aside once"
        assert outflow.epoch > epoch


def test_a_setting_aside_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    """The log was renamed, the file not yet: opened as it is, the file would have lost its latest commits."""
    path = tmp_path / "outbox.db"
    with opened(path) as (outbox, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(1, 1)])
        outbox.suspect()
        epoch = outflow.epoch
        path.with_name("outbox.db-wal").rename(tmp_path / "outbox.db.damaged-x-wal")
    with opened(path) as (outbox, _, outflow):
        assert outbox.set_aside is not None
        assert outflow.epoch > epoch
    with opened(path) as (outbox, _, _):
        assert outbox.set_aside is None


def test_a_deleted_file_does_not_bring_an_epoch_back(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as (_, _, outflow):
        epoch = outflow.epoch
    path.unlink()
    with opened(path) as (_, _, outflow):
        assert outflow.epoch == epoch + 8, "same time, same chance"


def test_a_file_that_was_never_filled_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert path.stat().st_size
    with opened(path) as (outbox, _, outflow):
        assert outbox.set_aside is None
        assert outflow.held().last == 0


def test_files_of_others_and_of_later_versions_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE precious (x)")
    connection.close()
    with pytest.raises(Misconfigured, match="another program's database"), Outbox(other, MANY_BYTES):
        pytest.fail("opened")
    later = tmp_path / "later.db"
    with opened(later):
        pass
    connection = sqlite3.connect(later)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Misconfigured, match="newer agent"), Outbox(later, MANY_BYTES):
        pytest.fail("opened")
    assert sqlite3.connect(other).execute("SELECT count(*) FROM precious").fetchone() == (0,)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(Misconfigured, match="cannot be created"), Outbox(blocker / "outbox.db", MANY_BYTES):
        pytest.fail("opened")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(Misconfigured, match="cannot be used as the buffer"), Outbox(tmp_path / "folder.db", MANY_BYTES):
        pytest.fail("opened")


def test_damage_found_in_use_says_so(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as (_, intake, _):
        intake.adopt(birth())
        for t in range(0, 30_000, 600):
            intake.record([gauges(t, 600)])
            intake.compose(NOW_MS)
    with opened(path) as (_, _, outflow):
        damaged = bytearray(path.read_bytes())
        damaged[4096 * 8 :] = b"\x00" * (len(damaged) - 4096 * 8)
        path.write_bytes(damaged)
        with pytest.raises(OutboxDamaged):
            outflow.take(list(range(1, 51)), 0)
