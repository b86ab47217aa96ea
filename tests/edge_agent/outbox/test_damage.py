"""Damage of every kind, at the start and in use: found, set aside or reported; never an agent that cannot go on."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.contract.command import Stored
from edge_agent.contract.errors import Misconfigured, Retryable
from edge_agent.contract.event import EventKind, parse_event
from edge_agent.contract.telemetry import Batch, DropReason, parse_batch
from edge_agent.outbox.batches import Bounds
from edge_agent.outbox.database import OutboxDamaged
from edge_agent.outbox.intake import Intake
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.outflow import Outflow
from tests.edge_agent.outbox.models import MANY_BYTES, NOW_MS, birth, gauges, marked, opened, pending_times, registers

BOUNDS = Bounds(200, 8 << 10)
PAGE_BYTES = 4096
SEEDS = range(12)
HELD = 40
Damage = Callable[[Path, random.Random], None]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A buffer with messages, pending polls and a log that was not moved into the file, as after a power cut."""
    folder = tmp_path_factory.mktemp("healthy")
    path = folder / "live" / "o.db"
    with opened(path, bounds=BOUNDS) as (_, intake, outflow):
        intake.adopt(birth())
        for number in range(HELD // 2):
            intake.record([gauges(NOW_MS + number * 1_000, 200), registers(NOW_MS + number * 1_000, 200)])
            intake.compose(NOW_MS)
        outflow.take([1, 2, 3], 0)
        intake._database.pragma("wal_checkpoint(TRUNCATE)")
        for number in range(50, 60):
            intake.record([gauges(NOW_MS + number * 1_000, 200)])
        copy = folder / "copy"
        copy.mkdir()
        for part in path.parent.iterdir():
            if part.suffix != ".db-shm":
                shutil.copy(part, copy / part.name)
    return copy / "o.db"


def wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def overwrite_pages(path: Path, chance: random.Random) -> None:
    pages = path.stat().st_size // PAGE_BYTES
    with path.open("r+b") as file:
        for _ in range(chance.randint(1, 6)):
            file.seek(chance.randrange(pages) * PAGE_BYTES + chance.choice((0, 0, 100, 2_000)))
            file.write(chance.randbytes(chance.choice((1, 40, 2_000, PAGE_BYTES))))


def truncate(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.truncate(chance.randrange(1, path.stat().st_size))


def zero(path: Path, chance: random.Random) -> None:
    first = chance.randrange(path.stat().st_size)
    with path.open("r+b") as file:
        file.seek(first)
        file.write(b"\0" * (path.stat().st_size - first))


def spoil_log(path: Path, chance: random.Random) -> None:
    with wal(path).open("r+b") as file:
        file.seek(chance.randrange(wal(path).stat().st_size))
        file.write(chance.randbytes(500))


def cut_log(path: Path, chance: random.Random) -> None:
    with wal(path).open("r+b") as file:
        file.truncate(chance.randrange(wal(path).stat().st_size))


def empty_log(path: Path, _: random.Random) -> None:
    wal(path).write_bytes(b"")


def lose_log(path: Path, _: random.Random) -> None:
    wal(path).unlink()


def another_log(path: Path, chance: random.Random) -> None:
    wal(path).write_bytes(chance.randbytes(20_000))


def another_file(path: Path, chance: random.Random) -> None:
    path.write_bytes(chance.choice((b"PK\x03\x04", b"gateway,value\n", b"\x7fELF")) + chance.randbytes(9_000))


def sends_everything(intake: Intake, outflow: Outflow) -> None:
    """What an agent does: record, compose, send, be confirmed; only what the disk changed is missing, and reported."""
    intake.adopt(birth())
    intake.record([gauges(NOW_MS + 10**6, 3)])
    intake.compose(NOW_MS)
    intake.compose(NOW_MS)
    assert {gap.reason for batch in batches(outflow) for gap in batch.dropped} <= {DropReason.CORRUPT}
    is_usable(intake, outflow)


def batches(outflow: Outflow) -> list[Batch]:
    numbers = range(1, outflow.held().last + 1)
    return [parse_batch(out.payload) for out in outflow.take(numbers, 0)]


def is_usable(intake: Intake, outflow: Outflow) -> None:
    intake.adopt(birth())
    intake.record([gauges(NOW_MS + 10**6, 3)])
    intake.compose(NOW_MS)
    last = outflow.held().last
    outflow.take([last], 0)
    assert outflow.settle(Stored(epoch=outflow.epoch, through=last), NOW_MS).messages >= 1


DAMAGES: list[Damage] = [
    overwrite_pages,
    truncate,
    zero,
    spoil_log,
    cut_log,
    empty_log,
    lose_log,
    another_log,
    another_file,
]


def trouble_of(outbox: Outbox, use: Callable[[], None]) -> Retryable | None:
    """Use the buffer as the agent does, and do with damage what the agent does; any other error is a mistake."""
    try:
        use()
    except OutboxDamaged as error:
        outbox.suspect()
        return error
    return None


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_file_damaged_while_the_agent_was_away(healthy: Path, tmp_path: Path, damage: Damage) -> None:
    for seed in SEEDS:
        path = tmp_path / str(seed) / "o.db"
        shutil.copytree(healthy.parent, path.parent)
        damage(path, random.Random(seed))  # noqa: S311 - the same damage at every run
        found = path.read_bytes()
        with opened(path, bounds=BOUNDS) as (outbox, intake, outflow):
            aside = outbox.set_aside
            if aside is not None:
                assert aside.path.read_bytes() == found, f"{seed}: kept as it was found"
                told = [parse_event(body).kind for _, body in outflow.events(0, 100)]
                assert EventKind.BUFFER_SET_ASIDE in told, seed
            # It may open and yet hold what cannot be read: that is found in use, and the next opening sets it aside.
            trouble = trouble_of(outbox, lambda: sends_everything(intake, outflow))
        assert aside is None or trouble is None, f"{seed}: a new file does not work"
        with opened(path, bounds=BOUNDS) as (outbox, intake, outflow):
            assert (outbox.set_aside is not None) is (trouble is not None), seed
            sends_everything(intake, outflow)


@pytest.mark.parametrize("damage", [overwrite_pages, truncate, zero], ids=lambda damage: damage.__name__)
def test_a_file_damaged_in_use(healthy: Path, tmp_path: Path, damage: Damage) -> None:
    damaged = 0
    for seed in SEEDS:
        path = tmp_path / str(seed) / "o.db"
        shutil.copytree(healthy.parent, path.parent)
        with opened(path, bounds=BOUNDS) as (outbox, intake, outflow):
            epoch = outflow.epoch
            intake.adopt(birth())
            intake._database.pragma("wal_checkpoint(TRUNCATE)")
            damage(path, random.Random(seed))  # noqa: S311 - the same damage at every run
            trouble = trouble_of(outbox, lambda: sends_everything(intake, outflow))
        with opened(path, bounds=BOUNDS) as (outbox, intake, outflow):
            if trouble is not None:
                assert outflow.epoch > epoch
                damaged += 1
            sends_everything(intake, outflow)
    assert damaged, "the damage was felt"


def test_a_folder_in_place_of_the_file_and_a_log_that_is_one_are_named(healthy: Path, tmp_path: Path) -> None:
    path = tmp_path / "x" / "o.db"
    shutil.copytree(healthy.parent, path.parent)
    wal(path).unlink()
    wal(path).mkdir()
    with pytest.raises(Misconfigured, match="cannot be used as the buffer"), opened(path, MANY_BYTES):
        pytest.fail("opened")


def test_a_pending_poll_that_the_disk_changed_is_reported_and_never_sent(tmp_path: Path) -> None:
    """One digit of a value: still JSON, still a number, and still noticed."""
    path = tmp_path / "o.db"
    with opened(path, bounds=BOUNDS) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([registers(NOW_MS, 5)])
        intake.record([gauges(NOW_MS, 2)])
        (body,) = intake._database._connection.execute("SELECT body FROM main.pending WHERE poll_id = 1").fetchone()
        changed = body.replace(b",4,", b",7,")
        assert changed != body
        intake._database._connection.execute("UPDATE main.pending SET body = ? WHERE poll_id = 1", (changed,))
        intake.compose(NOW_MS)
        (batch,) = batches(outflow)
        assert list(batch.series) == ["m1.power"]
        assert [(gap.reason, gap.readings) for gap in batch.dropped] == [(DropReason.CORRUPT, 5)]


def test_a_birth_that_the_disk_changed_is_mended_by_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    with opened(path, bounds=BOUNDS) as (_, intake, outflow):
        intake.adopt(birth())
        intake._database._connection.execute("UPDATE main.birth SET body = x'00'")
    with opened(path, bounds=BOUNDS) as (_, intake, outflow):
        intake.adopt(birth())
        assert [kept.body for kept in outflow.births()] == [birth().encode()]
        is_usable(intake, outflow)


def test_a_power_cut_leaves_the_polls_up_to_some_commit(tmp_path: Path) -> None:
    """What the disk had not yet taken of the log is gone, wherever that ends; what it had taken is whole."""
    live = tmp_path / "live" / "o.db"
    polls = 30
    with opened(live, bounds=BOUNDS) as (_, intake, _):
        assert intake._database.pragma("main.synchronous") == 2
        assert intake._database.pragma("main.journal_mode") == "wal"
        intake.adopt(birth())
        intake._database.pragma("wal_checkpoint(TRUNCATE)")
        for number in range(polls):
            intake.record([marked(gauges(number * 10, 10), str(number))])
        log = wal(live).read_bytes()
        copy = live.read_bytes()
    chance = random.Random(7)  # noqa: S311 - the same cuts at every run
    seen: set[int] = set()
    for cut in sorted({0, len(log), *(chance.randrange(len(log)) for _ in range(60))}):
        path = tmp_path / str(cut) / "o.db"
        path.parent.mkdir()
        path.write_bytes(copy)
        wal(path).write_bytes(log[:cut])
        with opened(path, bounds=BOUNDS) as (outbox, intake, _):
            assert outbox.set_aside is None
            times = pending_times(path)
            assert times == list(range(len(times)))
            assert len(times) % 10 == 0, "a poll is whole or not there"
            last = None if not times else str(len(times) // 10 - 1)
            assert intake.bookmark("place") == last, "and its bookmark with it"
            seen.add(len(times) // 10)
    assert {0, polls} <= seen
    assert len(seen) > polls // 2
