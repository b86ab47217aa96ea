"""Which process a pid file means: a pid alone may have been given to another process since.

A process is named by its pid, its start time in clock ticks since boot, and the boot. Signals go through a pidfd
that is opened first and checked afterwards, so that none can reach a process that took over the pid.
"""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.files import write_atomically

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, beyond doubt."""

    pid: int
    started_ticks: int
    """Clock ticks since boot at which it was started."""
    boot: str


def identify(pid: int) -> Identity | None:
    """Return who ``pid`` is now; ``None`` when no such process lives (a zombie does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
        boot = _BOOT.read_text("ascii").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name stands in parentheses and may itself hold spaces and parentheses (proc_pid_stat(5)).
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else Identity(pid, int(fields[19]), boot)


def alive(who: Identity) -> bool:
    """Return whether exactly this process still lives."""
    return identify(who.pid) == who


def end(who: Identity, polite: signal.Signals, within_s: float) -> bool:
    """End exactly this process: ``polite`` first, SIGKILL to its group after ``within_s``.

    Returns whether it was there; a process that took over its pid is never touched. It need not be a child of ours.
    """
    with _pidfd(who) as fd:
        if fd is None:
            return False
        signal.pidfd_send_signal(fd, polite)
        if not exited(fd, within_s):
            # It leads its session (deploy.local.process), and it lives: the group is still its own.
            os.killpg(who.pid, signal.SIGKILL)
            exited(fd, within_s)
        return True


def exited(pidfd: int, within_s: float) -> bool:
    """Wait up to ``within_s`` seconds for the process behind ``pidfd`` to end; return whether it did."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(within_s * 1000))


def save(who: Identity, polite: signal.Signals, path: Path) -> None:
    """Write the pid file: who it is, and which signal asks it to end."""
    write_atomically(path, json.dumps(asdict(who) | {"polite": polite.name}))


def saved(path: Path) -> tuple[Identity, signal.Signals] | None:
    """Read a pid file; ``None`` when there is none, or it is not one."""
    try:
        found = json.loads(path.read_text("utf-8"))
        who = Identity(int(found["pid"]), int(found["started_ticks"]), str(found["boot"]))
        return who, signal.Signals[found["polite"]]
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def end_saved(path: Path, within_s: float) -> bool:
    """End the process that a pid file names, if that very process still lives, and remove the file."""
    found = saved(path)
    was_there = found is not None and end(found[0], found[1], within_s)
    path.unlink(missing_ok=True)
    return was_there


@contextmanager
def _pidfd(who: Identity) -> Iterator[int | None]:
    try:
        fd = os.pidfd_open(who.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        # Opened before it is checked: from here on the fd means the process that the check sees, or a dead one.
        yield fd if alive(who) else None
    finally:
        os.close(fd)
