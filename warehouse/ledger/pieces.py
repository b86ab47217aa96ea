"""Days that are to be counted, cut into pieces of bounded work; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

MOST_READINGS: Final = 1_000_000
"""Readings that a piece should not have more of; about a second."""
MOST_SERIES: Final = 20_000
"""Series that a piece may have, however few readings they bring."""


class Due(NamedTuple):
    """A day of a gateway."""

    gateway: str
    day: date


class Counted(NamedTuple):
    """A series, and how many readings a day it should bring."""

    series_id: int
    kind: str
    readings: int


@dataclass(slots=True)
class Piece:
    """Series of one day that are counted in one transaction."""

    day: date
    gateways: set[str] = field(default_factory=set)
    series: dict[str, list[int]] = field(default_factory=lambda: {"gauge": [], "register": [], "state": []})
    done: list[str] = field(default_factory=list)
    """Gateways whose day is counted once this piece is."""
    readings: int = 0
    """As many as it should have."""

    @property
    def full(self) -> bool:
        """True when nothing more belongs into it."""
        return self.readings >= MOST_READINGS or sum(map(len, self.series.values())) >= MOST_SERIES


def pieces(due: Sequence[Due], series: Mapping[str, Sequence[Counted]]) -> Iterator[Piece]:
    """Cut ``due`` into pieces, day by day in the order in which the days come first."""
    gateways: dict[date, list[str]] = defaultdict(list)
    for one in due:
        gateways[one.day].append(one.gateway)
    for day, of_day in gateways.items():
        piece = Piece(day)
        for gateway in of_day:
            for counted in series.get(gateway, ()):
                if piece.full:
                    yield piece
                    piece = Piece(day)
                piece.gateways.add(gateway)
                piece.series[counted.kind].append(counted.series_id)
                piece.readings += counted.readings
            piece.done.append(gateway)
        yield piece
