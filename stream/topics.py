"""The Kafka topics as code: names, partitions, retention, and what travels on them.

    topic               key                 value
    g60.telemetry.v1    gateway             live and backlog messages
    g60.births.v1       gateway/digest      births; compacted, so every birth is kept
    g60.states.v1       gateway             states; compacted
    g60.events.v1       gateway             events
    g60.commands.v1     gateway/command     commands on the way down; compacted
    g60.refused.v1      gateway             what the bridge could not place on one of the others

A value is the MQTT payload byte for byte; everything else is in the headers. One gateway stays on one partition of a
topic, so its messages keep their order there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from edge_agent.contract.topics import Channel, Command
from edge_agent.contract.wire import ENCODING_PROPERTY, MAX_MESSAGE_BYTES

ENVELOPE_BYTES: Final = 128 << 10
"""Room for key and headers: an MQTT topic has at most 64 KiB and may stand in both."""
MAX_RECORD_BYTES: Final = MAX_MESSAGE_BYTES + ENVELOPE_BYTES
"""Largest record that a producer accepts; it says so itself, before Kafka has to."""
MAX_BATCH_BYTES: Final = MAX_RECORD_BYTES + (4 << 10)
"""Largest batch that Kafka accepts (``max.message.bytes`` counts a batch with its header)."""

CHANNEL: Final = "channel"
"""Header: the channel a message came on (``live``, ``backlog``, ``birth``, ``state``, ``event``)."""
RECEIVED: Final = "received"
"""Header: UTC milliseconds at which the bridge read the message, as decimal text."""
ENCODING: Final = ENCODING_PROPERTY
"""Header: the compression of the value; absent when there is none."""
RETAINED: Final = "retained"
"""Header, ``1``: the broker replayed a retained message, so the gateway may not have been there at ``received``."""
REASON: Final = "reason"
"""Header on refused records: why (``topic``, ``too_large``, ``refused``)."""
MQTT_TOPIC: Final = "mqtt-topic"
"""Header on refused records: the topic the message came on."""
BYTES: Final = "bytes"
"""Header on refused records whose value was cut: length of the whole payload, as decimal text."""
SHA256: Final = "sha256"
"""Header on refused records whose value was cut: SHA-256 of the whole payload, in hexadecimal."""

_HOUR_MS: Final = 3_600_000
_GIB: Final = 1 << 30
_MIB: Final = 1 << 20


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    """The last value of each header."""
    timestamp_ms: int
    """UTC milliseconds at which Kafka appended it."""

    @property
    def place(self) -> Partition:
        """The partition it was read from."""
        return Partition(self.topic, self.partition)

    @property
    def size(self) -> int:
        """Bytes of key and value."""
        return len(self.key or b"") + len(self.value or b"")


@dataclass(frozen=True, slots=True)
class Topic:
    """How one topic has to be. Bounds are per partition; ``None`` is without bound.

    Time stamps are the broker's (``LogAppendTime``): with those of the sender Kafka refuses records of a bridge whose
    clock is an hour ahead, and retention follows the wrong clock.
    """

    name: str
    partitions: int = 3
    retention_ms: int | None = None
    retention_bytes: int | None = None
    compacted: bool = False
    """Keep the last record of each key for good, instead of all records for a time."""
    extra: tuple[tuple[str, str], ...] = ()
    """Further settings of Kafka, by name."""

    def config(self) -> dict[str, str]:
        """Return the settings that ``ensure_topics`` writes and compares."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(-1 if self.retention_ms is None else self.retention_ms),
            "retention.bytes": str(-1 if self.retention_bytes is None else self.retention_bytes),
            "max.message.bytes": str(MAX_BATCH_BYTES),
            "message.timestamp.type": "LogAppendTime",
            **dict(self.extra),
        }


_SMALL_SEGMENTS: Final = (("segment.bytes", str(64 * _MIB)), ("segment.ms", str(_HOUR_MS)))
"""Only closed segments are compacted or deleted; the default of 1 GiB or 7 days would keep these topics long."""

TELEMETRY: Final = Topic("g60.telemetry.v1", 6, retention_ms=72 * _HOUR_MS, retention_bytes=8 * _GIB)
BIRTHS: Final = Topic("g60.births.v1", compacted=True, extra=_SMALL_SEGMENTS)
STATES: Final = Topic("g60.states.v1", compacted=True, extra=_SMALL_SEGMENTS)
EVENTS: Final = Topic("g60.events.v1", retention_ms=720 * _HOUR_MS, retention_bytes=256 * _MIB, extra=_SMALL_SEGMENTS)
COMMANDS: Final = Topic("g60.commands.v1", compacted=True, extra=_SMALL_SEGMENTS)
REFUSED: Final = Topic("g60.refused.v1", 1, retention_ms=720 * _HOUR_MS, retention_bytes=_GIB, extra=_SMALL_SEGMENTS)

TOPICS: Final = (TELEMETRY, BIRTHS, STATES, EVENTS, COMMANDS, REFUSED)
UP_TOPICS: Final = (TELEMETRY, BIRTHS, STATES, EVENTS, REFUSED)
"""What the bridge writes and the sink reads."""

TOPIC_OF: Final[Mapping[Channel, Topic]] = {
    Channel.LIVE: TELEMETRY,
    Channel.BACKLOG: TELEMETRY,
    Channel.BIRTH: BIRTHS,
    Channel.STATE: STATES,
    Channel.EVENT: EVENTS,
}


def command_key(gateway: str, command: Command) -> bytes:
    """Return the key of a command's record: the last one under it is the one that holds."""
    return f"{gateway}/{command}".encode()


def gateway_of(key: bytes | None) -> str:
    """Return the gateway a record on the way up is about, as its key claims it; empty when it names none."""
    return (key or b"").split(b"/", 1)[0].decode("utf-8", "replace")
