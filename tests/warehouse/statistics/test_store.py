"""What counted on a day, and every vintage behind it; rows that are never changed; sums and chains that mix nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.contract.errors import BadRecord, Misconfigured
from tests.metrics.world import World
from tests.warehouse.registry.test_load import ONE, count
from warehouse.cli import cli
from warehouse.postgres import Connection
from warehouse.statistics.series import Value, chained, total
from warehouse.statistics.store import known, values

VARIABLE = "industrial_value_added_change"
ROW = (
    f"variable={VARIABLE} region=310117 period=2024 unit=percent scope=industry_above_scale price_basis=constant_2020 "
    "legal_basis=published"
)
FLASH = f"{ROW} value=5.2 vintage=flash published_at=2025-01-25"
ANNUAL = f"{ROW} value=4.9 vintage=annual published_at=2025-09-30"
CENSUS = f"{ROW} value=4.6 vintage=census published_at=2026-12-01"


@pytest.fixture
def world(ready: Connection, tmp_path: Path) -> World:
    return World(ready, tmp_path)


def counting(conn: Connection, day: str | None = None, known_at: datetime | None = None) -> list[str]:
    found = values(
        conn,
        VARIABLE,
        subject="310117",
        period="2024",
        published_by=None if day is None else date.fromisoformat(day),
        known_at=known_at,
    )
    return [f"{row.vintage} {row.value}" for row in found if row.counts]


def now(conn: Connection) -> datetime:
    row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def test_a_revision_changes_the_answer_from_its_day_on_and_not_before(world: World) -> None:
    world.load(observations=[FLASH])
    before = now(world.conn)
    world.load(observations=[ANNUAL, CENSUS])
    assert counting(world.conn, "2025-01-24") == []
    assert counting(world.conn, "2025-01-25") == ["flash 5.2"]
    assert counting(world.conn, "2025-09-29") == ["flash 5.2"]
    assert counting(world.conn, "2025-09-30") == ["annual 4.9"]
    assert counting(world.conn, "2026-11-30") == ["annual 4.9"]
    assert counting(world.conn) == ["census 4.6"]
    assert counting(world.conn, None, before) == ["flash 5.2"], "as it was known, whatever was published since"
    assert counting(world.conn, "2025-12-31", before) == ["flash 5.2"]


def test_what_was_loaded_late_counts_by_its_publication(world: World) -> None:
    world.load(observations=[CENSUS])
    world.load(observations=[ANNUAL])
    world.load(observations=[FLASH])
    assert counting(world.conn) == ["census 4.6"]
    as_of = "SELECT value FROM stats.observation_as_of('infinity') WHERE variable = %s"
    assert world.conn.execute(as_of, [VARIABLE]).fetchall() == [(Decimal("4.6"),)]


def test_of_two_published_on_one_day_the_later_vintage_counts(world: World) -> None:
    world.load(observations=[ANNUAL])
    world.load(observations=[f"{ANNUAL} vintage=flash value=5.0"])
    assert counting(world.conn) == ["annual 4.9"]


def test_a_corrected_value_of_one_publication_counts_from_when_it_is_known(world: World) -> None:
    world.load(observations=[FLASH])
    before = now(world.conn)
    world.load(observations=[f"{FLASH} value=5.1"])
    assert counting(world.conn) == ["flash 5.1"]
    assert counting(world.conn, None, before) == ["flash 5.2"]


def test_loading_equal_rows_again_does_nothing(world: World) -> None:
    world.load(observations=[FLASH, ANNUAL])
    world.load(observations=[FLASH, ANNUAL])
    world.load(observations=[FLASH.replace("value=5.2", "value=增长5.20%")])
    assert count(world.conn, "stats.observation") == 2


def test_nothing_is_updated_deleted_or_truncated(world: World) -> None:
    report = f"uscc={ONE} period=2025-03 energy=diesel flow=purchased amount=1 unit=t vintage=report"
    world.load(observations=[FLASH], energy_reports=[f"{report} published_at=2025-04-10"])
    for table in ("observation", "energy_report", "factor", "factor_range"):
        before = count(world.conn, f"stats.{table}")
        assert before > 0
        for attempt in ("UPDATE stats.{} SET source = 'x'", "DELETE FROM stats.{}", "TRUNCATE stats.{}"):
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="never changed"):
                world.conn.execute(attempt.format(table).encode())
        assert count(world.conn, f"stats.{table}") == before


# Commands ------------------------------------------------------------------------------------------------------------


def invoked(dsn: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["statistics", arguments[0], "--database", dsn, *arguments[1:]])


def test_show_gives_what_counts_and_with_all_every_vintage(world: World, ready_dsn: str) -> None:
    world.load(observations=[FLASH, ANNUAL])
    shown = invoked(ready_dsn, "show", VARIABLE, "--subject", "310117", "--period", "2024")
    assert shown.exit_code == 0, shown.output
    assert "4.9" in shown.output
    assert "flash" not in shown.output
    then = invoked(ready_dsn, "show", "工业增加值增速", "--subject", "310117", "--as-of", "2025-03-01")
    assert "flash" in then.output
    assert "annual" not in then.output
    every = invoked(ready_dsn, "show", VARIABLE, "--all").output.splitlines()
    assert [line for line in every if "counts (采用)" in line] == [line for line in every if "annual" in line]
    assert any("flash" in line for line in every)
    nothing = invoked(ready_dsn, "show", VARIABLE, "--as-of", "2020-01-01")
    assert (nothing.exit_code, "当时没有数据" in nothing.output) == (1, True)


def test_an_unknown_variable_is_named_with_the_nearest(ready: Connection, ready_dsn: str) -> None:
    with pytest.raises(Misconfigured, match="industrial_output"):
        known(ready, "industrial_outputs")
    assert invoked(ready_dsn, "show", "gdpp").exit_code == 1
    listed = invoked(ready_dsn, "variables", "能耗")
    assert "energy_intensity_change" in listed.output
    assert "industrial_output_change" not in listed.output


def test_a_chain_of_yearly_changes(world: World, ready_dsn: str) -> None:
    changes = ("下降3.2%", "1.5", "-4")
    world.load(
        observations=[
            f"{ROW} period={year} value={change} vintage=annual published_at={year + 1}-09-30"
            for year, change in enumerate(changes, 2021)
        ]
    )
    scope = ("--scope", "industry_above_scale", "--subject", "310117")
    # 0.968 × 1.015 × 0.96 = 0.9432192
    chain = invoked(ready_dsn, "chain", VARIABLE, "--years", "2021-2023", *scope)
    assert "-5.6781 % in all (累计), 2021–2023" in chain.output, chain.output
    short = invoked(ready_dsn, "chain", VARIABLE, "--years", "2021-2024", *scope)
    assert (short.exit_code, "2024" in short.output) == (1, True)


# Sums and chains ------------------------------------------------------------------------------------------------------


def value(year: int, amount: str, **more: str) -> Value:
    row = Value(
        "industrial_output",
        "310117",
        f"{year}",
        date(year, 1, 1),
        date(year + 1, 1, 1),
        Decimal(amount),
        "100m_cny",
        "industry_above_scale",
        "current",
        "annual",
        date(year + 1, 9, 30),
        "published",
        "synthetic",
    )
    return replace(row, **more)  # type: ignore[arg-type]  # texts


def test_sums_of_one_kind() -> None:
    assert total([value(2021, "4072.7"), value(2022, "4300.3")]) == Decimal("8373.0")
    assert total([value(2021, "1"), value(2021, "2", subject="park-x")]) == 3


@pytest.mark.parametrize("name", ["variable", "unit", "scope", "price_basis"])
def test_values_of_two_kinds_are_not_summed(name: str) -> None:
    with pytest.raises(BadRecord, match=f"mixed_{name}"):
        total([value(2021, "1"), value(2022, "1", **{name: "constant_2020"})])


def test_overlapping_superseded_and_no_values_are_not_summed() -> None:
    half = replace(value(2021, "1"), period="2021-01..06", period_end=date(2021, 7, 1))
    with pytest.raises(BadRecord, match="overlap"):
        total([value(2021, "1"), half])
    with pytest.raises(BadRecord, match="superseded"):
        total([replace(value(2021, "1"), counts=False)])
    with pytest.raises(BadRecord, match="no_value"):
        total([])


def change(year: int, percent: str) -> Value:
    return replace(value(year, percent), variable="industrial_output_change", unit="percent")


def test_chains_refuse_gaps_half_years_and_other_units() -> None:
    assert chained([change(2022, "8"), change(2021, "-50")]) == Fraction("0.54")
    with pytest.raises(BadRecord, match="gap"):
        chained([change(2021, "1"), change(2023, "1")])
    with pytest.raises(BadRecord, match="gap"):
        chained([change(2021, "1"), change(2021, "1")])
    with pytest.raises(BadRecord, match="no_value"):
        chained([])
    with pytest.raises(BadRecord, match="unit"):
        chained([replace(change(2021, "1"), unit="tce")])
    with pytest.raises(BadRecord, match="period"):
        chained([replace(change(2021, "1"), period="2021-01..06", period_end=date(2021, 7, 1))])
    with pytest.raises(BadRecord, match="mixed_scope"):
        chained([change(2021, "1"), replace(change(2022, "1"), scope="industry")])


@given(st.lists(st.decimals(-99, 500, places=2), min_size=1, max_size=8))
def test_a_chain_is_the_product_whatever_the_order(changes: list[Decimal]) -> None:
    rows = [replace(change(2021 + place, "0"), value=amount) for place, amount in enumerate(changes)]
    product = Fraction(1)
    for amount in changes:
        product *= (100 + Fraction(amount)) / 100
    assert chained(rows) == chained(rows[::-1]) == product
