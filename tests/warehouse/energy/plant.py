"""Plants meters, births and readings as the registry's loader and the sink would leave them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from warehouse.postgres import Connection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
"""Midnight of 2 March 2026 in Shanghai."""
FIRM = "91310117MA1J00014T"
OTHER_FIRM = "91310117MA1J00024U"
QUARTER = timedelta(minutes=15)
Row = tuple[str, datetime, Decimal | None, str, str | None]


class Plant:
    """One enterprise with meters; every reading goes to the reading table, a late one leaves a mark."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        conn.execute("INSERT INTO registry.enterprise VALUES (%s) ON CONFLICT DO NOTHING", [FIRM])

    def meter(self, serial: str, *, carrier: str = "electricity", unit: str = "kWh", ratio: int | None = 1) -> int:
        """Add a meter with its ratio from long ago."""
        number = self._one(
            "INSERT INTO registry.meter (serial, carrier, unit) VALUES (%s, %s, %s) RETURNING meter_id",
            [serial, carrier, unit],
        )
        if ratio is not None:
            self.ratio(number, ratio)
        return number

    def ratio(self, meter: int, ct: int, since: datetime = EPOCH, until: datetime | None = None) -> None:
        self.conn.execute(
            "INSERT INTO registry.multiplier (meter_id, pt, ct, valid_from, valid_to, legal_basis, source) "
            "VALUES (%s, 1, %s, %s, %s, 'consented', 'synthetic')",
            [meter, ct, since, until],
        )

    def feed(self, meter: int, gateway: str, name: str, since: datetime = EPOCH, until: datetime | None = None) -> None:
        """Say which series tells the meter's count."""
        self.conn.execute(
            "INSERT INTO registry.meter_series (meter_id, gateway, series, valid_from, valid_to, legal_basis, source) "
            "VALUES (%s, %s, %s, %s, %s, 'consented', 'synthetic')",
            [meter, gateway, name, since, until],
        )

    def series(
        self,
        gateway: str,
        name: str,
        *,
        unit: str = "kWh",
        decimals: int = 2,
        span: int = 10**8,
        rated_max: float | None = 400.0,
        serial: str | None = None,
    ) -> int:
        """Add a birth with one register; gives its number."""
        birth = self._one(
            "INSERT INTO ingest.birth (gateway, digest, agent, body, received_at, batch) "
            "VALUES (%s, gen_random_uuid()::text, '', '', clock_timestamp(), 0) RETURNING birth_id",
            [gateway],
        )
        number = self._one(
            "INSERT INTO ingest.series"
            " (gateway, identity, device, quantity, unit, kind, meter, decimals, range, batch) "
            "VALUES (%s, gen_random_uuid()::text, 'd', 'energy', %s, 'register', %s, %s, %s, 0) "
            "RETURNING series_id",
            [gateway, unit, serial, decimals, span],
        )
        self.conn.execute(
            "INSERT INTO ingest.birth_series (birth_id, name, series_id, interval_ms, rated_max) "
            "VALUES (%s, %s, %s, 900000, %s)",
            [birth, name, number, rated_max],
        )
        return number

    def metered(self, serial: str, *, ratio: int | None = 1) -> tuple[int, int]:
        """Add a meter that a series of its own gateway tells; gives both numbers."""
        meter = self.meter(serial, ratio=ratio)
        self.feed(meter, f"gw-{serial}", "m.energy")
        return meter, self.series(f"gw-{serial}", "m.energy")

    def read(self, series: int, readings: Iterable[tuple[datetime, int | None]], quality: int = 0) -> None:
        """Store readings; those before the watermark leave a mark, as those that a sink stores do."""
        rows = list(readings)
        for month in {(t.year, t.month) for t, _ in rows}:
            self.conn.execute("SELECT ingest.ensure_month(make_date(%s, %s, 1))", month)
        with self.conn.transaction(), self.conn.cursor() as cursor:
            closed = cursor.execute("SELECT closed_through::text FROM ingest.watermark FOR SHARE").fetchone()
            with cursor.copy("COPY ingest.reading_register (series_id, t, v, q, message) FROM STDIN") as copy:
                for t, counts in rows:
                    copy.write_row((series, t, counts, quality, 0))
            cursor.execute(
                "INSERT INTO ingest.dirty (series_id, t_from, t_to, batch) "
                "SELECT %s, min(t), max(t), 0 FROM unnest(%s::timestamptz[]) AS t WHERE t < %s::timestamptz "
                "HAVING count(*) > 0",
                [series, [t for t, _ in rows], closed[0] if closed else None],
            )

    def place(
        self, meter: int, uscc: str, since: datetime = EPOCH, until: datetime | None = None, role: str = "boundary"
    ) -> None:
        """Say whose the meter is."""
        self.conn.execute("INSERT INTO registry.enterprise VALUES (%s) ON CONFLICT DO NOTHING", [uscc])
        self.conn.execute(
            "INSERT INTO registry.meter_placement (meter_id, uscc, role, valid_from, valid_to, legal_basis, source) "
            "VALUES (%s, %s, %s, %s, %s, 'consented', 'synthetic')",
            [meter, uscc, role, since, until],
        )

    def site(self, uscc: str, area: str, since: str = "2020-01-01", until: str | None = None) -> None:
        """Say that the enterprise operates in a park, from a day on."""
        self.conn.execute("INSERT INTO registry.enterprise VALUES (%s) ON CONFLICT DO NOTHING", [uscc])
        self.conn.execute("INSERT INTO registry.area VALUES (%s, 'park') ON CONFLICT DO NOTHING", [area])
        self.conn.execute(
            "INSERT INTO registry.enterprise_area (uscc, area, valid_from, valid_to, legal_basis, source) "
            "VALUES (%s, %s, %s, %s, 'consented', 'synthetic')",
            [uscc, area, since, until],
        )

    def rolled_up(self, table: str, meter: int) -> list[tuple[object, ...]]:
        """Rows of hour, day or month: beginning as text, enterprise, its areas, energy and the three counts."""
        key = {"hour": "start AT TIME ZONE 'Asia/Shanghai'", "day": "day", "month": "month"}[table]
        query = (
            f"SELECT ({key})::text, h.uscc, h.areas, energy, measured, estimated, unknown"  # noqa: S608  # our names
            f" FROM energy.{table} JOIN energy.holder AS h USING (holder_id)"
            " WHERE meter_id = %s ORDER BY feed_in, 1, 2, 3"
        )
        return self.conn.execute(query.encode(), [meter]).fetchall()

    def quarters(self, meter: int) -> list[tuple[datetime, Decimal | None, str, str | None]]:
        return self.conn.execute(
            "SELECT start, energy, quality, reason FROM energy.quarter WHERE meter_id = %s ORDER BY start", [meter]
        ).fetchall()

    def energies(self, meter: int) -> list[str | None]:
        """The quarter-hours as text: the energy, or the reason that it is unknown."""
        return [str(energy) if energy is not None else reason for _, energy, _, reason in self.quarters(meter)]

    def marks(self) -> int:
        return self._one("SELECT (SELECT count(*) FROM ingest.dirty) + (SELECT count(*) FROM energy.dirty)", [])

    def _one(self, query: str, parameters: list[object]) -> int:
        row = self.conn.execute(query.encode(), parameters).fetchone()
        assert row is not None
        return int(row[0])


def every_quarter(counts: Iterable[int | None], start: datetime = MARCH) -> list[tuple[datetime, int | None]]:
    """Readings at the quarter-hours from ``start``."""
    return [(start + place * QUARTER, value) for place, value in enumerate(counts)]
