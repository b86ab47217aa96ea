"""Records into what they say: telemetry, births, states, events, and what cannot be taken; pure.

The gateway of a record is the one its key names: the broker bound it to the MQTT user that published. A body that
claims another gateway is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple

from edge_agent.contract.birth import Birth, parse_birth
from edge_agent.contract.errors import BadRecord
from edge_agent.contract.event import Event, parse_event
from edge_agent.contract.state import State, parse_state
from edge_agent.contract.topics import GATEWAY_PATTERN, RESERVED_GATEWAYS
from edge_agent.contract.wire import decompress
from stream.topics import (
    BIRTHS,
    ENCODING,
    EVENTS,
    MQTT_TOPIC,
    REASON,
    RECEIVED,
    REFUSED,
    RETAINED,
    STATES,
    TELEMETRY,
    Record,
    gateway_of,
)
from warehouse.sink.decode import Identity, Outline, Telemetry, decode, from_model, identity, outline
from warehouse.sink.flat import Flat, Unsure, flatten, join

_GATEWAY: Final = re.compile(GATEWAY_PATTERN)
_PIECE_BYTES: Final = 64 << 10
"""Bytes of messages whose readings are flattened together. What JSON makes of them then still fits into the processor's
cache, and is gone before Python looks for garbage in it (measured at 20 readings a message: 140 ms of processor time
for 100 000 of them, against 260 ms with a megabyte)."""


class Told(NamedTuple):
    """One telemetry message as it came."""

    gateway: str
    telemetry: Telemetry
    record: Record

    @property
    def name(self) -> tuple[str, int, int]:
        """Gateway, epoch and seq."""
        return self.gateway, self.telemetry.epoch, self.telemetry.seq


@dataclass(frozen=True, slots=True)
class Refused:
    """One record that nothing can be made of, and why."""

    record: Record
    reason: str
    detail: str
    gateway: str | None
    identity: Identity | None
    """Which message it is, as far as it can still be read; it then counts as rejected in the ledger."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What the records of one write say."""

    telemetry: list[Told] = field(default_factory=list)
    births: list[tuple[Birth, Record]] = field(default_factory=list)
    states: list[tuple[str, State, Record]] = field(default_factory=list)
    events: list[tuple[str, Event, Record]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    flat: Flat | None = None
    """The readings of ``telemetry``, where they are at hand."""
    records: int = 0
    """How many records were read."""


def sort(records: Iterable[Record], most_bytes: int | None = None) -> Intake:
    """Read the records; none is left out but the tombstones of compacted topics, which say nothing.

    Ends with the record that brings the bytes of what they say, uncompressed, to ``most_bytes``.
    """
    reading = _Reading()
    for record in records:
        if most_bytes is not None and reading.plain_bytes >= most_bytes:
            break
        reading.read(record)
    return reading.end()


class _Reading:
    """Records on their way into an intake."""

    def __init__(self) -> None:
        self.plain_bytes = 0
        self._intake = Intake()
        self._records = 0
        self._piece: list[tuple[str, Outline, Record]] = []
        """Telemetry whose readings are still to be looked at."""
        self._piece_ends_bytes = _PIECE_BYTES
        self._flats: list[Flat] = []

    def read(self, record: Record) -> None:
        self._records += 1
        if record.value is None and record.topic in (BIRTHS.name, STATES.name):
            return
        gateway = _gateway(record.key)
        if gateway is None:
            detail = f"the key {record.key!r:.200} names no gateway"
            self._intake.refused.append(Refused(record, "gateway", detail, None, None))
            return
        try:
            self._read(gateway, record)
        except BadRecord as error:
            self._refuse(gateway, record, error)
        if self.plain_bytes >= self._piece_ends_bytes:
            self._flatten()

    def end(self) -> Intake:
        self._flatten()
        return replace(self._intake, flat=join(self._flats), records=self._records)

    def _read(self, gateway: str, record: Record) -> None:
        if record.topic == REFUSED.name:
            reason = record.headers.get(REASON, b"refused").decode("utf-8", "replace")
            topic = record.headers.get(MQTT_TOPIC, b"?").decode("utf-8", "replace")
            raise BadRecord(reason, f"the bridge refused it, it came on {topic:.200}")
        plain = payload(record)
        self.plain_bytes += len(plain)
        if record.topic == TELEMETRY.name:
            self._piece.append((gateway, outline(plain) or from_model(plain), record))
        elif record.topic == BIRTHS.name:
            birth = parse_birth(plain)
            named = (record.key or b"").decode("utf-8", "replace")
            if birth.gateway != gateway or named != f"{gateway}/{birth.digest()}":
                raise BadRecord(
                    "identity", f"the birth of {birth.gateway} with digest {birth.digest()} came as {named:.200}"
                )
            self._intake.births.append((birth, record))
        elif record.topic == STATES.name:
            self._intake.states.append((gateway, parse_state(plain), record))
        elif record.topic == EVENTS.name:
            self._intake.events.append((gateway, parse_event(plain), record))
        else:
            raise BadRecord("topic", f"{record.topic} is none of the sink's topics")

    def _flatten(self) -> None:
        """Take in a piece of telemetry; one by one when not all of it is sure."""
        piece, self._piece = self._piece, []
        self._piece_ends_bytes = self.plain_bytes + _PIECE_BYTES
        try:
            self._flats.append(flatten([outlined.series for _, outlined, _ in piece]))
        except Unsure:
            self._judge_each(piece)
        else:
            self._intake.telemetry.extend(
                [Told(gateway, outlined.telemetry, record) for gateway, outlined, record in piece]
            )

    def _judge_each(self, piece: Iterable[tuple[str, Outline, Record]]) -> None:
        for gateway, _, record in piece:
            try:
                telemetry, flat = decode(payload(record))
            except BadRecord as error:
                self._refuse(gateway, record, error)
            else:
                self._intake.telemetry.append(Told(gateway, telemetry, record))
                self._flats.append(flat)

    def _refuse(self, gateway: str, record: Record, error: BadRecord) -> None:
        self._intake.refused.append(Refused(record, error.reason, error.detail, gateway, _identity(record)))


def readings(told: Sequence[Told], *sources: Intake) -> Flat:
    """Return the readings of ``told``, from where they came if they are at hand there."""
    flats: list[Flat] = []
    places: dict[int, int] = {}
    for source in sources:
        if source.flat is not None and source.telemetry:
            if told == source.telemetry:
                return source.flat
            flats.append(source.flat)
            places |= {id(one): place for place, one in enumerate(source.telemetry, len(places))}
    chosen: list[int] = []
    following = len(places)
    for one in told:
        place = places.get(id(one))
        if place is None:
            flats.append(decode(payload(one.record))[1])
            place, following = following, following + 1
        chosen.append(place)
    return join(flats).take(chosen)


def distinct(told: Sequence[Told]) -> tuple[list[Told], list[Told]]:
    """Return ``told`` without repetitions, and those of it that use a number again for other readings."""
    if len({one.name for one in told}) == len(told):
        return list(told), []
    same: dict[tuple[str, int, int], list[Told]] = {}
    for one in told:
        same.setdefault(one.name, []).append(one)
    left_out: set[int] = set()
    reused: list[Told] = []
    for group in same.values():
        outlines: list[Outline] = []
        for one in group if len(group) > 1 else ():
            outlined = from_model(payload(one.record))
            if outlined in outlines:
                left_out.add(id(one))
            elif any(_differ(outlined, other) for other in outlines):
                reused.append(one)
            outlines.append(outlined)
    return [one for one in told if id(one) not in left_out], reused


def _differ(one: Outline, other: Outline) -> bool:
    """True when the readings differ; two messages without any do not."""
    return (one.telemetry.birth, one.series) != (other.telemetry.birth, other.series) and bool(
        one.series or other.series
    )


def condemn(record: Record, detail: str) -> Refused:
    """Return ``record`` as refused by the database."""
    return Refused(record, "database", detail, _gateway(record.key), _identity(record))


@lru_cache(1 << 16)
def _gateway(key: bytes | None) -> str | None:
    """Return the gateway that a record's key names; ``None`` when it names none."""
    gateway = gateway_of(key)
    return gateway if _GATEWAY.fullmatch(gateway) and gateway not in RESERVED_GATEWAYS else None


def received_ms(record: Record) -> int:
    """Return when the bridge read the message, UTC milliseconds; when Kafka appended it if the bridge did not say."""
    text = record.headers.get(RECEIVED, b"")
    return int(text) if text.isdigit() and len(text) <= 15 else record.timestamp_ms


def retained(record: Record) -> bool:
    """True when the broker only repeated the message."""
    return RETAINED in record.headers


def payload(record: Record) -> bytes:
    """Return the message of ``record``, uncompressed; ``BadRecord`` as :func:`.wire.decompress`."""
    encoding = record.headers.get(ENCODING)
    return decompress(record.value or b"", None if encoding is None else encoding.decode("utf-8", "replace"))


def _identity(record: Record) -> Identity | None:
    """Return which telemetry message a refused record is."""
    if record.topic not in (TELEMETRY.name, REFUSED.name):
        return None
    try:
        return identity(payload(record))
    except BadRecord:
        return None
