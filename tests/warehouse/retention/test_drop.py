"""Whole pieces go when nothing speaks against it, and what was computed from them stays what it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import errors

from tests.warehouse.energy.plant import Plant
from tests.warehouse.flavours import Warehouse
from warehouse.energy.job import close
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import Connection, connect
from warehouse.retention import job
from warehouse.retention.decide import Word, finalise, keep
from warehouse.retention.job import Done, run
from warehouse.retention.plan import Piece, Refusal, pieces, plan, speaks_against

DOCS = Path(__file__).resolve().parents[3] / "docs" / "retention.md"
NOW = datetime(2026, 9, 15, 3, tzinfo=UTC)
WORD = Word("office", "decree 7")
START = datetime(2026, 4, 19, 16, tzinfo=UTC)
DAYS = 50
HOUR = timedelta(hours=1)
END = START + timedelta(days=DAYS)
LEAST = 2
"""Pieces that go, at least: April and May in months, more in weeks."""


def planted(connection: Connection) -> tuple[Plant, int, int]:
    """A meter that tells its count every hour of fifty days, and one that was taken down after twenty."""
    plant = Plant(connection)
    meter, series = plant.metered("a")
    plant.read(series, [(START + hour * HOUR, 7 * hour) for hour in range(DAYS * 24 + 2)])
    gone = plant.meter("b")
    plant.feed(gone, "gw-b", "m.energy", until=START + timedelta(days=20))
    plant.read(plant.series("gw-b", "m.energy"), [(START + hour * HOUR, hour) for hour in range(20 * 24)])
    close(connection, END)
    return plant, meter, series


def finished(connection: Connection, through: date = date(2026, 6, 5)) -> None:
    """Two months are kept, and figures are final."""
    keep(connection, "reading_register", 62, WORD)
    finalise(connection, through, WORD)


def accounts(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select meter_id, start, energy, quality, reason from energy.quarter order by meter_id, start"
    ).fetchall()


def planned(connection: Connection) -> list[tuple[Piece, list[Refusal]]]:
    return list(plan(connection, pieces(connection), NOW))


def done(connection: Connection, *, all_again: bool = True) -> Done:
    found = run(connection, NOW, all_again=all_again)
    assert found is not None
    return found


def test_nothing_is_dropped_by_default(warehouse_of: Warehouse) -> None:
    planted(warehouse_of.connection)
    finalise(warehouse_of.connection, date(2026, 6, 5), WORD)
    assert planned(warehouse_of.connection) == []
    assert done(warehouse_of.connection).dropped == 0


@pytest.fixture
def twin(database: str) -> Iterator[Connection]:
    """A warehouse in which nothing is ever dropped."""
    with connect(database, application="test") as connection:
        migrate(connection, Flavour.PLAIN)
        yield connection


def test_accounts_stay_and_go_on_as_if_nothing_had_been_dropped(warehouse_of: Warehouse, twin: Connection) -> None:
    """A ratio that is corrected from long ago changes accounts from ``account_from`` on, exactly, no earlier."""
    connection = warehouse_of.connection
    plant, meter, series = planted(connection)
    other, other_meter, other_series = planted(twin)
    finished(connection)
    before = accounts(connection)
    assert before == accounts(twin)
    last = max(piece.to_t for piece, refusals in planned(connection) if not refusals)
    readings = warehouse_of.one("select count(*) from ingest.reading_register where t < %s", last)
    found = done(connection)
    assert found.dropped >= LEAST
    assert found.readings == readings > 0
    assert warehouse_of.one("select min(t) from ingest.reading_register") >= last
    assert warehouse_of.one("select sum(readings) from ingest.retention_run where action = 'dropped'") == readings
    assert accounts(connection) == before
    account_from = warehouse_of.one("select ingest.account_from('reading_register')")
    assert last < account_from < END

    for side, whose in ((plant, meter), (other, other_meter)):
        side.conn.execute("update registry.multiplier set ct = 3 where meter_id = %s", [whose])
        close(side.conn, END)
    # The job takes an account up at the reading before.
    since = account_from - HOUR
    after = accounts(connection)
    assert [row for row in after if row[1] < since] == [row for row in before if row[1] < since]
    assert [row for row in after if row[1] >= since] == [row for row in accounts(twin) if row[1] >= since]
    assert after != before
    told = warehouse_of.rows("select what, meter_id, account_from from ingest.beyond_recall")
    assert told == [("registry", meter, account_from)]

    # A late reading in what is left changes what it must.
    hours = (account_from - START) // HOUR + 20
    late = [(START + hours * HOUR + timedelta(minutes=30), 7 * hours + 1)]
    for side, number in ((plant, series), (other, other_series)):
        side.read(number, late)
        close(side.conn, END)
    assert accounts(connection) != after
    assert [row for row in accounts(connection) if row[1] >= since] == [
        row for row in accounts(twin) if row[1] >= since
    ]


def test_a_reading_of_a_dropped_month_is_kept_and_counted_in_no_account(warehouse_of: Warehouse) -> None:
    connection = warehouse_of.connection
    plant, _, series = planted(connection)
    finished(connection)
    assert done(connection).dropped >= LEAST
    before = accounts(connection)
    late = START + timedelta(days=3, minutes=30)
    plant.read(series, [(late, 12_345)])
    close(connection, END)
    assert accounts(connection) == before
    assert warehouse_of.rows("select what, series_id, from_t from ingest.beyond_recall") == [("reading", series, late)]
    assert warehouse_of.rows("select t from ingest.reading_register where t < %s", START + timedelta(days=30)) == [
        (late,)
    ]
    assert plant.marks() == 0
    refused = {
        piece.from_t: [one.reason for one in refusals]
        for piece, refusals in planned(connection)
        if piece.from_t <= late
    }
    assert list(refused.values()) == [["came_late"]]
    assert done(connection).dropped == 0
    # Nor is the day counted again, which would lose what it had.
    connection.execute(
        "insert into ingest.count_due values ('gw-a', '2026-04-23', now()), ('gw-a', '2026-06-09', now())"
    )
    assert warehouse_of.rows("select day from ingest.count_due") == [(date(2026, 6, 9),)]


AGAINST = {
    "not_final": "delete from ingest.final_through",
    "open_plan": """insert into indicator.plan (plan, name_zh, name_en, base_date, end_date, document, legal_basis)
        values ('p', 'p', 'p', '2025-12-31', '2030-12-31', 'd', 'published')""",
    "not_closed": "update ingest.watermark set closed_through = '2026-04-25 00:00+00'",
    "marked": "insert into energy.dirty (meter_id, t_from, cause) values (1, '2026-05-04 00:00+00', 'registry')",
    "hole": """insert into ingest.hole (ledger_id, seqs, state, seen_at)
        values (1, '[3,4)', 'open', '2026-05-12 00:00+00')""",
    "parked": """insert into ingest.parked_message
        (gateway, digest, epoch, seq, topic_id, topic, partition, "offset", key, value, headers, timestamp_ms, at,
         batch) values ('g', 'd', 1, 1, 't', 't', 0, 0, '', '', '{}', 0, '2026-05-12 00:00+00', 0)""",
    "refused": """insert into ingest.reading_rejected (ledger_id, seq, name, series_id, t_ms, q, reason, detail, batch)
        select 1, 1, 'e', 1, energy.to_ms('2026-05-04 00:00+00'), 0, 'range', '', 0""",
    "deferred": """insert into ingest.reading_deferred (series_id, t, v_int, q, message, seen, batch)
        values (1, '2026-05-04 00:00+00', 1, 0, 0, false, 0)""",
    "silent": "update registry.meter_series set valid_to = null where gateway = 'gw-b'",
    "unsynced": """insert into ingest.reading_register (series_id, t, v, q, message)
        values (1, '2026-05-04 00:00:01+00', 1, 20, 0)""",
}


def test_what_speaks_against_it_is_said(warehouse_of: Warehouse) -> None:
    """Each of these alone keeps at least one piece that would go otherwise; nothing else is told of it."""
    connection = warehouse_of.connection
    planted(connection)
    finished(connection)
    free = [piece for piece, refusals in planned(connection) if not refusals]
    assert len(free) >= LEAST
    for reason, deed in AGAINST.items():
        with connection.transaction(force_rollback=True):
            connection.execute(deed.encode())
            found = {refusal.reason for piece in free for refusal in speaks_against(connection, piece)}
            # A change of the registry leaves its mark as well.
            assert found - {"marked"} == {reason} - {"marked"}, reason
            assert reason in found
            assert done(connection).dropped < len(free)
            told = warehouse_of.rows("select error from ingest.retention_run where action = 'kept'")
            assert any(reason in error for (error,) in told)


def test_every_reason_is_explained() -> None:
    page = DOCS.read_text("utf-8")
    assert [reason for reason in (*AGAINST, "came_late") if f"| `{reason}` |" not in page] == []


def test_a_piece_that_stays_is_looked_at_once_a_day(warehouse_of: Warehouse) -> None:
    connection = warehouse_of.connection
    planted(connection)
    keep(connection, "reading_register", 62, WORD)
    first = done(connection, all_again=False)
    assert first.refused >= LEAST
    recorded = warehouse_of.one("select count(*) from ingest.retention_run where action = 'kept'")
    assert recorded == first.refused
    soon = run(connection, datetime.now(UTC), all_again=False)
    assert soon is not None
    assert soon.refused == 0
    assert done(connection).refused == first.refused
    assert warehouse_of.one("select count(*) from ingest.retention_run where action = 'kept'") == recorded


def test_a_piece_that_somebody_holds_is_left_for_later(warehouse: str, connection: Connection) -> None:
    planted(connection)
    finished(connection)
    with connect(warehouse, application="test") as other, other.transaction():
        other.execute("select count(*) from ingest.reading_register where t < '2026-05-01 00:00+00'")
        found = done(connection)
    assert (found.failed, found.dropped) == (2, 0)
    told = connection.execute("select error from ingest.retention_run where action = 'failed'").fetchall()
    assert len(told) == 2
    assert "lock timeout" in told[0][0]
    assert done(connection).dropped == 2


def test_a_run_keeps_others_out(warehouse: str, connection: Connection) -> None:
    with connect(warehouse, application="test") as other:
        other.execute("select pg_advisory_lock(%s)", [job._LOCK])
        assert run(connection, NOW) is None


def test_only_pieces_can_be_dropped(warehouse_of: Warehouse) -> None:
    for name in ("ingest.reading_register", "ingest.ledger", "nothing"):
        with pytest.raises(errors.UndefinedTable):
            warehouse_of.connection.execute("select ingest.drop_piece('reading_register', %s)", [name])
