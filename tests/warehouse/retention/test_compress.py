"""Pieces that have come to rest are compressed by our own job, and what it did is on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from psycopg.sql import SQL, Identifier

from edge_agent.contract.errors import Misconfigured
from tests.warehouse.flavours import Warehouse
from warehouse.migrate import Flavour
from warehouse.retention.decide import LEAST_KEEP_DAYS, READINGS, Word, compress_after, keep, rules
from warehouse.retention.job import Done, run
from warehouse.retention.plan import Compressed, pieces

NOW = datetime(2026, 9, 15, 3, tzinfo=UTC)
WORD = Word("office", "decree 7")


def fill(warehouse: Warehouse, minutes: int = 0) -> None:
    """Thirty days of one gauge and one register before ``NOW``, every six hours."""
    for month in ("2026-08-01", "2026-09-01"):
        warehouse.rows("select ingest.ensure_month(%s)", month)
    for reading in ("reading_gauge", "reading_register"):
        insert = SQL(
            "insert into {} select 1, t + make_interval(mins => %s), 7, 0, 1 "
            "from generate_series(%s, %s, interval '6 hours') as t"
        ).format(Identifier("ingest", reading))
        first, last = NOW - timedelta(days=30), NOW - timedelta(hours=1)
        warehouse.connection.execute(insert, [minutes, first, last])


def standing(warehouse: Warehouse, reading: str) -> dict[Compressed, int]:
    """How many pieces of a table stand how."""
    found = [piece.compressed for piece in pieces(warehouse.connection) if piece.reading == reading]
    return {state: found.count(state) for state in set(found)}


def done(warehouse: Warehouse, now: datetime = NOW) -> Done:
    found = run(warehouse.connection, now)
    assert found is not None
    return found


def test_a_piece_is_compressed_when_its_rule_says_so(warehouse_of: Warehouse) -> None:
    fill(warehouse_of)
    before = warehouse_of.rows("select * from ingest.reading_gauge order by t")
    found = done(warehouse_of)
    if warehouse_of.flavour is Flavour.PLAIN:
        assert found == Done()
        assert standing(warehouse_of, "reading_gauge") == {Compressed.NEVER: 2}
        assert warehouse_of.one("select count(*) from ingest.retention_run") == 0
        return
    gauges = standing(warehouse_of, "reading_gauge")
    assert (gauges[Compressed.YES], gauges[Compressed.NO]) == (23, 7)
    assert Compressed.YES in standing(warehouse_of, "reading_register")
    recorded = warehouse_of.rows(
        "select action, reading, bytes_after > 0 from ingest.retention_run where readings is null"
    )
    assert len(recorded) == found.compressed == 23 + standing(warehouse_of, "reading_register")[Compressed.YES]
    assert recorded.count(("compressed", "reading_gauge", True)) == 23
    assert warehouse_of.rows("select * from ingest.reading_gauge order by t") == before
    assert done(warehouse_of) == Done()
    compress_after(warehouse_of.connection, "reading_gauge", 1, WORD)
    assert done(warehouse_of).compressed == 6


def test_late_readings_are_compressed_later(warehouse_of: Warehouse) -> None:
    fill(warehouse_of)
    done(warehouse_of)
    fill(warehouse_of, minutes=5)
    if warehouse_of.flavour is Flavour.PLAIN:
        assert done(warehouse_of) == Done()
        return
    assert standing(warehouse_of, "reading_gauge") == {Compressed.PARTLY: 23, Compressed.NO: 7}
    # Not at once: more may come.
    assert done(warehouse_of).compressed == 0
    later = datetime.now(UTC) + timedelta(hours=2)
    assert done(warehouse_of, later).compressed >= 23
    assert Compressed.PARTLY not in standing(warehouse_of, "reading_gauge")
    assert warehouse_of.one("select count(*) from ingest.reading_gauge") == 240


def test_a_run_stops_when_it_is_told_to(warehouse_of: Warehouse) -> None:
    fill(warehouse_of)
    left = iter([True, True, False])
    found = run(warehouse_of.connection, NOW, lambda: next(left))
    assert found is not None
    assert found.compressed == (0 if warehouse_of.flavour is Flavour.PLAIN else 2)


def test_nobody_else_compresses(warehouse_of: Warehouse) -> None:
    """The status of TimescaleDB's scheduler cannot be believed on every version: no policy of ours depends on it."""
    if warehouse_of.flavour is Flavour.TIMESCALE:
        ours = "select proc_name from timescaledb_information.jobs where hypertable_schema is not null"
        assert warehouse_of.rows(ours) == []


def test_rules_are_kept_with_whose_they_are(warehouse_of: Warehouse) -> None:
    connection = warehouse_of.connection
    assert [(rule.reading, rule.compress_after_days, rule.keep_days) for rule in rules(connection)] == [
        ("reading_gauge", 7, None),
        ("reading_register", 14, None),
        ("reading_state", 14, None),
    ]
    keep(connection, "reading_gauge", 400, WORD)
    compress_after(connection, "reading_gauge", 3, Word("operator", "ticket 9"))
    first = next(rules(connection))
    assert (first.keep_days, first.compress_after_days, first.word) == (400, 3, Word("operator", "ticket 9"))
    keep(connection, "reading_gauge", None, WORD)
    assert next(rules(connection)).keep_days is None
    for wrong in ("ledger", "reading_gauge; drop table ingest.ledger"):
        with pytest.raises(Misconfigured, match="none of reading_gauge"):
            keep(connection, wrong, 400, WORD)
    with pytest.raises(Misconfigured, match=str(LEAST_KEEP_DAYS)):
        keep(connection, READINGS[0], LEAST_KEEP_DAYS - 1, WORD)
    with pytest.raises(Misconfigured, match="earliest"):
        compress_after(connection, READINGS[0], 0, WORD)
