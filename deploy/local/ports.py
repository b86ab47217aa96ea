"""Ports on the loopback that stay ours.

They are taken from below the range from which the kernel serves outgoing connections: a server that is down for a
moment would otherwise find its port taken by somebody's connection, or a client that retries a port on the loopback
would connect to itself.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Final

from edge_agent.contract.errors import Misconfigured

LOOPBACK: Final = "127.0.0.1"
LOWEST: Final = 18_000
TRIES: Final = 200
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def choose(dice: random.Random, count: int) -> list[int]:
    """Return ``count`` different ports that nobody listens on now."""
    highest = _highest()
    found: list[int] = []
    for _ in range(TRIES):
        port = dice.randrange(LOWEST, highest)
        if port not in found and free(port):
            found.append(port)
            if len(found) == count:
                return found
    raise Misconfigured(f"no {count} free ports between {LOWEST} and {highest} on {LOOPBACK} (没有空闲端口)")


def choose_run(dice: random.Random, count: int) -> int:
    """Return the first of ``count`` ports in a row that nobody listens on now."""
    highest = _highest() - count
    for _ in range(TRIES):
        first = dice.randrange(LOWEST, highest)
        if all(free(port) for port in range(first, first + count)):
            return first
    raise Misconfigured(f"no {count} free ports in a row between {LOWEST} and {highest} on {LOOPBACK} (没有空闲端口)")


def _highest() -> int:
    return max(int(_OUTGOING.read_text("ascii").split()[0]), LOWEST + TRIES) if _OUTGOING.is_file() else 32_768


def free(port: int) -> bool:
    """Return whether a server could listen on ``port`` of the loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
