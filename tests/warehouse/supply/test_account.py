"""Coverage and demand against what counting one by one gives."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from warehouse.energy.account import QUARTER_MS
from warehouse.supply.account import Quarter, contract_demand, demand
from warehouse.supply.terms import Coverage, Meter, Placement, Term
from warehouse.times import midnight, to_ms

DAY = date(2025, 7, 1)
BEGIN = to_ms(midnight(DAY))
FIRM = "91310117MA1J00014T"
METERS = {1: Meter("electricity", "kWh"), 2: Meter("electricity", "kWh"), 3: Meter("electricity", "kWh")}

CUTS = st.lists(st.integers(0, 30), min_size=2, max_size=6, unique=True).map(sorted)


def pieces(cuts: list[int]) -> list[tuple[int, int]]:
    """Ranges that do not overlap: from each odd cut to the next."""
    return list(zip(cuts[::2], cuts[1::2], strict=False))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Placement], list[Term]]:
    """An enterprise's contract, one for each of two meters, and placements that come and go."""
    placements = [Placement(meter, FIRM, *piece) for meter in METERS for piece in pieces(draw(CUTS))]
    terms = [Term("firm", *piece, "electricity", uscc=FIRM) for piece in pieces(draw(CUTS))]
    for meter in (1, 2):
        terms += [Term(f"own-{meter}", *piece, "electricity", meter) for piece in pieces(draw(CUTS))]
    return placements, terms


@given(worlds())
def test_a_meter_is_at_every_time_under_the_term_that_names_it_else_under_its_enterprises(
    world: tuple[list[Placement], list[Term]],
) -> None:
    placements, terms = world
    coverage = Coverage(METERS, placements, terms)
    for t in range(31):
        held = [term for term in terms if term.from_ms <= t < term.to_ms]
        for meter in METERS:
            placed = any(one.meter_id == meter and one.from_ms <= t < one.to_ms for one in placements)
            own = [term for term in held if term.meter_id == meter]
            firm = [term for term in held if term.uscc == FIRM and placed]
            assert coverage.at(meter, t) == next(iter([*own, *firm]), None)
            for contract in ("firm", "own-1", "own-2"):
                under = [one for one in coverage.of_contract(contract, t, t + 1) if one.meter_id == meter]
                assert bool(under) == (next(iter([*own, *firm]), None) in [x for x in held if x.contract == contract])


ENERGIES = st.lists(st.one_of(st.none(), st.just("absent"), st.integers(0, 3)), min_size=3, max_size=3)


@given(st.lists(ENERGIES, min_size=1, max_size=20))
def test_the_demand_of_a_contract_is_the_highest_sum_of_one_quarter_hour(rows: list[list[int | str | None]]) -> None:
    coverage = Coverage(
        METERS,
        [Placement(meter, FIRM, 0, 10**15) for meter in METERS],
        [Term("c", 0, 10**15, "electricity", uscc=FIRM)],
    )
    quarters = [
        Quarter(
            meter,
            False,
            BEGIN + place * QUARTER_MS,
            None if energy is None else Decimal(energy),
            "unknown" if energy is None else "measured",
            0,
        )
        for place, row in enumerate(rows)
        for meter, energy in zip(METERS, row, strict=True)
        if energy != "absent"
    ]
    fed_back = [one._replace(feed_in=True, energy=Decimal(100), quality="measured") for one in quarters]
    sums = {
        place: sum(numbers) if len(numbers := [one for one in row if isinstance(one, int)]) == len(row) else None
        for place, row in enumerate(rows)
        if set(row) != {"absent"}
    }
    known = {place: total for place, total in sums.items() if total is not None}
    found = contract_demand("c", DAY, [*fed_back, *reversed(quarters)], coverage, METERS)
    if not sums:
        assert found == {}
        return
    (peak,) = found.values()
    assert (peak.known, peak.unknown) == (len(known), len(sums) - len(known))
    highest = max(known.values(), default=None)
    assert peak.kw == (None if highest is None else 4 * highest)
    if highest is not None:
        assert peak.at_ms == BEGIN + QUARTER_MS * min(place for place, total in known.items() if total == highest)
    alone = demand([*fed_back, *reversed(quarters)], coverage, METERS)
    for key, of_meter in alone.items():
        own = [one for one in quarters if one.meter_id == key.meter_id]
        assert of_meter.known + of_meter.unknown == len(own)
        highest_first = sorted((-one.energy, one.start_ms) for one in own if one.energy is not None)
        kw, at_ms = (-4 * highest_first[0][0], highest_first[0][1]) if highest_first else (None, None)
        assert (of_meter.kw, of_meter.at_ms) == (kw, at_ms)
