"""Messages and their births into sorted columns, one set per reading table; pure.

Every reading is checked alone: a bad one becomes a :class:`Rejected` and its message is stored without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_agent.contract.birth import INT64_MAX, Kind, SeriesSpec, check_value
from edge_agent.contract.errors import BadRecord
from warehouse.sink.decode import Run, Telemetry

EARLIEST_MS: Final = 1_420_070_400_000
"""2015-01-01 UTC. No gateway of the district is older; an earlier time is a clock that was never set."""
AHEAD_MS: Final = 86_400_000
"""How far ahead of Kafka's clock a reading may be."""

Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]


class Series(NamedTuple):
    """What has to be known of a series to store its readings."""

    series_id: int
    kind: Kind
    range: int | None

    def spec(self) -> SeriesSpec:
        """Return what the contract's check of values needs; the other fields are not true."""
        decimals = None if self.range is None else 0
        return SeriesSpec(
            device="-", quantity="x", unit="", kind=self.kind, interval_ms=1, decimals=decimals, range=self.range
        )


class Message(NamedTuple):
    """One message with all that its readings need."""

    telemetry: Telemetry
    birth: Mapping[str, Series]
    message: int
    """Its number in the warehouse, ``ledger_id << 40 | seq``."""
    appended_ms: int
    """When Kafka appended it; its readings may be at most ``AHEAD_MS`` later."""


class Rejected(NamedTuple):
    """One reading that is not stored, and why."""

    message: int
    name: str
    series_id: int | None
    t_ms: int
    value: int | float | None
    q: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of one reading table, equally long, sorted by series and time."""

    series_id: NDArray[np.int32]
    t_ms: Ints
    v: NDArray[Any]
    """float64 for gauges, otherwise int64."""
    missing: Mask | None
    """True where ``v`` is null; ``None`` when nowhere."""
    q: NDArray[np.int16]
    message: Ints

    def __len__(self) -> int:
        return len(self.t_ms)

    def take(self, chosen: Mask | NDArray[np.intp]) -> Columns:
        """Return the chosen rows, in the chosen order."""
        missing = None if self.missing is None else self.missing[chosen]
        return Columns(
            self.series_id[chosen],
            self.t_ms[chosen],
            self.v[chosen],
            missing if missing is not None and missing.any() else None,
            self.q[chosen],
            self.message[chosen],
        )

    def repeated(self) -> Mask:
        """Return which rows share their series and time with another one."""
        same = (self.series_id[1:] == self.series_id[:-1]) & (self.t_ms[1:] == self.t_ms[:-1])
        found = np.zeros(len(self), np.bool_)
        found[1:] |= same
        found[:-1] |= same
        return found


def gather(messages: Sequence[Message]) -> tuple[dict[Kind, Columns], list[Rejected]]:
    """Return the readings of ``messages`` by kind, and those that are refused.

    Reasons: ``unknown_series``, ``value_type``, ``register_range`` (as :func:`.birth.check_value`), ``time_past``,
    ``time_future``.
    """
    heaps = {kind: _Heap(kind) for kind in Kind}
    rejected: list[Rejected] = []
    for number, (telemetry, birth, message, _) in enumerate(messages):
        for name, run in telemetry.series.items():
            series = birth.get(name)
            if series is None:
                rejected.extend(_unknown(message, name, run))
            else:
                heaps[series.kind].add(number, name, series, run)
    message_ids = np.fromiter((message.message for message in messages), np.int64, len(messages))
    latest_ms = np.fromiter((message.appended_ms + AHEAD_MS for message in messages), np.int64, len(messages))
    columns = {kind: heap.settle(message_ids, latest_ms, rejected) for kind, heap in heaps.items() if heap.t}
    return {kind: found for kind, found in columns.items() if len(found)}, rejected


@dataclass(slots=True)
class _Heap:
    """Readings of one kind while they are gathered: flat lists, and one entry per run beside them."""

    kind: Kind
    t: list[int] = field(default_factory=list)
    v: list[int | float | None] = field(default_factory=list)
    doubts: list[tuple[int, list[int]]] = field(default_factory=list)
    """Where the qualities of a run that is not all good begin, and what they are."""
    origins: list[int] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)

    def add(self, origin: int, name: str, series: Series, run: Run) -> None:
        t, v, q = run
        if q:
            self.doubts.append((len(self.t), q))
        self.t += t
        self.v += v
        self.origins.append(origin)
        self.names.append(name)
        self.series.append(series)
        self.lengths.append(len(t))

    def settle(self, message_ids: Ints, latest_ms: Ints, rejected: list[Rejected]) -> Columns:
        lengths = np.array(self.lengths)
        t = np.array(self.t, np.int64)
        q = np.zeros(len(t), np.int16)
        for at, qualities in self.doubts:
            q[at : at + len(qualities)] = qualities
        origin = np.repeat(np.array(self.origins), lengths)
        series_id = np.repeat(np.fromiter((s.series_id for s in self.series), np.int32, len(lengths)), lengths)
        v, missing, bad = self._values(lengths)
        bad |= (t < EARLIEST_MS) | (t > latest_ms[origin])
        columns = Columns(series_id, t, v, missing if missing.any() else None, q, message_ids[origin])
        if bad.any():
            ends = np.cumsum(lengths)
            for place in np.flatnonzero(bad).tolist():
                run = int(np.searchsorted(ends, place, side="right"))
                rejected.append(self._refuse(place, run, int(q[place]), int(message_ids[origin[place]])))
            columns = columns.take(~bad)
        return columns.take(np.lexsort((columns.t_ms, columns.series_id)))

    def _values(self, lengths: NDArray[np.int_]) -> tuple[NDArray[Any], Mask, Mask]:
        """Return values, which of them are null, and which do not suit their series."""
        bad = np.zeros(len(self.v), np.bool_)
        if self.kind is Kind.GAUGE:
            # None becomes NaN, which cannot come from JSON; adding zero turns -0.0 into 0.0, so equal values are
            # equal bytes.
            gauge = np.array(self.v, np.float64) + 0.0
            return gauge, np.isnan(gauge), bad
        missing = np.zeros(len(self.v), np.bool_)
        v = _all_int64(self.v)
        if v is None:
            fits = np.fromiter((_fits(value) for value in self.v), np.bool_, len(self.v))
            missing = np.fromiter((value is None for value in self.v), np.bool_, len(self.v))
            bad = ~fits & ~missing
            v = np.zeros(len(self.v), np.int64)
            v[fits] = np.array([value for value in self.v if _fits(value)], np.int64)
        if self.kind is Kind.REGISTER:
            most = np.fromiter((INT64_MAX if s.range is None else s.range - 1 for s in self.series), np.int64)
            bad |= ~missing & ((v < 0) | (v > np.repeat(most, lengths)))
        return v, missing, bad

    def _refuse(self, at: int, run: int, q: int, message: int) -> Rejected:
        series, value, t_ms = self.series[run], _as_the_model(self.v[at]), self.t[at]
        try:
            check_value(series.spec(), value)
        except BadRecord as error:
            reason, detail = error.reason, error.detail
        else:
            past = t_ms < EARLIEST_MS
            reason = "time_past" if past else "time_future"
            detail = f"{t_ms} ms is {'before 2015' if past else 'more than a day after its arrival'}"
        return Rejected(message, self.names[run], series.series_id, t_ms, value, q, reason, detail)


def _all_int64(values: list[int | float | None]) -> Ints | None:
    """Return ``values`` as an array when all are integers of 64 bits."""
    if set(map(type, values)) != {int}:
        return None
    try:
        return np.array(values, np.int64)
    except OverflowError:
        return None


def _fits(value: int | float | None) -> bool:
    return type(value) is int and -INT64_MAX - 1 <= value <= INT64_MAX


def _as_the_model(value: int | float | None) -> int | float | None:
    """Return ``value`` as the contract's model reads it: an integer beyond 64 bits is a float."""
    return value if value is None or _fits(value) else float(value)


def _unknown(message: int, name: str, run: Run) -> Iterable[Rejected]:
    times, values, qualities = run
    for t_ms, value, q in zip(times, values, qualities or repeat(0, len(times)), strict=True):
        yield Rejected(message, name, None, t_ms, _as_the_model(value), q, "unknown_series", f"the birth has no {name}")
