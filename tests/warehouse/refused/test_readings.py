"""Single readings that were refused are stored once their cause is gone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.warehouse.sink.feed import GAUGE, REGISTER, T0, Log, birth, sink, telemetry, write
from warehouse.postgres import Connection
from warehouse.refused import readings as replaying
from warehouse.refused.readings import replay_readings
from warehouse.refused.which import Which


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def test_a_series_that_a_later_birth_knows(warehouse: str, connection: Connection) -> None:
    """An agent wrote readings of a new series under its old birth, and published the right one afterwards."""
    log, old, new = Log(), birth(series={"p": GAUGE}), birth(series={"p": GAUGE, "e": REGISTER})
    message = telemetry(old, 1, {"p": [(T0, 1)], "e": [(T0, 5), (T0 + 1, 6, 20)], "zz": [(T0, 1)]})
    with sink(warehouse) as store:
        write(store, log.birth(old), log.message(message))
        assert dict(replay_readings(connection, Which()).still) == {"unknown_series": 3}
        write(store, log.birth(new))
        assert dict(replay_readings(connection, Which(gateway="other")).stored) == {}
        assert dict(replay_readings(connection, Which(), dry_run=True).stored) == {"unknown_series": 2}
        assert rows(connection, "select * from ingest.reading_register") == []
        found = replay_readings(connection, Which())
        assert (dict(found.stored), dict(found.still)) == ({"unknown_series": 2}, {"unknown_series": 1})
        stored = "select v, q, ingest.seq_of(message) from ingest.reading_register order by t"
        assert rows(connection, stored) == [(5, 0, 1), (6, 20, 1)]
        settled = "select name, settled_by, series_id is null from ingest.reading_rejected order by rejected_id"
        assert rows(connection, settled) == [
            ("e", "replay", False),
            ("e", "replay", False),
            ("zz", None, True),
        ]
        # Once more, and sent again by the gateway: nothing happens.
        assert dict(replay_readings(connection, Which()).stored) == {}
        write(store, log.message(message))
    assert rows(connection, stored) == [(5, 0, 1), (6, 20, 1)]
    assert rows(connection, "select * from ingest.exception") == []


def test_a_name_that_meant_different_series_decides_nothing(warehouse: str, connection: Connection) -> None:
    log, old = Log(), birth(series={"p": GAUGE})
    others = [birth(series={"x": GAUGE.model_copy(update={"unit": unit})}, agent=unit) for unit in ("kW", "W")]
    with sink(warehouse) as store:
        write(store, log.birth(old), *map(log.birth, others), log.message(telemetry(old, 1, {"x": [(T0, 1)]})))
    assert dict(replay_readings(connection, Which()).still) == {"ambiguous_series": 1}
    assert rows(connection, "select reason, tried_reason from ingest.reading_rejected") == [
        ("unknown_series", "ambiguous_series")
    ]


def test_rules_that_were_widened(warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    log, of = Log(), birth()
    at_2014 = 1_400_000_000_000
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"e": [(T0, 1_000), (T0 + 1, 5)], "m": [(T0, 0.5)]})))
        write(store, log.message(telemetry(of, 2, {"m": [(at_2014, 1), (1 << 52, 2)]})))
    waiting = {"register_range": 1, "value_type": 1, "time_past": 1, "time_future": 1}
    assert dict(replay_readings(connection, Which()).still) == waiting
    (first,) = rows(connection, "select rejected_id from ingest.reading_rejected where reason = 'register_range'")
    monkeypatch.setattr(replaying, "check_value", lambda *_: None)
    assert dict(replay_readings(connection, Which(), rejected_id=first[0]).stored) == {"register_range": 1}
    assert rows(connection, "select v from ingest.reading_register order by t") == [(1_000,), (5,)]
    assert dict(replay_readings(connection, Which(reason="register_range")).stored) == {}
