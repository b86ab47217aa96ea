"""综合能源消费量 by hand: the vector of the domain rules, what counts, what is refused, and what stands beside it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from warehouse.consumption.account import Account, account, intensity
from warehouse.consumption.carbon import Profile, carbon, gas_factor, of_calorific_value
from warehouse.consumption.deductions import Certificate, Rule, deduct
from warehouse.consumption.terms import Amount, Factor, Flow, Kind, Rules, Steam, rounded, shown

UNITS = {
    "electricity": "kWh",
    "natural_gas": "m3",
    "heat": "MJ",
    "diesel": "kg",
    "steam": "t",
    "raw_coal": "kg",
    "compressed_air": "m3",
    "fresh_water": "m3",
    "coke_oven_gas": "m3",
}
MEDIA = {"compressed_air", "fresh_water"}
KINDS = {name: Kind(name, name, name, unit, name in MEDIA) for name, unit in UNITS.items()}
COAL = {
    name: Factor(Fraction(value), f"kgce/{UNITS[name]}", "national", "CN", "by hand")
    for name, value in {
        "electricity": "0.1229",
        "natural_gas": "1.29971",
        "heat": "0.03412",
        "diesel": "1.4571",
        "raw_coal": "0.7143",
        "compressed_air": "0.04",
        "fresh_water": "0.2571",
    }.items()
}
GRID = Factor(Fraction("0.5737"), "kgCO2/kWh", "local", "310000", "by hand")


def amount(energy: str, flow: str, value: str | int | None, steam: Steam | None = None) -> Amount:
    return Amount(energy, Flow(flow), None if value is None else Fraction(value), f"{energy}/{flow}", steam)


def made(*amounts: Amount, rules: Rules | None = None) -> Account:
    return account(amounts, KINDS, COAL, rules or Rules())


def codes(found: Account) -> list[tuple[str, str]]:
    return [(problem.row, problem.code) for problem in (*found.refused, *found.missing)]


VECTOR = (
    amount("electricity", "purchased", 1_000_000),
    amount("natural_gas", "purchased", 50_000),
    amount("heat", "purchased", 1_000_000),
    amount("diesel", "purchased", 10_000),
)


def test_the_vector_of_the_domain_rules() -> None:
    found = made(*VECTOR)
    assert found.tce == Fraction("236.5765")
    assert [(line.energy, line.kg) for line in found.lines] == [
        ("diesel", Fraction(14571)),
        ("electricity", Fraction(122900)),
        ("heat", Fraction(34120)),
        ("natural_gas", Fraction("64985.5")),
    ]
    per = intensity(found.tce, Fraction(2000))
    assert per == Fraction("0.11828825")
    assert rounded(per, 5) == Decimal("0.11829"), "rounded once, at display"
    assert shown(found.tce, 4) == "236.5765"


def test_an_account_without_value_added_has_no_intensity() -> None:
    assert intensity(Fraction(1), Fraction(0)) is None
    assert intensity(Fraction(1), Fraction(-5)) is None


def test_steam_counts_by_its_enthalpy() -> None:
    # 10 t × 1000 kg/t × (2790 − 84) kJ/kg / 29307.6 kJ/kgce = 923.309…  kgce
    found = made(amount("steam", "purchased", 10, Steam(Fraction(2790), Fraction(84))))
    assert found.tce == Fraction(27060, 29307600) * 1000
    assert rounded(found.tce * 1000, 3) == Decimal("923.310")
    assert codes(made(amount("steam", "purchased", 10))) == [("steam", "no_enthalpy")]


def test_what_is_missing_is_never_zero() -> None:
    without = made(*VECTOR, amount("coke_oven_gas", "purchased", 5))
    assert (without.tce, without.known_tce) == (None, Fraction("236.5765"))
    assert codes(without) == [("coke_oven_gas", "no_factor")]
    silent = made(*VECTOR, amount("raw_coal", "purchased", None))
    assert (silent.tce, codes(silent)) == (None, [("raw_coal/purchased", "amount_unknown")])
    assert (made().tce, made().known_tce) == (None, None)


def test_part_of_a_period_is_no_total() -> None:
    part = Amount("electricity", Flow.PURCHASED, Fraction(90), "meter 1", known=Fraction(9, 10))
    found = made(part)
    assert (found.tce, shown(found.known_tce or Fraction(0))) == (None, "0.011061")
    assert codes(found) == [("meter 1", "incomplete")]


def test_stocks_change_what_was_bought_and_half_a_stock_says_nothing() -> None:
    coal = amount("raw_coal", "purchased", 1000)
    opening, closing = amount("raw_coal", "opening_stock", 300), amount("raw_coal", "closing_stock", 100)
    assert made(coal, opening, closing).tce == Fraction(1200) * Fraction("0.7143") / 1000
    assert made(coal).tce == Fraction("0.7143")
    assert codes(made(coal, opening)) == [("raw_coal", "half_a_stock")]


def test_own_conversion_is_taken_off_and_self_made_steam_is_not_added_to_its_fuel() -> None:
    steam = Steam(Fraction(2790), Fraction(84))
    gas = amount("natural_gas", "industrial_consumption", 1000)
    into = amount("natural_gas", "conversion_input", 1000)
    used = amount("steam", "industrial_consumption", 10, steam)
    out = amount("steam", "conversion_output", 10, steam)
    assert made(gas, into, used, out).tce == Fraction("1.29971"), "the fuel alone"
    alone = made(gas, used)
    assert (alone.tce, codes(alone)) == (None, [("steam/industrial_consumption", "from_nowhere")])
    without = made(gas, into, used, out, rules=Rules(own_conversion=False))
    assert {code for _, code in codes(without)} == {"conversion"}
    bought = made(gas, amount("steam", "purchased", 10, steam), used)
    assert bought.tce == Fraction("1.29971") + 10 * steam.kgce_per_t / 1000, "purchased steam counts"


def test_output_of_conversion_went_somewhere() -> None:
    steam = Steam(Fraction(2790), Fraction(84))
    gas, out = amount("natural_gas", "industrial_consumption", 1000), amount("steam", "conversion_output", 10, steam)
    assert codes(made(gas, out)) == [("steam/conversion_output", "output_unused")]
    sold = made(gas, out, amount("steam", "exported", 10, steam))
    assert sold.tce == Fraction("1.29971") - 10 * steam.kgce_per_t / 1000


def test_recovered_energy_is_taken_off() -> None:
    found = made(
        amount("raw_coal", "industrial_consumption", 1000),
        amount("heat", "industrial_consumption", 500),
        amount("heat", "recovered", 500),
    )
    assert found.tce == Fraction("0.7143")


def test_more_consumed_than_bought_is_refused() -> None:
    found = made(amount("diesel", "purchased", 10), amount("diesel", "industrial_consumption", 11))
    assert codes(found) == [("diesel/industrial_consumption", "from_nowhere")]


def test_a_part_is_not_above_its_whole() -> None:
    found = made(amount("diesel", "industrial_consumption", 10), amount("diesel", "transport", 11))
    assert codes(found) == [("diesel/transport", "part_above_whole")]


def test_transport_within_the_plant_is_a_switch() -> None:
    both = (amount("diesel", "industrial_consumption", 1000), amount("diesel", "transport", 300))
    assert made(*both).tce == Fraction("1.4571")
    assert made(*both, rules=Rules(include_transport=False)).tce == Fraction("1.4571") * Fraction(7, 10)


def test_working_media_are_a_switch_and_are_shown_when_left_out() -> None:
    air = amount("compressed_air", "purchased", 100)
    without = made(*VECTOR, air)
    assert without.tce == Fraction("236.5765")
    assert [line.energy for line in without.left_out] == ["compressed_air"]
    assert made(*VECTOR, air, rules=Rules(include_working_media=True)).tce == Fraction("236.5805")


def test_own_generation_counts_as_far_as_it_is_used_on_site() -> None:
    drawn = amount("electricity", "purchased", 1000)
    generated, fed = amount("electricity", "own_generation", 200), amount("electricity", "exported", 50)
    of_meters = made(drawn, generated, fed)
    declared = made(drawn, amount("electricity", "self_used", 150))
    assert of_meters.tce == declared.tce == Fraction(1150) * Fraction("0.1229") / 1000
    assert made(drawn, generated, fed, amount("electricity", "self_used", 150)).tce == of_meters.tce
    assert codes(made(drawn, generated, fed, amount("electricity", "self_used", 200))) == [
        ("electricity/self_used", "self_used_differs")
    ]
    assert codes(made(drawn, fed, amount("electricity", "self_used", 150))) == [
        ("electricity/exported", "export_of_what")
    ]


def test_every_line_says_where_it_comes_from() -> None:
    for line in made(*VECTOR).lines:
        assert line.source == f"{line.energy}/{line.flow}"
        assert line.factor is not None
        assert (line.factor.level, line.factor.region, line.factor.source) == ("national", "CN", "by hand")


# Deductions ----------------------------------------------------------------------------------------------------------


def certificate(number: str, mwh: int, *, far: bool = False, own: bool = False) -> Certificate:
    return Certificate(number, Fraction(mwh), far, own)


def test_deductions_stand_beside_the_account_and_never_change_it() -> None:
    amounts = (*VECTOR, amount("natural_gas", "feedstock", 10_000))
    found = made(*amounts)
    assert found.tce == Fraction("236.5765")
    feedstock = deduct(Rule.FEEDSTOCK, found, amounts, COAL)
    assert (feedstock.tce, feedstock.off) == (Fraction("12.9971"), ("total", "intensity"))
    assert deduct(Rule.NONE, found, amounts, COAL).tce == 0
    assert made(*amounts).tce == found.tce


def test_non_fossil_2022_is_off_the_total_only() -> None:
    found = deduct(Rule.NON_FOSSIL_2022, made(*VECTOR), VECTOR, COAL, [certificate("A", 100, far=True)])
    assert (found.tce, found.off) == (Fraction("12.29"), ("total",))


def test_non_fossil_2024_bounds_certificates_of_other_provinces() -> None:
    held = [certificate("A", 100), certificate("B", 1000, far=True)]
    found = deduct(Rule.NON_FOSSIL_2024, made(*VECTOR), VECTOR, COAL, held, Fraction(100))
    # B stands for 122.9 tce, half of the required saving of 100 tce counts.
    assert (found.tce, found.beyond_tce) == (Fraction("12.29") + 50, Fraction("72.9"))
    assert found.off == ("total", "intensity")
    below = deduct(Rule.NON_FOSSIL_2024, made(*VECTOR), VECTOR, COAL, held, Fraction("245.8"))
    assert (below.tce, below.beyond_tce) == (Fraction("12.29") + Fraction("122.9"), Fraction(0))
    unasked = deduct(Rule.NON_FOSSIL_2024, made(*VECTOR), VECTOR, COAL, held)
    assert unasked.tce is None
    assert [problem.code for problem in unasked.problems] == ["required_saving_missing"]
    near = deduct(Rule.NON_FOSSIL_2024, made(*VECTOR), VECTOR, COAL, [certificate("A", 100)])
    assert near.tce == Fraction("12.29")


def test_a_deduction_without_a_factor_says_so() -> None:
    found = deduct(Rule.NON_FOSSIL_2022, made(), (), {}, [certificate("A", 100)])
    assert (found.tce, [(problem.row, problem.code) for problem in found.problems]) == (
        None,
        [("electricity", "no_factor")],
    )
    assert deduct(Rule.NON_FOSSIL_2022, made(), (), {}).tce == 0, "nothing needs one"


def test_the_same_certificate_twice_is_refused_with_its_number() -> None:
    found = deduct(Rule.NON_FOSSIL_2022, made(*VECTOR), VECTOR, COAL, [certificate("A", 100), certificate("A", 100)])
    assert found.tce is None
    assert [(problem.row, problem.code) for problem in found.problems] == [("A", "certificate_twice")]


def test_own_generation_is_not_claimed_physically_and_by_certificate() -> None:
    amounts = (*VECTOR, amount("electricity", "self_used", 50_000))
    found = deduct(Rule.NON_FOSSIL_2022, made(*amounts), amounts, COAL, [certificate("P", 50, own=True)])
    assert found.tce is None
    assert [(problem.row, problem.code) for problem in found.problems] == [("P", "claimed_twice")]
    physical = deduct(Rule.NON_FOSSIL_2022, made(*amounts), amounts, COAL)
    by_certificate = deduct(Rule.NON_FOSSIL_2022, made(*VECTOR), VECTOR, COAL, [certificate("P", 50, own=True)])
    assert physical.tce == by_certificate.tce == Fraction("6.145")


# Carbon --------------------------------------------------------------------------------------------------------------


def test_gas_by_its_calorific_value() -> None:
    assert rounded(of_calorific_value(Fraction("38.93")), 3) == Decimal("2.162")
    # 1.29971 kgce/m³ is 38.0914 MJ/m³; the 38.09 of the tables is its rounding, which alone would give 2.115.
    assert rounded(gas_factor(COAL["natural_gas"]).value, 3) == Decimal("2.116")


def test_one_gas_has_one_calorific_value_within_an_account() -> None:
    factor = gas_factor(COAL["natural_gas"])
    assert factor.value == of_calorific_value(Fraction("1.29971") * Fraction("29.3076"))
    assert "38.09 MJ/m³" in factor.source


def carbon_of(
    profile: Profile, *amounts: Amount, held: tuple[Certificate, ...] = (), **factors: str
) -> Fraction | None:
    given = {name: Factor(Fraction(value), "kgCO2", "local", "310000", "by hand") for name, value in factors.items()}
    return carbon(profile, made(*amounts), amounts, COAL, given, held).t_co2


def test_carbon_by_profile() -> None:
    amounts = VECTOR[:3]
    gas = 50_000 * gas_factor(COAL["natural_gas"]).value / 1000
    assert carbon_of(Profile.SHANGHAI_ETS, *amounts, electricity="0.42", heat="0.06") == 420 + 60 + gas
    assert carbon_of(Profile.MEE_LOCATION, VECTOR[0], electricity="0.5737") == Fraction("573.7")
    held = (certificate("A", 400), certificate("A", 400))
    market = carbon_of(Profile.MEE_MARKET, VECTOR[0], held=held, electricity="0.6096")
    assert market == 600 * Fraction("0.6096"), "a certificate takes its part to 0, once"
    far_more = carbon_of(Profile.MEE_MARKET, VECTOR[0], held=(certificate("A", 4000),), electricity="0.6096")
    assert far_more == 0, "never below"
    assert carbon_of(Profile.MEE_LOCATION, *amounts, electricity="0.5737") is None, "heat has no factor in the profile"


def test_own_generation_emits_nothing_and_its_export_earns_nothing() -> None:
    sunny = (
        amount("electricity", "purchased", 1000),
        amount("electricity", "own_generation", 200),
        amount("electricity", "exported", 50),
    )
    assert carbon_of(Profile.MEE_LOCATION, *sunny, electricity="0.5") == Fraction("0.5")
    passed_on = (sunny[0], amount("electricity", "exported", 50))
    assert carbon_of(Profile.MEE_LOCATION, *passed_on, electricity="0.5") == Fraction("0.475")


def test_lines_of_carbon_say_how_much_is_known_and_estimated_as_those_of_the_account_do() -> None:
    amounts = (
        Amount("electricity", Flow.PURCHASED, Fraction(90), "meter 1", None, Fraction(9, 10), Fraction(1, 5)),
        Amount("electricity", Flow.PURCHASED, Fraction(10), "meter 2"),
        Amount("natural_gas", Flow.PURCHASED, Fraction(5), "meter 3", None, Fraction(1, 2), Fraction(1, 4)),
    )
    found = carbon(Profile.MEE_LOCATION, made(*amounts), amounts, COAL, {"electricity": GRID})
    assert found.t_co2 is None
    assert {line.energy: (line.known, line.estimated) for line in found.lines} == {
        "electricity": (Fraction(9, 10), Fraction(1, 5)),
        "natural_gas": (Fraction(1, 2), Fraction(1, 4)),
    }


def test_steam_emits_by_its_heat() -> None:
    steam = amount("steam", "purchased", 10, Steam(Fraction(2790), Fraction(84)))
    assert carbon_of(Profile.SHANGHAI_ETS, steam, heat="0.06") == Fraction("1.6236")


# Properties ----------------------------------------------------------------------------------------------------------

_AMOUNTS = st.lists(
    st.builds(
        lambda energy, value: amount(energy, "purchased", value),
        st.sampled_from(sorted(COAL)),
        st.integers(0, 10**9).map(str),
    ),
    max_size=8,
)


@given(_AMOUNTS, st.randoms())
def test_order_does_not_matter_and_lines_sum_to_the_total(amounts: list[Amount], random: Random) -> None:
    rules = Rules(include_working_media=True)
    found = made(*amounts, rules=rules)
    again = made(*random.sample(amounts, len(amounts)), rules=rules)
    assert found.tce == again.tce
    by_hand = sum((one.amount or 0) * COAL[one.energy].value for one in amounts)
    assert (found.tce or 0) * 1000 == by_hand


@given(st.fractions(min_value=-(10**6), max_value=10**6), st.integers(0, 8))
def test_rounding_is_within_half_a_last_digit(value: Fraction, places: int) -> None:
    assert abs(Fraction(rounded(value, places)) - value) <= Fraction(1, 2 * 10**places)
    assert rounded(-value, places) == -rounded(value, places)
