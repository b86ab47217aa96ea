"""Which period of a tariff a quarter-hour of Asia/Shanghai belongs to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from warehouse.supply.calendar import DayKind, kind_of_day

QUARTERS: Final = 96
"""Quarter-hours of a day; Asia/Shanghai has no summer time."""
_QUARTER_MINUTES: Final = 15
_DAY_MINUTES: Final = QUARTERS * _QUARTER_MINUTES


class Period(StrEnum):
    """A period of a tariff, or that there is none."""

    SHARP = "sharp"
    """尖."""
    PEAK = "peak"
    """峰."""
    FLAT = "flat"
    """平."""
    VALLEY = "valley"
    """谷."""
    DEEP_VALLEY = "deep_valley"
    """深谷, only where a dated table gives its hours."""
    SINGLE = "single"
    """不分时: the tariff, or the carrier, knows no periods."""
    UNKNOWN = "unknown"
    """Nothing says which; the reason stands beside it."""


class Why(StrEnum):
    """Why a period is unknown."""

    NO_CONTRACT = "no_contract"
    """No contract covers the meter at that time."""
    NO_TARIFF = "no_tariff"
    """The contract names no tariff, or the tariff does not hold on that day."""
    NO_PERIOD = "no_period"
    """The tariff has periods, but none for that time."""
    CALENDAR = "calendar"
    """The kind of day decides, and the calendar does not know that year."""
    CUT = "cut"
    """A boundary that is no multiple of 15 minutes cuts the quarter-hour."""


class Structure(StrEnum):
    """Of a tariff."""

    ONE_PART = "one_part"
    """单一制: energy only."""
    TWO_PART = "two_part"
    """两部制: energy, and demand or capacity."""


class Slot(NamedTuple):
    """What a quarter-hour belongs to."""

    period: Period
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A row of `registry.tariff_period`: minutes [start, end) of the days of a season."""

    first_month: int
    last_month: int
    days: DayKind | None
    """``None``: all days."""
    start_minute: int
    end_minute: int
    period: Period
    valid_from: date = date.min
    valid_to: date | None = None

    def holds(self, day: date) -> bool:
        """Whether the row is in force on ``day``, whatever the season."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A row of `registry.tariff_attribute`."""

    structure: Structure
    valid_from: date
    valid_to: date | None


class Tariffs:
    """All tariffs; remembers the days that it was asked for."""

    def __init__(self, attributes: Iterable[tuple[str, Attribute]], periods: Iterable[tuple[str, PeriodRow]]) -> None:
        self._attributes: dict[str, list[Attribute]] = {}
        self._periods: dict[str, list[PeriodRow]] = {}
        self._days: dict[tuple[str, date], tuple[Slot, ...]] = {}
        for tariff, attribute in attributes:
            self._attributes.setdefault(tariff, []).append(attribute)
        for tariff, row in periods:
            self._periods.setdefault(tariff, []).append(row)

    def structure(self, tariff: str, day: date) -> Structure | None:
        """Return the structure of ``tariff`` on ``day``; ``None`` when it does not hold then."""
        for attribute in self._attributes.get(tariff, ()):
            if attribute.valid_from <= day and (attribute.valid_to is None or day < attribute.valid_to):
                return attribute.structure
        return None

    def day(self, tariff: str, day: date) -> tuple[Slot, ...]:
        """Return what the 96 quarter-hours of ``day`` belong to under ``tariff``."""
        found = self._days.get((tariff, day))
        if found is None:
            if self.structure(tariff, day) is None:
                found = (Slot(Period.UNKNOWN, Why.NO_TARIFF),) * QUARTERS
            else:
                found = day_slots(self._periods.get(tariff, ()), day, kind_of_day(day))
            self._days[tariff, day] = found
        return found


def day_slots(rows: Sequence[PeriodRow], day: date, kind: DayKind | None) -> tuple[Slot, ...]:
    """Return what the 96 quarter-hours of ``day``, of that kind, belong to.

    ``rows`` are those of one tariff. A row for the kind of day goes before one for all days; of rows that claim the
    same minute 深谷 goes before 尖, and 尖 before the others (domain rules D5). With no row in force at all a tariff
    is ``SINGLE``. With ``kind`` unknown no minute is told that a row for some kind of day would decide.
    """
    held = [row for row in rows if row.holds(day)]
    if not held:
        return (Slot(Period.SINGLE),) * QUARTERS
    season = [row for row in held if row.first_month <= day.month <= row.last_month]
    minutes: list[Period | Why] = [Why.NO_PERIOD] * _DAY_MINUTES
    for row in sorted((row for row in season if row.days is None), key=_precedence):
        _paint(minutes, row, row.period)
    for row in sorted((row for row in season if row.days is not None), key=_precedence):
        if kind is None:
            _paint(minutes, row, Why.CALENDAR)
        elif row.days is kind:
            _paint(minutes, row, row.period)
    return tuple(
        _slot(set(minutes[minute : minute + _QUARTER_MINUTES])) for minute in range(0, _DAY_MINUTES, _QUARTER_MINUTES)
    )


def _precedence(row: PeriodRow) -> int:
    return {Period.SHARP: 1, Period.DEEP_VALLEY: 2}.get(row.period, 0)


def _paint(minutes: list[Period | Why], row: PeriodRow, what: Period | Why) -> None:
    minutes[row.start_minute : row.end_minute] = [what] * (row.end_minute - row.start_minute)


def _slot(found: set[Period | Why]) -> Slot:
    if Why.CALENDAR in found:
        return Slot(Period.UNKNOWN, Why.CALENDAR)
    if len(found) > 1:
        return Slot(Period.UNKNOWN, Why.CUT)
    (only,) = found
    return Slot(Period.UNKNOWN, only) if isinstance(only, Why) else Slot(only)
