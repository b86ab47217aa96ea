"""PostgreSQL: how the warehouse connects, how its SQL files are read, and what psycopg's errors mean.

The only place that maps psycopg's exceptions to the roots of :mod:`edge_agent.contract.errors`, by SQLSTATE:

    Retryable       no SQLSTATE (the connection is gone), classes 08, 40, 53, 57, 58, and 25006, 55P03
    LimitReached    53400: the same statement will hit the same limit again, a smaller piece may not
    Misconfigured   class 28, 3D000, 42501: log-in, database, rights
    (psycopg's own) everything else is a mistake in our SQL or data and stays loud
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Final, TypeAlias

import psycopg
from psycopg.rows import TupleRow
from psycopg.sql import SQL

from edge_agent.contract.errors import Misconfigured, PulseError, Retryable

Connection: TypeAlias = psycopg.Connection[TupleRow]

CONNECT_TIMEOUT_S: Final = 10
SILENT_PEER_TIMEOUT_MS: Final = 30_000
"""How long unacknowledged data may wait before a dead server or network is noticed."""

_RETRYABLE_CLASSES: Final = frozenset({"08", "40", "53", "57", "58"})
_RETRYABLE: Final = frozenset({"25006", "55P03"})
_LIMIT: Final = "53400"
_MISCONFIGURED_CLASSES: Final = frozenset({"28"})
_MISCONFIGURED: Final = frozenset({"3D000", "42501"})


class LimitReached(PulseError):
    """A configured limit of the server (SQLSTATE 53400) stopped a statement; only a smaller piece can pass."""


def connect(dsn: str, *, application: str) -> Connection:
    """Open a connection in autocommit mode whose time zone is UTC.

    ``application`` is what the server's own tools show. ``Misconfigured`` when ``dsn`` cannot be read, ``Retryable``
    when nobody answers.
    """
    with translated():
        try:
            connection = psycopg.connect(
                dsn,
                autocommit=True,
                application_name=application,
                connect_timeout=CONNECT_TIMEOUT_S,
                tcp_user_timeout=SILENT_PEER_TIMEOUT_MS,
                # While an answer is awaited nothing of ours is under way; libpq's default notices after two hours.
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=4,
            )
        except psycopg.ProgrammingError as error:
            raise Misconfigured(f"the database address cannot be read (数据库地址有误): {error}") from error
        connection.execute("SET TIME ZONE 'UTC'")
        return connection


@contextmanager
def translated() -> Iterator[None]:
    """Turn psycopg's errors raised inside into ours where somebody outside can act; let the others pass."""
    try:
        yield
    except psycopg.Error as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error


@contextmanager
def alone(connection: Connection, key: int) -> Iterator[None]:
    """Keep out, in this database, everybody else who names ``key``; waits for whoever is at work.

    The lock is of the session, so that the work may be many transactions; it ends with the connection at the latest.
    psycopg's errors raised inside are ours, as with :func:`translated`.
    """
    with translated():
        connection.execute("SELECT pg_advisory_lock(%s)", (key,))
        with _released(connection, key):
            yield


@contextmanager
def alone_or_not(connection: Connection, key: int) -> Iterator[bool]:
    """Like :func:`alone`, but give False at once, and lock nothing, when somebody is at work."""
    with translated():
        if connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone() != (True,):
            yield False
            return
        with _released(connection, key):
            yield True


@contextmanager
def _released(connection: Connection, key: int) -> Iterator[None]:
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (key,))


def translate(error: psycopg.Error) -> PulseError | None:
    """Return what ``error`` means to the project; ``None`` when it is a mistake of ours."""
    state = error.sqlstate
    told = f"database: {str(error).strip() or type(error).__name__}"
    if state is None:
        return Retryable(told) if isinstance(error, psycopg.OperationalError) else None
    if state == _LIMIT:
        return LimitReached(told)
    if state[:2] in _RETRYABLE_CLASSES or state in _RETRYABLE:
        return Retryable(told)
    if state[:2] in _MISCONFIGURED_CLASSES or state in _MISCONFIGURED:
        return Misconfigured(told)
    return None


@cache
def statement(package: str, name: str) -> SQL:
    """Return the SQL of file ``name`` in the folder ``sql`` of ``package``, read once per process.

    Values are psycopg's named parameters (``%(series_id)s``); names of objects are ``{braces}``, filled by
    ``SQL.format``.
    """
    text = resources.files(package).joinpath("sql", name).read_text("utf-8")
    return SQL(text)


def text(found: str) -> str:
    """Return ``found`` as PostgreSQL can keep it: NUL and lone surrogates spelt out."""
    return found.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
