"""Units of registers and of power, and what one is worth in the unit of an account."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

_WORTH: Final[dict[str, dict[str, Decimal]]] = {
    "kWh": {"Wh": Decimal("0.001"), "kWh": Decimal(1), "MWh": Decimal(1000)},
    "MJ": {"MJ": Decimal(1), "GJ": Decimal(1000), "kWh": Decimal("3.6"), "MWh": Decimal(3600)},
    "m3": {"m3": Decimal(1), "m³": Decimal(1), "L": Decimal("0.001")},
    "t": {"t": Decimal(1), "kg": Decimal("0.001")},
}
_WORTH_OF_AN_HOUR: Final[dict[str, dict[str, Decimal]]] = {
    "kWh": {"W": Decimal("0.001"), "kW": Decimal(1), "MW": Decimal(1000)},
    "MJ": {"W": Decimal("0.0036"), "kW": Decimal("3.6"), "MW": Decimal(3600)},
}


def worth(unit: str, account_unit: str) -> Decimal | None:
    """Return what one ``unit`` is in ``account_unit``; ``None`` when it cannot be turned into it."""
    return _WORTH[account_unit].get(unit)


def worth_of_an_hour(unit: str, account_unit: str) -> Decimal | None:
    """Return what a power of one ``unit`` makes of ``account_unit`` in an hour; ``None`` when it makes none of it."""
    return _WORTH_OF_AN_HOUR.get(account_unit, {}).get(unit)
