"""The panel's energy intensity: the vector of the domain rules over three enterprises, and what takes one away."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from edge_agent.contract.errors import Misconfigured
from metrics.run import run
from tests.metrics.world import CATALOGUE, World, code, figures
from tests.warehouse.energy.plant import Plant
from warehouse.energy.job import close
from warehouse.period import parse_period

ID = "panel_energy_intensity"
MONTH = parse_period("2026-03")
START, END = datetime(2026, 2, 28, 16, 0, tzinfo=UTC), datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
ELECTRIC, GAS, HEAT = code(1), code(2), code(3)
QUALIFIED = ("numerator", "qualified")
SINCE = "valid_from=2026-02-01"


def meter(uscc: str, serial: str, carrier: str, role: str = "boundary") -> dict[str, list[str]]:
    """The rows of one meter with a gateway of its own."""
    return {
        "meters": [f"serial={serial} carrier={carrier} uscc={uscc} role={role} {SINCE}"],
        "meter_series": [f"serial={serial} feed_in=false gateway=gw-{serial} series=m.total {SINCE}"],
        "multipliers": [f"serial={serial} pt=1 ct=1 {SINCE}"],
        "gateway_bindings": [f"gateway=gw-{serial} uscc={uscc} {SINCE}"],
    }


def value_added(uscc: str, value: str) -> str:
    return (
        f"variable=industrial_value_added uscc={uscc} period=2026-03 value={value} unit=10k_cny scope=enterprise "
        "price_basis=current vintage=report published_at=2026-04-18 legal_basis=consented"
    )


def read(world: World, serial: str, unit: str, first: int, last: int, until: datetime = END) -> None:
    """Two readings: the account between them is estimated, and exact in its sum."""
    plant = Plant(world.conn)
    series = plant.series(f"gw-{serial}", "m.total", unit=unit, decimals=2, span=10**12, rated_max=None)
    plant.read(series, [(START, first), (until, last)])


@pytest.fixture
def district(world: World) -> World:
    """1 000 000 kWh, 50 000 m³ gas (1.29971) and 1000 GJ heat; 2000 万元 in all."""
    for uscc, serial, carrier in (
        (ELECTRIC, "e1", "electricity"),
        (ELECTRIC, "e2", "electricity"),
        (GAS, "g", "natural_gas"),
        (HEAT, "h", "heat"),
    ):
        world.load(**meter(uscc, serial, carrier))
    world.load(
        consents=[f"uscc={uscc} purpose=statistics document=x {SINCE}" for uscc in (ELECTRIC, GAS, HEAT)],
        observations=[value_added(ELECTRIC, "1200"), value_added(GAS, "500"), value_added(HEAT, "300")],
    )
    read(world, "e1", "kWh", 5, 60_000_005)
    read(world, "e2", "MWh", 0, 40_000)
    read(world, "g", "m3", 0, 5_000_000)
    read(world, "h", "GJ", 0, 100_000)
    close(world.conn, END)
    return world


def test_the_vector_of_the_domain_rules(district: World) -> None:
    content = district.content(ID, "2026-03")
    assert district.members(content) == dict.fromkeys((ELECTRIC, GAS, HEAT), QUALIFIED)
    assert content.numerator == Decimal("122.900") + Decimal("64.9855") + Decimal("34.120")
    assert content.denominator == 2000
    assert content.value == Decimal("0.11100275")
    assert content.coverage == 1
    assert figures(content) == {"estimated_share": "100", "members": "3"}
    assert (content.status, content.label, content.unit) == ("no_target", "panel", "tce/10k_cny")
    assert (content.factor_set, content.factor_set_version, content.vintage) == ("songjiang", 1, "report")
    assert content.legal_basis == "consented"


def test_the_share_of_each_member_is_in_the_evidence(district: World) -> None:
    district.outcome(ID, "2026-03")
    shares = district.conn.execute("SELECT member, amount, weight FROM indicator.evidence ORDER BY member").fetchall()
    assert shares == [
        (ELECTRIC, Decimal("122.9"), Decimal(1200)),
        (GAS, Decimal("64.9855"), Decimal(500)),
        (HEAT, Decimal("34.12"), Decimal(300)),
    ]


def with_others(world: World) -> None:
    """Two more enterprises, so that the panel stays large enough when one is taken away: 10 000 kWh, 10 万元 each."""
    for number in (4, 5):
        world.load(**meter(code(number), f"x{number}", "electricity"))
        world.load(
            consents=[f"uscc={code(number)} purpose=statistics document=x {SINCE}"],
            observations=[value_added(code(number), "10")],
        )
        read(world, f"x{number}", "kWh", 0, 1_000_000)
    close(world.conn, END)


OTHERS = Decimal(2) * 10_000 * Decimal("0.0001229")


@pytest.mark.parametrize(
    ("table", "where", "reason"),
    [
        ("registry.consent", f"uscc = '{GAS}'", "no_consent"),
        ("registry.gateway_binding", "gateway = 'gw-g'", "gateway_unbound"),
        ("registry.meter_series", "gateway = 'gw-g'", "meter_not_connected"),
    ],
)
def test_what_is_taken_from_an_enterprise_takes_it_from_the_panel(
    district: World, table: str, where: str, reason: str
) -> None:
    with_others(district)
    district.delete(table, where)
    close(district.conn, END)
    content = district.content(ID, "2026-03")
    assert district.members(content)[GAS] == ("excluded", reason)
    assert content.numerator == Decimal("122.900") + Decimal("34.120") + OTHERS
    assert content.denominator == 1520


def test_consent_that_was_withdrawn_within_the_month_counts_no_more(district: World) -> None:
    with_others(district)
    district.load(consents=[f"uscc={GAS} purpose=statistics document=x {SINCE} valid_to=2026-03-20"])
    content = district.content(ID, "2026-03")
    assert district.members(content)[GAS] == ("excluded", "no_consent")
    assert content.denominator == 1520


def test_one_silent_meter_makes_its_enterprise_incomplete_and_not_thriftier(district: World) -> None:
    with_others(district)
    district.load(**meter(ELECTRIC, "e3", "electricity"))
    read(district, "e3", "kWh", 0, 100, until=datetime(2026, 3, 29, tzinfo=UTC))
    close(district.conn, END)
    content = district.content(ID, "2026-03")
    assert district.members(content)[ELECTRIC] == ("excluded", "incomplete")
    assert content.numerator == Decimal("64.9855") + Decimal("34.120") + OTHERS


def test_a_sub_meter_adds_nothing(district: World) -> None:
    district.load(**meter(ELECTRIC, "sub", "electricity", role="sub"))
    read(district, "sub", "kWh", 0, 999_999)
    close(district.conn, END)
    assert district.content(ID, "2026-03").value == Decimal("0.11100275")


def test_own_generation_is_added_and_what_is_fed_back_is_taken_off(district: World) -> None:
    district.load(**meter(ELECTRIC, "pv", "electricity", role="generation"))
    district.load(
        meter_series=[f"serial=e1 feed_in=true gateway=gw-e1 series=m.back {SINCE}"],
    )
    read(district, "pv", "kWh", 0, 3_000_000)
    plant = Plant(district.conn)
    plant.read(plant.series("gw-e1", "m.back", span=10**12, rated_max=None), [(START, 0), (END, 1_000_000)])
    close(district.conn, END)
    content = district.content(ID, "2026-03")
    # 1 000 000 + 30 000 − 10 000 kWh
    assert content.numerator == Decimal(1_020_000) * Decimal("0.0001229") + Decimal("64.9855") + Decimal("34.120")


def test_water_is_no_energy(district: World) -> None:
    district.load(**meter(ELECTRIC, "w", "water"))
    assert district.content(ID, "2026-03").value == Decimal("0.11100275")


def test_a_corrected_report_changes_the_value_and_nothing_else(district: World) -> None:
    district.outcome(ID, "2026-03")
    district.load(observations=[value_added(GAS, "700")])
    outcome = district.outcome(ID, "2026-03")
    assert outcome.draft is not None
    assert outcome.stored is not None
    assert outcome.draft.content.value == Decimal("0.1009115909090909090909090909090909")
    assert outcome.stored.changed == ("value", "denominator", "evidence_digest")


def take_value_added(world: World) -> None:
    world.conn.execute("ALTER TABLE stats.observation DISABLE TRIGGER refuse_change")
    world.delete("stats.observation")


def take_factor(world: World) -> None:
    world.conn.execute("ALTER TABLE stats.factor DISABLE TRIGGER refuse_change")
    world.delete("stats.factor", "energy = 'natural_gas'")


def open_the_month(world: World) -> None:
    world.conn.execute("UPDATE ingest.watermark SET closed_through = %s", [datetime(2026, 3, 31, 15, 45, tzinfo=UTC)])


def take_meters(world: World) -> None:
    world.delete("registry.meter_placement")


def take_an_enterprise(world: World) -> None:
    world.delete("registry.consent", f"uscc = '{HEAT}'")


@pytest.mark.parametrize(
    ("take", "told"),
    [
        (take_value_added, "value added of the month (observations.csv, industrial_value_added, consented)"),
        (take_factor, "missing: factors of the rule's set for natural_gas; from the district's commission"),
        (open_the_month, "missing: energy accounts of the whole month (g60 warehouse energy close); from whoever runs"),
        (take_meters, "missing: boundary meters of connected enterprises"),
        (take_an_enterprise, "2 members, the rule needs 3; left out: no_consent 1"),
    ],
)  # fmt: skip
def test_a_missing_input_gives_no_value_and_says_what(district: World, take: object, told: str) -> None:
    assert callable(take)
    take(district)
    content = district.content(ID, "2026-03")
    assert (content.value, content.numerator, content.status) == (None, None, "insufficient_data")
    assert told in str(content.status_reason)


def test_it_is_not_indicator_11_and_says_so() -> None:
    entry = CATALOGUE.entries[ID]
    assert entry.plan is None
    assert entry.label == "panel"
    assert "不代表全区" in entry.name_zh


def test_a_past_day_cannot_be_asked_for(district: World) -> None:
    past = datetime(2026, 4, 1, tzinfo=UTC)
    with pytest.raises(Misconfigured, match="show --as-of"):
        run(district.conn, CATALOGUE, indicators=[ID], period="2026-03", as_of=past)
    skipped = {outcome.indicator: outcome.skipped for outcome in run(district.conn, CATALOGUE, as_of=past)}
    assert "kept as they are now" in str(skipped[ID])
