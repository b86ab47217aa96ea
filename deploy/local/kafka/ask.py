"""One question to a Kafka broker over a plain socket: which brokers are in service?

kafka-python's clients start a thread before they have found the broker and leave it behind when they do not find it,
so that waiting for a server with one would gather threads.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

_METADATA: Final = 3
_METADATA_VERSION: Final = 4
_NO_TOPICS: Final = 0
_CLIENT: Final = b"g60"
_MAX_ANSWER_BYTES: Final = 1 << 20


def brokers_in_service(host: str, port: int, within_s: float) -> int:
    """Return how many brokers serve clients (fenced ones do not count); 0 when nobody answers within the time.

    Asks Metadata, version 4, for no topics: the oldest that Kafka 4 speaks (KIP-896).
    """
    header = struct.pack(">hhih", _METADATA, _METADATA_VERSION, 1, len(_CLIENT)) + _CLIENT
    request = header + struct.pack(">i?", _NO_TOPICS, False)
    try:
        with socket.create_connection((host, port), timeout=within_s) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            (size,) = struct.unpack(">i", _exactly(connection, 4))
            answer = _exactly(connection, min(size, _MAX_ANSWER_BYTES))
    except OSError:
        return 0
    # correlation id, throttle time, then the array of brokers with its length in front
    return int(struct.unpack_from(">iii", answer)[2]) if len(answer) >= 12 else 0


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = connection.recv(size - len(found))
        if not piece:
            raise ConnectionResetError("closed in the middle of an answer")
        found += piece
    return found
