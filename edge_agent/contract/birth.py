"""Births: what a gateway says it will send. Immutable, and named by their digest."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from edge_agent.contract.errors import BadRecord
from edge_agent.contract.topics import GatewayId
from edge_agent.contract.wire import Message, Wire, canonical, decode

MAX_SERIES: Final = 5_000
"""Series in one birth; a gateway with more is split into several gateways."""

SeriesName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
"""Name of a series within its gateway, by convention ``device.quantity``."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""First 128 bits of a SHA-256, in hexadecimal."""
INT64_MAX: Final = (1 << 63) - 1


class Kind(StrEnum):
    """How the values of a series are to be understood."""

    GAUGE = "gauge"
    """A momentary value (power, voltage, temperature); a number."""
    REGISTER = "register"
    """A counter that only grows until it rolls over (energy, volume); an integer in least digits."""
    STATE = "state"
    """One of a few codes (running, stopped, fault); an integer."""


class Carrier(StrEnum):
    """What a meter measures the flow of."""

    ELECTRICITY = "electricity"
    NATURAL_GAS = "natural_gas"
    WATER = "water"
    HEAT = "heat"
    STEAM = "steam"
    COMPRESSED_AIR = "compressed_air"


class Ratio(Wire):
    """Transformer ratios that the gateway's owner *claims*; the registry's dated row decides."""

    pt: Annotated[float, Field(gt=0)] = 1.0
    ct: Annotated[float, Field(gt=0)] = 1.0


class SeriesSpec(Wire):
    """One series of a gateway.

    A register travels as the integer the meter shows, in units of its least digit: ``decimals = 2`` with unit kWh
    means that 1 is 0.01 kWh. ``range`` is the number of distinct readings, so that ``range - 1`` is the largest
    display. Values are those of the side they are read on; nothing is multiplied.
    """

    device: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    quantity: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    unit: Annotated[str, StringConstraints(max_length=20)]
    kind: Kind
    interval_ms: Annotated[int, Field(gt=0, le=86_400_000)]
    """How often a value is expected."""
    carrier: Carrier | None = None
    meter: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    """Serial number of the meter; another number is another series."""
    decimals: Annotated[int, Field(ge=0, le=9)] | None = None
    range: Annotated[int, Field(gt=1, le=INT64_MAX)] | None = None
    claimed_ratio: Ratio | None = None
    rated_max: Annotated[float, Field(gt=0)] | None = None
    """Largest plausible momentary value (gauge, in ``unit``) or growth (register, in ``unit`` per hour)."""

    @model_validator(mode="after")
    def _register_is_declared(self) -> Self:
        declared = self.decimals is not None and self.range is not None
        if self.kind is Kind.REGISTER and not declared:
            raise ValueError("a register needs decimals and range")
        if self.kind is not Kind.REGISTER and (self.decimals is not None or self.range is not None):
            raise ValueError("decimals and range belong to registers only")
        return self

    def identity(self) -> str:
        """Return the digest of what makes this series itself: unit, kind, range, resolution, meter, device, quantity.

        Changing any of these makes a new series; changing the interval, a claim or the rated maximum does not.
        """
        return digest_of(
            canonical(
                [
                    self.device,
                    self.quantity,
                    self.unit,
                    self.kind,
                    self.carrier,
                    self.meter,
                    self.decimals,
                    self.range,
                ]
            )
        )


class Birth(Message):
    """Everything that a gateway will send, by series name."""

    gateway: GatewayId
    series: Annotated[dict[SeriesName, SeriesSpec], Field(min_length=1, max_length=MAX_SERIES)]
    agent: Annotated[str, StringConstraints(max_length=64)] = ""
    """Agent name and version, for example ``g60-edge/0.1.0``."""
    enterprise: Annotated[str, StringConstraints(max_length=32)] | None = None
    """Claimed 统一社会信用代码; a hint for whoever binds the gateway in the registry, and nothing else."""

    def digest(self) -> str:
        """Return the name by which telemetry refers to this birth: the digest of its canonical bytes."""
        return digest_of(self.encode())


def parse_birth(payload: bytes) -> Birth:
    """Parse a birth; ``BadRecord`` with reason ``not_json``, ``version`` or ``schema``.

    The digest of the result is that of ``payload`` only when the sender wrote canonical JSON; the receiver takes
    ``Birth.digest()``, never the digest of the bytes.
    """
    return decode(Birth, payload)


def digest_of(payload: bytes) -> str:
    """Return the first 128 bits of SHA-256 of ``payload``, in hexadecimal."""
    return hashlib.sha256(payload).hexdigest()[:32]


def check_value(spec: SeriesSpec, value: object) -> None:
    """Raise ``BadRecord`` unless ``value`` may stand in a series of this kind.

    Registers and states are integers (a register within ``0 … range - 1``), gauges are finite numbers. ``None`` is
    allowed everywhere: the quality says why there is no value.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRecord("value_type", f"{value!r} is not a number")
    if spec.kind is Kind.GAUGE:
        return
    if not isinstance(value, int):
        raise BadRecord("value_type", f"{value!r} is not an integer, as a {spec.kind} must be")
    if spec.kind is Kind.REGISTER and spec.range is not None and not 0 <= value < spec.range:
        raise BadRecord("register_range", f"{value} is outside 0 … {spec.range - 1}")
    if not -INT64_MAX - 1 <= value <= INT64_MAX:
        raise BadRecord("value_range", f"{value} does not fit 64 bits")
