"""Sets of message numbers as ranges; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from edge_agent.contract.command import SeqRange

Ranges: TypeAlias = Sequence[SeqRange]
"""Ascending, apart from each other, both ends included."""


def ranges_of(numbers: Iterable[int]) -> list[SeqRange]:
    """Return ``numbers`` as the fewest ranges."""
    ordered = sorted(set(numbers))
    # Mostly there are no gaps.
    if ordered and ordered[-1] - ordered[0] == len(ordered) - 1:
        return [SeqRange(ordered[0], ordered[-1])]
    return joined(SeqRange(number, number) for number in ordered)


def joined(ranges: Iterable[SeqRange]) -> list[SeqRange]:
    """Return what ``ranges`` cover as the fewest ranges."""
    found: list[SeqRange] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1].last + 1:
            if last > found[-1].last:
                found[-1] = SeqRange(found[-1].first, last)
        else:
            found.append(SeqRange(first, last))
    return found


def holes(settled: Ranges, through: int) -> list[SeqRange]:
    """Return what of ``1 … through`` is not in ``settled``."""
    found: list[SeqRange] = []
    following = 1
    for first, last in settled:
        if first > through:
            break
        if first > following:
            found.append(SeqRange(following, first - 1))
        following = last + 1
    if following <= through:
        found.append(SeqRange(following, through))
    return found


def multirange(ranges: Iterable[SeqRange]) -> str:
    """Return PostgreSQL's text of an int8multirange."""
    return "{" + ",".join([f"[{first},{last + 1})" for first, last in ranges]) + "}"
