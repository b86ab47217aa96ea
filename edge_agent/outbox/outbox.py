"""The outbox's file: held by one agent, checked when it is opened, set aside when it is damaged."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import IO, Final, Self

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.event import Event, EventKind
from edge_agent.machine import differs
from edge_agent.outbox.batches import Bounds
from edge_agent.outbox.database import PAGE_BYTES, Database, OutboxDamaged, OutboxFull, OutboxUnavailable
from edge_agent.outbox.events import add_events
from edge_agent.outbox.intake import Compression, Intake
from edge_agent.outbox.life import LATEST_EPOCH, marks_text, read_life
from edge_agent.outbox.outflow import Outflow
from edge_agent.outbox.renewal import renew

APPLICATION_ID: Final = 0x4736304F
"""``G60O``, in the file's header: tells an outbox from another SQLite file."""
SCHEMA_VERSION: Final = 2
_SUFFIXES: Final = ("", "-wal", "-shm")
_HARDLY_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class SetAside:
    """A damaged file that was kept under another name."""

    path: Path
    why: str
    previous: tuple[int, int] | None
    """Epoch and last number of the damaged file, as far as they could still be read."""


def new_epoch(now_ms: int, chance: int, known_previous: int) -> int:
    """Return a number for a new life of the buffer: larger than ``known_previous`` even if the clock went back.

    ``chance`` are 10 random bits, so that two files begun in one millisecond differ, and two copies whose clocks were
    never set as well.
    """
    return max(min(now_ms << 10 | chance & 0x3FF, LATEST_EPOCH), known_previous + 1 + (chance & 0x3FF))


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Outbox:
    """The one holder of an outbox file; ``with`` locks, checks and, if need be, creates it.

    ``with`` raises ``Misconfigured`` when a person has to act, and ``OutboxFull`` while the disk has no room at all.
    """

    def __init__(
        self,
        path: Path,
        max_bytes: int,
        *,
        now_ms: Callable[[], int] = _wall_ms,
        random_bits: Callable[[int], int] = secrets.randbits,
        machine: Collection[str] = frozenset(),
    ) -> None:
        """``machine`` are the marks of :mod:`edge_agent.machine`; a file that another one wrote gets a new epoch."""
        self._path = path
        self._max_bytes = max_bytes
        self._now_ms = now_ms
        self._random_bits = random_bits
        self._machine = frozenset(machine)
        self._lock: IO[str] | None = None
        self.set_aside: SetAside | None = None
        """What was found damaged at the last opening."""

    def __enter__(self) -> Self:
        self._make_folder()
        self._lock = _lock(_beside(self._path, ".lock"))
        try:
            self._open_or_set_aside()
        except (OutboxUnavailable, OSError) as error:
            self._unlock()
            if self._has_no_room(error):
                raise OutboxFull(f"{self._path}: {error}") from error
            raise Misconfigured(f"{self._path}: cannot be used as the buffer (无法用作缓冲文件): {error}") from error
        except BaseException:
            self._unlock()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._unlock()

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    def intake(self, bounds: Bounds, compression: Compression) -> Intake:
        """Return the recorder's side; open and use it in one thread."""
        return Intake(self._path, self._max_bytes, bounds, compression)

    def outflow(self) -> Outflow:
        """Return the publisher's side; open and use it in one thread."""
        return Outflow(self._path, self._max_bytes, self._next_epoch)

    def suspect(self) -> None:
        """Have the file set aside at the next opening, whatever the check says then."""
        _beside(self._path, ".suspect").touch()

    def _has_no_room(self, error: Exception) -> bool:
        """Return whether a full disk is the reason; SQLite says no more than that it cannot open its log."""
        if isinstance(error, OSError):
            return error.errno in (errno.ENOSPC, errno.EDQUOT)
        return shutil.disk_usage(self._path.parent).free < _HARDLY_BYTES

    def _make_folder(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"{self._path.parent}: cannot be created (无法创建目录): {error.strerror}") from error

    def _open_or_set_aside(self) -> None:
        try:
            self._open()
        except OutboxDamaged:  # behind what the check looks at
            self.suspect()
            self._open()

    def _open(self) -> None:
        self.set_aside = None
        suspect = _beside(self._path, ".suspect")
        if suspect.exists():
            self.set_aside = self._put_aside("it gave back errors while it was in use")
        elif self._path.exists() and self._path.stat().st_size:
            try:
                if not self._filled():
                    self._remove()
            except OutboxDamaged as error:
                suspect.touch()
                self.set_aside = self._put_aside(str(error))
        if not self._path.exists() or not self._path.stat().st_size:
            self._create()
        suspect.unlink(missing_ok=True)
        with Database(self._path) as database, database.transaction():
            database.run("begin_run")
            self._know_the_machine(database)

    def _know_the_machine(self, database: Database) -> None:
        """Begin a new epoch in a file that another machine wrote: that one may still go on with the old one."""
        known = read_life(database).machine
        if differs(known, self._machine):
            renew(database, self._next_epoch, "another machine wrote this buffer", self._now_ms())
        if self._machine and self._machine != known:
            database.run("set_machine", {"machine": marks_text(self._machine)})

    def _filled(self) -> bool:
        """Check the file; ``False`` when an agent was stopped between creating it and filling it."""
        # Read only: what is set aside must lie there as it was found, its log not yet moved into it.
        with Database(self._path, readonly=True) as database:
            application, version = database.pragma("main.application_id"), database.pragma("main.user_version")
            if (application, version) == (0, 0) and database.pragma("main.schema_version") == 0:
                return False
            if application != APPLICATION_ID:
                raise Misconfigured(f"{self._path}: is another program's database (不是本程序的缓冲文件)")
            if version > SCHEMA_VERSION:
                raise Misconfigured(f"{self._path}: was written by a newer agent (由更新版本写入): version {version}")
            found = database.pragma("main.quick_check(1)")
            if found != "ok":
                raise OutboxDamaged(f"integrity check: {found}")
        with Database(self._path) as database:
            if version < SCHEMA_VERSION:
                _upgrade(database, version)
            read_life(database)
        return True

    def _remove(self) -> None:
        for suffix in reversed(_SUFFIXES):
            _beside(self._path, suffix).unlink(missing_ok=True)

    def _put_aside(self, why: str) -> SetAside:
        """Rename the file and its log; the mark beside it makes an interrupted renaming go on at the next opening."""
        stamp = datetime.fromtimestamp(self._now_ms() / 1000, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        aside = _beside(self._path, f".damaged-{stamp}")
        previous = _salvaged(self._path)
        for suffix in reversed(_SUFFIXES):
            part = _beside(self._path, suffix)
            if part.exists():
                part.rename(_beside(aside, suffix))
        _sync_folder(self._path.parent)
        return SetAside(aside, why, previous)

    def _create(self) -> None:
        aside = self.set_aside
        previous = None if aside is None else aside.previous
        epoch = self._next_epoch(previous[0] if previous else 0)
        self._path.touch(mode=0o600)
        _sync_folder(self._path.parent)
        with Database(self._path) as database:
            database.pragma(f"page_size = {PAGE_BYTES}")
            database.pragma("journal_mode = WAL")
            with database.transaction():
                database.script(files("edge_agent.outbox").joinpath("schema.sql").read_text("utf-8"))
                database.pragma(f"main.application_id = {APPLICATION_ID}")
                database.pragma(f"main.user_version = {SCHEMA_VERSION}")
                before = previous or (None, None)
                life = {"epoch": epoch, "previous_epoch": before[0], "previous_last": before[1]}
                database.run("begin_life", life | {"machine": marks_text(self._machine)})
                if aside is not None:
                    add_events(database, [self._event(aside)])

    def _next_epoch(self, known: int) -> int:
        """Return a new epoch, larger than ``known`` and than any that was ever begun here."""
        note = _beside(self._path, ".epoch")
        epoch = new_epoch(self._now_ms(), self._random_bits(10), max(_noted_epoch(note), known))
        # The note outlives a damaged or deleted file, so that an epoch is never used twice.
        draft = _beside(self._path, ".epoch.new")
        with draft.open("wb", buffering=0) as file:
            file.write(f"{epoch}\n".encode("ascii"))
            os.fsync(file.fileno())
        draft.replace(note)
        _sync_folder(self._path.parent)
        return epoch

    def _event(self, aside: SetAside) -> Event:
        text = f"buffer damaged ({aside.why}), kept as {aside.path.name}; 缓冲文件损坏，已改名保留，新周期开始"
        return Event(kind=EventKind.BUFFER_SET_ASIDE, at=self._now_ms(), text=text[:1000])

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _lock(path: Path) -> IO[str]:
    try:
        lock = path.open("a+", encoding="ascii")
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be written (无法写入): {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip() or "?"
        lock.close()
        raise Misconfigured(
            f"{path}: another agent (process {holder}) uses this buffer; one buffer, one agent "
            f"(另一个采集进程正在使用该缓冲文件，进程号 {holder})"
        ) from error
    with suppress(OSError):  # a full disk: the lock holds all the same, it only does not say who holds it
        lock.truncate(0)
        os.write(lock.fileno(), f"{os.getpid()}\n".encode("ascii"))
    return lock


def _upgrade(database: Database, version: int) -> None:
    """Bring a file of an older agent up to date, in one transaction."""
    with database.transaction():
        for step in range(version + 1, SCHEMA_VERSION + 1):
            database.script(files("edge_agent.outbox").joinpath(f"upgrade-{step}.sql").read_text("utf-8"))
        database.pragma(f"main.user_version = {SCHEMA_VERSION}")


def _salvaged(path: Path) -> tuple[int, int] | None:
    """Return epoch and last number of a damaged file if they can still be read."""
    try:
        with Database(path, readonly=True) as database:
            life = read_life(database)
    except (OutboxDamaged, OutboxUnavailable, sqlite3.Error):
        return None
    return life.epoch, life.last_seq


def _noted_epoch(path: Path) -> int:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return 0


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
