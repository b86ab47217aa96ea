"""The readings of many messages as flat columns, looked at all at once; pure.

A *run* is the readings of one series in one message. Whatever is done for each run or reading is done in C here: at one
reading a run, Python took three times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import itemgetter
from types import NoneType
from typing import Any, Final, NotRequired, TypeAlias, TypedDict, TypeGuard

import numpy as np
from numpy.typing import NDArray

from edge_agent.contract.quality import Quality
from edge_agent.contract.telemetry import MAX_READINGS

Ints: TypeAlias = NDArray[np.int64]

_TIME_END: Final = 1 << 53
_QUALITIES: Final = frozenset(int(quality) for quality in Quality)
_LIST: Final = frozenset({list})
_INT: Final = frozenset({int})
_VALUE: Final = frozenset({int, float, NoneType})
_WITHOUT_QUALITIES: Final = 2
_WITH_QUALITIES: Final = 3


class Run(TypedDict):
    """The readings of one series in one message: times (UTC ms), values, qualities; equally long.

    No qualities when all are good. An integer beyond 64 bits stands as it was written, where the contract's model makes
    a float of it.
    """

    t: list[int]
    v: list[int | float | None]
    q: NotRequired[list[int]]


class Unsure(Exception):
    """Something may not be as the contract wants it."""


@dataclass(frozen=True, slots=True)
class Flat:
    """The readings of some messages, in the order of these."""

    runs: Ints
    """Of each message, how many runs it has."""
    lengths: Ints
    """Of each run, how many readings it has."""
    t_ms: Ints
    values: list[int | float | None]
    """As they were sent."""
    floats: NDArray[np.float64]
    """The values as a gauge keeps them: NaN for null, and no -0.0, so that equal values are equal bytes."""
    q: NDArray[np.int16]

    def readings(self) -> Ints:
        """Return of each message how many readings it has."""
        return np.diff(_sums(self.lengths)[_sums(self.runs)])

    def take(self, chosen: Sequence[int]) -> Flat:
        """Return the readings of the chosen messages, in the chosen order."""
        messages = np.array(chosen, np.int64)
        runs = _places(self.runs, messages)
        rows = _places(self.lengths, runs)
        values = [self.values[row] for row in rows.tolist()]
        return Flat(self.runs[messages], self.lengths[runs], self.t_ms[rows], values, self.floats[rows], self.q[rows])


def join(flats: Sequence[Flat]) -> Flat:
    """Return the readings of all messages, in order."""
    if len(flats) == 1:
        return flats[0]
    return Flat(
        np.concatenate([EMPTY.runs, *(flat.runs for flat in flats)]),
        np.concatenate([EMPTY.lengths, *(flat.lengths for flat in flats)]),
        np.concatenate([EMPTY.t_ms, *(flat.t_ms for flat in flats)]),
        list(chain.from_iterable([flat.values for flat in flats])),
        np.concatenate([EMPTY.floats, *(flat.floats for flat in flats)]),
        np.concatenate([EMPTY.q, *(flat.q for flat in flats)]),
    )


def flatten(messages: Sequence[dict[str, Run]]) -> Flat:
    """Return the readings of ``messages``.

    ``Unsure`` when a message has too many, or one of them is not certainly in good form, of the right types and within
    bounds. Names are not looked at.
    """
    # The type checker believes that they are runs; at run time they may be anything that JSON can say.
    points: list[Any] = list(chain.from_iterable(map(dict.values, messages)))
    runs = np.fromiter(map(len, messages), np.int64, len(messages))
    if not points:
        return replace(EMPTY, runs=runs)
    try:
        times, values = list(map(itemgetter("t"), points)), list(map(itemgetter("v"), points))
    except (KeyError, TypeError) as error:
        raise Unsure from error
    _require(_LIST.issuperset(map(type, times)) and _LIST.issuperset(map(type, values)))
    lengths = np.fromiter(map(len, times), np.int64, len(times))
    _require(lengths.all() and np.array_equal(lengths, np.fromiter(map(len, values), np.int64, len(values))))
    t, v = list(chain.from_iterable(times)), list(chain.from_iterable(values))
    _require(_INT.issuperset(map(type, t)) and _VALUE.issuperset(map(type, v)))
    try:
        t_ms = np.fromiter(t, np.int64, len(t))
    except OverflowError as error:
        raise Unsure from error
    _require(t_ms.min() >= 0 and t_ms.max() < _TIME_END)
    flat = Flat(runs, lengths, t_ms, v, np.array(v, np.float64) + 0.0, _qualities(points, lengths))
    _require(flat.readings().max() <= MAX_READINGS)
    return flat


def _qualities(points: list[dict[str, Any]], lengths: Ints) -> NDArray[np.int16]:
    """Return the quality of each reading; most runs have none because all are good."""
    q = np.zeros(int(lengths.sum()), np.int16)
    widths = np.fromiter(map(len, points), np.int64, len(points))
    if widths.max() == _WITHOUT_QUALITIES:
        return q
    _require(widths.max() == _WITH_QUALITIES)
    starts = _sums(lengths)
    for run in np.flatnonzero(widths == _WITH_QUALITIES).tolist():
        found = points[run].get("q")
        _require(_are_qualities(found))
        if found:
            _require(len(found) == lengths[run])
            q[starts[run] : starts[run + 1]] = found
    return q


def _are_qualities(q: object) -> TypeGuard[list[int]]:
    return type(q) is list and _INT.issuperset(map(type, q)) and _QUALITIES.issuperset(q)


def _sums(counts: Ints) -> Ints:
    """Return where each of consecutive pieces begins, and where the last one ends."""
    found = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=found[1:])
    return found


def _places(counts: Ints, chosen: Ints) -> Ints:
    """Return the places of what is in the chosen ones of consecutive pieces, piece by piece."""
    if not len(chosen):
        return np.zeros(0, np.int64)
    lengths = counts[chosen]
    ends = np.cumsum(lengths)
    shifts = _sums(counts)[chosen] - (ends - lengths)
    return np.repeat(shifts, lengths) + np.arange(ends[-1])


def _require(sure: object) -> None:
    if not sure:
        raise Unsure


EMPTY: Final = Flat(
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    [],
    np.zeros(0, np.float64),
    np.zeros(0, np.int16),
)
"""No message at all."""
