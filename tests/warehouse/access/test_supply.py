"""Money is the enterprise's own; whole registers are the auditor's, returns of single enterprises nobody's."""

from __future__ import annotations

from datetime import date

from tests.warehouse.access.world import ALPHA, BRAVO, KINDS, World, at
from warehouse.access.kinds import Kind

MONEY = ("cost_month", "cost_item", "contract_demand_month", "supply_term", "supply_price")


def contract(world: World, name: str, uscc: str, since: date, until: date | None = None) -> None:
    world.run("INSERT INTO registry.supply_contract VALUES (%s, 'electricity') ON CONFLICT DO NOTHING", [name])
    world.fact(
        "supply_term",
        contract=name,
        uscc=uscc,
        carrier="electricity",
        valid_from=at(since),
        valid_to=None if until is None else at(until),
    )


def bill(world: World, name: str, month: date) -> None:
    world.run(
        "INSERT INTO energy.cost_month (contract, month, energy_known_cny, energy_missing, energy_cny, basic_known_cny,"
        " basic_missing, basic_cny, total_cny, rule_version) VALUES (%s, %s, 1, '{}', 1, 1, '{}', 1, 2, 1)",
        [name, month],
    )
    world.run(
        "INSERT INTO energy.cost_item (contract, month, item, unit, price, quantity, amount_cny, first_day, last_day)"
        " VALUES (%s, %s, 'flat', 'CNY/kWh', 1, 1, 1, %s, %s)",
        [name, month, month, month],
    )
    world.run(
        "INSERT INTO energy.contract_demand_day (contract, day, kw, at, estimated, known, unknown)"
        " VALUES (%s, %s, 100, %s, false, 96, 0)",
        [name, month, at(month)],
    )


def test_bills_and_prices_are_the_enterprises_and_the_auditors(own_world: World) -> None:
    world = own_world
    for uscc, name in ((ALPHA[0], "c-alpha"), (BRAVO[0], "c-bravo")):
        contract(world, name, uscc, date(2024, 1, 1))
        bill(world, name, date(2025, 3, 1))
        world.fact("supply_price", contract=name, item="flat", price=1, unit="CNY/kWh", valid_from=at(date(2024, 1, 1)))
    for kind in KINDS:
        for view in MONEY:
            seen = [name for (name,) in world.look(kind.value, view, "contract")]
            expected = {Kind.ENTERPRISE: ["c-alpha"], Kind.AUDITOR: ["c-alpha", "c-bravo"]}.get(kind, [])
            assert seen == expected, (kind, view)


def test_a_contract_that_changed_hands_shows_each_its_own_whole_months(own_world: World) -> None:
    world = own_world
    contract(world, "c", ALPHA[1], date(2024, 1, 1), date(2025, 2, 10))
    contract(world, "c", ALPHA[0], date(2025, 2, 10))
    for month in (1, 2, 3):
        bill(world, "c", date(2025, month, 1))
    for view in MONEY[:3]:
        assert world.look("enterprise", view, "month::text") == [("2025-03-01",)]
    assert world.look("enterprise", "supply_term", "uscc") == [(ALPHA[0],)]
    world.grant("before", Kind.ENTERPRISE, uscc=ALPHA[1])
    assert world.look("before", "cost_month", "month::text") == [("2025-01-01",)]


def test_a_meters_contract_is_that_of_whoever_had_the_meter(own_world: World) -> None:
    world = own_world
    meter = world.number("SELECT meter_id FROM registry.meter WHERE serial = 'alpha-meter-0'")
    world.run("INSERT INTO registry.supply_contract VALUES ('c', 'electricity')")
    world.fact("supply_term", contract="c", meter_id=meter, carrier="electricity", valid_from=at(date(2024, 1, 1)))
    bill(world, "c", date(2025, 3, 1))
    assert world.look("enterprise", "cost_month") == [(1,)]
    world.run("UPDATE registry.meter_placement SET valid_to = %s WHERE meter_id = %s", [at(date(2025, 6, 1)), meter])
    world.fact("meter_placement", meter_id=meter, uscc=BRAVO[0], role="boundary", valid_from=at(date(2025, 6, 1)))
    assert world.look("enterprise", "cost_month") == [(0,)]


def test_periods_and_demand_are_seen_as_energy_is(own_world: World) -> None:
    world = own_world
    for uscc, serial in ((ALPHA[0], "alpha-meter-0"), (BRAVO[0], "bravo-meter-0")):
        ids = world.run(
            "SELECT m.meter_id, h.holder_id FROM registry.meter AS m, energy.holder AS h"
            " WHERE serial = %s AND uscc = %s",
            [serial, uscc],
        )[0]
        world.run(
            "INSERT INTO energy.tariff_day (meter_id, holder_id, feed_in, day, period, energy, measured, estimated,"
            " unknown) VALUES (%s, %s, false, '2025-03-01', 'flat', 5, 96, 0, 0)",
            ids,
        )
        world.run(
            "INSERT INTO energy.demand_day (meter_id, holder_id, day, kw, at, estimated, known, unknown)"
            " VALUES (%s, %s, '2025-03-01', 5, '2025-03-01 00:00+08', false, 96, 0)",
            ids,
        )
    for view in ("tariff_day", "demand_day"):
        assert world.look("park", view, "uscc") == [(ALPHA[0],)]
        assert world.look("other", view, "uscc") == [(BRAVO[0],)]
        assert world.look("district", view) == [(2,)]


def test_the_auditor_reads_whole_registers_but_no_statistical_return(own_world: World) -> None:
    world = own_world
    for uscc, basis in ((ALPHA[0], "administrative"), (BRAVO[0], "statistical")):
        world.fact("enterprise_figure", uscc=uscc, valid_from=date(2024, 1, 1), employees=7, legal_basis=basis)
        world.run("UPDATE registry.enterprise_figure SET employees = 8 WHERE uscc = %s", [uscc])
    with world.session("auditor") as auditor:
        for view in ("registry_enterprise_figure", "registry_superseded"):
            found = auditor.execute(f"SELECT count(*) FROM audit.{view}".encode()).fetchone()  # noqa: S608
            assert found == (1,), view
        assert auditor.execute("SELECT count(*) FROM audit.access_grantee").fetchone() == (len(world.roles),)
        views = world.run("SELECT table_name FROM information_schema.views WHERE table_schema = 'audit'")
        assert len(views) > 40
    for kind in (*KINDS[:4], "api"):
        with world.session(str(kind)) as connection:
            for (view,) in views:
                assert connection.execute(f"SELECT count(*) FROM audit.{view}".encode()).fetchone() == (0,)  # noqa: S608
