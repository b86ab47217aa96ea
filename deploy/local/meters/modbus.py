"""Modbus TCP as a meter speaks it: take a request apart, put an answer together. Pure; no socket.

Modbus Application Protocol 1.1b3 and Modbus Messaging on TCP/IP 1.0b: a 7-byte header (transaction, protocol 0, length
of what follows, unit), then function and data. Functions 3 and 4 are answered, all others with exception 1.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from edge_agent.contract.errors import BadRecord

HEADER_BYTES: Final = 7
MAX_WORDS: Final = 125
"""Words in one read."""
READ_HOLDING: Final = 3
READ_INPUT: Final = 4


class Refusal(IntEnum):
    """Exception codes of the protocol."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    NO_SUCH_UNIT = 11


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before every request."""

    transaction: int
    unit: int
    body_bytes: int
    """Bytes of function and data that follow."""


@dataclass(frozen=True, slots=True)
class Read:
    """A read of consecutive words."""

    function: int
    address: int
    count: int


def parse_header(raw: bytes) -> Header:
    """Take the header apart; ``BadRecord`` when this is not Modbus TCP, after which a connection cannot be trusted."""
    transaction, protocol, length, unit = struct.unpack(">HHHB", raw)
    if protocol != 0:
        raise BadRecord("protocol", f"protocol {protocol}, Modbus is 0")
    if not 2 <= length <= 254:
        raise BadRecord("length", f"{length} bytes follow, allowed 2 … 254")
    return Header(transaction, unit, length - 1)


def parse_read(body: bytes) -> Read | Refusal:
    """Take a request apart; any bytes give a read or the exception that answers them."""
    if body[0] not in (READ_HOLDING, READ_INPUT):
        return Refusal.ILLEGAL_FUNCTION
    if len(body) != 5:
        return Refusal.ILLEGAL_VALUE
    function, address, count = struct.unpack(">BHH", body)
    return Read(function, address, count) if 1 <= count <= MAX_WORDS else Refusal.ILLEGAL_VALUE


def answer(header: Header, function: int, words: bytes) -> bytes:
    """Return the answer to a read."""
    return _framed(header, struct.pack(">BB", function, len(words)) + words)


def refuse(header: Header, function: int, refusal: Refusal) -> bytes:
    """Return the exception that answers a request."""
    return _framed(header, struct.pack(">BB", function | 0x80, refusal))


def _framed(header: Header, body: bytes) -> bytes:
    return struct.pack(">HHHB", header.transaction, 0, len(body) + 1, header.unit) + body
