"""The warehouse's accounts of the demo's past come to what the load curve gives by hand, to the last digit.

Nothing of the way in between takes part: the readings of the load profiles are written straight into the tables.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from deploy.local.demo.district import write_district
from deploy.local.demo.profiles import SHANGHAI, Demo
from deploy.local.meters.curve import SLOT_MS
from deploy.local.meters.load_profile import load_profile
from deploy.local.meters.settings import Quantity
from warehouse import postgres
from warehouse.energy.job import close
from warehouse.migrate import Flavour, migrate
from warehouse.registry.load import load_folder, load_reference

NOW = datetime(2026, 11, 24, 15, 47, 12, tzinfo=SHANGHAI)


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def put(connection: postgres.Connection, demo: Demo, meter: str) -> None:
    display, profile = demo.displays[meter], demo.profile_of(meter)
    name = f"{meter}.{Quantity.ACTIVE_ENERGY}"
    found = connection.execute(
        """
        WITH born AS (
          INSERT INTO ingest.birth (gateway, digest, agent, body, received_at, batch)
          VALUES (%(gateway)s, %(name)s, 'test', '{}', now(), 1) RETURNING birth_id
        ), series AS (
          INSERT INTO ingest.series
            (gateway, identity, device, quantity, unit, kind, carrier, meter, decimals, range, batch)
          VALUES (%(gateway)s, %(name)s, %(meter)s, 'active_energy_import', 'kWh', 'register', 'electricity',
                  %(serial)s, %(decimals)s, %(range)s, 1) RETURNING series_id
        )
        INSERT INTO ingest.birth_series (birth_id, name, series_id, interval_ms, rated_max)
        SELECT birth_id, %(name)s, series_id, 1000, %(rated_max)s FROM born, series RETURNING series_id
        """,
        {
            "gateway": demo.gateway_of(meter),
            "name": name,
            "meter": meter,
            "serial": profile.serial,
            "decimals": profile.decimals,
            "range": profile.range,
            "rated_max": profile.rated_max,
        },
    ).fetchone()
    assert found is not None
    with connection.cursor().copy("COPY ingest.reading_register (series_id, t, v, q, message) FROM STDIN") as copy:
        for entry in load_profile(display, demo.start_ms, demo.now_ms):
            if entry.series == name:
                copy.write_row((found[0], at(entry.t_ms), entry.value, 0, 1))


def test_the_accounts_agree_with_the_curve(database: str, tmp_path: Path) -> None:
    demo = Demo.started(int(NOW.timestamp()) * 1000)
    planted = write_district(tmp_path, demo)
    through_ms = demo.now_ms // SLOT_MS * SLOT_MS
    with postgres.connect(database, application="test") as connection:
        migrate(connection, Flavour.PLAIN)
        assert not load_reference(connection).refused
        assert not load_folder(connection, tmp_path).refused
        for month in (9, 10, 11):
            connection.execute("SELECT ingest.ensure_month(make_date(2026, %s, 1))", (month,))
        for meter in demo.displays:
            put(connection, demo, meter)
        report = close(connection, at(through_ms))
        assert report.refused == ()
        found = {
            serial: (energy, bad)
            for serial, energy, bad in connection.execute(
                "SELECT m.serial, sum(q.energy), count(*) FILTER (WHERE q.quality <> 'measured')"
                " FROM energy.quarter AS q JOIN registry.meter AS m USING (meter_id) GROUP BY m.serial"
            )
        }
        october: dict[str, Decimal] = dict(
            connection.execute(
                "SELECT p.uscc, sum(d.energy) FROM energy.day AS d JOIN registry.meter_placement AS p USING (meter_id)"
                " WHERE p.role = 'boundary' AND d.day BETWEEN '2026-10-01' AND '2026-10-31' GROUP BY p.uscc"
            ).fetchall()
        )
    assert found == {
        demo.profile_of(meter).serial: (demo.expected_energy_kwh(meter, demo.start_ms, through_ms), 0)
        for meter in demo.displays
    }
    assert october == {uscc: kwh for (uscc, _), kwh in planted.energy_kwh.items()}
    assert all(kwh > 0 for kwh in october.values())
