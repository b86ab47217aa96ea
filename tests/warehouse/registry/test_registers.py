"""Registers that the plan's indicators, tariffs and alerts read: what cannot be true is refused, history is kept."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from tests.warehouse.registry.ready import another_meter
from tests.warehouse.registry.test_load import BASE, ONE, TWO, cells, count, enterprise, refusals, write
from warehouse.postgres import Connection
from warehouse.registry import uscc
from warehouse.registry.load import REFERENCE, load_folder
from warehouse.registry.tables import TABLES

DATED = [
    "cluster_attribute",
    "cluster_member",
    "cluster_tag",
    "recognition",
    "project",
    "standard_participation",
    "park_land",
    "enterprise_figure",
    "size_rule",
    "tariff_attribute",
    "tariff_period",
    "supply_term",
    "supply_price",
    "shift",
    "planned_stop",
    "virtual_term",
]
SIZES = [
    ("C34", "employees=1200 revenue_10k_cny=30000", "medium"),
    ("C34", "employees=1000 revenue_10k_cny=40000", "large"),
    ("C34", "employees=999 revenue_10k_cny=40000", "medium"),
    ("C34", "employees=20 revenue_10k_cny=299.999999", "micro"),
    ("C34", "employees=20 revenue_10k_cny=300", "small"),
    ("C34", "employees=5000", "unknown"),
    ("L72", "employees=300 assets_10k_cny=120000", "large"),
    ("K701", "revenue_10k_cny=200000 assets_10k_cny=9999", "medium"),
    ("P83", "employees=5000 revenue_10k_cny=1000000", "unknown"),
]
HOURS = [
    (1, 19, "sharp", "2.2500"),
    (1, 18, "peak", "1.8000"),
    (4, 20, "peak", "1.6000"),
    (4, 14, "flat", "1.0000"),
    (7, 13, "sharp", "2.2500"),
    (9, 13, "peak", "1.8000"),
    (9, 14, "peak", "1.8000"),
    (8, 16, "flat", "1.0000"),
    (10, 23, "valley", "0.5000"),
    (12, 2, "valley", "0.4000"),
]
METER = {"serial": "M1", "carrier": "electricity", "uscc": ONE, "role": "boundary", "valid_from": "2021-01-01"} | BASE


def row(text: str) -> dict[str, str]:
    return BASE | {"valid_from": "2024-01-01"} | cells(text)


def load_one(conn: Connection, folder: Path, file: str, *rows: dict[str, str]) -> list[tuple[str, int, str]]:
    write(folder, file, rows)
    found = refusals(load_folder(conn, folder))
    (folder / file).unlink()
    return found


def test_every_dated_table_keeps_what_was_known_before(ready: Connection, tmp_path: Path) -> None:
    reference = {file.name for file in REFERENCE.iterdir()}
    for table in TABLES:
        if table.file not in reference:
            write(tmp_path, table.file, [{column.name: column.example for column in table.columns}])
    another_meter(ready)
    assert load_folder(ready, tmp_path).refused == ()
    before = ready.execute("SELECT clock_timestamp()").fetchone()
    for name in DATED:
        rows = count(ready, f"registry.{name}")
        assert rows > 0, name
        ready.execute(f"UPDATE registry.{name} SET source = 'corrected'".encode())  # noqa: S608  # names from this file
        known = f"SELECT count(*), bool_or(source = 'corrected') FROM registry.{name}_as_of(%s)".encode()  # noqa: S608
        assert ready.execute(known, before).fetchone() == (rows, False)
        assert ready.execute(known, ["infinity"]).fetchone() == (rows, True)


def test_a_virtual_meter_is_a_sum_of_other_meters_of_its_unit_and_no_circle(ready: Connection, tmp_path: Path) -> None:
    meters = [METER | {"serial": serial} for serial in ("V1", "V2", "M1", "M2")]
    gas = METER | {"serial": "G1", "carrier": "natural_gas"}
    assert load_one(ready, tmp_path, "meters.csv", *meters, gas) == []
    term = row("serial=V1 term=M1 term_feed_in=false factor=1") | {"valid_from": "2024-01-01"}
    wrong = [
        term | {"term": "G1"},
        term | {"term": "V1"},
        term | {"term": "M9"},
        term | {"factor": "0"},
        term | {"valid_from": "2024-01-01T00:10:00+08:00"},
        term | {"valid_to": "2024-01-02T00:00:30+08:00"},
    ]
    found = load_one(ready, tmp_path, "virtual_meters.csv", *wrong)
    columns = [(line, column) for _, line, column in found if (line, column) != (3, "(key)")]
    assert sorted(set(columns)) == [
        (2, "term"), (3, "term"), (4, "term"), (5, "factor"), (6, "valid_from"), (7, "valid_to"),
    ]  # fmt: skip
    nested = term | {"serial": "V2", "term": "V1", "factor": "-0.5"}
    assert load_one(ready, tmp_path, "virtual_meters.csv", term, term | {"term": "M2"}, nested) == []
    back = term | {"serial": "V1", "term": "V2", "valid_from": "2030-01-01"}
    assert load_one(ready, tmp_path, "virtual_meters.csv", back) == [("virtual_meters.csv", 2, "term")]
    assert load_one(ready, tmp_path, "virtual_meters.csv", term | {"valid_from": "2025-01-01"}) == [
        ("virtual_meters.csv", 2, "valid_from")
    ], "a term counts once at a time"
    assert ready.execute("SELECT count(*), min(factor) FROM registry.virtual_term").fetchone() == (3, Decimal("-0.5"))


def test_an_enterprise_is_in_one_cluster_at_a_time_and_may_have_tags(ready: Connection, tmp_path: Path) -> None:
    member = row(f"uscc={ONE} cluster=biomedicine role=core document=D main_product_share=62.5")
    other = member | {"cluster": "new-materials", "valid_from": "2024-06-01"}
    assert load_one(ready, tmp_path, "cluster_members.csv", member, other) == [("cluster_members.csv", 3, "valid_from")]
    assert load_one(ready, tmp_path, "cluster_members.csv", member | {"valid_to": "2024-06-01"}, other) == []
    assert load_one(ready, tmp_path, "cluster_members.csv", member | {"cluster": "steam-engines"}) == [
        ("cluster_members.csv", 2, "cluster")
    ]
    tags = [row(f"uscc={ONE} cluster={cluster}") for cluster in ("biomedicine", "new-materials")]
    assert load_one(ready, tmp_path, "cluster_tags.csv", *tags) == []


def test_the_plans_clusters_are_four_and_three(ready: Connection) -> None:
    tiers = ready.execute("SELECT tier, count(*) FROM registry.cluster_attribute GROUP BY tier").fetchall()
    assert sorted(tiers) == [("100bn", 4), ("10bn", 3)]


def test_two_scenes_of_one_enterprise_are_two_recognitions_and_one_twice_is_none(
    ready: Connection, tmp_path: Path
) -> None:
    scene = row(f"uscc={ONE} kind=benchmark_scene level=municipal item=质检 document=D")
    assert load_one(ready, tmp_path, "recognitions.csv", scene, scene | {"item": "仓储"}) == []
    whole = row(f"uscc={ONE} kind=srdi level=municipal document=D")
    again = whole | {"valid_from": "2024-05-01"}
    assert load_one(ready, tmp_path, "recognitions.csv", whole, again) == [("recognitions.csv", 3, "valid_from")]
    assert load_one(ready, tmp_path, "recognitions.csv", whole | {"valid_to": "2024-05-01"}, again) == []
    assert load_one(ready, tmp_path, "recognitions.csv", whole | {"batch": "2"}) == [
        ("recognitions.csv", 2, "valid_from")
    ], "the one without an item is the same one, and now open again"


def test_a_completed_project_has_its_day_and_no_other_has(ready: Connection, tmp_path: Path) -> None:
    project = row(f"project=P1 kind=restructuring uscc={ONE} name=x state=completed investment_10k_cny=0.1")
    assert load_one(ready, tmp_path, "projects.csv", project) == [("projects.csv", 2, "completed_on")]
    started = project | {"started_on": "2024-03-01", "completed_on": "2024-02-01"}
    assert load_one(ready, tmp_path, "projects.csv", started) == [("projects.csv", 2, "completed_on")]
    assert load_one(ready, tmp_path, "projects.csv", project | {"completed_on": "2024-02-01"}) == []
    assert ready.execute("SELECT investment_10k_cny::text FROM registry.project").fetchall() == [("0.100000",)]


def test_size_by_rule_needs_every_threshold_and_every_figure(ready: Connection, tmp_path: Path) -> None:
    expected = {}
    enterprises, figures = [], []
    for number, (sector, given, size) in enumerate(SIZES):
        first17 = f"91310117MA1J{number:05}"
        code = first17 + uscc.check_character(first17)
        enterprises.append(enterprise(code, sector=sector, size="unknown"))
        figures.append({"employees": "", "revenue_10k_cny": "", "assets_10k_cny": ""} | row(f"uscc={code} {given}"))
        expected[code] = (size, None if sector == "P83" else "miit-2011-300")
    write(tmp_path, "enterprises.csv", enterprises)
    write(tmp_path, "enterprise_figures.csv", figures)
    assert load_folder(ready, tmp_path).refused == ()
    found = ready.execute("SELECT * FROM registry.enterprise_size('2024-06-30')").fetchall()
    assert {code: rest for code, *rest in found} == {code: list(rest) for code, rest in expected.items()}
    before_figures = "SELECT DISTINCT size FROM registry.enterprise_size('2023-12-31')"
    assert ready.execute(before_figures).fetchall() == [("unknown",)]


def test_what_the_register_says_of_a_size_goes_before_the_rule(ready: Connection, tmp_path: Path) -> None:
    write(tmp_path, "enterprises.csv", [enterprise(ONE, size="small"), enterprise(TWO, size="unknown")])
    write(tmp_path, "enterprise_figures.csv", [row(f"uscc={ONE} employees=9000 revenue_10k_cny=900000")])
    assert load_folder(ready, tmp_path).refused == ()
    asked = "SELECT size, found FROM registry.enterprise_size('2024-06-30') ORDER BY uscc"
    assert ready.execute(asked).fetchall() == [("small", "register"), ("unknown", "miit-2011-300")]


def test_shanghais_time_of_use_covers_every_minute_of_the_year_once(ready: Connection) -> None:
    covered = ready.execute(
        """SELECT tariff, month, sum(end_minute - start_minute), min(start_minute), max(end_minute)
           FROM registry.tariff_period, generate_series(1, 12) AS month
           WHERE month BETWEEN first_month AND last_month GROUP BY tariff, month"""
    ).fetchall()
    assert len(covered) == 24
    assert {found[2:] for found in covered} == {(1440, 0, 1440)}


def test_shanghais_time_of_use_by_the_table(ready: Connection) -> None:
    for month, hour, *expected in HOURS:
        found = ready.execute(
            """SELECT period, of_flat::text FROM registry.tariff_period
               WHERE tariff = 'sh-two-part' AND %s BETWEEN first_month AND last_month
                 AND start_minute <= %s AND %s < end_minute""",
            [month, hour * 60, hour * 60],
        ).fetchall()
        assert found == [tuple(expected)], (month, hour)


def test_periods_of_one_tariff_must_not_meet_in_season_hour_and_validity(ready: Connection, tmp_path: Path) -> None:
    one = row("tariff=sh-one-part first_month=3 last_month=5 days=all start_minute=08:00 end_minute=11:00 period=peak")
    meets = one | {"first_month": "5", "last_month": "7", "start_minute": "10:59", "end_minute": "12:00"}
    beside = one | {"start_minute": "11:00", "end_minute": "24:00"}
    later = one | {"first_month": "6", "last_month": "7"}
    file = "tariff_periods.csv"
    assert load_one(ready, tmp_path, file, one, meets) == [(file, 3, "valid_from")]
    assert load_one(ready, tmp_path, file, one, beside, later) == []
    assert load_one(ready, tmp_path, file, meets) == [(file, 2, "valid_from")] * 3
    with pytest.raises(psycopg.errors.ExclusionViolation):
        ready.execute(
            """INSERT INTO registry.tariff_period (tariff, first_month, last_month, days, start_minute, end_minute,
                 valid_from, period, legal_basis, source)
               VALUES ('sh-one-part', 5, 5, 'all', 600, 601, '2025-01-01', 'flat', 'published', 'x')"""
        )
    wrong = one | {"first_month": "11", "last_month": "2"}
    assert load_one(ready, tmp_path, file, wrong) == [(file, 2, "last_month")]


def test_a_meter_has_one_contract_at_a_time_and_a_contract_is_for_a_meter_or_an_enterprise(
    ready: Connection, tmp_path: Path
) -> None:
    assert load_one(ready, tmp_path, "meters.csv", METER) == []
    file = "supply_contracts.csv"
    term = row("contract=A carrier=electricity serial=M1 tariff=sh-two-part basis=contracted_demand contracted_kw=1250")
    assert load_one(ready, tmp_path, file, term | {"uscc": ONE}) == [(file, 2, "serial")]
    assert load_one(ready, tmp_path, file, term | {"contracted_kw": ""}) == [(file, 2, "contracted_kw")]
    assert load_one(ready, tmp_path, file, term, term | {"contract": "B"}) == [(file, 3, "valid_from")]
    assert load_one(ready, tmp_path, file, term) == []
    of_all = term | {"serial": "", "uscc": ONE}
    two = [of_all | {"contract": name} for name in "CD"]
    assert load_one(ready, tmp_path, file, *two) == [(file, 3, "valid_from")]
    gas = row(f"contract=G carrier=natural_gas uscc={ONE}")
    assert load_one(ready, tmp_path, file, two[0] | {"uscc": TWO}, gas) == []
    assert load_one(ready, tmp_path, file, gas | {"tariff": "sh-two-part"}) == [(file, 2, "tariff")]
    assert load_one(ready, tmp_path, file, gas | {"carrier": "electricity"}) == [(file, 2, "carrier")]
    price = row("contract=A item=peak price=1.04280001 unit=CNY/kWh")
    assert load_one(ready, tmp_path, "supply_prices.csv", price | {"price": "1.042800001"}) == [
        ("supply_prices.csv", 2, "price")
    ]
    assert load_one(ready, tmp_path, "supply_prices.csv", price | {"item": "demand"}) == [
        ("supply_prices.csv", 2, "unit")
    ]
    assert load_one(ready, tmp_path, "supply_prices.csv", price, price | {"item": "单价", "unit": "元/kWh"}) == [
        ("supply_prices.csv", 3, "item")
    ]
    assert load_one(ready, tmp_path, "supply_prices.csv", price, price | {"item": "谷", "unit": "元/kWh"}) == []
    assert ready.execute("SELECT price::text FROM registry.supply_price WHERE item = 'peak'").fetchall() == [
        ("1.04280001",)
    ]


def test_shifts_over_midnight_say_so(ready: Connection, tmp_path: Path) -> None:
    night = row(f"uscc={ONE} shift=夜班 weekdays=周一至周五 start_minute=22:00 end_minute=06:00 holidays=否")
    assert load_one(ready, tmp_path, "shifts.csv", night) == [("shifts.csv", 2, "end_minute")]
    assert load_one(ready, tmp_path, "shifts.csv", night | {"end_minute": "次日22:01"}) == [
        ("shifts.csv", 2, "end_minute")
    ]
    assert load_one(ready, tmp_path, "shifts.csv", night | {"end_minute": "次日06:00"}) == []
    found = ready.execute("SELECT weekdays, start_minute, end_minute, holidays FROM registry.shift").fetchall()
    assert found == [("12345", 1320, 1800, False)]


def test_planned_stops_of_an_enterprise_and_of_one_meter_stand_beside_each_other(
    ready: Connection, tmp_path: Path
) -> None:
    assert load_one(ready, tmp_path, "meters.csv", METER) == []
    stop = row(f"uscc={ONE} reason=检修 declared_by=园区运营方 declared_on=2024-01-01") | {
        "valid_from": "2024-02-09T17:00:00+08:00",
        "valid_to": "2024-02-18",
    }
    file = "planned_stops.csv"
    assert load_one(ready, tmp_path, file, stop, stop | {"serial": "M1"}) == []
    assert load_one(ready, tmp_path, file, stop | {"valid_from": "2024-02-17"}) == [(file, 2, "valid_from")]
    assert load_one(ready, tmp_path, file, stop | {"reason": "春节"}) == [], "the same stop, corrected"
    assert count(ready, "registry.planned_stop") == 2
