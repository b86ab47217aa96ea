"""The check finds whatever is not as the readings have it, says nothing of what is, and writes only what it found."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.warehouse.energy.plant import FIRM, MARCH, QUARTER, Plant, every_quarter
from tests.warehouse.sink.feed import Log, birth, sink, telemetry, write
from warehouse.cli import cli
from warehouse.energy.check import Checked, check_meters
from warehouse.energy.job import close
from warehouse.energy.nightly import check_tonight
from warehouse.postgres import Connection
from warehouse.times import to_ms

DAYS = 5
END = MARCH + timedelta(days=DAYS)
FIRST, AFTER = date(2026, 3, 2), date(2026, 3, 7)
QUARTERS, ROLLUPS = DAYS * 96, DAYS * 24 + DAYS + 1
NIGHT = datetime(2026, 3, 7, 3, 0, tzinfo=UTC) - timedelta(hours=8)


@pytest.fixture
def plant(ready: Connection) -> Plant:
    return Plant(ready)


@pytest.fixture
def meter(plant: Plant) -> int:
    """One with all that an account may meet: a gap, a spike, a change of ratio, an owner from the second day on."""
    meter, series = plant.metered("a")
    counts: list[int | None] = [place * place % 37 + 10 * place for place in range(DAYS * 96 + 3)]
    counts[100:130] = [None] * 30
    counts[200] = 99_000_000
    counts[300:305] = [5] * 5
    plant.read(series, [row for row in every_quarter(counts) if row[1] is not None])
    plant.place(meter, FIRM, since=MARCH + timedelta(days=1, minutes=20))
    plant.site(FIRM, "park-x", "2026-03-04")
    plant.conn.execute("UPDATE registry.multiplier SET valid_to = %s", [MARCH + 50 * QUARTER])
    plant.ratio(meter, 3, MARCH + 50 * QUARTER)
    close(plant.conn, END)
    return meter


def everything(conn: Connection) -> list[object]:
    tables = ("quarter", "hour", "day", "month", "holder", "day_changed", "consumer", "checkpoint", "dirty")
    return [
        sorted(map(str, conn.execute(f"SELECT t.* FROM energy.{table} AS t".encode()).fetchall()))  # noqa: S608
        for table in tables
    ]


def check(plant: Plant, meter: int, first: date = FIRST, after: date = AFTER) -> Checked:
    return check_meters(plant.conn, [meter], first, after)


def test_what_the_job_wrote_is_right(plant: Plant, meter: int) -> None:
    before = everything(plant.conn)
    found = check(plant, meter)
    assert (found.differing, found.examples, found.waiting, found.undecided) == (0, [], 0, 0)
    assert found.compared > 2 * QUARTERS + ROLLUPS, "quarter-hours by value and by holder, and sums"
    assert everything(plant.conn) == before


@pytest.mark.parametrize("first", [2, 3, 4, 5])
def test_a_period_may_begin_anywhere(plant: Plant, meter: int, first: int) -> None:
    found = check(plant, meter, date(2026, 3, first), date(2026, 3, first + 1))
    assert (found.differing, found.undecided) == (0, 0)


PLANTED = {
    "quarter": "UPDATE energy.quarter SET energy = energy + 1 WHERE start = '2026-03-03T20:00Z'",
    "quality": "UPDATE energy.quarter SET quality = 'estimated', reason = 'gap' WHERE start ="
    " (SELECT min(start) FROM energy.quarter WHERE quality = 'measured')",
    "lost quarter": "DELETE FROM energy.quarter WHERE start = '2026-03-03T20:00Z'",
    "hour": "UPDATE energy.hour SET energy = energy + 0.01 WHERE start = '2026-03-03T20:00Z'",
    "lost hour": "DELETE FROM energy.hour WHERE start = '2026-03-03T20:00Z'",
    "day": "UPDATE energy.day SET measured = measured - 1, unknown = unknown + 1 WHERE day = '2026-03-06'",
    "month": "UPDATE energy.month SET energy = energy - 1 WHERE holder_id = 0",
    "month of another register": "UPDATE energy.month SET feed_in = true WHERE holder_id = 0",
    "holder": "UPDATE energy.quarter SET holder_id = 0 WHERE start = '2026-03-05T20:00Z'",
}


@pytest.mark.parametrize(
    ("planted", "levels"),
    [
        ("quarter", {"quarter", "hour", "day", "month"}),
        ("quality", {"quarter", "hour", "day", "month"}),
        ("lost quarter", {"quarter", "hour", "day", "month"}),
        ("hour", {"hour"}),
        ("lost hour", {"hour"}),
        ("day", {"day"}),
        ("month", {"month"}),
        ("month of another register", {"month"}),
        ("holder", {"holder", "hour", "day", "month"}),
    ],
)
def test_a_planted_difference_is_found(plant: Plant, meter: int, planted: str, levels: set[str]) -> None:
    assert plant.conn.execute(PLANTED[planted].encode()).rowcount == 1
    found = check(plant, meter)
    assert {one.level for one in found.examples} == levels
    assert {one.meter_id for one in found.examples} == {meter}
    assert found.differing == len(found.examples)


def test_the_first_quarter_hour_and_the_last_but_one_are_checked(plant: Plant, meter: int) -> None:
    for start in (MARCH, END - 2 * QUARTER):
        plant.conn.execute("UPDATE energy.quarter SET energy = energy + 1 WHERE start = %s", [start])
    assert [one.start for one in check(plant, meter).examples if one.level == "quarter"] == [
        "2026-03-02 00:00",
        "2026-03-06 23:30",
    ]


def test_a_late_reading_that_waits_for_the_job_is_no_difference(plant: Plant, meter: int) -> None:
    series = plant.conn.execute("SELECT series_id FROM ingest.series").fetchone()
    assert series is not None
    plant.read(series[0], [(MARCH + 110 * QUARTER, 1_100)])
    found = check(plant, meter)
    assert (found.differing, found.waiting) == (0, 1)
    close(plant.conn, END)
    found = check(plant, meter)
    assert (found.differing, found.waiting) == (0, 0)


def test_a_reading_beyond_the_closed_time_is_no_difference(plant: Plant) -> None:
    meter, series = plant.metered("silent")
    plant.read(series, every_quarter(range(0, 400, 10)))
    close(plant.conn, END)
    assert plant.energies(meter)[-1] == "no_reading"
    # The silence of days ends with a reading that no run has seen yet.
    plant.read(series, [(END + QUARTER, 9_000)])
    found = check(plant, meter)
    assert (found.differing, found.undecided) == (0, QUARTERS - 39)
    close(plant.conn, END + 2 * QUARTER)
    found = check(plant, meter)
    assert (found.differing, found.undecided) == (0, 0)


def test_a_gap_that_reaches_further_back_than_the_check_looks_is_no_difference(plant: Plant) -> None:
    meter, series = plant.metered("a")
    plant.read(series, [(MARCH, 0), (MARCH + timedelta(days=20), 20_000), (MARCH + timedelta(days=21), 20_100)])
    close(plant.conn, MARCH + timedelta(days=21))
    found = check(plant, meter, date(2026, 3, 12), date(2026, 3, 13))
    assert (found.differing, found.undecided) == (0, 0)
    assert found.compared == 2 * 96 + 24 + 1 + 1


@pytest.fixture
def run(ready_dsn: str) -> Callable[..., Result]:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["energy", "check", "--database", ready_dsn, *arguments])

    return invoke


def test_the_command_prints_what_differs_and_leaves_a_row(plant: Plant, meter: int, run: Callable[..., Result]) -> None:
    period = ("--from", "2026-03-02", "--to", "2026-03-06")
    result = run(*period, "--lang", "en")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("1 meters, ")
    assert ": 0 differ; 0 meters wait" in result.output
    plant.conn.execute("UPDATE energy.hour SET energy = 7.5 WHERE start = '2026-03-03T20:00Z'")
    result = run(*period, "--lang", "en", "--meters", "a")
    assert result.exit_code == 1
    assert result.output.splitlines()[0].split() == ["level", "meter", "register", "start", "stored", "expected"]
    assert "hour   a      drawn     2026-03-04 04:00  7.5 " in result.output
    assert "小时" in run(*period).output
    rows = plant.conn.execute(
        "SELECT part, from_day, to_day, meters, checked, differing, examples -> 0 ->> 'level', finished_at IS NOT NULL"
        " FROM energy.check_run ORDER BY check_id"
    ).fetchall()
    assert rows[:2] == [
        ("asked", FIRST, AFTER, None, 1, 0, None, True),
        ("asked", FIRST, AFTER, ["a"], 1, 1, "hour", True),
    ]


def test_the_command_says_what_it_cannot_do(plant: Plant, run: Callable[..., Result]) -> None:
    assert run("--days", "3").exit_code == 0
    assert "no meter x" in run("--meters", "x").output
    for wrong in (["--from", "2026-03-01"], ["--days", "3", "--from", "2026-03-01", "--to", "2026-03-02"]):
        assert run(*wrong).exit_code == 2
    assert run("--from", "2026-03-03", "--to", "2026-03-02").exit_code == 2


def nights(conn: Connection) -> list[tuple[object, ...]]:
    return conn.execute(
        "SELECT part, night::text, from_day::text, to_day::text, checked, differing, finished_at IS NOT NULL"
        " FROM energy.check_run ORDER BY check_id"
    ).fetchall()


def test_a_night_checks_the_last_weeks_and_one_older_month_piece_by_piece(plant: Plant, meter: int) -> None:
    plant.meter("never connected")
    assert check_tonight(plant.conn, NIGHT - timedelta(hours=1, minutes=1), lambda: True) is None
    more = iter([True, False])
    tonight = check_tonight(plant.conn, NIGHT, lambda: next(more), piece=1)
    assert tonight is not None
    assert (tonight.left, tonight.checked.meters) == (True, 1)
    assert nights(plant.conn) == [("recent", "2026-03-07", "2026-01-31", "2026-03-07", 1, 0, False)]
    plant.conn.execute("UPDATE energy.day SET energy = energy + 1 WHERE day = '2026-03-06'")
    tonight = check_tonight(plant.conn, NIGHT + timedelta(minutes=1), lambda: True, piece=1)
    assert tonight is not None
    assert (tonight.left, tonight.checked.meters) == (False, 1)
    assert nights(plant.conn) == [("recent", "2026-03-07", "2026-01-31", "2026-03-07", 2, 0, True)]
    tonight = check_tonight(plant.conn, NIGHT + timedelta(hours=12), lambda: True)
    assert tonight is not None
    assert (tonight.left, tonight.checked.meters) == (False, 0)

    check_tonight(plant.conn, NIGHT + timedelta(days=1), lambda: True)
    assert nights(plant.conn)[1] == ("recent", "2026-03-08", "2026-02-01", "2026-03-08", 2, 1, True)
    # Two months later March is older than the last weeks.
    check_tonight(plant.conn, NIGHT + timedelta(days=61), lambda: True)
    assert nights(plant.conn)[2:] == [
        ("recent", "2026-05-07", "2026-04-02", "2026-05-07", 2, 0, True),
        ("older", "2026-05-07", "2026-03-01", "2026-04-01", 2, 1, True),
    ]


def test_older_months_are_taken_in_turn(plant: Plant) -> None:
    _, series = plant.metered("a")
    start = MARCH - timedelta(days=60)
    plant.read(series, [(start + timedelta(days=day), 100 * day) for day in range(90)])
    close(plant.conn, start + timedelta(days=89))
    for night in range(4):
        check_tonight(plant.conn, NIGHT + timedelta(days=90 + night), lambda: True)
    months = [row[2] for row in nights(plant.conn) if row[0] == "older"]
    assert months == ["2026-03-01", "2026-02-01", "2026-01-01", "2026-03-01"]
    assert [row[5] for row in nights(plant.conn)] == [0] * 8


def test_power_and_sums_of_meters_are_checked_too(plant: Plant, meter: int, ready_dsn: str) -> None:
    of, log = birth(), Log()
    powered, virtual = plant.meter("powered"), plant.meter("virtual", ratio=None)
    plant.feed(powered, "gw", "p")
    minutes = [to_ms(MARCH) + minute * 60_000 for minute in range(3 * 1440)]
    with sink(ready_dsn) as store:
        write(store, log.birth(of))
        for seq in range(3):
            points = [(t_ms, 5.0) for t_ms in minutes[seq * 1440 : (seq + 1) * 1440] if t_ms % 86_400_000 > 7_200_000]
            write(store, log.message(telemetry(of, seq + 1, {"p": points})))
    for term in (meter, powered):
        plant.conn.execute(
            "INSERT INTO registry.virtual_term (meter_id, term_id, factor, valid_from, legal_basis, source)"
            " VALUES (%s, %s, 1, %s, 'consented', 'synthetic')",
            [virtual, term, MARCH],
        )
    close(plant.conn, END)
    found = check_meters(plant.conn, [powered, virtual], FIRST, AFTER)
    assert (found.differing, found.undecided, found.waiting) == (0, 0, 0)
    assert found.compared > 4 * 3 * 96
    for changed in (virtual, powered):
        plant.conn.execute(
            "UPDATE energy.quarter SET energy = energy + 1 WHERE meter_id = %s AND start ="
            " (SELECT max(start) FROM energy.quarter WHERE meter_id = %s AND energy IS NOT NULL)",
            [changed, changed],
        )
        found = check_meters(plant.conn, [powered, virtual], FIRST, AFTER)
        assert changed in {one.meter_id for one in found.examples if one.level == "quarter"}


def test_the_sql_of_the_page_works(plant: Plant, meter: int) -> None:
    page = (Path(__file__).parents[3] / "docs/energy.md").read_text("utf-8")
    blocks = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        plant.conn.execute(block.replace("'SN-0042'", "'a'").encode())
    assert plant.marks() == 1
    assert close(plant.conn, END).changed == 0
