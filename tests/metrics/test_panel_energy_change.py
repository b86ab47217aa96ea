"""The fixed panel against the year before: who is in it, what it says, and from which coverage of what."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest

from tests.metrics.world import World, code, figures
from warehouse.indicators.due import mark_due
from warehouse.indicators.results import evidence

ID = "panel_energy_change"
NOW, BEFORE = "2026-03", "2025-03"
FIRMS = range(1, 5)
QUALIFIED = ("numerator", "qualified")
SINCE = "valid_from=2025-01-01"


def observed(variable: str, period: str, value: int, unit: str, price: str, subject: str) -> str:
    of_firm = subject.startswith("91")
    return (
        f"variable={variable} {'uscc' if of_firm else 'region'}={subject} period={period} value={value} unit={unit} "
        f"scope={'enterprise' if of_firm else 'industry_above_scale'} price_basis={price} "
        f"vintage={'report' if of_firm else 'flash'} published_at=2026-04-18 "
        f"legal_basis={'consented' if of_firm else 'published'}"
    )


def report(number: int, energy: str, amount: int, unit: str) -> str:
    return (
        f"uscc={code(number)} period=2026-03 energy={energy} flow=industrial_consumption amount={amount} unit={unit} "
        "vintage=report published_at=2026-04-18 legal_basis=consented"
    )


@pytest.fixture
def district(world: World) -> World:
    """Four enterprises with one electricity meter each, complete in both months."""
    for number in FIRMS:
        world.load(
            meters=[f"serial=e{number} carrier=electricity uscc={code(number)} role=boundary {SINCE}"],
            meter_series=[f"serial=e{number} feed_in=false gateway=gw-{number} series=m.total {SINCE}"],
            gateway_bindings=[f"gateway=gw-{number} uscc={code(number)} {SINCE}"],
            consents=[f"uscc={code(number)} purpose=statistics document=x {SINCE}"],
            observations=[
                observed("industrial_output", BEFORE, 1000, "10k_cny", "current", code(number)),
                observed("industrial_output", NOW, 1250, "10k_cny", "current", code(number)),
                observed("energy_consumption", NOW, 60, "tce", "none", code(number)),
                observed("energy_consumption", "2026-01..03", 180, "tce", "none", code(number)),
            ],
            energy_reports=[report(number, "electricity", 500_000, "kWh")],
        )
    world.load(observations=[observed("energy_consumption", "2026-01..03", 1000, "tce", "none", "310117")])
    for month, kwh in (("2025-03-01", 20_000), ("2026-03-01", 17_500)):
        world.conn.execute(
            "INSERT INTO energy.day (meter_id, feed_in, day, energy, measured, estimated, unknown) "
            "SELECT meter_id, false, %(first)s::date + n, %(kwh)s, 96, 0, 0 "
            "FROM registry.meter CROSS JOIN generate_series(0, 30) AS n",
            {"first": month, "kwh": kwh},
        )
    world.conn.execute("UPDATE ingest.watermark SET closed_through = '2026-05-01T00:00:00Z'")
    return world


def test_the_panel_is_compared_with_itself_a_year_before(district: World) -> None:
    content = district.content(ID, NOW)
    assert district.members(content) == {code(number): QUALIFIED for number in FIRMS} | {
        "district": ("apart", "reported_by_all")
    }
    # Energy 0.875, output 1.25 of the year before: 0.7.
    assert content.value is not None
    assert content.value.quantize(Decimal("1e-9"), ROUND_HALF_UP) == Decimal(-30)
    assert Decimal(str(figures(content)["energy_index"])) == Decimal("87.5")
    assert (content.coverage, content.status, content.label) == (Decimal("0.72"), "no_target", "panel")
    assert content.status_reason is None


def test_the_deviation_of_what_was_metered_from_what_was_reported_is_in_the_evidence(district: World) -> None:
    content = district.content(ID, NOW)
    assert content.evidence_digest is not None
    rows = {row["member"]: row["detail"] for row in evidence(district.conn, content.evidence_digest)}
    metered = Decimal(31 * 17_500) * Decimal("0.1229") / 1000
    assert Decimal(rows[code(1)]["deviation"]).quantize(Decimal("1e-9")) == (100 * (metered - 60) / 60).quantize(
        Decimal("1e-9")
    )


def test_below_60_percent_of_the_reported_energy_nothing_is_said_of_the_district(district: World) -> None:
    district.load(observations=[observed("energy_consumption", "2026-01..03", 1800, "tce", "none", "310117")])
    content = district.content(ID, NOW)
    assert content.coverage == Decimal("0.4")
    assert content.value is not None
    assert content.status_reason == (
        "coverage of reported energy 40.0 %, the rule needs 60 %: no statement about the district"
    )
    assert "不作全区判断" in str(content.status_reason_zh)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"energy_reports": [report(4, "natural_gas", 10_000, "m3")]}, "carrier_not_metered"),
        ({"energy_reports": [report(4, "raw_coal", 10_000, "kg")]}, "carrier_not_metered"),
        ({"energy_reports": [report(4, "natural_gas", 1_000, "m3")]}, "qualified"),
    ],
)
def test_every_carrier_of_five_percent_is_metered(district: World, change: dict[str, list[str]], reason: str) -> None:
    district.load(**change)
    content = district.content(ID, NOW)
    assert district.members(content)[code(4)][1] == reason


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DELETE FROM energy.day WHERE day < '2025-03-04'", "a_year_before_incomplete"),
        ("DELETE FROM energy.day WHERE day > '2026-03-28'", "incomplete"),
        ("DELETE FROM registry.consent", "no_consent"),
    ],
)
def test_who_is_incomplete_in_one_month_is_in_neither(district: World, statement: str, reason: str) -> None:
    fourth = {
        "energy.day": "meter_id = (SELECT meter_id FROM registry.meter WHERE serial = 'e4')",
        "registry.consent": f"uscc = '{code(4)}'",
    }[statement.split()[2]]
    word = " AND " if "WHERE" in statement else " WHERE "
    district.conn.execute((statement + word + fourth).encode())
    content = district.content(ID, NOW)
    assert district.members(content)[code(4)] == ("excluded", reason)
    assert (content.coverage, figures(content)["members"]) == (Decimal("0.54"), "3")


def test_fewer_than_three_are_no_panel(district: World) -> None:
    district.delete("registry.consent", f"uscc IN ('{code(3)}', '{code(4)}')")
    content = district.content(ID, NOW)
    assert (content.value, content.status) == (None, "insufficient_data")
    assert "2 members, the rule needs 3" in str(content.status_reason)


@pytest.mark.parametrize(
    ("day", "marked"),
    [
        ("2025-02-28", []),
        ("2025-03-01", [ID]),
        ("2025-03-31", [ID]),
        ("2025-04-01", []),
        ("2026-03-31", [ID, "panel_energy_intensity"]),
    ],
)
def test_a_change_in_either_month_makes_it_due(district: World, day: str, marked: list[str]) -> None:
    for indicator in (ID, "panel_energy_intensity"):
        district.outcome(indicator, NOW)
    district.conn.execute(
        "INSERT INTO energy.day_changed (meter_id, feed_in, day) "
        "SELECT min(meter_id), false, %(day)s FROM registry.meter",
        {"day": day},
    )
    mark_due(district.conn)
    due = district.conn.execute("SELECT indicator, first_day::text FROM indicator.due ORDER BY indicator").fetchall()
    assert due == [(indicator, day) for indicator in marked]
