"""Hours, days and months, and who had the meter: kept in step with the quarter-hours, and with the registry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from deploy.local.external import ExternalPostgres
from deploy.local.postgres import Postgres
from tests.services.plugin import fresh_database
from tests.warehouse.energy.plant import FIRM, MARCH, OTHER_FIRM, QUARTER, Plant, every_quarter
from warehouse.energy.changed import changed_days, move_on
from warehouse.energy.job import close
from warehouse.postgres import Connection, connect

HOUR = timedelta(hours=1)


@pytest.fixture
def plant(ready: Connection) -> Plant:
    return Plant(ready)


def test_hours_days_and_months_are_summed_from_the_quarter_hours(plant: Plant) -> None:
    meter, series = plant.metered("a")
    start = MARCH - HOUR  # the last hour of 1 March in Shanghai
    plant.read(series, every_quarter([0, 1, 3, 6, 10, 15, 21], start))
    close(plant.conn, start + 6 * QUARTER)
    assert plant.rolled_up("hour", meter) == [
        ("2026-03-01 23:00:00", None, [], Decimal("0.10"), 4, 0, 0),
        ("2026-03-02 00:00:00", None, [], Decimal("0.11"), 2, 0, 0),
    ]
    assert plant.rolled_up("day", meter) == [
        ("2026-03-01", None, [], Decimal("0.10"), 4, 0, 0),
        ("2026-03-02", None, [], Decimal("0.11"), 2, 0, 0),
    ]
    assert plant.rolled_up("month", meter) == [("2026-03-01", None, [], Decimal("0.21"), 6, 0, 0)]


def test_a_month_of_shanghai_begins_at_four_in_the_afternoon_utc(plant: Plant) -> None:
    meter, series = plant.metered("a")
    start = MARCH - timedelta(days=1) - QUARTER  # the last quarter-hour of February
    plant.read(series, every_quarter([0, 1, 3], start))
    close(plant.conn, start + 2 * QUARTER)
    assert [row[:1] + row[3:] for row in plant.rolled_up("month", meter)] == [
        ("2026-02-01", Decimal("0.01"), 1, 0, 0),
        ("2026-03-01", Decimal("0.02"), 1, 0, 0),
    ]


def test_nothing_known_is_null_and_not_zero(plant: Plant) -> None:
    meter, series = plant.metered("a", ratio=None)
    plant.read(series, every_quarter([0, 1, 3]))
    close(plant.conn, MARCH + 2 * QUARTER)
    for table in ("hour", "day", "month"):
        assert [row[3:] for row in plant.rolled_up(table, meter)] == [(None, 0, 0, 2)]


def test_an_hour_in_which_the_meter_changed_hands_has_a_row_for_each(plant: Plant) -> None:
    meter, series = plant.metered("a")
    plant.site(FIRM, "park-x")
    plant.site(OTHER_FIRM, "park-y")
    plant.place(meter, FIRM, until=MARCH + timedelta(minutes=20))
    plant.place(meter, OTHER_FIRM, since=MARCH + timedelta(minutes=20))
    plant.read(series, every_quarter([0, 1, 3, 6, 10]))
    close(plant.conn, MARCH + 4 * QUARTER)
    both = [
        ("2026-03-02", FIRM, ["park-x"], Decimal("0.03"), 2, 0, 0),
        ("2026-03-02", OTHER_FIRM, ["park-y"], Decimal("0.07"), 2, 0, 0),
    ]
    assert plant.rolled_up("day", meter) == both
    assert plant.rolled_up("hour", meter) == [("2026-03-02 00:00:00", *row[1:]) for row in both]
    assert plant.rolled_up("month", meter) == [("2026-03-01", *row[1:]) for row in both]


def test_the_registry_changes_its_mind_and_the_rows_follow(plant: Plant) -> None:
    meter, series = plant.metered("a")
    plant.read(series, every_quarter([0, 1, 3, 6, 10]))
    close(plant.conn, MARCH + 4 * QUARTER)
    assert [row[1:4] for row in plant.rolled_up("month", meter)] == [(None, [], Decimal("0.10"))]
    # Whoever read the past again would find it gone, and book it as unknown.
    plant.conn.execute("DELETE FROM ingest.reading_register")

    plant.place(meter, FIRM)
    assert close(plant.conn, MARCH + 4 * QUARTER).changed == 4
    assert [row[1:4] for row in plant.rolled_up("month", meter)] == [(FIRM, [], Decimal("0.10"))]

    plant.site(FIRM, "park-x", "2026-03-02")
    assert close(plant.conn, MARCH + 4 * QUARTER).changed == 4
    assert [row[1:4] for row in plant.rolled_up("day", meter)] == [(FIRM, ["park-x"], Decimal("0.10"))]

    plant.site(FIRM, "park-a", "2026-03-03")
    assert close(plant.conn, MARCH + 4 * QUARTER).changed == 0

    plant.conn.execute("UPDATE registry.enterprise_area SET valid_from = '2026-03-01' WHERE area = 'park-a'")
    assert close(plant.conn, MARCH + 4 * QUARTER).changed == 4
    assert [row[1:3] for row in plant.rolled_up("hour", meter)] == [(FIRM, ["park-a", "park-x"])]

    plant.conn.execute("UPDATE registry.enterprise_area SET valid_to = '2026-03-02' WHERE area = 'park-a'")
    assert close(plant.conn, MARCH + 4 * QUARTER).changed == 4
    plant.conn.execute("UPDATE registry.meter_placement SET valid_to = %s", [MARCH + 3 * QUARTER])
    assert close(plant.conn, MARCH + 4 * QUARTER).changed == 1
    assert [row[1:4] for row in plant.rolled_up("hour", meter)] == [
        (FIRM, ["park-x"], Decimal("0.06")),
        (None, [], Decimal("0.04")),
    ]
    plant.conn.execute("UPDATE registry.meter_placement SET role = 'sub', name = 'press'")
    assert plant.marks() == 0, "a role and a name are nothing to an account"
    plant.conn.execute("DELETE FROM registry.meter_placement")
    assert close(plant.conn, MARCH + 4 * QUARTER).changed == 3
    assert [row[1:4] for row in plant.rolled_up("month", meter)] == [(None, [], Decimal("0.10"))]
    assert plant.marks() == 0


def test_a_holder_has_one_number(plant: Plant) -> None:
    for serial in ("a", "b"):
        meter, series = plant.metered(serial)
        plant.place(meter, FIRM)
        plant.read(series, every_quarter([0, 1]))
    plant.site(FIRM, "park-x", "1970-01-01")
    for _ in range(2):
        close(plant.conn, MARCH + QUARTER)
    assert plant.conn.execute("SELECT uscc, areas FROM energy.holder ORDER BY holder_id").fetchall() == [
        (None, []),
        (FIRM, ["park-x"]),
    ]
    assert plant.conn.execute("SELECT DISTINCT holder_id FROM energy.quarter").fetchall() == [(1,)]


def test_a_consumer_reads_on_from_where_it_has_come_to(plant: Plant) -> None:
    meter, series = plant.metered("a")
    plant.read(series, every_quarter([0, 1, 3], MARCH - QUARTER))
    close(plant.conn, MARCH + QUARTER)
    seen = changed_days(plant.conn, "indicators")
    assert [(one.meter_id, one.feed_in, str(one.day)) for one in seen] == [
        (meter, False, "2026-03-01"),
        (meter, False, "2026-03-02"),
    ]
    assert changed_days(plant.conn, "indicators", 1) == seen[:1]
    close(plant.conn, MARCH + QUARTER)
    assert changed_days(plant.conn, "indicators") == seen, "what did not change is not told"
    plant.read(series, [(MARCH + 2 * QUARTER, 6)])
    close(plant.conn, MARCH + 2 * QUARTER)
    again = changed_days(plant.conn, "indicators")
    assert [str(one.day) for one in again] == ["2026-03-01", "2026-03-02"]
    assert again[0] == seen[0]
    assert again[1].change_id > seen[1].change_id, "the later mark of a day stands for the earlier"
    move_on(plant.conn, "indicators", again[0].change_id)
    assert changed_days(plant.conn, "indicators") == again[1:]
    plant.conn.execute("INSERT INTO energy.consumer VALUES ('slow')")
    close(plant.conn, MARCH + 2 * QUARTER)
    assert changed_days(plant.conn, "slow") == again
    for consumer in ("indicators", "slow"):
        move_on(plant.conn, consumer, again[1].change_id)
    plant.conn.execute("UPDATE energy.consumer SET through = %s", [again[1].change_id])
    close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.conn.execute("SELECT count(*) FROM energy.day_changed").fetchone() == (0,)
    with pytest.raises(LookupError, match="nobody"):
        move_on(plant.conn, "nobody", 1)


PLANS = {
    "a meter's year by day": """
        SELECT day, sum(energy) FROM energy.day
        WHERE meter_id = 77 AND NOT feed_in AND day >= '2025-01-01' AND day < '2026-01-01' GROUP BY day""",
    "a park's month by day": """
        SELECT day, sum(energy) FROM energy.day
        WHERE holder_id = ANY (ARRAY(SELECT holder_id FROM energy.holder WHERE areas @> ARRAY['park-7']))
          AND day >= '2025-03-01' AND day < '2025-04-01' GROUP BY day""",
    "the district's month by park": """
        SELECT area, sum(m.energy) FROM energy.month AS m JOIN energy.holder USING (holder_id), unnest(areas) AS area
        WHERE month = '2025-03-01' GROUP BY area""",
}
DAYS = """
    INSERT INTO energy.day (meter_id, feed_in, day, holder_id, energy, measured, estimated, unknown)
    SELECT n, false, t::date, (n + 1) / 2, 1, 1, 0, 0
    FROM generate_series('2024-01-01'::timestamp, '2025-12-31', '1 day') AS t, generate_series(1, 1000) AS n"""
MONTHS = """
    INSERT INTO energy.month (meter_id, feed_in, month, holder_id, energy, measured, estimated, unknown)
    SELECT meter_id, feed_in, date_trunc('month', day::timestamp), holder_id, sum(energy), sum(measured), 0, 0
    FROM energy.day GROUP BY 1, 2, 3, 4"""


@pytest.fixture(scope="module")
def years(postgres: Postgres | ExternalPostgres, ready_template: str) -> Iterator[Connection]:
    """Two years of 1 000 meters of 500 holders in ten parks."""
    with fresh_database(postgres, ready_template) as dsn, connect(dsn, application="test") as conn:
        conn.execute("INSERT INTO registry.meter (serial, carrier, unit) SELECT n, 'electricity', 'kWh'"
                     " FROM generate_series(1, 1000) AS n")  # fmt: skip
        conn.execute("INSERT INTO energy.holder (uscc, areas) SELECT n, ARRAY['park-' || n % 10]"
                     " FROM generate_series(1, 500) AS n")  # fmt: skip
        for fill in (DAYS, MONTHS, "ANALYZE energy.day, energy.month"):
            conn.execute(fill.encode())
        yield conn


@pytest.mark.parametrize("asked", PLANS)
def test_what_people_look_at_is_found_by_an_index(years: Connection, asked: str) -> None:
    plan = "\n".join(str(row[0]) for row in years.execute(f"EXPLAIN {PLANS[asked]}".encode()))
    assert "Seq Scan on day" not in plan, plan
    assert "Seq Scan on month" not in plan, plan
    assert "Index" in plan, plan
