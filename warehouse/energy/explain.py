"""One meter's account from files, without a database: what `g60 warehouse energy explain` prints.

`readings.csv` has columns t (ISO 8601 with offset), value (as displayed), and may have quality (a code of the
contract, 0 when left out); `events.csv` has at, old_end, new_start (as displayed); `meter.toml` is :class:`MeterFile`.
Of two rows with one time and quality the later one counts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import AwareDatetime, Field, model_validator

from edge_agent.contract.errors import BadRecord, Misconfigured
from edge_agent.contract.quality import Quality
from edge_agent.contract.settings import Settings, load
from warehouse.energy import power
from warehouse.energy.account import QUARTER_MS, Interval, Multiplier, account
from warehouse.energy.units import worth, worth_of_an_hour
from warehouse.energy.walk import Change, Register, in_order
from warehouse.times import to_ms

HEADER: Final = ("start", "end", "energy", "quality", "reason")
Factor = Annotated[Decimal, Field(gt=0)]


class RatioFile(Settings):
    """Transformer ratios for a time."""

    pt: Factor = Decimal(1)
    """Voltage transformer ratio."""
    ct: Factor = Decimal(1)
    """Current transformer ratio."""
    valid_from: AwareDatetime | None = None
    """From when; without it from ever."""
    valid_to: AwareDatetime | None = None
    """Until when (exclusive); without it for good."""


class Kind(StrEnum):
    """What the meter tells."""

    REGISTER = "register"
    """A count that only grows."""
    POWER = "power"
    """Its momentary power only."""


class MeterFile(Settings):
    """What must be known of a meter to account for it."""

    kind: Kind = Kind.REGISTER
    """register, or power for a meter that tells nothing else."""
    unit: str = ""
    """Unit of the values; by default that of the account, for power its thousand watts (kW)."""
    account_unit: Literal["kWh", "MJ", "m3", "t"] = "kWh"
    """Unit of the account."""
    decimals: Annotated[int, Field(ge=0, le=9)] | None = None
    """Decimal places of the display; a register needs it."""
    range: Factor | None = None
    """Largest display plus one least digit, 1000000.00 for a display of 999999.99; a register needs it."""
    rated_max: Factor | None = None
    """Largest plausible growth in one hour, or power, in the unit of the values; without it no jump up is noticed."""
    interval_s: Annotated[int, Field(gt=0)] = 60
    """How often power is sampled."""
    feed_in: bool = False
    """Of power: account for what is fed back (negative power) instead of what is drawn."""
    multiplier: tuple[RatioFile, ...] = (RatioFile(),)
    """Transformer ratios, several when they changed."""

    @model_validator(mode="after")
    def _register_is_declared(self) -> Self:
        if self.kind is Kind.REGISTER and (self.decimals is None or self.range is None):
            raise ValueError("a register needs decimals and range")
        return self

    @property
    def per_unit(self) -> Decimal:
        """Energy of one unit of the values (of power: held for an hour), in the unit of the account."""
        if self.kind is Kind.POWER:
            unit, found = self.unit or "kW", worth_of_an_hour(self.unit or "kW", self.account_unit)
        else:
            unit, found = self.unit or self.account_unit, worth(self.unit or self.account_unit, self.account_unit)
        if found is None:
            raise Misconfigured(f"a {self.kind} in {unit} cannot become {self.account_unit} (计量单位无法换算)")
        return found


@dataclass(frozen=True, slots=True)
class Explained:
    """An account, what was set aside (UTC ms, value as read), and the zone that times are shown in."""

    intervals: Sequence[Interval]
    set_aside: Sequence[tuple[int, Decimal]]
    zone: tzinfo | None


class _Row(NamedTuple):
    t_ms: int
    value: str
    quality: int


def explain(readings: Path, meter: Path, events: Path | None = None) -> Explained:
    """Account for the files, from the quarter-hour of the first reading to that of the last.

    Times are shown in the zone that the first reading is written in. ``Misconfigured`` for a wrong meter file,
    ``BadRecord`` (``csv``) for a wrong row.
    """
    spec = load(MeterFile, [meter])
    zone: tzinfo | None = None
    usable: list[_Row] = []
    for row in _rows(readings, "t", "value"):
        t, quality = _instant(row["t"]), int(row.get("quality") or 0)
        zone = zone or t.tzinfo
        if row["value"] and quality < Quality.BAD and quality != Quality.CLOCK_UNSYNCED:
            usable.append(_Row(to_ms(t), row["value"], quality))
    changes = [(to_ms(_instant(row["at"])), row["old_end"], row["new_start"]) for row in _changes(events)]
    made = _of_power if spec.kind is Kind.POWER else _of_register
    return Explained(*made(spec, usable, changes), zone)


def lines(made: Explained) -> Iterator[tuple[str, str, str, str, str]]:
    """Give the account's intervals as cells of a CSV file with :data:`HEADER`."""
    for interval in made.intervals:
        start = datetime.fromtimestamp(interval.start_ms / 1000, made.zone)
        yield (
            start.isoformat(),
            (start + timedelta(milliseconds=QUARTER_MS)).isoformat(),
            "" if interval.energy is None else f"{interval.energy:f}",
            interval.quality.value,
            interval.reason or "",
        )


_Made = tuple[Sequence[Interval], Sequence[tuple[int, Decimal]]]


def _of_register(spec: MeterFile, rows: Sequence[_Row], changes: Sequence[tuple[int, str, str]]) -> _Made:
    decimals = spec.decimals or 0
    ordered = in_order((t_ms, _counts(value, decimals), quality) for t_ms, value, quality in rows)
    most = None if spec.rated_max is None else int(spec.rated_max.scaleb(decimals))
    start_ms, end_ms = _bounds([reading.t_ms for reading in ordered])
    made = account(
        ordered,
        Register(_counts(str(spec.range), decimals), most),
        _multipliers(spec, spec.per_unit.scaleb(-decimals)),
        [Change(at_ms, _counts(old, decimals), _counts(new, decimals)) for at_ms, old, new in changes],
        start_ms=start_ms,
        end_ms=end_ms,
    )
    return made.intervals, [
        (reading.t_ms, Decimal(reading.counts).scaleb(-decimals)) for reading in made.walk.set_aside
    ]


def _of_power(spec: MeterFile, rows: Sequence[_Row], changes: Sequence[tuple[int, str, str]]) -> _Made:
    if changes:
        raise Misconfigured("a meter of kind power has no register that could be changed (功率表没有换表记录)")
    most = None if spec.rated_max is None else power.nano(spec.rated_max)
    gauge = power.Gauge(power.limit_ms(spec.interval_s * 1000), most)
    found = power.in_order(((t_ms, _number(value), quality) for t_ms, value, quality in rows), gauge)
    start_ms, end_ms = _bounds([sample.t_ms for sample in found.kept])
    intervals = power.integrate(
        found.kept,
        gauge,
        _multipliers(spec, spec.per_unit.scaleb(-power.NANO)),
        feed_in=spec.feed_in,
        start_ms=start_ms,
        end_ms=end_ms,
    )
    return intervals, [(sample.t_ms, Decimal(sample.nano).scaleb(-power.NANO)) for sample in found.set_aside]


def _multipliers(spec: MeterFile, per_count: Decimal) -> list[Multiplier]:
    return [
        Multiplier(
            0 if ratio.valid_from is None else to_ms(ratio.valid_from),
            None if ratio.valid_to is None else to_ms(ratio.valid_to),
            ratio.pt * ratio.ct * per_count,
        )
        for ratio in spec.multiplier
    ]


def _bounds(times_ms: Sequence[int]) -> tuple[int, int]:
    """Return the quarter-hours in which the first and the last time lie, nothing when there is none."""
    if not times_ms:
        return 0, 0
    return times_ms[0] // QUARTER_MS * QUARTER_MS, -(-times_ms[-1] // QUARTER_MS) * QUARTER_MS


def _changes(events: Path | None) -> Iterator[dict[str, str]]:
    return _rows(events, "at", "old_end", "new_start") if events else iter(())


def _rows(path: Path, *needed: str) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in needed if name not in (reader.fieldnames or ())]:
            raise BadRecord("csv", f"{path}: no column {', '.join(missing)}")
        yield from reader


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRecord("csv", f"{text!r} is no ISO 8601 time") from error
    if moment.tzinfo is None:
        raise BadRecord("csv", f"{text!r} has no offset from UTC")
    return moment


def _number(display: str) -> Decimal:
    try:
        number = Decimal(display)
    except ArithmeticError as error:
        raise BadRecord("csv", f"{display!r} is no number") from error
    if not number.is_finite():
        raise BadRecord("csv", f"{display!r} is no number")
    return number


def _counts(display: str, decimals: int) -> int:
    counts = _number(display).scaleb(decimals)
    if counts != int(counts):
        raise BadRecord("csv", f"{display} has more than {decimals} decimal places")
    return int(counts)
