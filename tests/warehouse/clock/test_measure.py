"""States that the sink takes leave faults in the database, and no row where clocks are right."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner

from tests.warehouse.sink.feed import APPENDED, Log, sink, write
from warehouse.cli import cli
from warehouse.postgres import Connection

AT_2000 = 946_684_800_000
DAY = 86_400_000


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def state(log: Log, gateway: str, minute: int, at_ms: int | None, **more: Any) -> Any:
    """A state that the bridge received in that minute."""
    body = {"v": 1, "online": at_ms is not None, **({} if at_ms is None else {"at": at_ms}), **more}
    received = APPENDED + minute * 60_000
    record = log.state(gateway, **{key: value for key, value in body.items() if key != "v"})
    return type(record)(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        {**record.headers, "received": str(received).encode()},
        record.timestamp_ms,
    )


def test_faults_are_measured_over_many_writes(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        for minute in range(4):
            now = APPENDED + minute * 60_000
            write(
                store,
                state(log, "right", minute, now - 15),
                state(log, "unset", minute, AT_2000 + minute * 60_000, clock={"status": "unsynced"}),
                state(log, "ahead", minute, now + DAY),
                state(log, "back", minute, now if minute < 2 else now - 3_600_000),
            )
        found = rows(connection, "select gateway, status, offset_ms, until is null from ingest.clock_fault order by 1")
        assert found == [
            ("ahead", "synced", DAY, True),
            ("back", "synced", -3_600_000, True),
            ("unset", "unsynced", AT_2000 - APPENDED, True),
        ]
        status = rows(connection, "select gateway, offset_ms, fault_id is not null from ingest.clock_status order by 1")
        assert status == [
            ("ahead", DAY, True),
            ("back", -3_600_000, True),
            ("right", -15, False),
            ("unset", AT_2000 - APPENDED, True),
        ]
        # NTP came; a last will and a repeated state tell nothing.
        step = APPENDED - AT_2000
        now = APPENDED + 4 * 60_000
        repeated = state(log, "right", 9, APPENDED)
        repeated.headers["retained"] = b"1"
        write(
            store,
            state(log, "unset", 4, now, clock={"status": "stepped", "step_ms": step}),
            state(log, "ahead", 4, None),
            repeated,
        )
    assert rows(connection, "select gateway, step_ms from ingest.clock_fault where until is not null") == [
        ("unset", step)
    ]
    listed = CliRunner().invoke(cli, ["clock", "list", "--database", warehouse, "--all"])
    assert listed.exit_code == 0, listed.output
    lines = listed.output.splitlines()
    assert [line.split()[1:3] for line in lines[1:]] == [["back", "sure"], ["ahead", "sure"], ["unset", "ended"]]
    assert "+P1D" in lines[2]
    assert "2000-01-01T00:00:00.000Z … 2000-01-01T00:03:00.000Z" in lines[3]


def test_a_row_that_was_no_fault_is_gone(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, state(log, "late", 5, APPENDED))
        assert rows(connection, "select count(*) from ingest.clock_fault") == [(1,)]
        write(store, state(log, "late", 6, APPENDED + 6 * 60_000))
    assert rows(connection, "select count(*) from ingest.clock_fault") == [(0,)]
