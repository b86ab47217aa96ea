"""Times as milliseconds: UTC inside, days of Asia/Shanghai."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAY_MS: Final = 86_400_000
SHANGHAI_MS: Final = 28_800_000
"""How far Asia/Shanghai is ahead of UTC: eight hours since 1991, the year after its last summer time."""
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Return the UTC milliseconds of an aware ``moment``, exactly; what is finer is cut off."""
    return (moment - _EPOCH) // _MS


def from_ms(t_ms: int) -> datetime:
    """Return the time of UTC milliseconds, aware, in UTC; ``OverflowError`` beyond the years 1 … 9999."""
    return _EPOCH + timedelta(milliseconds=t_ms)


def midnight(day: date) -> datetime:
    """Return when ``day`` begins in Shanghai, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(milliseconds=SHANGHAI_MS)
