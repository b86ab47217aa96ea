"""Values of an energy account: amounts, factors, rules, lines. Exact: every number is a fraction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

KJ_PER_KGCE: Final = Fraction(293076, 10)
"""29 307.6 kJ make one kgce (GB/T 2589)."""


class Flow(StrEnum):
    """What an amount is of; as in stats.energy_report."""

    OPENING_STOCK = "opening_stock"
    PURCHASED = "purchased"
    OWN_GENERATION = "own_generation"
    """Generated on site from no fuel, before what is exported."""
    SELF_USED = "self_used"
    """Of own generation, what was used on site."""
    EXPORTED = "exported"
    CLOSING_STOCK = "closing_stock"
    INDUSTRIAL = "industrial_consumption"
    CONVERSION_INPUT = "conversion_input"
    CONVERSION_OUTPUT = "conversion_output"
    RECOVERED = "recovered"
    NON_INDUSTRIAL = "non_industrial"
    FEEDSTOCK = "feedstock"
    TRANSPORT = "transport"


class Basis(StrEnum):
    """How electricity becomes standard coal; a series has one."""

    CALORIFIC = "calorific"
    """当量值."""
    EQUIVALENT = "equivalent"
    """等价值."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of energy, as stats.energy has it."""

    energy: str
    name_zh: str
    name_en: str
    unit: str
    working_medium: bool = False


@dataclass(frozen=True, slots=True)
class Steam:
    """Enthalpies of steam in kJ/kg: as delivered, and of the water that is returned or fed."""

    enthalpy: Fraction
    returned: Fraction

    @property
    def kgce_per_t(self) -> Fraction:
        """Standard coal of one tonne: 1000·(h_steam − h_return) / 29307.6."""
        return 1000 * (self.enthalpy - self.returned) / KJ_PER_KGCE


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of one flow, in the unit of its kind of energy, and where it is taken from."""

    energy: str
    flow: Flow
    amount: Fraction | None
    """``None`` when nothing of it is known."""
    source: str
    steam: Steam | None = None
    known: Fraction = Fraction(1)
    """Share of the period of which it is known."""
    estimated: Fraction = Fraction(0)
    """Share of the period of which it is estimated; part of what is known."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor and where it comes from."""

    value: Fraction
    unit: str
    level: str
    region: str
    source: str
    ended: date | None = None
    """First day on which it no longer held, when one that had ended was taken."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How an account is made; printed with it."""

    basis: Basis = Basis.CALORIFIC
    include_working_media: bool = False
    """Whether 耗能工质 count."""
    include_transport: bool = True
    """Whether transport within the plant counts."""
    own_conversion: bool = True
    """Whether what is converted on site may be reported; when not, such rows are refused."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an account: an amount with its sign, its factor, and what it makes."""

    energy: str
    flow: Flow
    sign: int
    amount: Fraction | None
    unit: str
    factor: Factor | None
    source: str
    known: Fraction = Fraction(1)
    estimated: Fraction = Fraction(0)

    @property
    def kg(self) -> Fraction | None:
        """What it makes, signed, in kgce (or kgCO2); ``None`` when amount or factor is missing."""
        if self.amount is None or self.factor is None:
            return None
        return self.sign * self.amount * self.factor.value


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is refused, or what is missing."""

    row: str
    """The row or kind of energy it is about."""
    code: str
    en: str
    zh: str

    def __str__(self) -> str:
        return f"{self.row}: {self.en} ({self.zh})"


Factors = Mapping[str, Factor]


def rounded(value: Fraction, places: int) -> Decimal:
    """Return ``value`` with so many decimals, halves away from zero: once, where it is shown."""
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places)


def shown(value: Fraction, places: int = 6) -> str:
    """Return ``value`` in plain digits, without zeros at the end, rounded to at most so many decimals."""
    text = f"{rounded(value, places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
