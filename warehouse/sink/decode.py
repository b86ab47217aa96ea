"""Telemetry payloads into lists of numbers, fast, and with the same judgement as the contract's model.

:func:`decode` accepts what :func:`edge_agent.contract.telemetry.parse_batch` accepts and refuses what it refuses, with
the same reason. The fast path only ever *accepts*: whatever it is not sure of goes to the model, which decides. It has
two halves: :func:`outline` looks at each message, :func:`.flat.flatten` at the readings of all of them together.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import orjson

from edge_agent.contract.telemetry import Dropped, parse_batch
from edge_agent.contract.wire import VERSION
from warehouse.sink.flat import Flat, Run, Unsure, flatten

_KEYS: Final = {"v", "b", "epoch", "seq", "sent", "series"}
_DIGEST: Final = re.compile(r"[0-9a-f]{32}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_MOST_NAMES: Final = 1 << 17
_TIME_END: Final = 1 << 53
_EPOCH_END: Final = 1 << 53
_SEQ_END: Final = 1 << 40


class Identity(NamedTuple):
    """Which message it is."""

    epoch: int
    seq: int


class Telemetry(NamedTuple):
    """One message without its readings."""

    birth: str
    epoch: int
    seq: int
    names: tuple[str, ...]
    """Of its series, in the order of their readings."""
    dropped: tuple[Dropped, ...] = ()


class Outline(NamedTuple):
    """One message, its readings as they were found."""

    telemetry: Telemetry
    series: dict[str, Run]


class _Names:
    """A memo of names that were found good, as they stand together in messages; at most ``_MOST_NAMES`` of them."""

    def __init__(self) -> None:
        self._good: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._count = 0

    def good(self, names: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return ``names``, always the same object; ``None`` when one of them is not good."""
        found = self._good.get(names)
        if found is None and all(map(_NAME.fullmatch, names)):
            self._count += len(names)
            if self._count > _MOST_NAMES:
                self._good.clear()
                self._count = len(names)
            found = self._good[names] = names
        return found


_names: Final = _Names()


def decode(payload: bytes) -> tuple[Telemetry, Flat]:
    """Decode a telemetry message; ``BadRecord`` with reason ``not_json``, ``version`` or ``schema``."""
    found = outline(payload)
    if found is not None:
        try:
            return found.telemetry, flatten([found.series])
        except Unsure:
            pass
    found = from_model(payload)
    return found.telemetry, flatten([found.series])


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


def outline(payload: bytes) -> Outline | None:
    """Decode a message whose head and names are certainly good; ``None`` leaves it to the model.

    Its readings are still to be looked at by :func:`.flat.flatten`: that is much faster for many messages at once.

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
        and (names := _names.good(tuple(series))) is not None
    ):
        return None
    try:
        keys = len(_KEYS) + len(series) + sum(map(len, series.values()))
    except TypeError:
        return None
    return Outline(Telemetry(birth, epoch, seq, names), series) if payload.count(b":") == keys else None


def from_model(payload: bytes) -> Outline:
    """Decode a message as the contract does; ``BadRecord`` with the contract's reason."""
    batch = parse_batch(payload)
    series: dict[str, Run] = {
        name: {"t": list(points.t), "v": list(points.v), "q": [int(quality) for quality in points.q]}
        for name, points in batch.series.items()
    }
    return Outline(Telemetry(batch.b, batch.epoch, batch.seq, tuple(series), batch.dropped), series)
