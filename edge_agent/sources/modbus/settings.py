"""Settings of the Modbus source: a connection, the devices on it, the points of each."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from edge_agent.contract.birth import INT64_MAX, Carrier, Kind, Ratio, SeriesName
from edge_agent.contract.settings import Settings
from edge_agent.sources.modbus.decode import Dtype, WordOrder

MAX_REGISTERS: Final = 125
"""Registers in one read, by the Modbus specification."""
MAX_ADDRESS: Final = 65_535

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]


T = TypeVar("T")


def _some(found: tuple[T, ...]) -> tuple[T, ...]:
    # Not min_length: pydantic checks that even when an item is wrong, and then says that there are none.
    if not found:
        raise ValueError("found none; allowed: at least one")
    return found


class Function(StrEnum):
    """Which of the two tables of 16-bit registers a point lies in."""

    HOLDING = "holding"
    """Function code 3; manuals often write 4xxxx."""
    INPUT = "input"
    """Function code 4; manuals often write 3xxxx."""


class Point(Settings):
    """One value of a device, and the series it becomes."""

    quantity: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    """What is measured, for example ``energy_import``. No default."""
    unit: Annotated[str, StringConstraints(max_length=20)]
    """Unit of the value as this source sends it: after ``decimals`` or ``scale``. No default."""
    kind: Kind
    """``gauge``, ``register`` (a counter) or ``state``. No default."""
    address: Annotated[int, Field(ge=0, le=MAX_ADDRESS + 1)]
    """Address of the first register, counted from the device's ``address_base``. No default."""
    dtype: Dtype
    """How the number lies in the registers. No default."""
    function: Function | None = None
    """Table of registers; default: that of the device."""
    order: WordOrder | None = None
    """Order of bytes; default: that of the device."""
    decimals: Annotated[int, Field(ge=0, le=9)] | None = None
    """Registers only, required: decimals of the display. With an integer dtype the raw number must count in this
    least digit; a float is rounded to it. No default."""
    range: Annotated[int, Field(gt=1, le=INT64_MAX)] | None = None
    """Registers only, required: distinct readings in least digits, one more than the largest display (a display of
    999999.99 has 100000000). No default."""
    scale: Annotated[Decimal, Field(ge=Decimal("1e-9"), le=Decimal("1e9"))] = Decimal(1)
    """Gauges only: the device's own format, raw × scale = value (2314 with 0.1 is 231.4). Never a transformer ratio.
    Default 1."""
    claimed_ratio: Ratio | None = None
    """PT and CT as the owner claims them; nothing is multiplied. Default: that of the device."""
    rated_max: Annotated[float, Field(gt=0)] | None = None
    """Largest plausible value (gauge, in ``unit``) or growth (register, in ``unit`` per hour). Default: none."""
    interval_ms: Annotated[int, Field(ge=10, le=86_400_000)] | None = None
    """Time between two polls in ms; default: that of the device."""
    series: SeriesName | None = None
    """Name of the series within the gateway; default ``device.quantity``."""

    @model_validator(mode="after")
    def _suits_its_kind(self) -> Self:
        if self.kind is Kind.REGISTER:
            self._declares_a_register()
        else:
            for key in ("decimals", "range"):
                if getattr(self, key) is not None:
                    raise ValueError(
                        f"{key}: found {getattr(self, key)} with kind {self.kind}; allowed: registers only"
                    )
        if self.kind is not Kind.GAUGE and self.scale != 1:
            raise ValueError(f"scale: found {self.scale} with kind {self.kind}; allowed: gauges only")
        if self.kind is Kind.STATE and self.dtype.is_float:
            raise ValueError(f"dtype: found {self.dtype} with kind state; allowed: integers and BCD")
        return self

    def _declares_a_register(self) -> None:
        if self.decimals is None:
            raise ValueError(f"decimals: not found, a register of {self.dtype} needs them; allowed: 0 … 9")
        if self.range is None:
            raise ValueError("range: not found, a register needs it; allowed: largest display + 1, in least digits")
        capacity = self.dtype.capacity
        if capacity is not None and self.range > capacity:
            raise ValueError(f"range: found {self.range}; allowed with {self.dtype}: at most {capacity}")


class Device(Settings):
    """One meter or controller: a unit id, and the points read from it."""

    name: Name
    """Name within the gateway, letters, digits and ``_.-``; first part of its series' names. No default."""
    unit_id: Annotated[int, Field(ge=0, le=255)]
    """Modbus unit id (slave address). Devices that speak TCP themselves take 1 or 255. No default."""
    address_base: Literal[0, 1]
    """Whether the manual counts registers from 0 or from 1. No default: manuals differ, so it must be said."""
    points: Annotated[tuple[Point, ...], AfterValidator(_some)]
    """What to read. No default, unless taken over by ``like``."""
    like: Name | None = None
    """Take over from this device, which stands earlier in the same connection, whatever is not said here, except
    ``meter`` and ``claimed_ratio``. Default: none."""
    function: Function = Function.HOLDING
    """Table of registers, for points that do not say. Default ``holding``."""
    order: WordOrder = WordOrder.ABCD
    """Order of bytes, for points that do not say. Default ``ABCD``, as the specification has it."""
    interval_ms: Annotated[int, Field(ge=10, le=86_400_000)] = 60_000
    """Time between two polls in ms, for points that do not say. Default 60000."""
    carrier: Carrier | None = None
    """What the meter measures the flow of. Default: none."""
    meter: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    """Serial number of the meter; another number makes new series. Default: none."""
    claimed_ratio: Ratio | None = None
    """PT and CT as the owner claims them, for points that do not say; nothing is multiplied. Default: none."""
    max_gap: Annotated[int, Field(ge=0, le=MAX_REGISTERS - 2)] = 8
    """Registers between two points that may be read over to save a read. Default 8; 0 for devices that mind."""
    max_registers: Annotated[int, Field(ge=4, le=MAX_REGISTERS)] = MAX_REGISTERS
    """Largest number of registers in one read. Default 125, what the specification allows."""

    @model_validator(mode="after")
    def _points_lie_within(self) -> Self:
        for point in self.points:
            last = MAX_ADDRESS + 1 - point.dtype.words + self.address_base
            if not self.address_base <= point.address <= last:
                raise ValueError(
                    f"address: found {point.address} for {point.quantity} ({point.dtype}); allowed with address_base "
                    f"{self.address_base}: {self.address_base} … {last}"
                )
        return self


class ModbusConnection(Settings):
    """One TCP connection: a device that speaks Modbus TCP, or a gateway with a bus of devices behind it."""

    name: Name
    """Name of the connection, in logs. No default."""
    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,253}$")]
    """Host name or address. No default."""
    devices: Annotated[tuple[Device, ...], AfterValidator(_some)]
    """Devices behind this connection, polled in turn."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 502
    """TCP port. Default 502."""
    timeout_s: Annotated[float, Field(ge=0.05, le=60)] = 3.0
    """How long to wait for a connection or an answer, in s. Default 3."""
    pause_after_connect_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    """Rest between connecting and the first request, in s; some gateways need it. Default 0."""
    request_gap_s: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Rest between an answer and the next request, in s; slow meters need it. Default 0."""
    backoff_first_s: Annotated[float, Field(ge=0.05, le=600)] = 1.0
    """Wait after the first failure of a device or of the connection, in s; doubles each time. Default 1."""
    backoff_max_s: Annotated[float, Field(ge=0.05, le=3600)] = 60.0
    """Longest wait after failures, in s. Default 60."""

    @model_validator(mode="before")
    @classmethod
    def _take_over(cls, raw: object) -> object:
        """Give each device that names another one in ``like`` that one's map."""
        if not isinstance(raw, dict) or not isinstance(raw.get("devices"), list | tuple):
            return raw
        known: dict[str, dict[str, object]] = {}
        devices: list[object] = []
        for device in raw["devices"]:
            if isinstance(device, dict):
                device = _like(device, known)
                if isinstance(name := device.get("name"), str):
                    known[name] = device
            devices.append(device)
        return raw | {"devices": devices}

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        _unique("devices.name", (device.name for device in self.devices))
        names = [
            point.series or f"{device.name}.{point.quantity}" for device in self.devices for point in device.points
        ]
        _unique("series", names)
        long = next((name for name in names if len(name) > 100), None)
        if long is not None:
            raise ValueError(f"series: found {long!r} with {len(long)} characters; allowed: at most 100, set series")
        if self.backoff_first_s > self.backoff_max_s:
            raise ValueError(
                f"backoff_first_s: found {self.backoff_first_s}; allowed: at most backoff_max_s = {self.backoff_max_s}"
            )
        return self


_OWN: Final = frozenset({"name", "unit_id", "meter", "claimed_ratio", "like"})
"""What a device does not take over from the one it is like."""


def _like(device: dict[str, object], known: dict[str, dict[str, object]]) -> dict[str, object]:
    like = device.get("like")
    if like is None:
        return device
    model = known.get(like) if isinstance(like, str) else None
    if model is None:
        allowed = ", ".join(known) or "(none)"
        raise ValueError(f"like: found {like!r}; allowed, because they stand earlier here: {allowed}")
    own = {key: value for key, value in device.items() if key != "like"}
    return {key: value for key, value in model.items() if key not in _OWN} | own


def _unique(key: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{key}: found {name!r} twice; allowed: once each")
        seen.add(name)
