"""Kinds of day in China: 工作日, 休息日, 法定节假日, as the State Council arranges them each year."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import lru_cache

import chinese_calendar


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
    try:
        off, holiday = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None
    if not off:
        return DayKind.WORKDAY
    return DayKind.WEEKEND if holiday is None else DayKind.HOLIDAY
