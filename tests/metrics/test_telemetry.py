"""What our own readings say: onboarding by data, beside the other grades and never added; components of readings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.metrics.world import World, code, figures

D = Decimal
QUALIFIED = ("numerator", "qualified")
NEW_YEAR = date(2025, 1, 1)


class Readings:
    """Plants counted days of series, as the completeness job leaves them."""

    def __init__(self, world: World) -> None:
        self._conn = world.conn

    def series(self, gateway: str, device: str, name: str = "p") -> int:
        row = self._conn.execute(
            "INSERT INTO ingest.series (gateway, identity, device, quantity, unit, kind, batch) "
            "VALUES (%s, %s, %s, 'power', 'kW', 'gauge', 0) RETURNING series_id",
            [gateway, f"{device}.{name}", device],
        ).fetchone()
        assert row is not None
        return int(row[0])

    def days(self, series: int, days: Iterable[date], received: int = 96, expected: int | None = 96) -> None:
        with self._conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO ingest.completeness VALUES (%s, %s, %s, %s, 0, 0, 0, 0, 0, now())",
                [(series, day, expected, received) for day in days],
            )


def run_of(days: int, first: date = NEW_YEAR, step: int = 1) -> list[date]:
    return [first + timedelta(days=step * number) for number in range(days)]


def firm(number: int, size: str = "small", region: str = "310117107000") -> str:
    return (
        f"uscc={code(number)} name=E{number} size={size} sector=C3911 valid_from=2019-01-01 registered_region={region}"
    )


@pytest.fixture
def connected(world: World) -> Readings:
    """Eight enterprises with a gateway each; all but the fifth consent."""
    world.load(
        enterprises=[
            *(firm(number) for number in range(1, 6)),
            firm(6, "unknown"),
            firm(7, region="310115000000"),
            firm(8, "large"),
        ],
        gateway_bindings=[f"gateway=gw-{number} uscc={code(number)} valid_from=2024-01-01" for number in range(1, 9)],
        consents=[
            f"uscc={code(number)} purpose=statistics document=x valid_from=2024-01-01"
            for number in range(1, 9)
            if number != 5
        ],
        rosters=[
            f"roster=large_enterprises uscc={code(8)} valid_from={year}-01 valid_to={year + 1}-01"
            for year in range(2021, 2026)
        ],
    )
    return Readings(world)


def test_twenty_days_of_any_ninety_count_from_the_day_they_were_reached(world: World, connected: Readings) -> None:
    planted = {
        1: run_of(20),
        2: run_of(19),
        3: [*run_of(19), NEW_YEAR + timedelta(days=90)],
        4: [*run_of(1), *run_of(20, NEW_YEAR + timedelta(days=95), step=4)],
        5: run_of(60),
        6: run_of(25),
        7: run_of(25),
        8: run_of(25),
    }
    for number, days in planted.items():
        connected.days(connected.series(f"gw-{number}", "meter"), days)
    content = world.content("smes_on_platform_data", "2025-12")
    assert world.members(content) == {
        code(1): QUALIFIED,
        code(2): ("excluded", "too_few_days"),
        code(3): ("excluded", "too_few_days"),
        code(4): QUALIFIED,
        code(5): ("excluded", "no_consent"),
        code(6): ("apart", "size_unknown"),
        code(7): ("excluded", "outside_region"),
        code(8): ("excluded", "large"),
    }
    assert (content.value, figures(content)["size_unknown"]) == (D(2), "1")
    assert content.detail["groups"]["state"] == {"dormant": 2}, "silent at the end, and counted all the same"
    assert (content.status, content.progress) == ("no_target", None), "only the attested series has the target"
    since: dict[str, date] = dict(
        world.conn.execute(
            "SELECT member, since FROM indicator.evidence WHERE evidence_digest = %s AND counted = 'numerator'",
            [content.evidence_digest],
        ).fetchall()
    )
    assert since == {
        code(1): NEW_YEAR + timedelta(days=19),
        code(4): NEW_YEAR + timedelta(days=95 + 76),
    }
    assert world.content("smes_on_platform_data", "2025-01").value == 1


def test_the_twentieth_day_may_be_the_ninetieth_and_no_later(world: World, connected: Readings) -> None:
    connected.days(connected.series("gw-1", "meter"), [*run_of(19), NEW_YEAR + timedelta(days=89)])
    connected.days(connected.series("gw-2", "meter"), [*run_of(19), NEW_YEAR + timedelta(days=90)])
    content = world.content("smes_on_platform_data", "2025-12")
    assert [world.members(content)[code(number)][1] for number in (1, 2)] == ["qualified", "too_few_days"]


def test_figures_of_an_enterprise_tell_the_size_that_the_register_does_not(world: World, connected: Readings) -> None:
    connected.days(connected.series("gw-6", "meter"), run_of(25))
    assert world.members(world.content("smes_on_platform_data", "2025-12"))[code(6)] == ("apart", "size_unknown")
    since = "valid_from=2023-05-01"
    world.load(
        enterprise_figures=[f"uscc={code(6)} employees=120 revenue_10k_cny=3000 valid_from=2024-01-01"],
        platform_members=[
            f"platform=unis uscc={code(6)} grade=platform_attested state=active attested_on=2023-07-01 {since}",
        ],
    )
    for name in ("smes_on_platform_data", "smes_on_platform"):
        assert world.members(world.content(name, "2025-12"))[code(6)] == QUALIFIED


def test_days_of_another_enterprise_on_the_same_gateway_do_not_count(world: World, connected: Readings) -> None:
    connected.days(connected.series("gw-1", "meter"), run_of(30))
    world.delete("registry.gateway_binding", f"uscc = '{code(1)}'")
    world.load(gateway_bindings=[f"gateway=gw-1 uscc={code(1)} valid_from=2025-01-20"])
    content = world.content("smes_on_platform_data", "2025-12")
    assert world.members(content)[code(1)] == ("excluded", "too_few_days")


def test_the_grades_stand_beside_each_other(world: World, connected: Readings) -> None:
    connected.days(connected.series("gw-1", "meter"), run_of(20))
    since = "valid_from=2023-05-01"
    world.load(
        platform_members=[
            f"platform=unis uscc={code(1)} grade=platform_attested state=active attested_on=2023-07-01 {since}",
            f"platform=saimo uscc={code(1)} grade=contract state=active attested_on=2024-06-30 valid_from=2024-05-01",
            f"platform=saimo uscc={code(2)} grade=contract state=active attested_on=2024-06-30 valid_from=2024-05-01",
        ]
    )
    found = {
        name: world.content(name, "2025-12")
        for name in ("smes_on_platform", "smes_on_platform_contract", "smes_on_platform_data")
    }
    assert {name: content.value for name, content in found.items()} == {
        "smes_on_platform": D(1),
        "smes_on_platform_contract": D(2),
        "smes_on_platform_data": D(1),
    }
    assert world.members(found["smes_on_platform"])[code(2)] == ("excluded", "contract")
    assert found["smes_on_platform"].detail["target"] == "10000"


def test_components_are_of_the_connected_enterprises_only(world: World, connected: Readings) -> None:
    month = run_of(31, date(2025, 3, 1))
    first = [connected.series("gw-1", device) for device in ("m1", "m2", "m3")]
    connected.days(first[0], month)
    connected.days(first[1], month[:10])
    connected.days(first[2], month, received=0)
    connected.days(connected.series("gw-2", "m1"), month[:5])
    connected.days(connected.series("gw-5", "m1"), month)

    def equipment(number: int, count: int) -> str:
        return (
            f"variable=production_equipment uscc={code(number)} period=2024 value={count} unit=count scope=enterprise "
            "price_basis=none vintage=report published_at=2025-02-01 legal_basis=consented"
        )

    rates = world.content("networking_rate", "2025-03")
    assert "production_equipment" in str(rates.status_reason)
    world.load(observations=[equipment(1, 8)])
    rates = world.content("networking_rate", "2025-03")
    assert (rates.value, rates.numerator, rates.denominator, rates.label) == (D(25), D(2), D(8), "panel")
    stands = world.members(rates)
    assert (stands[code(2)][1], stands[code(5)][1], rates.status) == ("equipment_missing", "no_consent", "no_target")
    coverage = world.content("collection_coverage", "2025-03")
    assert (coverage.numerator, coverage.denominator, coverage.value) == (D(3), D(4), D(75))
    assert world.members(coverage)[code(3)] == ("excluded", "nothing_expected")
    active = world.content("active_days", "2025-03")
    assert (active.numerator, active.denominator) == (D(36), D(7)), "enterprises without a day count as 0 days"
    world.load(observations=[equipment(2, 1)])
    assert world.content("networking_rate", "2025-03").numerator == 3


def test_without_readings_there_is_no_zero(world: World, connected: Readings) -> None:
    for name in ("smes_on_platform_data", "collection_coverage"):
        content = world.content(name, "2025-03")
        assert (content.value, content.status) == (None, "insufficient_data")
    assert connected is not None
