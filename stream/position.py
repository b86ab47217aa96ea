"""Where reading a partition begins, given what the store has and what the log holds. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What the comparison of store and log says."""

    NEW = "new"
    """Never seen, or another log under the same name: from its start."""
    GOES_ON = "goes_on"
    LOST = "lost"
    """Records between the stored offset and the log's start are gone: from the log's start."""
    CUT = "cut"
    """The log ends before the stored offset: Kafka lost its tail (power cut, unclean election), and numbers that were
    read before are given out again."""


class Start(NamedTuple):
    """Where to begin; ``offset`` is ``None`` for a cut log of which nobody knows where it was cut."""

    verdict: Verdict
    offset: int | None


def starting_point(stored: int | None, log_start: int, log_end: int, cut_at: int | None = None) -> Start:
    """Return where to begin.

    ``cut_at`` is where Kafka says that log and reader part, if it said so: after a cut the log may have grown beyond
    the stored offset again, and only this tells that the records in between are others.
    """
    if stored is None:
        return Start(Verdict.NEW, log_start)
    if cut_at is not None and cut_at < stored:
        return Start(Verdict.CUT, max(log_start, min(cut_at, log_end)))
    if stored > log_end:
        return Start(Verdict.CUT, None)
    if stored < log_start:
        return Start(Verdict.LOST, log_start)
    return Start(Verdict.GOES_ON, stored)
