"""Hours, days and months, and who had the meter: kept in step with the quarter-hours, and with the registry."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.warehouse.energy.plant import FIRM, MARCH, OTHER_FIRM, QUARTER, Plant, every_quarter
from warehouse.energy.changed import changed_days, move_on
from warehouse.energy.job import close
from warehouse.postgres import Connection

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
