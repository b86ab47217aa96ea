"""Which record an MQTT message becomes. Pure; never raises, never drops.

The bridge does not judge messages, the sink does. Telemetry is not looked into at all; a birth is parsed for its
digest, which its key needs. What is wrong goes on with its gateway as key and is dead-lettered by the sink. Only what
has no Kafka topic to go to (a topic outside the contract) goes to the refused topic.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Final, NamedTuple

from edge_agent.contract.birth import parse_birth
from edge_agent.contract.errors import BadRecord
from edge_agent.contract.topics import ROOT, Channel
from edge_agent.contract.wire import decompress
from stream.clients import Headers
from stream.topics import (
    BYTES,
    CHANNEL,
    ENCODING,
    MQTT_TOPIC,
    REASON,
    RECEIVED,
    REFUSED,
    RETAINED,
    SHA256,
    TOPIC_OF,
)

SUBSCRIPTION: Final = f"{ROOT}/+/+"
"""Every channel of every gateway, also unknown ones; commands lie one level deeper."""
KEPT_BYTES: Final = 64 << 10
"""What is kept of a payload that Kafka will not take as it is."""

_CHANNELS: Final = {channel.value: (topic.name, channel.value.encode()) for channel, topic in TOPIC_OF.items()}


class Outgoing(NamedTuple):
    """A record to be sent."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


def route(topic: str, payload: bytes, encoding: str | None, received_ms: int, *, retained: bool = False) -> Outgoing:
    """Return the record for a message that came on MQTT ``topic``."""
    parts = topic.split("/")
    gateway = parts[2] if len(parts) > 2 else ""
    known = _CHANNELS.get(parts[3]) if len(parts) == 4 and topic.startswith(f"{ROOT}/") else None
    if known is None:
        headers: Headers = [(REASON, b"topic"), (MQTT_TOPIC, topic.encode()), (RECEIVED, b"%d" % received_ms)]
        if encoding is not None:
            headers.append((ENCODING, encoding.encode()))
        return Outgoing(REFUSED.name, gateway.encode(), payload, headers)
    kafka_topic, channel = known
    headers = [(CHANNEL, channel), (RECEIVED, b"%d" % received_ms)]
    if encoding is not None:
        headers.append((ENCODING, encoding.encode()))
    if retained:
        headers.append((RETAINED, b"1"))
    key = gateway.encode()
    if parts[3] == Channel.BIRTH:
        with suppress(BadRecord):  # the sink says why, and keeps the bytes
            key = f"{gateway}/{parse_birth(decompress(payload, encoding)).digest()}".encode()
    return Outgoing(kafka_topic, key, payload, headers)


def refuse(sent: Outgoing, mqtt_topic: str, reason: str) -> Outgoing:
    """Return what is kept of a record that Kafka will not take: its headers, and the beginning of its value."""
    kept = [(name, value[:KEPT_BYTES]) for name, value in sent.headers if name not in (REASON, MQTT_TOPIC)]
    kept += [
        (REASON, reason.encode()),
        (MQTT_TOPIC, mqtt_topic.encode()),
        (BYTES, b"%d" % len(sent.value)),
        (SHA256, hashlib.sha256(sent.value).hexdigest().encode()),
    ]
    return Outgoing(REFUSED.name, sent.key, sent.value[:KEPT_BYTES], kept)
