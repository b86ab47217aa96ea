"""Quality codes of a reading.

Ordered: of two readings of one series and time, the one with the smaller code wins (design §3.6).
"""

from __future__ import annotations

from enum import IntEnum


class Quality(IntEnum):
    """What the agent knew about a value when it read it; a smaller code is better.

    Codes below ``BAD`` carry a value that may be used with the stated doubt; codes from ``BAD`` on are kept as evidence
    and enter no account.
    """

    GOOD = 0
    SUBSTITUTED = 10
    """Entered or repaired by a person or a job, not read."""
    CLOCK_UNSYNCED = 20
    """The gateway's clock had not been set when the value was read: the value is good, its time is not. It enters no
    account until its time is repaired, which makes it ``SUBSTITUTED``."""
    UNCERTAIN = 30
    """The device itself marked the value as doubtful."""
    BAD = 100
    """The device answered, but with no usable value; the value is null or kept as evidence only."""
    OUT_OF_RANGE = 110
    """Outside the range that the birth declares."""

    @property
    def usable(self) -> bool:
        """True when the value may enter an account or a statistic."""
        return self < Quality.BAD
