"""The rule set of the basic charge, a file with its source."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from edge_agent.contract.settings import Settings, load


class BasicCharge(Settings):
    """How a demand above the contracted one is charged."""

    free_up_to: Annotated[Decimal, Field(ge=1)]
    """Up to this multiple of the contracted demand, the contracted demand is charged."""
    beyond_price_times: Annotated[Decimal, Field(ge=1)]
    """What is beyond is charged at this multiple of the price."""


class Rules(Settings):
    """The file."""

    name: Literal["basic_charge"]
    """Name of the rule set."""
    version: Annotated[int, Field(ge=1)]
    """Counted up when the parameters change."""
    parameters: BasicCharge
    """The rule."""


FILE: Final = Path(__file__).with_name("rules.toml")


def rules() -> Rules:
    """Read the file; ``Misconfigured`` says what is wrong in it."""
    return load(Rules, [FILE])
