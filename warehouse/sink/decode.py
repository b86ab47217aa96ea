"""Telemetry payloads into lists of numbers, fast, and with the same judgement as the contract's model.

:func:`decode` accepts what :func:`edge_agent.contract.telemetry.parse_batch` accepts and refuses what it refuses, with
the same reason. The fast path only ever *accepts*: whatever it is not sure of goes to the model, which decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from types import NoneType
from typing import Final, NamedTuple, TypeAlias, TypeGuard

import orjson

from edge_agent.contract.quality import Quality
from edge_agent.contract.telemetry import MAX_READINGS, Dropped, parse_batch
from edge_agent.contract.wire import VERSION

_KEYS: Final = {"v", "b", "epoch", "seq", "sent", "series"}
_DIGEST: Final = re.compile(r"[0-9a-f]{32}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_QUALITIES: Final = frozenset(int(quality) for quality in Quality)
_INT: Final = frozenset({int})
_VALUES: Final = frozenset({int, float, NoneType})
_ALL_GOOD: Final[list[int]] = []
_MOST_NAMES: Final = 1 << 16
_names: Final[set[str]] = set()
"""Names that were found good; a memo, at most ``_MOST_NAMES``."""
_TIME_END: Final = 1 << 53
_EPOCH_END: Final = 1 << 53
_SEQ_END: Final = 1 << 40


Run: TypeAlias = tuple[list[int], list[int | float | None], list[int]]
"""The readings of one series in one message: times (UTC ms), values, qualities; equally long, no qualities when all are
good. An integer beyond 64 bits stands as it was written, where the contract's model makes a float of it."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """One decoded message."""

    birth: str
    epoch: int
    seq: int
    series: Mapping[str, Run]
    dropped: tuple[Dropped, ...]
    readings: int


class Identity(NamedTuple):
    """Which message it is."""

    epoch: int
    seq: int


def decode(payload: bytes) -> Telemetry:
    """Decode a telemetry message; ``BadRecord`` with reason ``not_json``, ``version`` or ``schema``."""
    found = outline(payload)
    return found if found is not None and numbers_are_sure([found]) else from_model(payload)


def identity(payload: bytes) -> Identity | None:
    """Return epoch and seq of a message that cannot be decoded; ``None`` when they cannot be read either."""
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if type(body) is not dict:
        return None
    epoch, seq = body.get("epoch"), body.get("seq")
    if type(epoch) is int and type(seq) is int and 1 <= epoch < _EPOCH_END and 1 <= seq < _SEQ_END:
        return Identity(epoch, seq)
    return None


def outline(payload: bytes) -> Telemetry | None:
    """Decode a message whose form is certainly good; ``None`` leaves it to the model.

    Types and bounds of its numbers are still to be looked at (:func:`numbers_are_sure`): that is much faster for many
    messages at once.

    orjson keeps the last of two equal keys without a word, the model looks at both. A good message has exactly one
    colon per key (no string in it may contain one), so counting them finds a repeated key.
    """
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if type(body) is not dict or body.keys() != _KEYS:
        return None
    birth, epoch, seq, sent, series = body["b"], body["epoch"], body["seq"], body["sent"], body["series"]
    if not (
        type(body["v"]) is type(epoch) is type(seq) is type(sent) is int
        and body["v"] == VERSION
        and 1 <= epoch < _EPOCH_END
        and 1 <= seq < _SEQ_END
        and 0 <= sent < _TIME_END
        and type(birth) is str
        and _DIGEST.fullmatch(birth)
        and type(series) is dict
    ):
        return None
    runs: dict[str, Run] = {}
    colons = len(_KEYS)
    readings = 0
    for name, points in series.items():
        if type(points) is not dict or not _is_name(name):
            return None
        t, v = points.get("t"), points.get("v")
        if type(t) is not list or type(v) is not list or not t or len(t) != len(v):
            return None
        if len(points) == 2:
            runs[name] = (t, v, _ALL_GOOD)
            colons += 3
        elif len(points) == 3 and _are_qualities(q := points.get("q"), len(t)):
            runs[name] = (t, v, q)
            colons += 4
        else:
            return None
        readings += len(t)
    if readings > MAX_READINGS or payload.count(b":") != colons:
        return None
    return Telemetry(birth, epoch, seq, runs, (), readings)


def numbers_are_sure(messages: Iterable[Telemetry]) -> bool:
    """True when every time is an integer within its bounds, and every value an integer, a float or null."""
    runs = [run for message in messages for run in message.series.values()]
    times = list(chain.from_iterable([t for t, _, _ in runs]))
    if not times:
        return True
    if set(map(type, times)) != _INT or min(times) < 0 or max(times) >= _TIME_END:
        return False
    return _VALUES.issuperset(map(type, chain.from_iterable([v for _, v, _ in runs])))


def from_model(payload: bytes) -> Telemetry:
    """Decode a message as the contract does; ``BadRecord`` with the contract's reason."""
    batch = parse_batch(payload)
    runs: dict[str, Run] = {
        name: (list(points.t), list(points.v), [int(quality) for quality in points.q])
        for name, points in batch.series.items()
    }
    return Telemetry(batch.b, batch.epoch, batch.seq, runs, batch.dropped, batch.readings)


def _are_qualities(q: object, length: int) -> TypeGuard[list[int]]:
    if type(q) is not list or (q and len(q) != length):
        return False
    return _INT.issuperset(map(type, q)) and _QUALITIES.issuperset(q)


def _is_name(name: str) -> bool:
    if name in _names:
        return True
    if _NAME.fullmatch(name) is None:
        return False
    if len(_names) >= _MOST_NAMES:
        _names.clear()
    _names.add(name)
    return True
