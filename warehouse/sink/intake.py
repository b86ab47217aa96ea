"""Records into what they say: telemetry, births, states, events, and what cannot be taken; pure.

The gateway of a record is the one its key names: the broker bound it to the MQTT user that published. A body that
claims another gateway is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

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
from warehouse.sink.decode import Identity, Telemetry, decode, from_model, identity, numbers_are_sure, outline

_GATEWAY: Final = re.compile(GATEWAY_PATTERN)


@dataclass(frozen=True, slots=True)
class Told:
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


def sort(records: Iterable[Record]) -> Intake:
    """Read every record; none is left out but the tombstones of compacted topics, which say nothing."""
    intake = Intake()
    sure: list[Told] = []
    for record in records:
        if record.value is None and record.topic in (BIRTHS.name, STATES.name):
            continue
        gateway = gateway_of(record.key)
        if not _GATEWAY.fullmatch(gateway) or gateway in RESERVED_GATEWAYS:
            detail = f"the key {record.key!r:.200} names no gateway"
            intake.refused.append(Refused(record, "gateway", detail, None, None))
            continue
        try:
            told = _read(intake, gateway, record)
        except BadRecord as error:
            _refuse(intake, gateway, record, error)
        else:
            if told is not None:
                sure.append(told)
    if numbers_are_sure(one.telemetry for one in sure):
        intake.telemetry.extend(sure)
    else:
        _read_each(intake, sure)
    return intake


def distinct(told: Sequence[Told]) -> tuple[list[Told], list[Told]]:
    """Return ``told`` without repetitions, and those of it that use a number again for other readings."""
    first: dict[tuple[str, int, int], list[Told]] = {}
    kept: list[Told] = []
    reused: list[Told] = []
    for one in told:
        same = first.setdefault(one.name, [])
        if any(one.telemetry == other.telemetry for other in same):
            continue
        if any(_differ(one.telemetry, other.telemetry) for other in same):
            reused.append(one)
        same.append(one)
        kept.append(one)
    return kept, reused


def _differ(one: Telemetry, other: Telemetry) -> bool:
    """True when the readings differ; two messages without any do not."""
    return (one.birth, one.series) != (other.birth, other.series) and bool(one.series or other.series)


def condemn(record: Record, detail: str) -> Refused:
    """Return ``record`` as refused by the database."""
    gateway = gateway_of(record.key)
    return Refused(record, "database", detail, gateway if _GATEWAY.fullmatch(gateway) else None, _identity(record))


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


def _read(intake: Intake, gateway: str, record: Record) -> Told | None:
    """Read one record; telemetry in good form is returned, its numbers still to be looked at."""
    if record.topic == TELEMETRY.name:
        plain = payload(record)
        outlined = outline(plain)
        if outlined is not None:
            return Told(gateway, outlined, record)
        intake.telemetry.append(Told(gateway, from_model(plain), record))
    elif record.topic == BIRTHS.name:
        birth = parse_birth(payload(record))
        named = (record.key or b"").decode("utf-8", "replace")
        if birth.gateway != gateway or named != f"{gateway}/{birth.digest()}":
            raise BadRecord(
                "identity", f"the birth of {birth.gateway} with digest {birth.digest()} came as {named:.200}"
            )
        intake.births.append((birth, record))
    elif record.topic == STATES.name:
        intake.states.append((gateway, parse_state(payload(record)), record))
    elif record.topic == EVENTS.name:
        intake.events.append((gateway, parse_event(payload(record)), record))
    elif record.topic == REFUSED.name:
        reason = record.headers.get(REASON, b"refused").decode("utf-8", "replace")
        topic = record.headers.get(MQTT_TOPIC, b"?").decode("utf-8", "replace")
        raise BadRecord(reason, f"the bridge refused it, it came on {topic:.200}")
    else:
        raise BadRecord("topic", f"{record.topic} is none of the sink's topics")
    return None


def _read_each(intake: Intake, told: Iterable[Told]) -> None:
    """Take messages one by one, because not all of them are sure."""
    for one in told:
        try:
            intake.telemetry.append(Told(one.gateway, decode(payload(one.record)), one.record))
        except BadRecord as error:
            _refuse(intake, one.gateway, one.record, error)


def _refuse(intake: Intake, gateway: str, record: Record, error: BadRecord) -> None:
    intake.refused.append(Refused(record, error.reason, error.detail, gateway, _identity(record)))


def _identity(record: Record) -> Identity | None:
    """Return which telemetry message a refused record is."""
    if record.topic not in (TELEMETRY.name, REFUSED.name):
        return None
    try:
        return identity(payload(record))
    except BadRecord:
        return None
