"""A repair makes the accounts what they would be had the times been right from the start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.warehouse.clock.test_repair import EVER, RIGHT, UNSET, WORD
from tests.warehouse.energy.plant import Plant
from tests.warehouse.sink.feed import Log, birth, sink, telemetry, write
from warehouse.clock.aside import Span
from warehouse.clock.repair import repair, undo
from warehouse.energy.job import close
from warehouse.postgres import Connection

QUARTER_MS = 900_000
START = RIGHT // QUARTER_MS * QUARTER_MS
HOURS_6 = 24 * QUARTER_MS
OF = birth()


def reading(seq: int, quarter: int, count: int, *, behind_ms: int = 0) -> bytes:
    at = START + quarter * QUARTER_MS - behind_ms
    return telemetry(OF, seq, {"e": [(at, count, UNSET) if behind_ms else (at, count)]})


def test_energy_moves_with_the_readings_and_back(warehouse: str, connection: Connection) -> None:
    plant, log = Plant(connection), Log()
    meter = plant.meter("m-1")
    plant.feed(meter, "gw", "e")
    through = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=START + 6 * QUARTER_MS)

    def recomputed() -> list[str | None]:
        close(connection, through)
        kept = plant.energies(meter)
        # What the job computed from its marks is what it computes from the first reading on.
        connection.execute(
            "insert into energy.dirty (meter_id, t_from, cause) values (%s, '-infinity', 'registry')", (meter,)
        )
        assert close(connection, through).changed == 0
        return kept

    with sink(warehouse) as store:
        write(store, log.birth(OF))
        for seq, (quarter, count) in enumerate([(0, 100), (1, 110), (2, 125), (5, 190), (6, 200)], 1):
            write(store, log.message(reading(seq, quarter, count)))
        # Two quarter-hours read while the clock was six hours behind.
        write(store, *(log.message(reading(9 + n, 3 + n, 140 + 20 * n, behind_ms=HOURS_6)) for n in range(2)))
    before = recomputed()
    found = repair(connection, Span("gw", *EVER), HOURS_6, WORD)
    assert found.moved.total() == 2
    after = recomputed()
    assert after[-6:] == ["0.10", "0.15", "0.15", "0.20", "0.30", "0.10"]
    assert found.repair_id is not None
    undo(connection, found.repair_id)
    assert recomputed() == before != after
