"""Accounts of one enterprise from the database: by its meters, by its reports, and both beside each other."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.metrics.world import World
from tests.warehouse.energy.plant import Plant
from tests.warehouse.registry.test_load import ONE, TWO
from warehouse.cli import cli
from warehouse.consumption.carbon import Profile
from warehouse.consumption.deductions import Rule
from warehouse.consumption.enterprise import Found, Wanted, find
from warehouse.consumption.terms import Basis, Rules
from warehouse.energy.job import close
from warehouse.period import parse_period
from warehouse.postgres import Connection

MARCH = parse_period("2026-03")
START, END = datetime(2026, 2, 28, 16, 0, tzinfo=UTC), datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
SINCE = "valid_from=2026-02-01"
NOW = datetime(2100, 1, 1, tzinfo=UTC)


def meter(
    serial: str, carrier: str, role: str = "boundary", *, feed_in: bool = False, uscc: str = ONE
) -> dict[str, list[str]]:
    series = [f"serial={serial} feed_in=false gateway=gw-{serial} series=m.total {SINCE}"]
    if feed_in:
        series.append(f"serial={serial} feed_in=true gateway=gw-{serial}-out series=m.total {SINCE}")
    return {
        "meters": [f"serial={serial} carrier={carrier} uscc={uscc} role={role} {SINCE}"],
        "meter_series": series,
        "multipliers": [f"serial={serial} pt=1 ct=1 {SINCE}"],
    }


def read(conn: Connection, gateway: str, unit: str, counts: int, until: datetime = END) -> None:
    """Two readings: the account between them is estimated, and exact in its sum."""
    plant = Plant(conn)
    series = plant.series(f"gw-{gateway}", "m.total", unit=unit, decimals=2, span=10**12, rated_max=None)
    plant.read(series, [(START, 0), (until, counts)])


@pytest.fixture
def world(ready: Connection, tmp_path: Path) -> World:
    return World(ready, tmp_path)


@pytest.fixture
def metered(world: World) -> World:
    """1 000 000 kWh, 50 000 m³ gas, 1000 GJ heat through boundary meters; a sub-meter and a water meter beside them."""
    for serial, carrier, role in (
        ("e", "electricity", "boundary"),
        ("g", "natural_gas", "boundary"),
        ("h", "heat", "boundary"),
        ("s", "electricity", "sub"),
        ("w", "water", "boundary"),
    ):
        world.load(**meter(serial, carrier, role))
    read(world.conn, "e", "MWh", 100_000)
    read(world.conn, "g", "m3", 5_000_000)
    read(world.conn, "h", "GJ", 100_000)
    read(world.conn, "s", "kWh", 77_000_000)
    read(world.conn, "w", "m3", 100_000)
    close(world.conn, END)
    return world


def report(energy: str, flow: str, amount: str, unit: str, more: str = "") -> str:
    return (
        f"uscc={ONE} period=2026-03 energy={energy} flow={flow} amount={amount} unit={unit} vintage=report "
        f"published_at=2026-04-08 {more}"
    )


REPORTS = (
    report("electricity", "purchased", "100", "10k_kWh"),
    report("natural_gas", "purchased", "5", "10k_m3"),
    report("heat", "purchased", "1000", "GJ"),
    report("diesel", "purchased", "10", "t"),
)


def found(
    conn: Connection,
    wanted: Wanted | None = None,
    *,
    uscc: str = ONE,
    period: str = "2026-03",
    as_of: datetime = NOW,
    reported: bool = False,
) -> Found:
    return find(
        conn, uscc, parse_period(period), wanted or Wanted(), factor_set="songjiang", as_of=as_of, reported=reported
    )


def invoked(dsn: str, *arguments: str) -> Result:
    return CliRunner().invoke(
        cli,
        ["energy", "consumption", "--database", dsn, "--enterprise", ONE, "--period", "2026-03", *arguments],
        catch_exceptions=False,
    )


def test_the_vector_by_what_was_reported(world: World, ready_dsn: str) -> None:
    world.load(energy_reports=REPORTS)
    made = found(world.conn, reported=True)
    assert made.account.tce == Fraction("236.5765")
    printed = invoked(ready_dsn, "--reported", "--value-added", "2000")
    assert printed.exit_code == 0
    assert "total: 236.5765 tce" in printed.output
    assert "0.11829 tce/万元" in printed.output
    for text in (
        "1.4571 kgce/kg",
        "1.29971 kgce/m3",
        "local 310000",
        "DB31/T 783-2026",
        "synthetic, report 2026-04-08",
    ):
        assert text in printed.output
    assert "合计: 236.5765 tce" in invoked(ready_dsn, "--reported", "--lang", "zh").output


def test_boundary_meters_alone_make_the_account(metered: World) -> None:
    made = found(metered.conn)
    assert made.account.tce == Fraction("122.9") + Fraction("64.9855") + Fraction("34.12")
    assert [line.source for line in made.account.lines] == ["meter e", "meter h", "meter g"]
    assert [line.source for line in made.account.left_out] == ["meter w"]
    with_water = found(metered.conn, Wanted(Rules(include_working_media=True)))
    assert with_water.account.tce == made.account.tce + Fraction("0.2571")


def test_metered_and_reported_stand_beside_each_other(metered: World, ready_dsn: str) -> None:
    metered.load(energy_reports=(*REPORTS[1:], report("electricity", "purchased", "80", "10k_kWh")))
    by_energy = {one.energy: one.deviation for one in found(metered.conn).beside}
    assert by_energy == {
        "electricity": Fraction(1, 4),
        "natural_gas": 0,
        "heat": 0,
        "diesel": None,
        "fresh_water": None,
    }
    printed = invoked(ready_dsn)
    assert "25 %" in printed.output
    assert "reported, and not metered: diesel" in printed.output
    made = found(metered.conn)
    assert made.unmetered == ("diesel",)
    # 98.32 + 64.9855 + 34.12 of 211.9965 tce were reported for kinds of energy that have meters.
    assert made.covered == Fraction("197.4255") / Fraction("211.9965")
    (electricity,) = [line for line in found(metered.conn).account.lines if line.energy == "electricity"]
    assert [electricity.known, electricity.estimated] == [1, 1], "two readings a month apart"


def test_a_gap_leaves_the_total_unknown_and_says_how_much_is_known(metered: World, ready_dsn: str) -> None:
    later = datetime(2026, 4, 30, 16, 0, tzinfo=UTC)
    close(metered.conn, later)
    april = found(metered.conn, period="2026-04")
    assert (april.account.tce, april.account.known_tce) == (None, None)
    assert {problem.code for problem in april.account.missing} == {"amount_unknown"}
    quarter = found(metered.conn, period="2026-Q2")
    assert quarter.account.tce is None
    both = found(metered.conn, period="2026-01..04")
    assert both.account.tce is None
    assert both.account.known_tce == found(metered.conn).account.tce
    assert {problem.code for problem in both.account.missing} == {"incomplete"}
    printed = CliRunner().invoke(
        cli, ["energy", "consumption", "--database", ready_dsn, "--enterprise", ONE, "--period", "2026-01..04"]
    )
    assert printed.exit_code == 1
    assert "known so far: 222.0055 tce" in printed.output


def test_own_generation_by_meters(world: World) -> None:
    world.load(**meter("e", "electricity", feed_in=True))
    world.load(**meter("pv", "electricity", "generation"))
    read(world.conn, "e", "MWh", 100_000)
    read(world.conn, "e-out", "MWh", 5_000)
    read(world.conn, "pv", "MWh", 20_000)
    close(world.conn, END)
    made = found(world.conn, Wanted(deduction=Rule.NON_FOSSIL_2022, profile=Profile.SHANGHAI_ETS))
    assert made.account.tce == 1_150_000 * Fraction("0.1229") / 1000
    assert made.deduction.tce == 150_000 * Fraction("0.1229") / 1000
    assert made.carbon is not None
    assert made.carbon.t_co2 == 420


def test_a_meter_counts_for_whom_it_was_placed_at(metered: World) -> None:
    before = "serial=e carrier=electricity role=boundary valid_from=2026-02-01"
    metered.load(
        meters=[
            f"{before} uscc={ONE} valid_to=2026-03-16",
            f"serial=e carrier=electricity role=boundary uscc={TWO} valid_from=2026-03-16",
        ]
    )
    mine, theirs = found(metered.conn), found(metered.conn, uscc=TWO)
    parts = [line.amount for made in (mine, theirs) for line in made.account.lines if line.energy == "electricity"]
    assert parts[0] is not None
    assert parts[1] is not None
    assert abs(parts[0] - 1_000_000 * Fraction(15, 31)) < 1
    assert sum(part for part in parts if part is not None) == 1_000_000


def test_a_boundary_meter_below_another_would_count_twice(metered: World) -> None:
    metered.load(meters=[f"serial=s carrier=electricity uscc={ONE} role=sub parent=e {SINCE}"])
    metered.load(**_below("s", "deep"))
    made = found(metered.conn)
    assert made.account.tce is None
    assert [(one.row, one.code) for one in made.account.refused] == [("meter deep", "counted_twice")]
    elsewhere = found(metered.conn, uscc=TWO)
    assert elsewhere.account.refused == ()


def _below(parent: str, serial: str) -> dict[str, list[str]]:
    rows = meter(serial, "electricity")
    return rows | {"meters": [f"{line} parent={parent}" for line in rows["meters"]]}


def test_equivalent_value_is_another_account_of_the_same_amounts(world: World) -> None:
    world.load(energy_reports=REPORTS)
    made = find(
        world.conn,
        ONE,
        MARCH,
        Wanted(Rules(basis=Basis.EQUIVALENT)),
        factor_set="songjiang",
        as_of=NOW,
        reported=True,
    )
    assert made.account.tce == Fraction("236.5765") - Fraction("122.9") + Fraction("280.78")
    factors = {line.factor.value for line in made.account.lines if line.energy == "electricity" and line.factor}
    assert factors == {Fraction("0.28078")}


def test_a_correction_counts_from_the_day_it_is_known(world: World) -> None:
    world.load(energy_reports=REPORTS)
    (then,) = world.conn.execute("SELECT clock_timestamp()").fetchone() or (None,)
    assert isinstance(then, datetime)
    world.load(energy_reports=[report("diesel", "purchased", "20", "t")])
    assert found(world.conn, reported=True, as_of=then).account.tce == Fraction("236.5765")
    assert found(world.conn, reported=True).account.tce == Fraction("236.5765") + Fraction("14.571")


def test_a_measured_factor_goes_before_that_of_the_bureau_and_is_its_owners_alone(world: World) -> None:
    world.load(energy_reports=REPORTS)
    world.load(
        factors=[
            f"factor_set=songjiang version=1 energy=natural_gas basis=calorific level=measured region=310117 "
            f"uscc={uscc} valid_from=2026-01-01 value={value} unit=kgce/m3"
            for uscc, value in ((ONE, "1.25"), (TWO, "1.2"))
        ]
    )
    (gas,) = [line for line in found(world.conn, reported=True).account.lines if line.energy == "natural_gas"]
    assert gas.factor is not None
    assert (gas.factor.value, gas.factor.level) == (Fraction("1.25"), "measured")


def test_one_rule_resolves_factors(ready: Connection) -> None:
    for day, regions, carry, expected in (
        ("2022-06-30", ["310117", "310000", "CN-E", "CN"], False, "0.5849"),
        ("2022-06-30", ["CN-E", "CN"], False, "0.5617"),
        ("2022-06-30", ["CN"], False, "0.5366"),
        ("2026-03-31", ["310000", "CN"], False, None),
        ("2026-03-31", ["310000", "CN"], True, "0.5737"),
        ("2020-12-31", ["310000", "CN"], True, None),
    ):
        rows = ready.execute(
            "SELECT value::text FROM stats.resolve_factor"
            "('songjiang', 1, 'electricity', 'mee_location', %s, NULL, %s::date, 'infinity', NULL, %s)",
            [regions, day, carry],
        ).fetchall()
        assert rows == ([] if expected is None else [(expected,)])


def test_the_grids_factor_that_was_published_last_says_of_when_it_is(world: World, ready_dsn: str) -> None:
    world.load(energy_reports=REPORTS[:1])
    printed = invoked(ready_dsn, "--reported", "--carbon", "mee_location")
    assert "carbon dioxide (mee_location): 573.7 tCO2" in printed.output
    assert "held until 2024-01-01" in printed.output
    market = invoked(ready_dsn, "--reported", "--carbon", "mee_market")
    assert "609.6 tCO2" in market.output
    world.load(energy_reports=[report("coke_oven_gas", "purchased", "1", "10k_m3")])
    part = invoked(ready_dsn, "--reported", "--carbon", "mee_location")
    assert "carbon dioxide (mee_location): – (known so far 573.7 tCO2)" in part.output
    assert part.exit_code == 1


def test_certificates_of_the_register_are_deducted_beside(world: World, ready_dsn: str) -> None:
    world.load(energy_reports=REPORTS)
    certificate = (
        f"kind=certificate uscc={ONE} generation=wind mwh=100 generated_month=2026-03 used_year=2026 own_site=false"
    )
    world.load(
        certificates=[
            f"{certificate} number=A cross_province=false",
            f"{certificate} number=B cross_province=true",
            f"{certificate} number=C cross_province=false generated_month=2026-04",
            f"{certificate} number=D cross_province=false used_year=2027",
        ]
    )
    printed = invoked(ready_dsn, "--reported", "--deduction", "non_fossil_2024", "--required-saving", "10")
    assert "total: 236.5765 tce" in printed.output
    assert "deduction non_fossil_2024 = 17.29 tce (off total, intensity)" in printed.output
    assert "beyond the bound of 50 %: 7.29 tce" in printed.output
    refused = invoked(ready_dsn, "--reported", "--deduction", "non_fossil_2024")
    assert refused.exit_code == 1
    assert "应节能量" in refused.output


def test_what_has_neither_meters_nor_reports_is_told_so(world: World, ready_dsn: str) -> None:
    assert "no boundary meter" in invoked(ready_dsn).output
    world.load(energy_reports=[line.replace("period=2026-03", "period=2026-01..03") for line in REPORTS])
    printed = invoked(ready_dsn, "--reported")
    assert printed.exit_code == 1
    assert "it did for 2026-01..03" in printed.output


def test_without_factors_the_command_says_what_to_load(ready_dsn: str) -> None:
    printed = invoked(ready_dsn, "--factor-set", "nowhere")
    assert printed.exit_code == 1
    assert "g60 warehouse load --reference" in printed.output
