"""Messages and their births into sorted columns, one set per reading table; pure.

Every reading is checked alone: a bad one becomes a :class:`Rejected` and its message is stored without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_agent.contract.birth import INT64_MAX, Kind, SeriesSpec, check_value
from edge_agent.contract.errors import BadRecord
from warehouse.sink.decode import Telemetry
from warehouse.sink.flat import Flat, Ints

EARLIEST_MS: Final = 1_420_070_400_000
"""2015-01-01 UTC. No gateway of the district is older; an earlier time is a clock that was never set."""
AHEAD_MS: Final = 86_400_000
"""How far ahead of Kafka's clock a reading may be."""

Mask: TypeAlias = NDArray[np.bool_]

_KINDS: Final = tuple(Kind)
_UNKNOWN: Final = -1
_MOST_MEANINGS: Final = 64


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


class Legend:
    """What the names in messages of one birth mean."""

    def __init__(self, series: Mapping[str, Series]) -> None:
        self._series = series
        self._meanings: dict[tuple[str, ...], Ints] = {}

    def __len__(self) -> int:
        return len(self._series)

    def get(self, name: str) -> Series | None:
        """Return the series of that name."""
        return self._series.get(name)

    def meanings(self, names: tuple[str, ...]) -> Ints:
        """Return three rows, with a column for each of ``names``: series id, kind, largest value.

        The kind is its place in ``Kind``, -1 where the birth has no such name. A gateway sends the same names in
        message after message, so what was found is kept.
        """
        found = self._meanings.get(names)
        if found is None:
            if len(self._meanings) >= _MOST_MEANINGS:
                self._meanings.clear()
            rows = [_meaning(self._series.get(name)) for name in names]
            found = self._meanings[names] = np.array(rows, np.int64).reshape(len(names), 3).T
        return found


def _meaning(series: Series | None) -> tuple[int, int, int]:
    if series is None:
        return 0, _UNKNOWN, 0
    return series.series_id, _KINDS.index(series.kind), INT64_MAX if series.range is None else series.range - 1


class Message(NamedTuple):
    """One message with all that its readings need."""

    telemetry: Telemetry
    birth: Legend
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

    def take(self, chosen: Mask) -> Columns:
        """Return the chosen rows."""
        missing = None if self.missing is None else self.missing[chosen]
        return Columns(
            self.series_id[chosen],
            self.t_ms[chosen],
            self.v[chosen],
            missing if missing is not None and missing.any() else None,
            self.q[chosen],
            self.message[chosen],
        )

    def part(self, first: int, end: int) -> Columns:
        """Return the rows from ``first`` to before ``end``; nothing is copied."""
        rows = slice(first, end)
        missing = None if self.missing is None else self.missing[rows]
        return Columns(self.series_id[rows], self.t_ms[rows], self.v[rows], missing, self.q[rows], self.message[rows])

    def repeated(self) -> Mask:
        """Return which rows share their series and time with another one."""
        same = (self.series_id[1:] == self.series_id[:-1]) & (self.t_ms[1:] == self.t_ms[:-1])
        found = np.zeros(len(self), np.bool_)
        found[1:] |= same
        found[:-1] |= same
        return found


class Gathered(NamedTuple):
    """The readings of some messages."""

    messages: Sequence[Message]
    columns: Mapping[Kind, Columns]
    rejected: Sequence[Rejected]


def gather(messages: Sequence[Message], flat: Flat) -> Gathered:
    """Return the readings of ``messages`` by kind, and those that are refused; ``flat`` are their readings.

    Reasons: ``unknown_series``, ``value_type``, ``register_range`` (as :func:`.birth.check_value`), ``time_past``,
    ``time_future``.
    """
    if not len(flat.t_ms):
        return Gathered(messages, {}, [])
    gathering = _Gathering(messages, flat)
    columns = {kind: gathering.columns(kind) for kind in Kind}
    return Gathered(messages, {kind: found for kind, found in columns.items() if len(found)}, gathering.rejected())


class _Gathering:
    """Messages on their way into columns. Arrays have an entry per reading, where they do not say otherwise."""

    def __init__(self, messages: Sequence[Message], flat: Flat) -> None:
        self._messages = messages
        self._flat = flat
        meanings = [message.birth.meanings(message.telemetry.names) for message in messages]
        self._series_of_run, self._kind_of_run, self._most_of_run = np.concatenate(meanings, axis=1)
        readings = flat.readings()
        self._readings_of_message = readings
        self._series_id = np.repeat(self._series_of_run.astype(np.int32), flat.lengths)
        ids = np.fromiter((message.message for message in messages), np.int64, len(messages))
        self._message = np.repeat(ids, readings)
        latest_ms = np.fromiter((message.appended_ms + AHEAD_MS for message in messages), np.int64, len(messages))
        self._bad = (flat.t_ms < EARLIEST_MS) | (flat.t_ms > np.repeat(latest_ms, readings))
        self._bad |= np.repeat(self._kind_of_run == _UNKNOWN, flat.lengths)

    def columns(self, kind: Kind) -> Columns:
        """Return the good readings of ``kind``, and note the bad ones."""
        runs = self._kind_of_run == _KINDS.index(kind)
        rows = np.flatnonzero(np.repeat(runs, self._flat.lengths))
        if kind is Kind.GAUGE:
            v: NDArray[Any] = self._flat.floats[rows]
            missing = np.isnan(v)
        else:
            v, missing, bad = _integers([self._flat.values[row] for row in rows.tolist()])
            if kind is Kind.REGISTER:
                most = np.repeat(self._most_of_run[runs], self._flat.lengths[runs])
                bad |= ~missing & ((v < 0) | (v > most))
            self._bad[rows] |= bad
        kept = np.flatnonzero(~self._bad[rows])
        kept = kept[_order(self._series_id[rows[kept]], self._flat.t_ms[rows[kept]])]
        rows = rows[kept]
        return Columns(
            self._series_id[rows],
            self._flat.t_ms[rows],
            v[kept],
            missing[kept] if missing.any() else None,
            self._flat.q[rows],
            self._message[rows],
        )

    def rejected(self) -> list[Rejected]:
        """Return the bad readings, once all columns were made."""
        if not self._bad.any():
            return []
        names = [name for message in self._messages for name in message.telemetry.names]
        run_ends, message_ends = np.cumsum(self._flat.lengths), np.cumsum(self._readings_of_message)
        found: list[Rejected] = []
        for row in np.flatnonzero(self._bad).tolist():
            message = self._messages[int(np.searchsorted(message_ends, row, side="right"))]
            name = names[int(np.searchsorted(run_ends, row, side="right"))]
            found.append(self._refuse(row, message, name))
        return found

    def _refuse(self, row: int, message: Message, name: str) -> Rejected:
        series = message.birth.get(name)
        value, t_ms = _as_the_model(self._flat.values[row]), int(self._flat.t_ms[row])
        reason, detail = _fault(series, name, t_ms, value)
        series_id = None if series is None else series.series_id
        return Rejected(message.message, name, series_id, t_ms, value, int(self._flat.q[row]), reason, detail)


def _fault(series: Series | None, name: str, t_ms: int, value: int | float | None) -> tuple[str, str]:
    """Return what is wrong with a reading that is bad: reason and detail."""
    if series is None:
        return "unknown_series", f"the birth has no {name}"
    try:
        check_value(series.spec(), value)
    except BadRecord as error:
        return error.reason, error.detail
    if t_ms < EARLIEST_MS:
        return "time_past", f"{t_ms} ms is before 2015"
    return "time_future", f"{t_ms} ms is more than a day after its arrival"


def _order(series_id: NDArray[np.int32], t_ms: Ints) -> NDArray[np.intp]:
    """Return the places of the rows by series and time."""
    if not len(t_ms):
        return np.zeros(0, np.intp)
    after_ms = t_ms - t_ms.min()
    if after_ms.max() >> 32:
        return np.lexsort((t_ms, series_id))
    # Within 49 days both fit into one number, which sorts in less than half of the time.
    return np.argsort(series_id.astype(np.int64) << 32 | after_ms)


def _integers(values: list[int | float | None]) -> tuple[Ints, Mask, Mask]:
    """Return values as integers, which of them are null, and which are neither null nor an integer of 64 bits."""
    found = _all_int64(values)
    if found is not None:
        return found, np.zeros(len(values), np.bool_), np.zeros(len(values), np.bool_)
    fits = np.fromiter(map(_fits, values), np.bool_, len(values))
    missing = np.fromiter((value is None for value in values), np.bool_, len(values))
    found = np.zeros(len(values), np.int64)
    found[fits] = np.array([value for value in values if _fits(value)], np.int64)
    return found, missing, ~fits & ~missing


def _all_int64(values: list[int | float | None]) -> Ints | None:
    """Return ``values`` as an array when all are integers of 64 bits."""
    if not {int}.issuperset(map(type, values)):
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
