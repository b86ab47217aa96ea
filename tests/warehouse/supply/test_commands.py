"""The commands: `g60 warehouse supply keep | tariff | demand | cost`."""

from __future__ import annotations

import csv

import pytest
from click.testing import CliRunner

from tests.warehouse.supply.plant import Supply, at
from warehouse.cli import cli
from warehouse.postgres import Connection

PRICES = {"peak": "1.2345678", "flat": "0.8", "valley": "0.4", "demand": "40"}


def supply(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["supply", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def empty(ready: Connection, ready_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Supply:
    monkeypatch.setenv("G60_DATABASE", ready_dsn)
    return Supply(ready)


@pytest.fixture
def month(empty: Supply) -> Supply:
    """November 2025 of one meter under a contract: 1 kWh an hour, 12 kW once."""
    meter, series = empty.metered("a-1")
    empty.put_up(meter)
    empty.term("c-1", meter=meter)
    empty.prices("c-1", PRICES)
    counts = [25] * (30 * 96)
    counts[19 * 96 + 36] = 300
    empty.run(empty.draw(series, at(11, 1), counts))
    return empty


def test_periods_are_shown_of_a_meter_and_of_its_contract(month: Supply) -> None:
    for name in ("a-1", "c-1"):
        told = supply("tariff", name, "--month", "2025-11")
        assert [line.split() for line in told.splitlines()][2:] == [
            ["c-1", "sh-two-part", "peak", "峰", "182.75", "kWh", "25.3", "720", "0", "0", "-"],
            ["c-1", "sh-two-part", "flat", "平", "300", "kWh", "41.5", "1200", "0", "0", "-"],
            ["c-1", "sh-two-part", "valley", "谷", "240", "kWh", "33.2", "960", "0", "0", "-"],
        ]
    assert "nothing was counted" in supply("tariff", "a-1", "--month", "2025-11", "--feed-in")
    month.price("c-1", "sharp", "2")
    assert supply("tariff", "a-1", "--month", "2025-11").endswith("supply keep, or the jobs\n")
    assert supply("keep").startswith("0 days of meters and 1 months of contracts computed, 0 rows changed")


def test_demand_is_shown_of_the_contract_and_below_it_of_its_meters(month: Supply) -> None:
    told = supply("demand", "c-1", "--month", "2025-11")
    rest = ["c-1", "12", "2025-11-20", "09:00", "2880", "0", "10", "1.2"]
    assert [line.split() for line in told.splitlines()][2:] == [["-", *rest], ["a-1", *rest]]


def test_a_bill_is_rounded_for_people_and_exact_for_spreadsheets(month: Supply) -> None:
    told = supply("cost", "a-1", "--month", "2025-11")
    assert [line.split() for line in told.splitlines()][2:] == [
        ["c-1", "peak", "峰", "182.75", "kWh", "1.2345678", "225.62", "2025-11-01", "2025-11-30", "-"],
        ["c-1", "flat", "平", "300", "kWh", "0.8", "240.00", "2025-11-01", "2025-11-30", "-"],
        ["c-1", "valley", "谷", "240", "kWh", "0.4", "96.00", "2025-11-01", "2025-11-30", "-"],
        ["c-1", "demand", "需量", "10", "kW", "40", "400.00", "2025-11-01", "2025-11-30", "-"],
        ["c-1", "demand_excess", "超需量", "1.5", "kW", "80", "120.00", "2025-11-01", "2025-11-30", "-"],
        ["c-1", "energy_charge", "电度电费", "-", "-", "-", "561.62", "-", "-"],
        ["c-1", "basic_charge", "基本电费", "-", "-", "-", "520.00", "-", "-"],
        ["c-1", "total", "合计", "-", "-", "-", "1081.62", "-", "-", "-"],
    ]
    exact = list(csv.DictReader(supply("cost", "c-1", "--month", "2025-11", "--csv").splitlines()))
    assert [row["amount_cny"] for row in exact if row["item"] == "peak"] == ["225.61726545"]
    assert [row["amount_cny"] for row in exact if row["item"] == "total"] == ["1081.61726545"]


def test_what_is_missing_stands_in_the_bill_with_words_below(month: Supply) -> None:
    month.conn.execute("DELETE FROM registry.supply_price WHERE item IN ('flat', 'demand')")
    month.conn.execute("UPDATE registry.tariff_period SET days = 'holiday' WHERE start_minute = 0 AND first_month = 10")
    supply("keep")
    told = supply("cost", "c-1", "--month", "2025-11").splitlines()
    lines = {line.split()[1]: line.split()[2:] for line in told if line.startswith("c-1")}
    assert lines["flat"] == ["平", "300", "kWh", "-", "?", "2025-11-01", "2025-11-30", "-"]
    assert lines["energy_charge"][-2:] == ["no_price:flat", "period_unknown:no_period"]
    assert lines["energy_charge"][4] == lines["total"][4] == "?"
    assert lines["energy_charge_known"][4] == "249.62"  # 225.61726545 + 60 kWh of 谷 after 22:00 at 0.4
    why = "period of the tariff unknown (时段未知) the tariff has none for that time (电价表未列)"
    assert f"period_unknown:no_period: {why}" in told
    assert "no_price:flat: no price (缺单价) flat 平" in told
    assert any(line.startswith("no_price:demand: ") for line in told)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tariff", "nobody", "--month", "2025-11"], "no meter and no contract is called 'nobody'"),
        (["demand", "a-1", "--month", "2025"], "is no month"),
        (["cost", "a-1", "--month", "July"], "is none of"),
        (["cost", "same", "--month", "2025-11"], "write meter:… or contract:…"),
    ],
)
def test_a_name_or_a_month_that_is_wrong_is_said(empty: Supply, arguments: list[str], said: str) -> None:
    empty.meter("a-1")
    empty.meter("same")
    empty.term("same", meter=empty.meter("other"))
    result = CliRunner().invoke(cli, ["supply", *arguments])
    assert result.exit_code != 0
    assert said in result.output
    assert "under no contract" in supply("cost", "meter:same", "--month", "2025-11")
    assert "nothing was counted" in supply("cost", "contract:same", "--month", "2025-11")
