"""Which contract covers which meter when. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from warehouse.energy.account import QUARTER_MS
from warehouse.energy.sources import FOREVER_MS


class Basis(StrEnum):
    """What the basic charge (基本电费) is taken from."""

    CONTRACTED_DEMAND = "contracted_demand"
    """合同需量."""
    MEASURED_DEMAND = "measured_demand"
    """实际最大需量."""
    TRANSFORMER_CAPACITY = "transformer_capacity"
    """变压器容量."""


@dataclass(frozen=True, slots=True)
class Term:
    """A row of `registry.supply_term`; holds in [from_ms, to_ms)."""

    contract: str
    from_ms: int
    to_ms: int
    carrier: str
    meter_id: int | None = None
    uscc: str | None = None
    tariff: str | None = None
    basis: Basis | None = None
    contracted_kw: Decimal | None = None
    capacity_kva: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """An enterprise's boundary meter, in [from_ms, to_ms)."""

    meter_id: int
    uscc: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Meter:
    """What a meter measures."""

    carrier: str
    unit: str

    @property
    def has_demand(self) -> bool:
        """Whether its quarter-hours have a mean power in kW."""
        return self.carrier == "electricity" and self.unit == "kWh"


@dataclass(frozen=True, slots=True)
class Span:
    """A meter is under a term in [from_ms, to_ms)."""

    meter_id: int
    from_ms: int
    to_ms: int
    term: Term

    def clipped(self, from_ms: int, to_ms: int) -> Span | None:
        """Return the part of it within [from_ms, to_ms), if there is one."""
        first, last = max(self.from_ms, from_ms), min(self.to_ms, to_ms)
        return Span(self.meter_id, first, last, self.term) if first < last else None

    @property
    def quarters(self) -> range:
        """The beginnings of the quarter-hours that are under it: those that begin in it."""
        return range(-(-self.from_ms // QUARTER_MS) * QUARTER_MS, self.to_ms, QUARTER_MS)


class Coverage:
    """Every meter's contracts.

    A term that names a meter covers it. A term that names an enterprise covers its boundary meters of the carrier for
    as long as they are that, except while a term names them.
    """

    def __init__(self, meters: dict[int, Meter], placements: Iterable[Placement], terms: Iterable[Term]) -> None:
        self._spans: dict[int, list[Span]] = {}
        self._of_contract: dict[str, list[Span]] = {}
        self.terms: dict[str, list[Term]] = {}
        named: dict[int, list[Term]] = {}
        of_firm: dict[tuple[str, str], list[Term]] = {}
        for term in sorted(terms, key=lambda term: (term.contract, term.from_ms)):
            self.terms.setdefault(term.contract, []).append(term)
            if term.uscc is not None:
                of_firm.setdefault((term.uscc, term.carrier), []).append(term)
            elif term.meter_id in meters and meters[term.meter_id].carrier == term.carrier:
                named.setdefault(term.meter_id, []).append(term)
        for meter_id, own in named.items():
            self._spans[meter_id] = [Span(meter_id, term.from_ms, term.to_ms, term) for term in own]
        for placement in placements:
            own = named.get(placement.meter_id, [])
            for term in of_firm.get((placement.uscc, meters[placement.meter_id].carrier), ()):
                whole = Span(placement.meter_id, term.from_ms, term.to_ms, term)
                part = whole.clipped(placement.from_ms, placement.to_ms)
                if part is not None:
                    self._spans.setdefault(placement.meter_id, []).extend(_without(part, own))
        for spans in self._spans.values():
            spans.sort(key=lambda span: span.from_ms)
            for span in spans:
                self._of_contract.setdefault(span.term.contract, []).append(span)
        self._begins = {meter_id: [span.from_ms for span in spans] for meter_id, spans in self._spans.items()}

    def at(self, meter_id: int, t_ms: int) -> Term | None:
        """Return the term that covers a meter at a time."""
        place = bisect_right(self._begins.get(meter_id, ()), t_ms) - 1
        if place < 0:
            return None
        span = self._spans[meter_id][place]
        return span.term if t_ms < span.to_ms else None

    def of_meter(self, meter_id: int, from_ms: int, to_ms: int) -> Iterator[Span]:
        """Give a meter's spans within [from_ms, to_ms), clipped to it."""
        return _clipped(self._spans.get(meter_id, ()), from_ms, to_ms)

    def of_contract(self, contract: str, from_ms: int = -FOREVER_MS, to_ms: int = FOREVER_MS) -> Iterator[Span]:
        """Give a contract's spans within [from_ms, to_ms), clipped to it."""
        return _clipped(self._of_contract.get(contract, ()), from_ms, to_ms)


def _clipped(spans: Sequence[Span], from_ms: int, to_ms: int) -> Iterator[Span]:
    for span in spans:
        part = span.clipped(from_ms, to_ms)
        if part is not None:
            yield part


def _without(span: Span, terms: Iterable[Term]) -> Iterator[Span]:
    """Give the parts of ``span`` outside all of ``terms``."""
    from_ms = span.from_ms
    for term in sorted(terms, key=lambda term: term.from_ms):
        part = span.clipped(from_ms, term.from_ms)
        if part is not None:
            yield part
        from_ms = max(from_ms, term.to_ms)
    part = span.clipped(from_ms, span.to_ms)
    if part is not None:
        yield part
