"""Mosquitto's password file, written by us: one rewrite for any number of users.

``mosquitto_passwd`` rewrites the whole file for each user and takes the password on its command line, where every
process of the machine can read it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Final

ITERATIONS: Final = 101
"""What ``mosquitto_passwd`` of 2.0 uses; the broker repeats it at every connection, 10 000 at once after an outage.

Passwords here are long and random, so that more would protect nothing.
"""
_SALT_BYTES: Final = 12
"""The only length that Mosquitto 2.0 accepts."""


def parse(text: str) -> dict[str, str]:
    """Return the hash of each user in a password file."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def render(hashes: Mapping[str, str]) -> str:
    """Return the password file of these users, sorted by name."""
    return "".join(f"{user}:{hashed}\n" for user, hashed in sorted(hashes.items()))


def hashed(password: str, salt: Callable[[int], bytes]) -> str:
    """Return ``password`` as Mosquitto keeps it: ``$7$``, PBKDF2 over HMAC-SHA-512."""
    grain = salt(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), grain, ITERATIONS)
    return f"$7${ITERATIONS}${_text(grain)}${_text(digest)}"


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
