"""Who is signed in: a random token in a cookie, kept as a checksum, with a second secret against forged requests."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from warehouse.people.accounts import Person, person_of
from warehouse.people.scope import SQL
from warehouse.postgres import Connection, statement, translated

LENGTH: Final = timedelta(hours=12)
"""A session ends after that, whatever is done: a working day."""
IDLE: Final = timedelta(hours=2)
"""It ends earlier when nothing is asked for so long."""
SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly the last request is remembered."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, and what their changing requests have to repeat."""

    person: Person
    csrf: str
    expires_at: datetime


def begin(connection: Connection, person: Person, now: datetime | None = None) -> tuple[str, Session]:
    """Sign somebody in; return the token for the cookie and the session. Ended sessions are swept away meanwhile."""
    at = now or datetime.now(UTC)
    token, session = secrets.token_urlsafe(32), Session(person, secrets.token_urlsafe(32), at + LENGTH)
    with translated(), connection.transaction():
        connection.execute(statement(SQL, "session_sweep.sql"), {"now": at, "idle": at - IDLE})
        connection.execute(
            statement(SQL, "session_add.sql"),
            {
                "sha256": _sha256(token),
                "person_id": person.person_id,
                "csrf": session.csrf,
                "now": at,
                "expires_at": session.expires_at,
            },
        )
    return token, session


def find(connection: Connection, token: str, now: datetime | None = None) -> Session | None:
    """Return the session of a token while it lasts and its person is not disabled."""
    at = now or datetime.now(UTC)
    with translated():
        row = connection.execute(
            statement(SQL, "session_find.sql"),
            {"sha256": _sha256(token), "now": at, "idle": at - IDLE, "seen_before": at - SEEN_EVERY},
        ).fetchone()
    return None if row is None else Session(person_of(row[2:]), str(row[0]), row[1])


def end(connection: Connection, token: str) -> None:
    """Sign out; nothing happens when nobody is signed in with it."""
    with translated():
        connection.execute(statement(SQL, "session_end.sql"), {"sha256": _sha256(token)})


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
