"""Passwords: Argon2id with the parameters of RFC 9106's second choice, which argon2-cffi takes by default."""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from edge_agent.contract.errors import Misconfigured

SHORTEST: Final = 12
"""Characters of a password; length counts, kinds of characters do not (NIST SP 800-63B)."""
LONGEST: Final = 200
"""What is longer only costs time to hash."""

_HASHER: Final = PasswordHasher()
_NOBODY: Final = _HASHER.hash("nobody has this password")


def hashed(password: str) -> str:
    """Return the hash to keep; ``Misconfigured`` when the password is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Misconfigured(f"a password has {SHORTEST} to {LONGEST} characters (密码须为{SHORTEST}至{LONGEST}个字符)")
    return _HASHER.hash(password)


def holds(password_hash: str | None, password: str) -> bool:
    """Return whether the password is the hashed one; takes as long when there is no hash."""
    try:
        _HASHER.verify(password_hash or _NOBODY, password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
