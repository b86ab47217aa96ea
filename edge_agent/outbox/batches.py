"""Readings to message bytes: split by number and by bytes, registers apart from gauges and states (pure)."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge_agent.contract.birth import INT64_MAX
from edge_agent.contract.quality import Quality
from edge_agent.contract.telemetry import Dropped, DropReason, Value, parse_batch
from edge_agent.contract.wire import VERSION, canonical

REPORT_RANGES: Final = 200
"""Ranges of dropped messages in one message; the rest waits for the next one."""
_RANGE_BYTES: Final = 64

Entry = tuple[str, int, Value, int]
"""Series, UTC milliseconds, value, quality: one reading as it stands in a pending poll."""


class MessageClass(StrEnum):
    """What a message carries, which decides how soon the overflow gives it up."""

    GAUGE = "gauge"
    """Gauges and states."""
    REGISTER = "register"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a message may become."""

    readings: int
    payload_bytes: int
    """Of the JSON, before any compression."""

    @property
    def report_ranges(self) -> int:
        """Ranges of dropped messages that one message may carry: never more than a quarter of its bytes."""
        return max(1, min(REPORT_RANGES, self.payload_bytes // 4 // _RANGE_BYTES))


@dataclass(frozen=True, slots=True)
class Written:
    """A message that has got its number and its bytes."""

    seq: int
    body: bytes
    readings: int
    dropped: tuple[Dropped, ...]


def pack(entries: Iterable[Entry]) -> bytes:
    """Return entries as the body of a pending poll; :func:`unpack` gives them back exactly."""
    return json.dumps(list(entries), separators=(",", ":"), allow_nan=False).encode()


def unpack(body: bytes) -> list[Entry]:
    """Return the entries of a pending poll, as :func:`pack` packed them."""
    entries: list[Entry] = [(series, t_ms, value, quality) for series, t_ms, value, quality in json.loads(body)]
    return entries


def entries_of(message: bytes) -> list[Entry]:
    """Return the entries that the bytes of a message carry; ``BadRecord`` when they are not those of a message."""
    batch = parse_batch(message)
    return [
        (name, t_ms, value, int(points.q[at]) if points.q else int(Quality.GOOD))
        for name, points in batch.series.items()
        for at, (t_ms, value) in enumerate(zip(points.t, points.v, strict=True))
    ]


def storable(value: object, quality: int) -> tuple[Value, int]:
    """Return ``value`` and ``quality`` as the contract can carry them.

    What no message can carry (not a number, infinite, beyond 64 bits) becomes null of quality ``BAD``, so that one
    such value cannot make a whole message unreadable.
    """
    if value is None:
        return None, quality
    if type(value) is float and math.isfinite(value):
        return value, quality
    if type(value) is int and -INT64_MAX - 1 <= value <= INT64_MAX:
        return value, quality
    return None, max(quality, int(Quality.BAD))


def compose(
    entries: Sequence[Entry],
    *,
    digest: str,
    epoch: int,
    first_seq: int,
    sent_ms: int,
    dropped: deque[Dropped],
    bounds: Bounds,
) -> Iterator[Written]:
    """Yield messages that carry ``entries`` in their order, numbered from ``first_seq``, each within ``bounds``.

    Reports are taken from the left of ``dropped`` as far as they fit. A single reading that exceeds the bytes is
    carried all the same. Without entries one message is made, for its report alone.
    """
    step = bounds.readings
    parts = deque(entries[start : start + step] for start in range(0, len(entries), step)) or deque([entries])
    seq = first_seq
    while parts:
        part = parts.popleft()
        report = tuple(gap for gap, _ in zip(dropped, range(bounds.report_ranges), strict=False))
        body = _encode(part, digest, epoch, seq, sent_ms, report)
        if len(body) > bounds.payload_bytes and len(part) > 1:
            half = len(part) // 2
            parts.extendleft((part[half:], part[:half]))
            continue
        for _ in report:
            dropped.popleft()
        yield Written(seq, body, len(part), report)
        seq += 1


def _encode(
    entries: Sequence[Entry], digest: str, epoch: int, seq: int, sent_ms: int, dropped: tuple[Dropped, ...]
) -> bytes:
    """Return the bytes of a telemetry ``Batch`` without making one: half the time, and entries are checked already."""
    columns: dict[str, dict[str, list[Value]]] = {}
    for series, t_ms, value, quality in entries:
        points = columns.get(series)
        if points is None:
            points = columns[series] = {"t": [], "v": [], "q": []}
        points["t"].append(t_ms)
        points["v"].append(value)
        points["q"].append(quality)
    for points in columns.values():
        if not any(points["q"]):
            del points["q"]
    message = {"b": digest, "epoch": epoch, "seq": seq, "sent": sent_ms, "series": columns, "v": VERSION}
    return canonical(message | {"dropped": dropped} if dropped else message)


def pack_report(dropped: Sequence[Dropped]) -> str | None:
    """Return a report as the text that is kept beside its message; ``None`` when there is nothing to report."""
    return json.dumps([list(gap) for gap in dropped]) if dropped else None


def unpack_report(text: str | None) -> list[Dropped]:
    """Return the report kept beside a message."""
    return [
        Dropped(first, last, DropReason(reason), readings) for first, last, reason, readings in json.loads(text or "[]")
    ]
