"""People who sign in: made, changed and disabled by name, locked for a while after too many wrong passwords."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from psycopg.errors import CheckViolation, ForeignKeyViolation, UniqueViolation
from psycopg.rows import TupleRow

from edge_agent.contract.errors import Misconfigured
from warehouse.people import passwords
from warehouse.people.scope import SQL, Scope, scope_of
from warehouse.postgres import Connection, statement, translated

MOST_FAILURES: Final = 5
"""Wrong passwords in a row that lock an account."""
LOCKED: Final = timedelta(minutes=15)


class Duty(StrEnum):
    """What somebody may do beside reading."""

    ENTER = "enter"
    """Enter contracts, shifts and planned stops within their scope."""
    MANAGE = "manage"
    """Make and disable people and keys."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    person_id: int
    login: str
    name: str
    scope: Scope
    duties: frozenset[Duty]
    disabled_at: datetime | None

    @property
    def who(self) -> str:
        """How the log names them."""
        return f"person:{self.login}"


class Locked(Exception):
    """No password is looked at for a while."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"locked until {until.isoformat()}")
        self.until = until


def add(
    connection: Connection,
    *,
    login: str,
    name: str,
    scope: Scope,
    by: str,
    duties: Iterable[Duty] = (),
    password: str | None = None,
    identity: tuple[str, str] | None = None,
) -> Person:
    """Make an account that signs in by ``password``, or as (issuer, subject) of a provider, or either way.

    ``Misconfigured`` when the name is taken or malformed, the password too short, the enterprise unknown.
    """
    if password is None and identity is None:
        raise Misconfigured("an account needs a password or an identity elsewhere (账号须有密码或外部身份)")
    with translated():
        try:
            (row,) = connection.execute(
                statement(SQL, "person_add.sql"),
                scope.columns
                | {
                    "login": login,
                    "name": name,
                    "duties": sorted(duty.value for duty in duties),
                    "password_hash": None if password is None else passwords.hashed(password),
                    "issuer": identity[0] if identity else None,
                    "subject": identity[1] if identity else None,
                    "by": by,
                },
            ).fetchall()
        except UniqueViolation as error:
            raise Misconfigured(f"{login} or that identity has an account already (账号或外部身份已存在)") from error
        except ForeignKeyViolation as error:
            raise Misconfigured(f"no register names the enterprise {scope.uscc} (没有登记该企业)") from error
        except CheckViolation as error:
            raise Misconfigured(
                "a login has at most 64 of a-z 0-9 . _ @ - and begins with a letter or digit; a name has 1 to 100 "
                "characters "
                "(登录名为小写字母、数字及 . _ @ -，最多64位；姓名1至100个字符)"
            ) from error
    return person_of(row)


def sign_in(connection: Connection, login: str, password: str, now: datetime | None = None) -> Person | None:
    """Return who it is; ``None`` for a wrong name or password, ``Locked`` after ``MOST_FAILURES`` of them.

    Unknown names take as long as known ones. Runs in a transaction of its own, so that failures count.
    """
    at = now or datetime.now(UTC)
    with translated(), connection.transaction():
        row = connection.execute(statement(SQL, "person_lock.sql"), {"login": login}).fetchone()
        if row is None:
            passwords.holds(None, password)
            return None
        person, (password_hash, locked_until) = person_of(row), row[-2:]
        if locked_until is not None and at < locked_until:
            raise Locked(locked_until)
        if passwords.holds(password_hash, password):
            connection.execute(statement(SQL, "person_good.sql"), {"person_id": person.person_id})
            return person if person.disabled_at is None else None
        connection.execute(
            statement(SQL, "person_failed.sql"),
            {"person_id": person.person_id, "most": MOST_FAILURES, "until": at + LOCKED},
        )
    return None


def by_identity(connection: Connection, issuer: str, subject: str) -> Person | None:
    """Return who signs in as ``subject`` of ``issuer``; ``None`` when nobody does, or no longer may."""
    with translated():
        row = connection.execute(
            statement(SQL, "person_identity.sql"), {"issuer": issuer, "subject": subject}
        ).fetchone()
    return None if row is None else person_of(row)


def everybody(connection: Connection) -> list[Person]:
    """Return all accounts by login, disabled ones too."""
    with translated():
        return [person_of(row) for row in connection.execute(statement(SQL, "person_list.sql"))]


def set_password(connection: Connection, login: str, password: str) -> None:
    """Give a new password, lift a lock, and end every session; ``Misconfigured`` when there is no such account."""
    with translated(), connection.transaction():
        found = connection.execute(
            statement(SQL, "person_password.sql"), {"login": login, "password_hash": passwords.hashed(password)}
        ).fetchone()
        _end_sessions(connection, login, found)


def disable(connection: Connection, login: str) -> None:
    """Let the account open nothing from now on; ``Misconfigured`` when there is no such account."""
    with translated(), connection.transaction():
        found = connection.execute(statement(SQL, "person_disable.sql"), {"login": login}).fetchone()
        _end_sessions(connection, login, found)


def _end_sessions(connection: Connection, login: str, found: tuple[int, ...] | None) -> None:
    if found is None:
        raise Misconfigured(f"there is no account {login} (没有这个账号)")
    connection.execute(statement(SQL, "session_end_all.sql"), {"person_id": found[0]})


def person_of(row: TupleRow) -> Person:
    """Return the person whose columns begin ``row``."""
    person_id, login, name, kind, areas, uscc, duties, disabled_at = row[:8]
    return Person(
        person_id, login, name, scope_of(kind, areas, uscc), frozenset(Duty(duty) for duty in duties), disabled_at
    )
