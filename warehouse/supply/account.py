"""Quarter-hours put together by period of the tariff, and the highest demand among them. Pure, exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, Inexact, localcontext
from typing import Final, NamedTuple

from warehouse import times
from warehouse.energy.account import QUARTER_MS, Quality
from warehouse.supply.periods import Period, Slot, Tariffs, Why
from warehouse.supply.terms import Coverage, Meter, Term
from warehouse.times import DAY_MS, SHANGHAI_MS, midnight, to_ms

EXACT: Final = Context(prec=60, traps=[Inexact])
_PER_HOUR: Final = 4
_NO_TERM: Final = Slot(Period.UNKNOWN, Why.NO_CONTRACT)
_NO_TARIFF: Final = Slot(Period.UNKNOWN, Why.NO_TARIFF)
_UNSPLIT: Final = Slot(Period.SINGLE)


class Quarter(NamedTuple):
    """A row of `energy.quarter`."""

    meter_id: int
    feed_in: bool
    start_ms: int
    energy: Decimal | None
    quality: str
    holder_id: int


class TariffKey(NamedTuple):
    """What the energy of a day is told apart by."""

    meter_id: int
    feed_in: bool
    day: date
    holder_id: int
    contract: str | None
    tariff: str | None
    period: Period
    why: Why | None


class Amount(NamedTuple):
    """A sum of quarter-hours; ``energy`` is ``None`` when none of them is known."""

    energy: Decimal | None
    measured: int
    estimated: int
    unknown: int


class DemandKey(NamedTuple):
    """What the demand of a day is told apart by; ``contracted_kw`` where a term names this very meter."""

    meter_id: int
    day: date
    holder_id: int
    contract: str | None
    contracted_kw: Decimal | None


class ContractDemandKey(NamedTuple):
    """What the demand of a contract is told apart by."""

    contract: str
    day: date
    contracted_kw: Decimal | None


@dataclass(slots=True)
class Peak:
    """The highest quarter-hour so far, the first of equals."""

    kw: Decimal | None = None
    at_ms: int | None = None
    estimated: bool = False
    """Whether that quarter-hour's energy was estimated."""
    known: int = 0
    unknown: int = 0

    def add(self, start_ms: int, energy: Decimal | None, *, estimated: bool) -> None:
        """Take one more quarter-hour; its demand in kW is its energy in kWh times 4. Within an exact context."""
        if energy is None:
            self.unknown += 1
            return
        self.known += 1
        kw = energy * _PER_HOUR
        if self.kw is None or kw > self.kw or (kw == self.kw and start_ms < (self.at_ms or 0)):
            self.kw, self.at_ms, self.estimated = kw, start_ms, estimated


def day_of(t_ms: int) -> date:
    """Return the day of Asia/Shanghai that a time lies in."""
    return times.from_ms(t_ms + SHANGHAI_MS).date()


def slot_of(tariffs: Tariffs, term: Term | None, day: date, start_ms: int) -> Slot:
    """Return the period of the quarter-hour that begins at ``start_ms``, of ``day``, under ``term``."""
    if term is None:
        return _NO_TERM
    if term.carrier != "electricity":
        return _UNSPLIT
    if term.tariff is None:
        return _NO_TARIFF
    return tariffs.day(term.tariff, day)[(start_ms + SHANGHAI_MS) % DAY_MS // QUARTER_MS]


def by_period(quarters: Iterable[Quarter], coverage: Coverage, tariffs: Tariffs) -> dict[TariffKey, Amount]:
    """Sum quarter-hours by day, contract and period; the contract is that of their beginning."""
    energy: dict[TariffKey, Decimal] = {}
    counts: dict[TariffKey, list[int]] = {}
    places = {Quality.MEASURED: 0, Quality.ESTIMATED: 1, Quality.UNKNOWN: 2}
    with localcontext(EXACT):
        for quarter in quarters:
            day = day_of(quarter.start_ms)
            term = coverage.at(quarter.meter_id, quarter.start_ms)
            slot = slot_of(tariffs, term, day, quarter.start_ms)
            contract, tariff = (None, None) if term is None else (term.contract, term.tariff)
            key = TariffKey(
                quarter.meter_id, quarter.feed_in, day, quarter.holder_id, contract, tariff, slot.period, slot.why
            )
            counts.setdefault(key, [0, 0, 0])[places[Quality(quarter.quality)]] += 1
            if quarter.energy is not None:
                energy[key] = energy.get(key, Decimal(0)) + quarter.energy
    return {key: Amount(energy.get(key), *of_quality) for key, of_quality in counts.items()}


def demand(quarters: Iterable[Quarter], coverage: Coverage, meters: Mapping[int, Meter]) -> dict[DemandKey, Peak]:
    """Return the highest demand of each day that was drawn through each meter in kWh."""
    found: dict[DemandKey, Peak] = {}
    with localcontext(EXACT):
        for quarter in quarters:
            if quarter.feed_in or not meters[quarter.meter_id].has_demand:
                continue
            term = coverage.at(quarter.meter_id, quarter.start_ms)
            key = DemandKey(
                quarter.meter_id,
                day_of(quarter.start_ms),
                quarter.holder_id,
                None if term is None else term.contract,
                term.contracted_kw if term is not None and term.meter_id is not None else None,
            )
            peak = found.setdefault(key, Peak())
            peak.add(quarter.start_ms, quarter.energy, estimated=quarter.quality == Quality.ESTIMATED)
    return found


def contract_demand(
    contract: str, day: date, quarters: Iterable[Quarter], coverage: Coverage, meters: Mapping[int, Meter]
) -> dict[ContractDemandKey, Peak]:
    """Return the highest sum, at one and the same quarter-hour of ``day``, of what all meters of a contract drew.

    A quarter-hour that is unknown, or absent, for one of its meters is unknown; one that is absent for all of them
    does not count.
    """
    drawn = {(quarter.meter_id, quarter.start_ms): quarter for quarter in quarters if not quarter.feed_in}
    from_ms = to_ms(midnight(day))
    under: dict[int, list[int]] = {}
    terms: dict[int, Term] = {}
    for span in coverage.of_contract(contract, from_ms, from_ms + DAY_MS):
        if meters[span.meter_id].has_demand:
            for start_ms in span.quarters:
                under.setdefault(start_ms, []).append(span.meter_id)
                terms[start_ms] = span.term
    found: dict[ContractDemandKey, Peak] = {}
    with localcontext(EXACT):
        for start_ms, ids in sorted(under.items()):
            present = [drawn[meter_id, start_ms] for meter_id in ids if (meter_id, start_ms) in drawn]
            if not present:
                continue
            energies = [quarter.energy for quarter in present if quarter.energy is not None]
            total = sum(energies, Decimal(0)) if len(energies) == len(ids) else None
            peak = found.setdefault(ContractDemandKey(contract, day, terms[start_ms].contracted_kw), Peak())
            peak.add(start_ms, total, estimated=any(quarter.quality == Quality.ESTIMATED for quarter in present))
    return found
