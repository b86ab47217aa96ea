"""``run.json``: what a running system tells other processes, such as ``g60 status``."""

from __future__ import annotations

import signal
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.local import identity
from deploy.local.files import write_atomically
from deploy.local.process import pid_path
from deploy.local.supervisor import State


class Phase(StrEnum):
    """How far the system as a whole is."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    """It did not get up; ``error`` says why."""
    LOST = "lost"
    """Its supervisor was killed; the next `g60 up` or `g60 down` ends what it left behind."""


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Entry(_Told):
    """One server or service."""

    name: str
    address: str = ""
    """Where it listens, without a password; empty for a service."""
    state: State
    pid: int | None = None
    restarts: int = 0
    log: str | None = None
    """``None`` for a server that is not ours."""
    version: str = ""
    trouble: str = ""
    """Why the last start failed."""
    note: str = ""
    """What a person should know although it runs."""


class Run(_Told):
    """One life of a system."""

    phase: Phase
    pid: int
    """The process that supervises it."""
    entries: tuple[Entry, ...] = ()
    error: str = ""

    def entry(self, name: str) -> Entry | None:
        """Return the entry of that name."""
        return next((entry for entry in self.entries if entry.name == name), None)


def path_in(folder: Path) -> Path:
    """Return where the run file of the system in ``folder`` stands."""
    return folder / "run.json"


def write(folder: Path, run: Run) -> None:
    """Replace the run file; a reader sees the old one or the new one."""
    write_atomically(path_in(folder), run.model_dump_json(indent=2) + "\n", mode=0o644)


def read(folder: Path) -> Run | None:
    """Return what the run file says; ``None`` when there is none. Whether it still holds, :func:`now` says."""
    try:
        return Run.model_validate_json(path_in(folder).read_text("utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def supervisor_pid_path(folder: Path) -> Path:
    """Return the pid file of the process that supervises the system in ``folder``; apart from its children's."""
    return folder / "supervisor.json"


def claim(folder: Path, pid: int) -> None:
    """Say that process ``pid`` supervises the system in ``folder``."""
    who = identity.identify(pid)
    if who is not None:
        identity.save(who, signal.SIGTERM, supervisor_pid_path(folder))


def supervisor(folder: Path) -> int | None:
    """Return the living process that supervises the system in ``folder``."""
    found = identity.saved(supervisor_pid_path(folder))
    return found[0].pid if found is not None and identity.alive(found[0]) else None


def supervised(folder: Path) -> bool:
    """Return whether the system in ``folder`` has a living supervisor."""
    return supervisor(folder) is not None


def now(folder: Path) -> Run | None:
    """Return how the system in ``folder`` is now, whatever was written last; ``None`` when there never was one.

    When the supervisor is gone, each entry says whether its own process still lives.
    """
    # Asked before the file is read: what a process that is gone by now wrote last is complete.
    pid = supervisor(folder)
    run = read(folder)
    if pid is not None and (run is None or run.pid != pid):
        return Run(phase=Phase.STARTING, pid=pid)
    if run is None or pid is not None or run.phase in (Phase.STOPPED, Phase.FAILED):
        return run
    entries = tuple(
        entry if _lives(folder, entry.name) else entry.model_copy(update={"state": State.STOPPED, "pid": None})
        for entry in run.entries
    )
    return run.model_copy(update={"phase": Phase.LOST, "entries": entries})


def _lives(folder: Path, name: str) -> bool:
    found = identity.saved(pid_path(folder, name))
    return found is not None and identity.alive(found[0])
