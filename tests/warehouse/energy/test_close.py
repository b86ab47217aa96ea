"""The job: what it writes, that it computes again exactly what changed, and that no mark is lost."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.warehouse.energy.plant import EPOCH, FIRM, MARCH, OTHER_FIRM, QUARTER, Plant, every_quarter
from warehouse.energy import store
from warehouse.energy.check import check_meters
from warehouse.energy.job import close
from warehouse.energy.walk import Reading, Register, walk
from warehouse.postgres import Connection, connect


@pytest.fixture
def plant(ready: Connection) -> Plant:
    return Plant(ready)


def test_quarter_hours_and_days_are_written_multiplied(plant: Plant) -> None:
    meter, series = plant.metered("a", ratio=60)
    plant.read(series, every_quarter([100, 150, 150, 260]))
    report = close(plant.conn, MARCH + 3 * QUARTER)
    assert (report.closed_through, report.registers, report.changed, report.refused) == (MARCH + 3 * QUARTER, 1, 3, ())
    assert plant.quarters(meter) == [
        (MARCH, Decimal("30.00"), "measured", None),
        (MARCH + QUARTER, Decimal("0.00"), "measured", None),
        (MARCH + 2 * QUARTER, Decimal("66.00"), "measured", None),
    ]
    days = plant.conn.execute("SELECT day::text, energy, measured, estimated, unknown FROM energy.day").fetchall()
    assert days == [("2026-03-02", Decimal("96.00"), 3, 0, 0)]
    assert plant.marks() == 0


def test_a_day_of_shanghai_begins_at_four_in_the_afternoon_utc(plant: Plant) -> None:
    _, series = plant.metered("a")
    plant.read(series, every_quarter([0, 1, 3], MARCH - QUARTER))
    close(plant.conn, MARCH + QUARTER)
    days = plant.conn.execute("SELECT day::text, energy FROM energy.day ORDER BY 1").fetchall()
    assert days == [("2026-03-01", Decimal("0.01")), ("2026-03-02", Decimal("0.02"))]


def test_a_second_run_changes_nothing(plant: Plant) -> None:
    meter, series = plant.metered("a")
    plant.read(series, every_quarter([100, 150, 150, 260]))
    close(plant.conn, MARCH + 3 * QUARTER)
    stamps = plant.conn.execute("SELECT start, computed_at FROM energy.quarter").fetchall()
    assert close(plant.conn, MARCH + 3 * QUARTER).registers == 0
    plant.conn.execute(
        "INSERT INTO energy.dirty (meter_id, t_from, cause) VALUES (%s, '-infinity', 'registry')", [meter]
    )
    assert close(plant.conn, MARCH + 3 * QUARTER).changed == 0
    assert plant.conn.execute("SELECT start, computed_at FROM energy.quarter").fetchall() == stamps


def test_the_watermark_is_never_moved_back(plant: Plant) -> None:
    close(plant.conn, MARCH + QUARTER)
    assert close(plant.conn, MARCH).closed_through == MARCH + QUARTER
    with pytest.raises(ValueError, match="quarter-hour"):
        close(plant.conn, MARCH + timedelta(minutes=1))


def test_the_next_reading_settles_the_quarter_hour_before_it(plant: Plant) -> None:
    meter, series = plant.metered("a")
    plant.read(series, [(MARCH, 0), (MARCH + timedelta(minutes=10), 10)])
    close(plant.conn, MARCH + QUARTER)
    assert plant.energies(meter) == ["no_reading"]
    plant.read(series, [(MARCH + timedelta(minutes=20), 30)])
    close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.energies(meter) == ["0.20", "no_reading"]
    assert plant.marks() == 0


def test_a_late_reading_opens_its_window_again_and_no_other(plant: Plant) -> None:
    meter, series = plant.metered("a")
    readings = every_quarter([0, 10, 20, None, 40, 50, 60])
    plant.read(series, [row for row in readings if row[1] is not None])
    close(plant.conn, MARCH + 6 * QUARTER)
    assert [quality for _, _, quality, _ in plant.quarters(meter)] == [
        "measured", "measured", "estimated", "estimated", "measured", "measured",
    ]  # fmt: skip
    plant.read(series, [(MARCH + 3 * QUARTER, 33)])
    assert plant.marks() == 1
    assert close(plant.conn, MARCH + 6 * QUARTER).changed == 2
    assert plant.energies(meter) == ["0.10", "0.10", "0.13", "0.07", "0.10", "0.10"]
    assert plant.marks() == 0


def test_a_change_in_the_registry_is_computed_from_its_time_on(plant: Plant) -> None:
    meter, series = plant.metered("a", ratio=10)
    plant.read(series, every_quarter([100_100, 100_200, 10, 110, 210]))
    close(plant.conn, MARCH + 4 * QUARTER)
    assert plant.energies(meter) == ["10.00", "reset", "10.00", "10.00"]
    plant.conn.execute(
        "INSERT INTO registry.meter_event (meter_id, at, old_end, new_start, legal_basis, source) "
        "VALUES (%s, %s, 1002.50, 0, 'consented', 'synthetic')",
        [meter, MARCH + QUARTER + timedelta(minutes=5)],
    )
    assert close(plant.conn, MARCH + 4 * QUARTER).changed == 1
    assert plant.energies(meter) == ["10.00", "6.00", "10.00", "10.00"]
    plant.conn.execute("UPDATE registry.multiplier SET valid_to = %s", [MARCH + 3 * QUARTER])
    plant.ratio(meter, 20, MARCH + 3 * QUARTER)
    assert close(plant.conn, MARCH + 4 * QUARTER).changed == 1
    assert plant.energies(meter) == ["10.00", "6.00", "10.00", "20.00"]
    plant.conn.execute("DELETE FROM registry.multiplier")
    close(plant.conn, MARCH + 4 * QUARTER)
    assert plant.energies(meter) == ["no_multiplier"] * 4
    plant.conn.execute("DELETE FROM registry.meter_series")
    close(plant.conn, MARCH + 4 * QUARTER)
    assert plant.energies(meter) == []
    assert plant.conn.execute("SELECT count(*) FROM energy.day").fetchone() == (0,)


def test_a_meter_that_is_registered_late_gets_its_past(plant: Plant) -> None:
    series = plant.series("gw-a", "m.energy")
    plant.read(series, every_quarter([0, 10, 20]))
    assert close(plant.conn, MARCH + 2 * QUARTER).registers == 0
    meter = plant.meter("a")
    plant.feed(meter, "gw-a", "m.energy", MARCH)
    close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.energies(meter) == ["0.10", "0.10"]


def test_a_new_gateway_goes_on_from_where_the_old_one_stopped(plant: Plant) -> None:
    meter, old = plant.metered("a")
    plant.conn.execute("UPDATE registry.meter_series SET valid_to = %s", [MARCH + 2 * QUARTER])
    plant.feed(meter, "gw-new", "x.energy", MARCH + 2 * QUARTER)
    new = plant.series("gw-new", "x.energy", serial="a")
    plant.read(old, every_quarter([0, 10, 20, 999]))
    plant.read(new, every_quarter([888, 888, 25, 45]))
    close(plant.conn, MARCH + 3 * QUARTER)
    assert plant.energies(meter) == ["0.10", "0.15", "0.20"], "each series counts in its own time only"


def test_a_register_of_another_resolution_begins_anew(plant: Plant) -> None:
    meter, coarse = plant.metered("a")
    plant.read(coarse, every_quarter([0, 10, 20]))
    close(plant.conn, MARCH + 2 * QUARTER)
    fine = plant.series("gw-a", "m.energy", decimals=3)
    plant.read(fine, every_quarter([201, 250, 300], MARCH + 3 * QUARTER))
    close(plant.conn, MARCH + 5 * QUARTER)
    assert plant.energies(meter) == ["0.10", "0.10", "no_reading", "0.049", "0.050"]


def test_what_cannot_be_a_register_of_this_meter_is_left_out(plant: Plant) -> None:
    meter = plant.meter("a")
    plant.feed(meter, "gw-a", "m.energy")
    reactive = plant.series("gw-a", "m.energy", unit="kvarh")
    stranger = plant.series("gw-a", "m.energy", serial="b")
    for series in (reactive, stranger):
        plant.read(series, every_quarter([0, 10, 20]))
    report = close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.energies(meter) == []
    assert [why.split(" (")[0] for why in report.refused] == ["meter a: a register in kvarh cannot become kWh"]


def test_units_are_turned_into_that_of_the_account(plant: Plant) -> None:
    meter = plant.meter("a", ratio=3)
    plant.feed(meter, "gw-a", "m.energy")
    plant.read(plant.series("gw-a", "m.energy", unit="MWh", decimals=3), every_quarter([0, 2, 2]))
    close(plant.conn, MARCH + 2 * QUARTER)
    assert [energy for _, energy, _, _ in plant.quarters(meter)] == [Decimal(6), Decimal(0)]


def test_unusable_readings_enter_no_account(plant: Plant) -> None:
    meter, series = plant.metered("a")
    plant.read(series, [(MARCH, 0), (MARCH + QUARTER, 10)])
    plant.read(series, [(MARCH + timedelta(minutes=5), None), (MARCH + timedelta(minutes=6), 9)], quality=100)
    plant.read(series, [(MARCH + timedelta(minutes=20), 15)], quality=20)
    plant.read(series, [(MARCH + 2 * QUARTER, 20)], quality=30)
    close(plant.conn, MARCH + 2 * QUARTER)
    assert [(str(energy), reason) for _, energy, _, reason in plant.quarters(meter)] == [
        ("0.10", None),
        ("0.10", "doubtful_reading"),
    ]


def test_dying_after_the_watermark_moved_loses_nothing(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    meter, series = plant.metered("a")
    plant.read(series, every_quarter([0, 10, 20]))

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", die)
        with pytest.raises(KeyboardInterrupt):
            close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.conn.execute("SELECT closed_through FROM ingest.watermark").fetchone() == (MARCH + 2 * QUARTER,)
    assert plant.energies(meter) == []
    close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.energies(meter) == ["0.10", "0.10"]


def test_a_mark_that_comes_during_a_run_is_left_for_the_next(
    plant: Plant, ready_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, series = plant.metered("a")
    plant.read(series, every_quarter([0, 10, 20]))
    writing = store.write

    def write_while_a_reading_comes(conn: Connection, batch: Sequence[store.Recomputed]) -> int:
        with connect(ready_dsn, application="tests") as other:
            Plant(other).read(series, [(MARCH + timedelta(minutes=5), 5)])
        return writing(conn, batch)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", write_while_a_reading_comes)
        close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.marks() == 1
    close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.marks() == 0
    assert plant.energies(meter) == ["0.10", "0.10"]


def a_restless_register(dice: random.Random, quarters: int) -> list[tuple[datetime, int]]:
    """Readings with jitter, gaps, spikes, falls and jumps."""
    t, level = MARCH + timedelta(seconds=dice.randrange(900)), dice.randrange(10**6)
    readings = []
    while t < MARCH + quarters * QUARTER:
        event = dice.random()
        if event < 0.03:
            level = dice.randrange(10**8)
        level += dice.randrange(60)
        readings.append((t, dice.randrange(10**8) if 0.03 < event < 0.08 else level))
        t += timedelta(seconds=dice.choice([60, 300, 900, 900, 900, 3_000]))
    return readings


def assert_checkpoints(plant: Plant, meter: int) -> None:
    """Every checkpoint says what a walk over all readings says."""
    kept: dict[int, int] = dict(
        plant.conn.execute(
            "SELECT energy.to_ms(at), energy.to_ms(last_good) FROM energy.checkpoint WHERE meter_id = %s", [meter]
        ).fetchall()
    )
    rows = plant.conn.execute("SELECT energy.to_ms(t), v FROM ingest.reading_register ORDER BY t").fetchall()
    register = Register(10**8, 40_000)
    assert walk([Reading(*row) for row in rows], register, marks=sorted(kept)).last_good == kept


def a_change_of_hands(plant: Plant, meter: int, dice: random.Random, quarters: int) -> None:
    """Have the registry say something else about who had the meter, or where that is; from any time on."""
    if dice.random() < 0.5:
        plant.conn.execute("DELETE FROM registry.meter_placement WHERE meter_id = %s", [meter])
        cuts = sorted({MARCH + timedelta(minutes=dice.randrange(15 * quarters)) for _ in range(dice.randrange(4))})
        for since, until in itertools.pairwise([EPOCH, *cuts, None]):
            firm = dice.choice([None, FIRM, OTHER_FIRM])
            if firm is not None and since is not None:
                plant.place(meter, firm, since, until)
    else:
        firm = dice.choice([FIRM, OTHER_FIRM])
        plant.conn.execute("DELETE FROM registry.enterprise_area WHERE uscc = %s", [firm])
        for area in dice.sample(["park-x", "park-y", "park-z"], dice.randrange(3)):
            first = dice.randrange(1, 5)
            plant.site(firm, area, f"2026-03-{first:02}", dice.choice([None, f"2026-03-{first + 1:02}"]))


@pytest.mark.parametrize("seed", range(8))
def test_however_readings_arrive_the_account_is_that_of_all_of_them(plant: Plant, seed: int) -> None:
    """Late, out of order, in pieces, between runs at any times: the same as computing once when all are there."""
    dice = random.Random(seed)  # noqa: S311  # repeatable
    quarters = 300
    readings = a_restless_register(dice, quarters)
    pieces, piece_series = plant.metered("pieces")
    shuffled = sorted(readings, key=lambda row: (row[0] - MARCH) / timedelta(hours=1) + dice.choice([0, 0, 0, 2, 30]))
    end = MARCH + (quarters - 1) * QUARTER
    through = MARCH
    while shuffled:
        take = dice.randrange(1, 40)
        plant.read(piece_series, shuffled[:take])
        del shuffled[:take]
        through = min(end, through + dice.randrange(0, 24) * QUARTER)
        if dice.random() < 0.3:
            a_change_of_hands(plant, pieces, dice, quarters)
        close(plant.conn, through)
        assert plant.marks() == 0
        assert_checkpoints(plant, pieces)
    close(plant.conn, end)
    changed_late, _ = dice.choice(readings)
    plant.conn.execute("UPDATE registry.multiplier SET valid_to = %s", [changed_late])
    plant.ratio(pieces, 7, changed_late)
    close(plant.conn, end)
    whole = plant.meter("whole", ratio=None)
    plant.feed(whole, "gw-pieces", "m.energy")
    plant.ratio(whole, 1, EPOCH, changed_late)
    plant.ratio(whole, 7, changed_late)
    plant.conn.execute(
        "INSERT INTO registry.meter_placement (meter_id, uscc, role, valid_from, valid_to, legal_basis, source)"
        " SELECT %s, uscc, role, valid_from, valid_to, legal_basis, source FROM registry.meter_placement"
        " WHERE meter_id = %s",
        [whole, pieces],
    )
    close(plant.conn, end)
    assert plant.quarters(pieces) == plant.quarters(whole)
    assert len(plant.quarters(whole)) >= quarters - 2
    total = sum(energy for _, energy, _, _ in plant.quarters(whole) if energy is not None)
    for table in ("hour", "day", "month"):
        rolled_up = plant.rolled_up(table, whole)
        assert plant.rolled_up(table, pieces) == rolled_up
        assert sum(row[3] for row in rolled_up if isinstance(row[3], Decimal)) == total
    holders = "SELECT start, uscc, areas FROM energy.quarter JOIN energy.holder USING (holder_id) WHERE meter_id = %s"
    held = [sorted(plant.conn.execute(holders, [meter]).fetchall()) for meter in (pieces, whole)]
    assert held[0] == held[1]
    found = check_meters(plant.conn, [pieces, whole], date(2026, 3, 1), date(2026, 3, 10))
    assert (found.differing, found.waiting) == (0, 0)


def test_closing_one_quarter_hour_does_not_go_through_the_past_again(plant: Plant) -> None:
    days = 20
    meter, series = plant.metered("a")
    plant.read(series, every_quarter(range(0, days * 96 * 10, 10)))
    through = MARCH + timedelta(days=days) - QUARTER
    assert close(plant.conn, through).changed == days * 96 - 1
    # Whoever read the past again would find it gone, and book it as unknown.
    plant.conn.execute("DELETE FROM ingest.reading_register WHERE t < %s", (through - timedelta(days=3),))
    plant.read(series, [(through + QUARTER, days * 960)])
    assert close(plant.conn, through + QUARTER).changed == 1
    assert set(plant.energies(meter)) == {"0.10"}


def test_checkpoints_are_few(plant: Plant) -> None:
    _, series = plant.metered("a")
    plant.read(series, every_quarter(range(4 * 96)))
    for quarter in range(0, 3 * 96, 4):
        close(plant.conn, MARCH + quarter * QUARTER)
    kept = plant.conn.execute("SELECT count(*) FROM energy.checkpoint").fetchone()
    assert kept is not None
    assert kept[0] <= 3 + 6, "one a midnight, and a few recent ones"
