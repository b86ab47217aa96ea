"""Periods, demand and money in the tables: by hand, and only what a change touches is written."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.energy.plant import QUARTER
from tests.warehouse.supply.plant import FOLLOWED, Supply, at
from warehouse.energy.job import close
from warehouse.postgres import Connection
from warehouse.supply.job import keep

SEPTEMBER, OCTOBER = date(2025, 9, 1), date(2025, 10, 1)
PRICES = {"peak": "1.2", "flat": "0.8", "valley": "0.4", "deep_valley": "0.3", "demand": "40"}


@pytest.fixture
def plant(ready: Connection) -> Supply:
    supply = Supply(ready)
    keep(ready)
    return supply


def test_a_contract_a_price_a_season_and_a_holiday_that_change(plant: Supply) -> None:
    """From 29 September to 10 October: the season ends on 1 October, 1 to 8 October are holidays."""
    meter, series = plant.metered("a")
    plant.put_up(meter)
    plant.holiday_valley()
    plant.term("old", until=at(10, 6))
    plant.term("new", meter=meter, since=at(10, 6), kw=20)
    plant.prices("old", {"valley": "0.4", "flat": "0.8", "deep_valley": "0.3", "demand": "40"})
    plant.price("old", "peak", "1.2", until=at(10, 4))
    plant.price("old", "peak", "1.3", since=at(10, 4))
    plant.prices("new", PRICES)
    end = plant.draw(series, at(9, 29), [25] * (12 * 96))
    plant.run(end)
    # 1 kWh an hour. September: 峰 8–15, 18–21; October: 峰 8–11, 18–21, and of 平 11–18 three hours 深谷 on holidays.
    assert plant.months(SEPTEMBER) == {("old", "peak"): 20, ("old", "flat"): 12, ("old", "valley"): 16}
    assert plant.months(OCTOBER) == {
        ("old", "peak"): 5 * 6,
        ("old", "flat"): 5 * 7,
        ("old", "deep_valley"): 5 * 3,
        ("old", "valley"): 5 * 8,
        ("new", "peak"): 5 * 6,
        ("new", "flat"): 3 * 7 + 2 * 10,
        ("new", "deep_valley"): 3 * 3,
        ("new", "valley"): 5 * 8,
    }
    # 3 days at 1.2 and 2 at 1.3 for 6 hours of 峰; what is absent is absent: 28 days of September, 21 of October.
    september, october, new = plant.cost("old", SEPTEMBER), plant.cost("old", OCTOBER), plant.cost("new", OCTOBER)
    assert september == (Decimal("40.0"), ["energy_absent:2688"], 400, ["demand_unknown:2688"], None)
    money = 18 * Decimal("1.2") + 12 * Decimal("1.3") + 35 * Decimal("0.8") + 15 * Decimal("0.3") + 40 * Decimal("0.4")
    assert october == (money, [], None, ["part_of_month"], None)
    assert new[1:] == (["energy_absent:2016"], None, ["part_of_month"], None)
    lines = plant.rows(
        "SELECT price, quantity, amount_cny, first_day, last_day FROM energy.cost_item "
        "WHERE contract = 'old' AND month = %s AND item = 'peak' ORDER BY price",
        OCTOBER,
    )
    assert lines == [
        (Decimal("1.2"), 18, Decimal("21.6"), date(2025, 10, 1), date(2025, 10, 3)),
        (Decimal("1.3"), 12, Decimal("15.6"), date(2025, 10, 4), date(2025, 10, 5)),
    ]


def test_a_whole_month_has_a_bill(plant: Supply) -> None:
    meter, series = plant.metered("a")
    plant.put_up(meter)
    plant.term("c", kw=10)
    plant.prices("c", PRICES)
    # 1 kWh an hour; 3 kWh in the quarter-hour from 09:00 of the 20th (峰) and in another one the day after.
    counts = [25] * (30 * 96)
    counts[19 * 96 + 36] = counts[20 * 96 + 36] = 300
    plant.run(plant.draw(series, at(11, 1), counts))
    november = date(2025, 11, 1)
    peak = 30 * 6 + 2 * Decimal("2.75")
    energy = peak * Decimal("1.2") + 300 * Decimal("0.8") + 240 * Decimal("0.4")
    # 12 kW against 10 kW: what is beyond 10.5 kW is charged double.
    basic = 10 * 40 + Decimal("1.5") * 80
    assert plant.cost("c", november) == (energy, [], basic, [], energy + basic)
    demand = "SELECT kw, at, known, unknown, at_least, contracted_kw, ratio FROM energy.{} WHERE month = %s"
    of_contract = (12, at(11, 20, 9), 2880, 0, False, 10, Decimal("1.2"))
    assert plant.rows(demand.format("contract_demand_month"), november) == [of_contract]
    # A term for the enterprise contracts for no single meter.
    assert plant.rows(demand.format("demand_month"), november) == [(*of_contract[:5], None, None)]


def test_the_demand_of_a_contract_is_that_of_the_sum(plant: Supply) -> None:
    (one, series_one), (two, series_two), (sub, series_sub) = (plant.metered(name) for name in "abc")
    plant.put_up(one)
    plant.put_up(two)
    plant.put_up(sub, "sub")
    plant.term("c")
    end = plant.draw(series_one, at(11, 3), [100, 500, 300, 100])
    plant.draw(series_two, at(11, 3), [600, 100, 400, 100])
    plant.draw(series_sub, at(11, 3), [900, 900, 900, 900])
    plant.run(end)
    found = plant.rows("SELECT meter_id, contract, kw, at FROM energy.demand_month ORDER BY meter_id")
    assert found == [
        (one, "c", 20, at(11, 3, 0, 15)),
        (two, "c", 24, at(11, 3)),
        (sub, None, 36, at(11, 3)),
    ]
    together = "SELECT kw, at, known, unknown, ratio FROM energy.contract_demand_month"
    # 7 kWh at 00:00 and at 00:30: the first of equals.
    assert plant.rows(together) == [(28, at(11, 3), 4, 0, Decimal("2.8"))]


def test_unknown_quarter_hours_make_a_demand_a_least_and_leave_no_total(plant: Supply) -> None:
    (one, series_one), (two, series_two) = plant.metered("a"), plant.metered("b")
    plant.put_up(one)
    plant.put_up(two)
    plant.term("c")
    plant.prices("c", PRICES)
    plant.draw(series_one, at(11, 3), [100, 100, 200, 100])
    plant.read(series_two, [(at(11, 3), 0), (at(11, 3, 0, 15), 400), (at(11, 3, 0, 30), 500)])
    plant.run(at(11, 3, 1))
    together = "SELECT kw, at, known, unknown, at_least FROM energy.contract_demand_month"
    assert plant.rows(together) == [(20, at(11, 3), 2, 2, True)]
    alone = "SELECT kw, known, unknown, at_least FROM energy.demand_month WHERE meter_id = %s"
    assert plant.rows(alone, one) == [(8, 4, 0, False)]
    assert plant.rows(alone, two) == [(16, 2, 2, True)]
    cost = plant.cost("c", date(2025, 11, 1))
    assert cost[1] == [f"energy_absent:{2 * 2880 - 8}", "energy_unknown:2"]
    assert cost[2:] == (400 + Decimal("9.5") * 80, [f"demand_unknown:{2880 - 2}"], None)


def test_without_a_contract_the_period_is_unknown_and_the_demand_is_not(plant: Supply) -> None:
    meter, series = plant.metered("a")
    plant.run(plant.draw(series, at(11, 3), [100, 200]))
    assert plant.months(date(2025, 11, 1)) == {(None, "no_contract"): 3}
    assert plant.rows("SELECT meter_id, contract, kw, ratio FROM energy.demand_month") == [(meter, None, 8, None)]
    assert plant.rows("SELECT 1 FROM energy.contract_demand_day UNION ALL SELECT 1 FROM energy.cost_month") == []


def test_gas_has_one_period_and_no_demand(plant: Supply) -> None:
    meter = plant.meter("g", carrier="natural_gas", unit="m3")
    plant.feed(meter, "gw-g", "m.volume")
    series = plant.series("gw-g", "m.volume", unit="m3")
    plant.put_up(meter)
    plant.term("gas", carrier="natural_gas", tariff=None, basis=None, kw=None)
    plant.conn.execute(
        "INSERT INTO registry.supply_price (contract, item, valid_from, price, unit, legal_basis, source) "
        "VALUES ('gas', 'single', '2020-01-01', 3.5, 'CNY/m3', 'consented', 'synthetic')"
    )
    plant.run(plant.draw(series, at(11, 3), [100] * 4))
    assert plant.months(date(2025, 11, 1)) == {("gas", "single"): 4}
    assert plant.rows("SELECT 1 FROM energy.demand_day") == []
    assert plant.cost("gas", date(2025, 11, 1)) == (14, ["energy_absent:2876"], 0, [], None)


def test_what_is_fed_back_has_periods_but_no_demand_and_no_price(plant: Supply) -> None:
    meter, series = plant.metered("a")
    plant.put_up(meter)
    plant.term("c", meter=meter)
    plant.prices("c", PRICES)
    plant.conn.execute(
        "INSERT INTO registry.meter_series (meter_id, feed_in, gateway, series, valid_from, legal_basis, source) "
        "VALUES (%s, true, 'gw-back', 'm.back', '2020-01-01', 'consented', 'synthetic')",
        [meter],
    )
    plant.draw(plant.series("gw-back", "m.back"), at(11, 3), [900] * 4)
    plant.run(plant.draw(series, at(11, 3), [100] * 4))
    found = plant.rows("SELECT feed_in, contract, period, energy FROM energy.tariff_month ORDER BY feed_in")
    assert found == [(False, "c", "valley", 4), (True, "c", "valley", 36)]
    assert plant.rows("SELECT kw FROM energy.demand_day") == plant.rows("SELECT kw FROM energy.contract_demand_day")
    assert plant.rows("SELECT max(kw) FROM energy.demand_day") == [(4,)]
    assert plant.rows("SELECT quantity FROM energy.cost_item WHERE item = 'valley'") == [(4,)]


def test_a_late_reading_changes_only_its_days_and_their_month(plant: Supply) -> None:
    for name in "ab":
        meter, series = plant.metered(name)
        plant.put_up(meter)
        plant.term(name, meter=meter)
        plant.prices(name, PRICES)
        readings = [(at(10, 31) + place * QUARTER, 25 * place) for place in range(4 * 96 + 1)]
        # From 07:30 to 09:30 of the 2nd nothing came, and 08:00 divides 平 from 峰.
        plant.read(series, [one for one in readings if not at(11, 2, 7, 30) < one[0] < at(11, 2, 9, 30)])
    plant.run(at(11, 4))
    before = plant.whole()
    assert keep(plant.conn).changed == 0
    assert plant.whole() == before
    # As much as was estimated: a quarter-hour of 平 is measured now, and nothing else is another.
    plant.read(series, [(at(11, 2, 7, 45), 25 * (2 * 96 + 31))])
    plant.run(at(11, 4))
    after = plant.whole()
    assert differing(before, after) == {
        "tariff_day": [f"({meter},f,2025-11-02,2025-11-01,1,b,sh-two-part,flat,,10.00,39,1,0,"],
        "demand_day": [],
        "contract_demand_day": [],
        "cost_month": [],
        "cost_item": [],
    }
    # A kilowatt-hour more before 08:00 and less after it: the bill of this contract and month is another.
    plant.read(series, [(at(11, 2, 8), 25 * (2 * 96 + 32) + 100)])
    plant.run(at(11, 4))
    assert differing(after, plant.whole()) == {
        "tariff_day": [
            f"({meter},f,2025-11-02,2025-11-01,1,b,sh-two-part,flat,,11.00,40,0,0,",
            f"({meter},f,2025-11-02,2025-11-01,1,b,sh-two-part,peak,,5.00,18,6,0,",
        ],
        "demand_day": [f"({meter},2025-11-02,2025-11-01,1,b,10.000,5.00,"],
        "contract_demand_day": ["(b,2025-11-02,2025-11-01,10.000,5.00,"],
        "cost_month": ["(b,2025-11-01,"],
        "cost_item": ["(b,2025-11-01,flat,", "(b,2025-11-01,peak,"],
    }


def differing(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, list[str]]:
    """What is new by table, each row as far as what comes after it is told apart; as much as is new is gone."""
    found: dict[str, list[str]] = {}
    for name in before:
        come = sorted(after[name] - before[name])
        assert len(before[name] - after[name]) == len(come)
        found[name] = [",".join(row.split(",")[: SHOWN[name]]) + "," for row in come]
    return found


SHOWN = {"tariff_day": 13, "demand_day": 7, "contract_demand_day": 5, "cost_month": 2, "cost_item": 3}


CHANGES = {
    "a term ends": "UPDATE registry.supply_term SET valid_to = '2025-11-02T16:00Z'",
    "a term is taken away": "DELETE FROM registry.supply_term",
    "a term names another tariff": "UPDATE registry.supply_term SET tariff = 'sh-one-part-split'",
    "more is contracted": "UPDATE registry.supply_term SET contracted_kw = 77",
    "a price changes": "UPDATE registry.supply_price SET price = 2 WHERE item = 'flat'",
    "a price is taken away": "DELETE FROM registry.supply_price WHERE item = 'flat'",
    "a meter leaves": "UPDATE registry.meter_placement SET valid_to = '2025-11-02T16:00Z' WHERE role = 'boundary'",
    "a meter becomes a sub-meter": "UPDATE registry.meter_placement SET role = 'sub'",
    "a period is another": "UPDATE registry.tariff_period SET period = 'sharp' WHERE start_minute = 0",
    "a tariff ends": "UPDATE registry.tariff_attribute SET valid_to = '2025-11-03' WHERE tariff = 'sh-two-part'",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_after_a_change_of_the_registry_all_is_as_if_it_had_always_been_so(plant: Supply, change: str) -> None:
    (one, series_one), (two, series_two) = plant.metered("a"), plant.metered("b")
    plant.put_up(one)
    plant.put_up(two)
    plant.term("firm")
    plant.prices("firm", PRICES)
    end = plant.draw(series_one, at(11, 1), [100] * (3 * 96))
    plant.draw(series_two, at(11, 2), [50] * (2 * 96))
    plant.run(end)
    before = told(plant)
    plant.conn.execute(change.encode())
    plant.run(end)
    after = told(plant)
    assert after != before
    plant.conn.execute("TRUNCATE energy.tariff_day, energy.demand_day, energy.contract_demand_day")
    plant.conn.execute("TRUNCATE energy.cost_month, energy.cost_item")
    plant.conn.execute("INSERT INTO energy.supply_due SELECT DISTINCT meter_id, feed_in, day FROM energy.day")
    keep(plant.conn)
    assert told(plant) == after


def told(plant: Supply) -> list[object]:
    """Everything but when it was computed."""
    return [
        sorted(row[0] for row in plant.rows(f"SELECT (to_jsonb(t) - 'computed_at')::text FROM energy.{name} AS t"))  # noqa: S608 - our names
        for name in FOLLOWED
    ]


def test_a_change_that_touches_nothing_here_leaves_no_mark(plant: Supply) -> None:
    meter, series = plant.metered("a")
    plant.put_up(meter)
    plant.term("c", meter=meter)
    plant.run(plant.draw(series, at(11, 1), [100] * 4))
    plant.conn.execute("UPDATE registry.supply_term SET source = 'another paper', voltage_kv = 35")
    plant.conn.execute("UPDATE registry.meter_placement SET name = 'hall 2'")
    assert plant.rows("SELECT 1 FROM energy.supply_dirty") == []


def test_a_year_that_the_calendar_comes_to_know_is_computed_then(
    plant: Supply, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, series = plant.metered("a")
    plant.put_up(meter)
    plant.holiday_valley()
    plant.term("c", meter=meter)
    with monkeypatch.context() as without:
        for module in ("periods", "job"):
            without.setattr(f"warehouse.supply.{module}.kind_of_day", lambda _: None)
        plant.run(plant.draw(series, at(10, 1), [25] * (2 * 96)))
        assert plant.months(OCTOBER)["c", "calendar"] == 2 * 3
        assert "period_unknown:calendar" in plant.cost("c", OCTOBER)[1]
        assert keep(plant.conn).days == 0
    assert keep(plant.conn).days == 2
    assert plant.months(OCTOBER)["c", "deep_valley"] == 2 * 3
    assert ("c", "calendar") not in plant.months(OCTOBER)
    assert keep(plant.conn).days == 0


ENERGIES = st.lists(st.one_of(st.none(), st.integers(0, 3_000)), min_size=2, max_size=12)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ENERGIES, st.integers(0, 47), st.sampled_from(["sh-two-part", "sh-one-part-split", "sh-one-part", None]))
def test_the_periods_of_a_meter_add_up_to_its_account(
    plant: Supply, counts: list[int | None], steps: int, tariff: str | None
) -> None:
    """Readings every five hours or less, some without a value; contracts come and go under them."""
    with plant.conn.transaction(force_rollback=True):
        serial = "random"
        meter, series = plant.metered(serial)
        plant.put_up(meter)
        plant.term("first", until=at(11, 1, 12, 7), tariff=tariff, basis=None, kw=None)
        plant.term("second", since=at(11, 2), tariff="sh-two-part")
        total, readings = 0, []
        for place, grown in enumerate(counts):
            total += grown or 0
            moment = at(10, 31, 20) + place * (timedelta(minutes=20) + steps * timedelta(minutes=6))
            readings.append((moment, None if grown is None else total))
        plant.read(series, readings)
        plant.run(at(11, 4))
        by_period = (
            "SELECT meter_id, feed_in, {0}, holder_id, sum(energy), sum(measured)::int, sum(estimated)::int,"
            " sum(unknown)::int FROM energy.tariff_{0} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        )
        account = (
            "SELECT meter_id, feed_in, {0}, holder_id, energy, measured, estimated, unknown FROM energy.{0}"
            " ORDER BY 1, 2, 3, 4"
        )
        for grain in ("day", "month"):
            assert plant.rows(by_period.format(grain)) == plant.rows(account.format(grain))


def test_a_run_can_stop_between_passes_and_goes_on_where_it_was(plant: Supply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.supply.job.AT_MOST", 2)
    meter, series = plant.metered("a")
    plant.put_up(meter)
    plant.term("c", meter=meter)
    close(plant.conn, plant.draw(series, at(11, 1), [100] * (5 * 96)))
    report = keep(plant.conn, lambda: False)
    assert (report.left, report.days) == (True, 2)
    days = "SELECT count(DISTINCT day) FROM energy.tariff_day"
    assert plant.rows(days) == [(2,)]
    assert keep(plant.conn).left is False
    assert plant.rows(days) == [(5,)]
    assert plant.rows("SELECT sum(energy) FROM energy.tariff_day") == [(480,)]
