"""Units of registers, and what one is worth in the unit of an account."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

_WORTH: Final[dict[str, dict[str, Decimal]]] = {
    "kWh": {"Wh": Decimal("0.001"), "kWh": Decimal(1), "MWh": Decimal(1000)},
    "MJ": {"MJ": Decimal(1), "GJ": Decimal(1000), "kWh": Decimal("3.6"), "MWh": Decimal(3600)},
    "m3": {"m3": Decimal(1), "m³": Decimal(1), "L": Decimal("0.001")},
    "t": {"t": Decimal(1), "kg": Decimal("0.001")},
}


def worth(unit: str, account_unit: str) -> Decimal | None:
    """Return what one ``unit`` is in ``account_unit``; ``None`` when it cannot be turned into it."""
    return _WORTH[account_unit].get(unit)
