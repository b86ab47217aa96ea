"""What a contract's month costs: energy and basic charge, exact, and what is missing to say it. Pure.

A part whose every figure is known has an amount; a part of which anything is missing has none, only a known part and
the names of what is missing. Nothing is rounded here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from warehouse.energy.account import QUARTER_MS
from warehouse.supply.account import EXACT
from warehouse.supply.periods import Period, Structure, Why
from warehouse.supply.rules import BasicCharge
from warehouse.supply.terms import Basis, Span, Term
from warehouse.times import DAY_MS, midnight, to_ms

DEMAND: Final = "demand"
DEMAND_EXCESS: Final = "demand_excess"
CAPACITY: Final = "capacity"
_CHANGES: Final = "price_changes"
_NONE: Final = "no_price"


class Price(NamedTuple):
    """A row of `registry.supply_price`; holds in [from_ms, to_ms)."""

    item: str
    unit: str
    price: Decimal
    from_ms: int
    to_ms: int


class EnergyDay(NamedTuple):
    """What a contract's meters drew in a period of a day."""

    day: date
    period: Period
    why: Why | None
    unit: str
    energy: Decimal | None
    known: int
    unknown: int


class Demand(NamedTuple):
    """The contract's highest demand of the month under one contracted demand."""

    kw: Decimal | None
    known: int


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the bill; without a price it has a quantity and no amount."""

    item: str
    unit: str
    price: Decimal | None
    quantity: Decimal
    first_day: date
    last_day: date

    @property
    def amount(self) -> Decimal | None:
        """Quantity times price, exact."""
        if self.price is None:
            return None
        with localcontext(EXACT):
            return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Part:
    """The energy charge or the basic charge."""

    items: tuple[Item, ...]
    missing: tuple[str, ...]
    """What is missing, as ``word`` or ``word:detail``, sorted."""

    @property
    def known(self) -> Decimal | None:
        """The sum of the lines that have an amount; ``None`` when none has, unless nothing is missing."""
        amounts = [item.amount for item in self.items if item.amount is not None]
        if not amounts and self.missing:
            return None
        with localcontext(EXACT):
            return sum(amounts, Decimal(0))

    @property
    def amount(self) -> Decimal | None:
        """What is to be paid; ``None`` when anything is missing."""
        return None if self.missing else self.known


@dataclass(frozen=True, slots=True)
class Cost:
    """A contract's month."""

    energy: Part
    basic: Part

    @property
    def total(self) -> Decimal | None:
        """What is to be paid; ``None`` when anything is missing."""
        if self.energy.amount is None or self.basic.amount is None:
            return None
        with localcontext(EXACT):
            return self.energy.amount + self.basic.amount


def month_ms(month: date) -> tuple[int, int]:
    """Return when a month, given as its first day, begins and ends."""
    return to_ms(midnight(month)), to_ms(midnight(next_month(month)))


def next_month(month: date) -> date:
    """Return the first day of the month after ``month``."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def energy_charge(days: Iterable[EnergyDay], spans: Sequence[Span], prices: Sequence[Price]) -> Part:
    """Return the energy charge of what was drawn in ``days``.

    ``spans`` are those of the contract's meters, clipped to the month; they say how many quarter-hours there have to
    be, and from when until when in a day the price has to be one.
    """
    lines: dict[tuple[str, str, Decimal | None], Item] = {}
    missing: set[str] = set()
    unknown = present = 0
    windows: dict[date, tuple[int, int]] = {}
    for row in sorted(days, key=lambda row: (row.day, row.period, row.unit)):
        present += row.known + row.unknown
        unknown += row.unknown
        if row.energy is None:
            continue
        price: Decimal | None = None
        if row.period is Period.UNKNOWN:
            missing.add(f"period_unknown:{row.why}")
        else:
            if row.day not in windows:
                windows[row.day] = _window(row.day, spans)
            found = _price(prices, row.period, f"CNY/{row.unit}", *windows[row.day])
            if isinstance(found, str):
                missing.add(f"{found}:{row.period}")
            else:
                price = found
        key = (row.period, row.unit, price)
        before = lines.get(key)
        with localcontext(EXACT):
            quantity = row.energy + (before.quantity if before else 0)
        lines[key] = Item(row.period, row.unit, price, quantity, before.first_day if before else row.day, row.day)
    absent = sum(len(span.quarters) for span in spans) - present
    if unknown:
        missing.add(f"energy_unknown:{unknown}")
    if absent > 0:
        missing.add(f"energy_absent:{absent}")
    return Part(tuple(lines.values()), tuple(sorted(missing)))


def _window(day: date, spans: Sequence[Span]) -> tuple[int, int]:
    """Return the part of a day that a contract covers."""
    from_ms = to_ms(midnight(day))
    parts = [part for span in spans if (part := span.clipped(from_ms, from_ms + DAY_MS)) is not None]
    if not parts:
        return from_ms, from_ms + DAY_MS
    return min(part.from_ms for part in parts), max(part.to_ms for part in parts)


def _price(prices: Sequence[Price], item: str, unit: str, from_ms: int, to_ms: int) -> Decimal | str:
    """Return the one price of [from_ms, to_ms), or the word for what is wrong with it."""
    found = sorted(
        (price for price in prices if price.item == item and price.from_ms < to_ms and from_ms < price.to_ms),
        key=lambda price: price.from_ms,
    )
    if not found:
        return _NONE
    if any(price.unit != unit for price in found):
        return "price_unit"
    reached = from_ms
    for price in found:
        if price.from_ms > reached:
            return _NONE
        reached = price.to_ms
    if reached < to_ms:
        return _NONE
    return found[0].price if len({price.price for price in found}) == 1 else _CHANGES


def basic_charge(
    month: date,
    terms: Sequence[Term],
    demands: Sequence[Demand],
    prices: Sequence[Price],
    structure: Callable[[str, date], Structure | None],
    rule: BasicCharge,
) -> Part:
    """Return the basic charge (基本电费) of a month.

    It needs one and the same basis and price all month: the share of a month that a contract begins or ends in, or
    changes its basis in, is not guessed. The demand has to be known in every quarter-hour of the month, where it is
    charged; below that only the part that stands in any case is known.
    """
    from_ms, to_ms = month_ms(month)
    held = sorted((term for term in terms if term.from_ms < to_ms and from_ms < term.to_ms), key=lambda t: t.from_ms)
    if all(term.carrier != "electricity" for term in held):
        return Part((), ())
    bases = {(term.basis, term.contracted_kw, term.capacity_kva) for term in held}
    if {basis for basis, _, _ in bases} == {None}:
        return Part((), _without_basis(month, held, structure))
    if not _covers(held, from_ms, to_ms):
        return Part((), ("part_of_month",))
    if len(bases) > 1:
        return Part((), ("basis_changes",))
    ((basis, contracted_kw, capacity_kva),) = bases
    item, unit = (CAPACITY, "kVA") if basis is Basis.TRANSFORMER_CAPACITY else (DEMAND, "kW")
    missing: list[str] = []
    price = _price(prices, item, f"CNY/{unit}/month", from_ms, to_ms)
    if isinstance(price, str):
        missing.append(f"{price}:{item}")
    quarters = (to_ms - from_ms) // QUARTER_MS - sum(demand.known for demand in demands)
    if basis is not Basis.TRANSFORMER_CAPACITY and quarters > 0:
        missing.append(f"demand_unknown:{quarters}")
    highest = max((demand.kw for demand in demands if demand.kw is not None), default=None)
    paid = None if isinstance(price, str) else price
    last_day = next_month(month) - timedelta(days=1)
    lines: list[Item] = []
    if basis is Basis.TRANSFORMER_CAPACITY and capacity_kva is not None:
        lines.append(Item(CAPACITY, unit, paid, capacity_kva, month, last_day))
    elif basis is Basis.MEASURED_DEMAND and highest is not None:
        lines.append(Item(DEMAND, unit, paid, highest, month, last_day))
    elif basis is Basis.CONTRACTED_DEMAND and contracted_kw is not None:
        lines.append(Item(DEMAND, unit, paid, contracted_kw, month, last_day))
        with localcontext(EXACT):
            free = contracted_kw * rule.free_up_to
            if highest is not None and highest > free:
                beyond = None if paid is None else paid * rule.beyond_price_times
                lines.append(Item(DEMAND_EXCESS, unit, beyond, highest - free, month, last_day))
    return Part(tuple(lines), tuple(sorted(missing)))


def _without_basis(
    month: date, terms: Sequence[Term], structure: Callable[[str, date], Structure | None]
) -> tuple[str, ...]:
    """Return what is missing when no term says what the basic charge is taken from."""
    missing = set()
    last_day = next_month(month) - timedelta(days=1)
    for tariff in {term.tariff for term in terms}:
        of_tariff = set() if tariff is None else {structure(tariff, month), structure(tariff, last_day)}
        if Structure.TWO_PART in of_tariff:
            missing.add("no_basis")
        if not of_tariff - {None}:
            missing.add("no_tariff")
    return tuple(sorted(missing))


def _covers(terms: Sequence[Term], from_ms: int, to_ms: int) -> bool:
    reached = from_ms
    for term in terms:
        if term.from_ms > reached:
            return False
        reached = max(reached, term.to_ms)
    return reached >= to_ms
