from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.contract.errors import Misconfigured, Retryable
from edge_agent.outbox.inspection import inspect
from tests.edge_agent.outbox.models import MANY_BYTES, NOW_MS, birth, gauges, opened

HOUR_MS = 3_600_000


def test_numbers_say_how_long_the_room_lasts(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    with opened(path) as (_, intake, outflow):
        assert inspect(path, MANY_BYTES, 72, NOW_MS).hours_left is None, "nothing written, nothing known"
        intake.adopt(birth())
        for minute in range(60):
            intake.record([gauges(minute * 1000, 1000)])
            intake.compose(NOW_MS + minute * 60_000)
        intake.record([gauges(10**6, 5)])
        outflow.take([1, 2], 0)
        numbers = inspect(path, MANY_BYTES, 72, NOW_MS + HOUR_MS)
    assert numbers.last_seq == numbers.held_messages
    assert numbers.never_sent_messages == numbers.held_messages - 2
    assert (numbers.held_readings, numbers.pending_readings) == (60_000, 5)
    assert numbers.oldest_ms == NOW_MS
    assert numbers.bytes_per_hour is not None
    assert numbers.bytes_per_hour == pytest.approx(numbers.used_bytes, rel=0.1), "one hour is what was written"
    assert numbers.wanted_bytes == pytest.approx(72 * numbers.bytes_per_hour, rel=0.01)
    assert numbers.hours_left == pytest.approx(
        (MANY_BYTES * 0.95 - numbers.used_bytes) / numbers.bytes_per_hour, rel=0.01
    )


def test_without_a_file_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="has not run yet"):
        inspect(tmp_path / "o.db", MANY_BYTES, 72, NOW_MS)


def test_a_file_that_is_being_created_is_asked_again_later(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    with closing(sqlite3.connect(path)) as begun:
        begun.execute("PRAGMA journal_mode = WAL")
    with pytest.raises(Retryable, match="being created"):
        inspect(path, MANY_BYTES, 72, NOW_MS)
