"""Keys of programs: 256 random bits, shown once, kept as a checksum, with an end."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from psycopg.errors import CheckViolation, ForeignKeyViolation
from psycopg.rows import TupleRow

from edge_agent.contract.errors import Misconfigured
from warehouse.people.scope import SQL, Scope, scope_of
from warehouse.postgres import Connection, statement, translated

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_KEY: Final = re.compile(r"g60_([0-9a-z]{8})_([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; not the key itself."""

    key_id: int
    name: str
    prefix: str
    scope: Scope
    expires_at: datetime
    revoked_at: datetime | None

    @property
    def who(self) -> str:
        """How the log names it."""
        return f"key:{self.prefix}"


def make(connection: Connection, *, name: str, scope: Scope, expires_at: datetime, by: str) -> tuple[str, Key]:
    """Make a key and return it, for the only time, with what is known of it.

    ``Misconfigured`` when the end is past, the name empty or the enterprise unknown.
    """
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    text = f"g60_{prefix}_{secrets.token_hex(32)}"
    with translated():
        try:
            (row,) = connection.execute(
                statement(SQL, "key_add.sql"),
                scope.columns
                | {"name": name, "prefix": prefix, "sha256": _sha256(text), "expires_at": expires_at, "by": by},
            ).fetchall()
        except ForeignKeyViolation as error:
            raise Misconfigured(f"no register names the enterprise {scope.uscc} (没有登记该企业)") from error
        except CheckViolation as error:
            raise Misconfigured("a key has a name and ends in the future (密钥须有名称，且失效时间在将来)") from error
    return text, _key(row)


def find(connection: Connection, text: str, now: datetime | None = None) -> Key | None:
    """Return the key when it is one of ours and still opens something."""
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    with translated():
        row = connection.execute(statement(SQL, "key_find.sql"), {"prefix": match[1]}).fetchone()
    if row is None or not secrets.compare_digest(bytes(row[-1]), _sha256(text)):
        return None
    key = _key(row)
    return key if key.revoked_at is None and (now or datetime.now(UTC)) < key.expires_at else None


def every(connection: Connection) -> list[Key]:
    """Return all keys by name, ended ones too."""
    with translated():
        return [_key(row) for row in connection.execute(statement(SQL, "key_list.sql"))]


def revoke(connection: Connection, prefix: str, by: str) -> None:
    """Let the key open nothing from now on; ``Misconfigured`` when there is none that still does."""
    with translated():
        if connection.execute(statement(SQL, "key_revoke.sql"), {"prefix": prefix, "by": by}).rowcount == 0:
            raise Misconfigured(f"there is no key {prefix} that could be revoked (没有可撤销的密钥)")


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _key(row: TupleRow) -> Key:
    key_id, name, prefix, kind, areas, uscc, expires_at, revoked_at = row[:8]
    return Key(key_id, name, prefix, scope_of(kind, areas, uscc), expires_at, revoked_at)
