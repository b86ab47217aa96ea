"""Conflicts with more compressed rows than one transaction may unpack are put off and settled in pieces."""

from __future__ import annotations

import pytest

from tests.warehouse.sink.feed import T0, Log, birth, sink, telemetry, write
from warehouse.postgres import Connection
from warehouse.sink import deferred

# TimescaleDB raises 53400 when an update would unpack too much; a trigger does so here for more than two rows.
LIMIT = """
create function ingest.limit_updates() returns trigger language plpgsql as $$
begin
  if (select count(*) from changed) > 2 and
     current_setting('timescaledb.max_tuples_decompressed_per_dml_transaction', true) is distinct from '0' then
    raise 'tuple decompression limit exceeded' using errcode = '53400';
  end if;
  return null;
end $$;
create trigger limit_updates after update on ingest.reading_gauge
  referencing new table as changed for each statement execute function ingest.limit_updates();
"""


@pytest.mark.parametrize("reused", [False, True])
def test_they_wait_and_are_settled_when_idle(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch, *, reused: bool
) -> None:
    monkeypatch.setattr(deferred, "PIECE", 3)
    monkeypatch.setattr(deferred, "PIECES", 2)
    log, of = Log(), birth()
    times = [T0 + number for number in range(8)]
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(t, 1) for t in times], "e": [(T0, 5)]})))
        connection.execute(LIMIT.encode())
        seq = 1 if reused else 2
        write(store, log.message(telemetry(of, seq, {"p": [(t, 2) for t in times], "e": [(T0, 7)]})))
        # The message is stored, part of it waits; what was not in the way is settled.
        assert values(connection) == [1.0] * 8
        assert connection.execute("select v from ingest.reading_register").fetchall() == [(7,)]
        assert waiting(connection) == 8
        # A piece of two or three; an occasion may settle two of them.
        while waiting(connection):
            before = waiting(connection)
            store.idle()
            assert before - waiting(connection) in {2, 6}
    assert values(connection) == [2.0] * 8
    replaced = connection.execute("select v_float from ingest.reading_replaced where v_float is not null").fetchall()
    assert replaced == [(1.0,)] * 8
    raised = connection.execute("select seq from ingest.exception").fetchall()
    assert raised == ([(1,)] if reused else [])


def values(connection: Connection) -> list[float]:
    return [v for (v,) in connection.execute("select v from ingest.reading_gauge order by t").fetchall()]


def waiting(connection: Connection) -> int:
    row = connection.execute("select count(*) from ingest.reading_deferred").fetchone()
    assert row is not None
    return int(row[0])
