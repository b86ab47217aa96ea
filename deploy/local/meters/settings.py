"""What the simulated meters are told: one TOML for one process."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from edge_agent.contract.settings import Settings


class Quantity(StrEnum):
    """What a meter measures, in the words of the contract."""

    ACTIVE_ENERGY = "active_energy_import"
    """Register, kWh."""
    REACTIVE_ENERGY = "reactive_energy_import"
    """Register, kvarh drawn with lagging current."""
    ACTIVE_POWER = "active_power"
    """kW."""
    POWER_FACTOR = "power_factor"
    """Thousandths on the wire."""

    @property
    def register(self) -> bool:
        """True for counters that roll over."""
        return self in (Quantity.ACTIVE_ENERGY, Quantity.REACTIVE_ENERGY)


class Encoding(StrEnum):
    """How a value lies in 16-bit words, before the order of its bytes is applied."""

    INT16 = "int16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    FLOAT32 = "float32"

    @property
    def words(self) -> int:
        """Number of 16-bit words."""
        return {Encoding.INT16: 1, Encoding.UINT32: 2, Encoding.UINT64: 4, Encoding.FLOAT32: 2}[self]


class Order(StrEnum):
    """Order of the bytes; A is the most significant of a 32-bit value. 64-bit values follow the same rule by words."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"


class Cell(Settings):
    """Where one quantity stands in the meter's memory; the same for function 3 and function 4."""

    quantity: Quantity
    """What stands there."""
    address: Annotated[int, Field(ge=0, le=65_535)]
    """First word, counted from 0."""
    encoding: Encoding
    """How the value is written."""


class Meter(Settings):
    """One simulated meter. It shows what stands on its side of the transformers, as a real one does."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
    """Name of the meter and of its journal; also its device name in the agent."""
    serial: Annotated[str, Field(min_length=1, max_length=64)]
    """Serial number; seeds the ripple of the power."""
    port: Annotated[int, Field(ge=1, le=65_535)]
    """TCP port. Meters that share a port are told apart by ``unit``."""
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    """Modbus unit identifier."""
    scale: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]]
    """Secondary energy of this meter / energy of the plant in the data, as numerator and denominator."""
    shift_weeks: int = 0
    """Whole weeks by which this meter reads ahead in the data."""
    shift_slots: int = 0
    """Quarter-hours by which it reads ahead, beside the weeks; keeps weekdays up to that shift."""
    origin_ms: Annotated[int, Field(ge=0)]
    """Moment (UTC ms) at which the registers showed the two values below."""
    active_at_origin: Annotated[int, Field(ge=0)]
    """Active register at the origin, in least digits."""
    reactive_at_origin: Annotated[int, Field(ge=0)]
    """Reactive register at the origin, in least digits."""
    decimals: Annotated[int, Field(ge=0, le=9)] = 2
    """Decimals of both registers: 2 counts 0.01 kWh and 0.01 kvarh."""
    range: Annotated[int, Field(gt=1, lt=1 << 63)] = 100_000_000
    """Number of distinct readings of a register: largest display + one least digit."""
    ripple_permille: Annotated[int, Field(ge=0, le=100)] = 8
    """Largest deviation of the momentary power from the quarter-hour's mean, in thousandths."""
    order: Order = Order.ABCD
    """Byte order of everything longer than one word."""
    cells: Annotated[tuple[Cell, ...], Field(min_length=1)]
    """The memory map."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        ends = 0
        for cell in sorted(self.cells, key=lambda cell: cell.address):
            if cell.address < ends:
                raise ValueError(f"{cell.quantity} at {cell.address} overlaps the cell before it")
            ends = cell.address + cell.encoding.words
            if cell.quantity.register and self.range > 1 << (16 * cell.encoding.words):
                raise ValueError(f"range {self.range} does not fit {cell.encoding}")
            if cell.quantity.register != (cell.encoding in (Encoding.UINT32, Encoding.UINT64)):
                raise ValueError(f"{cell.quantity} cannot be written as {cell.encoding}")
            if (cell.quantity is Quantity.POWER_FACTOR) != (cell.encoding is Encoding.INT16):
                raise ValueError(f"{cell.quantity} cannot be written as {cell.encoding}")
        if ends > 65_536:
            raise ValueError("a cell lies beyond word 65535")
        if len({cell.quantity for cell in self.cells}) != len(self.cells):
            raise ValueError("a quantity stands in two cells")
        if max(self.active_at_origin, self.reactive_at_origin) >= self.range:
            raise ValueError(f"a register at the origin is not below its range {self.range}")
        return self


class MetersSettings(Settings):
    """Settings of ``python -m deploy.local.meters``."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    curve: Path
    """Load curve, Parquet (``deploy/local/demo/data/steel_2018.parquet``)."""
    journals: Path
    """Folder of the journals, one ``<meter>.jsonl`` each; a file ``<meter>.silent`` in it makes that meter silent."""
    journal_max_bytes: Annotated[int, Field(gt=0)] = 2 << 30
    """Largest journal, in bytes; a meter whose journal is full falls silent, for an answer must stand in it."""
    meters: Annotated[tuple[Meter, ...], Field(min_length=1)]
    """The meters."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({meter.name for meter in self.meters}) != len(self.meters):
            raise ValueError("two meters have one name")
        if len({(meter.port, meter.unit) for meter in self.meters}) != len(self.meters):
            raise ValueError("two meters have one port and unit")
        return self
