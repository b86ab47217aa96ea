"""How far behind a reader of Kafka is, and when it will have caught up. Pure."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SPAN_S: Final = 60.0
"""Rates are those of the last so many seconds."""
STEADY_S: Final = 10.0
"""Whoever reads records that are no older than this is up to date."""


class Pace(StrEnum):
    """How a reader does."""

    UP_TO_DATE = "up_to_date"
    CATCHING_UP = "catching_up"
    FALLING_BEHIND = "falling_behind"
    """It has a backlog that does not shrink."""
    BEHIND = "behind"
    """It has a backlog; whether that shrinks is not known yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a reader does, at one time."""

    pace: Pace
    lag_records: int
    """Records in Kafka that it has not done."""
    behind_s: float
    """Age of the oldest of them, by Kafka's time; 0 when there is none."""
    in_per_s: float
    """Records that came."""
    out_per_s: float
    """Records that it did."""
    minutes_left: float | None
    """Until it has caught up at these rates; ``None`` when it will not, or that is not known."""

    def told(self) -> str:
        """Return it in words."""
        match self.pace:
            case Pace.UP_TO_DATE:
                return "up to date (已追平)"
            case Pace.FALLING_BEHIND:
                return f"falling behind, {_span(self.behind_s)} (正在落后)"
            case Pace.CATCHING_UP if self.minutes_left is not None:
                left = max(1, math.ceil(self.minutes_left))
                return f"catching up, {left} minute{'' if left == 1 else 's'} left (正在追赶，约 {left} 分钟)"
            case _:
                return f"behind by {_span(self.behind_s)} (有积压)"


class Track:
    """Samples of where the log ends and where its reader stands; makes a :class:`Standing` of them."""

    def __init__(self, span_s: float = SPAN_S, steady_s: float = STEADY_S) -> None:
        self._span_s = span_s
        self._steady_s = steady_s
        self._samples: deque[tuple[float, int, int]] = deque()

    def add(self, now_mono_s: float, ended: int, done: int, behind_s: float) -> Standing:
        """Take a sample and return the standing.

        ``ended`` and ``done`` are sums over all partitions: of log ends, and of offsets up to which all is done. When
        either went back it is another log, and what was known of the rates is forgotten.
        """
        if self._samples and (ended < self._samples[-1][1] or done < self._samples[-1][2]):
            self._samples.clear()
        self._samples.append((now_mono_s, ended, done))
        while now_mono_s - self._samples[0][0] > self._span_s and len(self._samples) > 2:
            self._samples.popleft()
        then_mono_s, ended_then, done_then = self._samples[0]
        passed_s = now_mono_s - then_mono_s
        in_per_s = (ended - ended_then) / passed_s if passed_s else 0.0
        out_per_s = (done - done_then) / passed_s if passed_s else 0.0
        return estimate(
            max(0, ended - done), behind_s, in_per_s, out_per_s, known=passed_s > 0, steady_s=self._steady_s
        )


def estimate(
    lag_records: int,
    behind_s: float,
    in_per_s: float,
    out_per_s: float,
    *,
    known: bool = True,
    steady_s: float = STEADY_S,
) -> Standing:
    """Return the standing of a reader with this backlog at these rates; without ``known`` the rates mean nothing."""
    minutes_left = None
    if lag_records == 0 or behind_s <= steady_s:
        pace = Pace.UP_TO_DATE
    elif not known:
        pace = Pace.BEHIND
    elif out_per_s > in_per_s:
        pace = Pace.CATCHING_UP
        minutes_left = lag_records / (out_per_s - in_per_s) / 60
    else:
        pace = Pace.FALLING_BEHIND
    return Standing(pace, lag_records, behind_s if lag_records else 0.0, in_per_s, out_per_s, minutes_left)


def _span(span_s: float) -> str:
    return f"{span_s:.0f} s" if span_s < 120 else f"{span_s / 60:.0f} min"
