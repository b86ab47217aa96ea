"""As much of MQTT 5 as a gateway needs, as bytes; pure. Section numbers are those of the OASIS standard."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

_HEAD: Final = struct.Struct(">H")


class Kind(IntEnum):
    """Packets that a broker sends (2.1.2)."""

    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBACK = 9
    DISCONNECT = 14


class Packet(NamedTuple):
    """One packet as it was read."""

    kind: int
    flags: int
    body: bytes


class Command(NamedTuple):
    """A PUBLISH that came to us."""

    topic: bytes
    packet_id: int | None
    payload: bytes


def connect(client_id: str, user: str, password: str, keepalive_s: int, will_topic: str, will_payload: bytes) -> bytes:
    """Return a CONNECT with clean start and a retained will at QoS 1 (3.1)."""
    flags = 0x80 | 0x40 | 0x20 | 0x08 | 0x04 | 0x02
    body = b"".join(
        (
            _text(b"MQTT"),
            bytes((5, flags)),
            _HEAD.pack(keepalive_s),
            b"\0",
            _text(client_id.encode()),
            b"\0",
            _text(will_topic.encode()),
            _text(will_payload),
            _text(user.encode()),
            _text(password.encode()),
        )
    )
    return b"\x10" + _length(len(body)) + body


def subscribe(packet_id: int, topic_filter: str) -> bytes:
    """Return a SUBSCRIBE at QoS 1 (3.8)."""
    body = _HEAD.pack(packet_id) + b"\0" + _text(topic_filter.encode()) + b"\x01"
    return b"\x82" + _length(len(body)) + body


def publish(topic: bytes, packet_id: int, payload: bytes, *, retain: bool = False) -> bytes:
    """Return a PUBLISH at QoS 1 without properties (3.3)."""
    return b"".join(
        (
            b"\x33" if retain else b"\x32",
            _length(5 + len(topic) + len(payload)),
            _HEAD.pack(len(topic)),
            topic,
            _HEAD.pack(packet_id),
            b"\0",
            payload,
        )
    )


def puback(packet_id: int) -> bytes:
    """Return a PUBACK that says success (3.4)."""
    return b"\x40\x02" + _HEAD.pack(packet_id)


def take(inbox: bytearray) -> Iterator[Packet]:
    """Take the whole packets out of ``inbox``; what is left is the beginning of the next one."""
    at = 0
    while at + 2 <= len(inbox):
        length, shift, body = 0, 0, at + 1
        while body < len(inbox):
            length |= (inbox[body] & 0x7F) << shift
            shift += 7
            body += 1
            if not inbox[body - 1] & 0x80:
                break
        else:
            break
        if body + length > len(inbox):
            break
        yield Packet(inbox[at] >> 4, inbox[at] & 0x0F, bytes(inbox[body : body + length]))
        at = body + length
    del inbox[:at]


def reason_of(packet: Packet) -> int:
    """Return the reason code of a CONNACK, PUBACK or SUBACK; 0 where it was left out."""
    body = packet.body
    if packet.kind == Kind.CONNACK:
        return body[1]
    if packet.kind == Kind.SUBACK:
        return body[-1]
    return body[2] if len(body) > 2 else 0


def command_of(packet: Packet) -> Command:
    """Return what a PUBLISH says; its properties, shorter than 128 bytes, are passed over."""
    body = packet.body
    (length,) = _HEAD.unpack_from(body)
    at = 2 + length
    topic, packet_id = body[2:at], None
    if packet.flags & 0x06:
        (packet_id,) = _HEAD.unpack_from(body, at)
        at += 2
    return Command(topic, packet_id, body[at + 1 + body[at] :])


def _text(text: bytes) -> bytes:
    return _HEAD.pack(len(text)) + text


def _length(length: int) -> bytes:
    found = bytearray()
    while True:
        length, low = divmod(length, 128)
        found.append(low | (0x80 if length else 0))
        if not length:
            return bytes(found)
