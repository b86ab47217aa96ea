"""Money by hand: what is to be paid, and what is missing to say it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from warehouse.energy.sources import FOREVER_MS
from warehouse.supply.charges import Demand, EnergyDay, Price, basic_charge, energy_charge, month_ms
from warehouse.supply.periods import Period, Structure, Why
from warehouse.supply.rules import rules
from warehouse.supply.terms import Basis, Coverage, Meter, Placement, Span, Term
from warehouse.times import DAY_MS, midnight, to_ms

JULY = date(2025, 7, 1)
BEGIN, END = month_ms(JULY)
MID = to_ms(midnight(date(2025, 7, 16)))
RULE = rules().parameters
ALL = 31 * 96


def term(
    contract: str = "c",
    from_ms: int = BEGIN - DAY_MS,
    to_ms: int = FOREVER_MS,
    *,
    carrier: str = "electricity",
    meter: int | None = 1,
    uscc: str | None = None,
    tariff: str | None = "sh-two-part",
    basis: Basis | None = Basis.CONTRACTED_DEMAND,
    kw: str | None = "1000",
    kva: str | None = "1600",
) -> Term:
    return Term(
        contract,
        from_ms,
        to_ms,
        carrier,
        meter,
        uscc,
        tariff,
        basis,
        None if kw is None else Decimal(kw),
        None if kva is None else Decimal(kva),
    )


def price(item: str, price: str, unit: str = "CNY/kWh", from_ms: int = -FOREVER_MS, to_ms: int = FOREVER_MS) -> Price:
    return Price(item, unit, Decimal(price), from_ms, to_ms)


def day(number: int, period: Period, energy: str | None, known: int = 96, unknown: int = 0) -> EnergyDay:
    why = Why.CALENDAR if period is Period.UNKNOWN else None
    return EnergyDay(date(2025, 7, number), period, why, "kWh", Decimal(energy) if energy else None, known, unknown)


def whole(first: int, days: int) -> list[Span]:
    from_ms = to_ms(midnight(date(2025, 7, first)))
    return [Span(1, from_ms, from_ms + days * DAY_MS, term())]


def structure(tariff: str, day: date) -> Structure | None:
    return {"sh-two-part": Structure.TWO_PART, "sh-one-part": Structure.ONE_PART}.get(tariff)


def test_a_price_that_changes_in_the_month_makes_two_lines() -> None:
    prices = [price("peak", "1.25", to_ms=MID), price("peak", "1.3", from_ms=MID), price("valley", "0.333")]
    days = [
        day(15, Period.PEAK, "100.5", 48),
        day(15, Period.VALLEY, "7", 48),
        day(16, Period.PEAK, "10.01", 48),
        day(16, Period.VALLEY, "3.01", 48),
    ]
    part = energy_charge(days, whole(15, 2), prices)
    assert [(line.item, line.price, line.quantity, line.amount) for line in part.items] == [
        ("peak", Decimal("1.25"), Decimal("100.5"), Decimal("125.625")),
        ("valley", Decimal("0.333"), Decimal("10.01"), Decimal("3.33333")),
        ("peak", Decimal("1.3"), Decimal("10.01"), Decimal("13.013")),
    ]
    assert (part.missing, part.amount) == ((), Decimal("141.97133"))


@pytest.mark.parametrize(
    ("days", "prices", "missing", "known"),
    [
        ([day(1, Period.PEAK, "2")], [], ("no_price:peak",), None),
        ([day(1, Period.PEAK, "2")], [price("peak", "1", to_ms=BEGIN)], ("no_price:peak",), None),
        ([day(1, Period.PEAK, "2")], [price("peak", "1", from_ms=BEGIN + 1)], ("no_price:peak",), None),
        (
            [day(1, Period.PEAK, "2")],
            [price("peak", "1", to_ms=BEGIN + 3_600_000), price("peak", "2", from_ms=BEGIN + 3_600_000)],
            ("price_changes:peak",),
            None,
        ),
        ([day(1, Period.PEAK, "2")], [price("peak", "1", to_ms=BEGIN + 3_600_000)], ("no_price:peak",), None),
        (
            [day(1, Period.PEAK, "2")],
            [price("peak", "1", to_ms=BEGIN + 3_600_000), price("peak", "1", from_ms=BEGIN + 3_600_001)],
            ("no_price:peak",),
            None,
        ),
        (
            [day(1, Period.PEAK, "2")],
            [price("peak", "1", to_ms=BEGIN + 3_600_000), price("peak", "1", from_ms=BEGIN + 3_600_000)],
            (),
            "2",
        ),
        ([day(1, Period.SINGLE, "2")], [price("single", "1", "CNY/m3")], ("price_unit:single",), None),
        ([day(1, Period.UNKNOWN, "2")], [price("peak", "1")], ("period_unknown:calendar",), None),
        ([day(1, Period.PEAK, "2", 90, 6)], [price("peak", "1")], ("energy_unknown:6",), "2"),
        ([day(1, Period.PEAK, None, 0, 96)], [price("peak", "1")], ("energy_unknown:96",), None),
        ([day(1, Period.PEAK, "2", 50)], [price("peak", "1")], ("energy_absent:46",), "2"),
        ([day(1, Period.PEAK, "0")], [price("peak", "1")], (), "0"),
    ],
)
def test_what_is_missing_is_named_and_leaves_no_amount(
    days: list[EnergyDay], prices: list[Price], missing: tuple[str, ...], known: str | None
) -> None:
    part = energy_charge(days, whole(1, 1), prices)
    assert (part.missing, part.known) == (missing, None if known is None else Decimal(known))
    assert part.amount == (None if missing else part.known)


def test_a_price_need_only_hold_while_the_contract_does() -> None:
    from_ms = BEGIN + 3_600_000
    spans = [Span(1, from_ms, BEGIN + DAY_MS, term(from_ms=from_ms))]
    part = energy_charge([day(1, Period.PEAK, "2", 92)], spans, [price("peak", "1", from_ms=from_ms)])
    assert (part.missing, part.amount) == ((), Decimal(2))


KW, KVA = "CNY/kW/month", "CNY/kVA/month"
PRICES = [price("demand", "40.8", KW), price("capacity", "25.5", KVA)]


@pytest.mark.parametrize(
    ("basis", "kw", "lines"),
    [
        (Basis.TRANSFORMER_CAPACITY, "1100", [("capacity", "25.5", "1600", "40800")]),
        (Basis.MEASURED_DEMAND, "1100.4", [("demand", "40.8", "1100.4", "44896.32")]),
        (Basis.CONTRACTED_DEMAND, "700", [("demand", "40.8", "1000", "40800")]),
        (Basis.CONTRACTED_DEMAND, "1050", [("demand", "40.8", "1000", "40800")]),
        (
            Basis.CONTRACTED_DEMAND,
            "1051.5",
            [("demand", "40.8", "1000", "40800"), ("demand_excess", "81.6", "1.5", "122.4")],
        ),
    ],
)
def test_the_basic_charge_of_each_basis(basis: Basis, kw: str, lines: list[tuple[str, str, str, str]]) -> None:
    part = basic_charge(JULY, [term(basis=basis)], [Demand(Decimal(kw), ALL)], PRICES, structure, RULE)
    assert [(line.item, line.price, line.quantity, line.amount) for line in part.items] == [
        (item, *map(Decimal, numbers)) for item, *numbers in lines
    ]
    assert part.missing == ()
    assert part.amount == sum(Decimal(line[-1]) for line in lines)


@pytest.mark.parametrize(
    ("terms", "known_quarters", "missing", "known"),
    [
        ([term()], ALL - 3, ("demand_unknown:3",), "40800"),
        ([term(basis=Basis.MEASURED_DEMAND)], ALL - 3, ("demand_unknown:3",), "36720"),
        ([term(basis=Basis.TRANSFORMER_CAPACITY)], 0, (), "40800"),
        ([term(from_ms=MID)], ALL, ("part_of_month",), None),
        ([term(to_ms=END - 1)], ALL, ("part_of_month",), None),
        ([term(to_ms=MID), term(from_ms=MID + 1)], ALL, ("part_of_month",), None),
        ([term(to_ms=MID), term(from_ms=MID, tariff="sh-one-part")], ALL, (), "40800"),
        ([term(to_ms=MID), term(from_ms=MID, kw="1200")], ALL, ("basis_changes",), None),
        ([term(basis=None)], ALL, ("no_basis",), None),
        ([term(basis=None, tariff="sh-one-part")], ALL, (), "0"),
        ([term(basis=None, tariff=None)], ALL, ("no_tariff",), None),
        ([term(carrier="natural_gas", basis=None, tariff=None)], ALL, (), "0"),
    ],
)
def test_a_basic_charge_that_cannot_be_told(
    terms: list[Term], known_quarters: int, missing: tuple[str, ...], known: str | None
) -> None:
    part = basic_charge(JULY, terms, [Demand(Decimal(900), known_quarters)], PRICES, structure, RULE)
    assert (part.missing, part.known) == (missing, None if known is None else Decimal(known))
    assert part.amount == (None if missing else part.known)


@pytest.mark.parametrize(
    ("prices", "missing"),
    [
        ([], ("no_price:demand",)),
        ([price("demand", "40", KW, to_ms=MID), price("demand", "41", KW, from_ms=MID)], ("price_changes:demand",)),
        ([price("demand", "40", KW, to_ms=MID), price("demand", "40", KW, from_ms=MID)], ()),
    ],
)
def test_a_demand_price_holds_all_month(prices: list[Price], missing: tuple[str, ...]) -> None:
    part = basic_charge(JULY, [term()], [Demand(Decimal(900), ALL)], prices, structure, RULE)
    assert part.missing == missing
    assert [line.quantity for line in part.items] == [Decimal(1000)]


ELECTRIC = {1: Meter("electricity", "kWh"), 2: Meter("electricity", "kWh"), 3: Meter("natural_gas", "m3")}
FIRM = "91310117MA1J00014T"


def test_a_term_for_the_enterprise_covers_its_boundary_meters_except_where_one_names_them() -> None:
    places = [Placement(1, FIRM, 0, 100), Placement(2, FIRM, 10, 90), Placement(3, FIRM, 0, 100)]
    terms = [
        term("firm", 0, 80, meter=None, uscc=FIRM),
        term("own", 20, 30, meter=2),
        term("own", 50, 60, meter=2),
        term("gas", 0, 100, meter=None, uscc=FIRM, carrier="natural_gas"),
    ]
    coverage = Coverage(ELECTRIC, places, terms)

    def told(meter: int) -> list[str | None]:
        found = (coverage.at(meter, t_ms) for t_ms in (5, 10, 20, 29, 30, 55, 60, 79, 80, 95))
        return [None if one is None else one.contract for one in found]

    assert told(1) == ["firm"] * 8 + [None, None]
    assert told(2) == [None, "firm", "own", "own", "firm", "own", "firm", "firm", None, None]
    assert told(3) == ["gas"] * 10
    spans = [(span.meter_id, span.from_ms, span.to_ms) for span in coverage.of_contract("firm", 25, 70)]
    assert sorted(spans) == [(1, 25, 70), (2, 30, 50), (2, 60, 70)]


def test_a_term_of_another_carrier_than_its_meter_covers_nothing() -> None:
    coverage = Coverage(ELECTRIC, [], [term(meter=3)])
    assert coverage.at(3, BEGIN) is None
    assert list(coverage.of_contract("c")) == []


def test_what_is_above_105_percent_of_the_contracted_demand_is_charged_double() -> None:
    assert (RULE.free_up_to, RULE.beyond_price_times) == (Decimal("1.05"), Decimal(2))


def test_a_month_is_as_long_as_its_days() -> None:
    assert timedelta(milliseconds=END - BEGIN) == timedelta(days=31)
