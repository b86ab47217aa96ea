"""Settings of the replay source."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from edge_agent.contract.birth import INT64_MAX, Carrier, Kind, Ratio, SeriesName, SeriesSpec
from edge_agent.contract.settings import Settings


class RegisterText(StrEnum):
    """How registers are written in the files."""

    DISPLAY = "display"
    """As the meter displays them, in their unit: 123456.78."""
    LEAST_DIGITS = "least_digits"
    """As integers of the least digit: 12345678."""


class ReplaySeries(Settings):
    """A series that only the files have; one that a device of the same gateway has is not declared again."""

    series: SeriesName
    """Name of the series, as it stands in the files. No default."""
    device: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """Device it comes from. No default."""
    quantity: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    """What is measured. No default."""
    unit: Annotated[str, StringConstraints(max_length=20)]
    """Unit of the value. No default."""
    kind: Kind
    """``gauge``, ``register`` (a counter) or ``state``. No default."""
    interval_ms: Annotated[int, Field(gt=0, le=86_400_000)] = 900_000
    """Time between two readings in ms. Default 900000, a quarter of an hour."""
    carrier: Carrier | None = None
    """What the meter measures the flow of. Default: none."""
    meter: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    """Serial number of the meter. Default: none."""
    decimals: Annotated[int, Field(ge=0, le=9)] | None = None
    """Registers only, required: decimals of the display. No default."""
    range: Annotated[int, Field(gt=1, le=INT64_MAX)] | None = None
    """Registers only, required: distinct readings in least digits. No default."""
    claimed_ratio: Ratio | None = None
    """PT and CT as the owner claims them; nothing is multiplied. Default: none."""
    rated_max: Annotated[float, Field(gt=0)] | None = None
    """Largest plausible value (gauge, in ``unit``) or growth (register, in ``unit`` per hour). Default: none."""

    @model_validator(mode="after")
    def _suits_its_kind(self) -> Self:
        for key in ("decimals", "range"):
            found = getattr(self, key)
            if self.kind is Kind.REGISTER and found is None:
                raise ValueError(f"{key}: not found; a register needs it")
            if self.kind is not Kind.REGISTER and found is not None:
                raise ValueError(f"{key}: found {found} with kind {self.kind}; allowed: registers only")
        return self

    def spec(self) -> SeriesSpec:
        """Return the series as a birth lists it."""
        return SeriesSpec(**{name: getattr(self, name) for name in SeriesSpec.model_fields})


class Replay(Settings):
    """Files of past readings, read once from the first row to the last."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
    """Name within the gateway; the state lists it among the devices. A new name reads everything again. No default."""
    files: tuple[Path, ...]
    """CSV files, plain or gzipped, read in this order. No default."""
    registers: RegisterText = RegisterText.DISPLAY
    """How registers are written: ``display`` (123456.78) or ``least_digits`` (12345678). Default ``display``."""
    series: tuple[ReplaySeries, ...] = ()
    """Series that only the files have. Default: none."""
    batch_rows: Annotated[int, Field(ge=1, le=5_000)] = 1_000
    """Rows that are recorded together. Default 1000."""
    rows_per_s: Annotated[float, Field(gt=0)] | None = None
    """Most rows per s, to leave room for live readings. Default: no limit."""
    rejected_folder: Path | None = None
    """Where ``<file>.rejected.csv`` is written. Default: beside each file."""
    backoff_max_s: Annotated[float, Field(ge=0.05, le=3600)] = 60.0
    """Longest wait before a file that could not be read is tried again, in s. Default 60."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        if not self.files:
            raise ValueError("files: found none; allowed: at least one")
        for key, names in (
            ("files", [path.name for path in self.files]),
            ("series", [series.series for series in self.series]),
        ):
            double = next((name for at, name in enumerate(names) if name in names[:at]), None)
            if double is not None:
                raise ValueError(f"{key}: found {double!r} twice; allowed: once each")
        return self
