"""Kinds of day in China: 工作日, 休息日, 法定节假日, as the State Council arranges them each year."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final

import chinese_calendar

_YEARS: Final = range(min(chinese_calendar.holidays).year, max(chinese_calendar.holidays).year + 1)
"""Years that the package's table has; its answer for a day of any other is an error, so that it is not asked."""


class DayKind(StrEnum):
    """What the calendar makes of a day."""

    WORKDAY = "workday"
    """工作日, also a Saturday or Sunday that is worked for a holiday (调休)."""
    WEEKEND = "weekend"
    """休息日 that belongs to no holiday."""
    HOLIDAY = "holiday"
    """法定节假日 as arranged: the whole of the days off, those in lieu among them."""


@lru_cache(maxsize=4096)
def kind_of_day(day: date) -> DayKind | None:
    """Return the kind of ``day``; ``None`` for a year that the package `chinese-calendar` does not have."""
    if day.year not in _YEARS:
        return None
    off, holiday = chinese_calendar.get_holiday_detail(day)
    if not off:
        return DayKind.WORKDAY
    return DayKind.WEEKEND if holiday is None else DayKind.HOLIDAY
