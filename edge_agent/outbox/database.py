"""One SQLite connection of the outbox: named statements, transactions, and SQLite's errors as those of the project."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Self

from edge_agent.contract.errors import Retryable

BUSY_S: Final = 30.0
"""How long a writer waits for another writer of the same file."""
PAGE_BYTES: Final = 4096
_WAL_KEPT_BYTES: Final = 8 << 20
_DAMAGED: Final = frozenset(
    {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        # what was written satisfies every constraint
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
    }
)


class OutboxFull(Retryable):
    """There is no room for this write: the disk is full, or the file has reached its bound."""


class OutboxDamaged(Retryable):
    """The file is not what was written; it has to be set aside before the agent can go on."""


class OutboxUnavailable(Retryable):
    """The file cannot be used now: locked by another process, read-only, or the disk reports errors."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise errors of SQLite as :class:`OutboxFull`, :class:`OutboxDamaged` or :class:`OutboxUnavailable`."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None and "decode to UTF-8" in str(error):
            raise OutboxDamaged(str(error)) from error
        if code is None or isinstance(error, sqlite3.ProgrammingError):
            raise  # a mistake in this program, not a state of the disk
        primary = code & 0xFF
        text = f"{error} ({error.sqlite_errorname})"
        if primary == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE:
            raise OutboxFull(text) from error
        if primary in _DAMAGED:
            raise OutboxDamaged(text) from error
        if primary == sqlite3.SQLITE_ERROR:
            raise
        raise OutboxUnavailable(text) from error


def statements() -> dict[str, str]:
    """Return the statements of ``statements.sql`` by name."""
    text = files("edge_agent.outbox").joinpath("statements.sql").read_text("utf-8")
    parts = (part.partition("\n") for part in text.split("-- name: ")[1:])
    return {name.strip(): body.strip() for name, _, body in parts}


class Database:
    """A connection, bound to the thread that made it."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        """Open ``path``, which must exist."""
        self._statements = statements()
        with translated():
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rw'}",
                uri=True,
                timeout=BUSY_S,
                isolation_level=None,
            )
            try:
                # FULL: a commit has reached the disk before the device is asked again (design §3.7).
                self._connection.execute("PRAGMA main.synchronous = FULL")
                self._connection.execute(f"PRAGMA main.journal_size_limit = {_WAL_KEPT_BYTES}")
            except sqlite3.Error:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; an open transaction is undone."""
        self._connection.close()

    def run(self, name: str, parameters: Mapping[str, object] | None = None) -> sqlite3.Cursor:
        """Execute the statement ``name``; outside :meth:`transaction` it commits by itself."""
        with translated():
            return self._connection.execute(self._statements[name], parameters or {})

    def rows(self, name: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Return all rows of the statement ``name``."""
        with translated():
            return self._connection.execute(self._statements[name], parameters or {}).fetchall()

    def row(self, name: str, parameters: Mapping[str, object] | None = None) -> tuple[Any, ...] | None:
        """Return the first row of the statement ``name``, or ``None``."""
        rows = self.rows(name, parameters)
        return rows[0] if rows else None

    def pragma(self, text: str) -> Any:
        """Execute ``PRAGMA text`` and return its first value."""
        with translated():
            found = self._connection.execute(f"PRAGMA {text}").fetchone()
        return None if found is None else found[0]

    def script(self, text: str) -> None:
        """Execute ``text``, several statements without parameters, as part of the current transaction."""
        with translated():
            for statement in text.split(";\n"):
                self._connection.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is done inside, to the disk, as a whole; nothing of it when anything raises."""
        with translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def bound(self, max_bytes: int) -> None:
        """Refuse to let the file grow beyond ``max_bytes`` (:class:`OutboxFull`); holds for this connection."""
        self.pragma(f"main.max_page_count = {max(max_bytes // PAGE_BYTES, 1)}")

    def used_bytes(self) -> int:
        """Return how much of the file is in use, the current transaction included; free pages do not count."""
        pages: int = self.pragma("main.page_count") - self.pragma("main.freelist_count")
        return pages * PAGE_BYTES

    def file_bytes(self) -> int:
        """Return the size of the file, without its write-ahead log."""
        pages: int = self.pragma("main.page_count")
        return pages * PAGE_BYTES
