"""How many readings births promise; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple


class Stretch(NamedTuple):
    """A time in which readings of a series are expected at one interval."""

    series_id: int
    interval_ms: int
    since: datetime
    until: datetime


def promised(stretches: Iterable[Stretch], passed: datetime) -> dict[int, int]:
    """Return by series how many readings are expected until ``passed``.

    Of each stretch its length / interval, rounded down: wherever in the interval the first reading falls, so many come.
    A series of which no stretch has begun is left out: nothing is known of it, which is not 0.
    """
    found: dict[int, int] = {}
    for series_id, interval_ms, since, until in stretches:
        if since < passed:
            readings = (min(until, passed) - since) // timedelta(milliseconds=interval_ms)
            found[series_id] = found.get(series_id, 0) + readings
    return found
