"""Ports on the loopback that stay ours.

They are taken from below the range from which the kernel serves outgoing connections: a server that is down for a
moment would otherwise find its port taken by somebody's connection, or a client that retries a port on the loopback
would connect to itself.
"""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path
from typing import Final

from edge_agent.contract.errors import Misconfigured

LOOPBACK: Final = "127.0.0.1"
LOWEST: Final = 18_000
TRIES: Final = 200
RANGE_VARIABLE: Final = "G60_PORTS"
"""Environment: ``LOW-HIGH`` to take ports from; two that choose at the same time on one machine get ranges apart."""
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def choose(dice: random.Random, count: int) -> list[int]:
    """Return ``count`` different ports that nobody listens on now."""
    lowest, highest = span()
    found: list[int] = []
    for _ in range(TRIES):
        port = dice.randrange(lowest, highest)
        if port not in found and free(port):
            found.append(port)
            if len(found) == count:
                return found
    raise Misconfigured(f"no {count} free ports between {lowest} and {highest} on {LOOPBACK} (没有空闲端口)")


def choose_run(dice: random.Random, count: int) -> int:
    """Return the first of ``count`` ports in a row that nobody listens on now."""
    lowest, highest = span()
    for _ in range(TRIES):
        first = dice.randrange(lowest, highest - count)
        if all(free(port) for port in range(first, first + count)):
            return first
    raise Misconfigured(f"no {count} free ports in a row between {lowest} and {highest} on {LOOPBACK} (没有空闲端口)")


def span() -> tuple[int, int]:
    """Return the lowest port to take and the first beyond; ``Misconfigured`` when ``G60_PORTS`` is no range."""
    given = os.environ.get(RANGE_VARIABLE)
    if given is None:
        highest = int(_OUTGOING.read_text("ascii").split()[0]) if _OUTGOING.is_file() else 32_768
        return LOWEST, max(highest, LOWEST + TRIES)
    low, _, high = given.partition("-")
    if not (low.isdecimal() and high.isdecimal() and 1024 <= int(low) < int(high) <= 65_536):
        raise Misconfigured(f"{RANGE_VARIABLE}: found {given!r}; allowed: LOW-HIGH within 1024-65536 (端口范围有误)")
    return int(low), int(high)


def free(port: int) -> bool:
    """Return whether a server could listen on ``port`` of the loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
