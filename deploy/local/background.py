"""Starting and stopping the background process that holds a system up."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from deploy.local import identity, runfile
from deploy.local.daemon import ONLY_SERVERS
from deploy.local.process import log_path, rotate, tail
from deploy.local.runfile import Phase, Run
from deploy.local.system import end_leftovers
from edge_agent.contract.errors import Misconfigured, PulseError, Retryable

SUPERVISOR: Final = "supervisor"
"""Name of its log."""
_LOOK_S: Final = 0.1
_END_S: Final = 90.0
"""Longest regular end of all servers and services together, with room."""

Child = subprocess.Popen[bytes]


def launch(folder: Path, deadline_mono_s: float, *, only_servers: bool) -> Child | None:
    """Start the background process for ``folder`` and return it; ``None`` when one is up or coming up.

    One that is about to end is waited for first.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "launch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        while (run := runfile.now(folder)) is not None and runfile.supervised(folder):
            if run.phase in (Phase.STARTING, Phase.RUNNING):
                return None
            _pause(deadline_mono_s, folder)
        child = _spawn(folder, only_servers=only_servers)
        # Here and not only by the child, which takes a moment to get there: `g60 down` must find it at once.
        runfile.claim(folder, child.pid)
        return child


def await_up(folder: Path, child: Child | None, deadline_mono_s: float) -> Run:
    """Return once the system in ``folder`` is up; ``child`` is the process that was started for it, if one was.

    When it does not get up, its own error is raised; ``Retryable`` when the time is over first.
    """
    while True:
        # Asked first: what a process that is gone by now wrote last is complete.
        supervised = runfile.supervised(folder)
        run = runfile.now(folder)
        if run is not None and run.phase is Phase.RUNNING:
            return run
        if not supervised:
            raise _failure(folder, run, child)
        _pause(deadline_mono_s, folder)


def stop(folder: Path) -> tuple[bool, tuple[str, ...]]:
    """End the system in ``folder``: whether a supervisor was there, and the names of what one had left behind."""
    ended = identity.end_saved(runfile.supervisor_pid_path(folder), _END_S)
    return ended, end_leftovers(folder)


def _spawn(folder: Path, *, only_servers: bool) -> Child:
    log = log_path(folder, SUPERVISOR)
    rotate(log)
    with log.open("ab") as out:
        return subprocess.Popen(
            (sys.executable, "-m", "deploy.local.daemon", str(folder), *([ONLY_SERVERS] if only_servers else [])),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _failure(folder: Path, run: Run | None, child: Child | None) -> PulseError:
    own = run is not None and run.phase is Phase.FAILED and (child is None or run.pid == child.pid)
    if child is not None:
        child.wait()
    said = run.error if own and run is not None else "\n".join(tail(log_path(folder, SUPERVISOR), 20))
    text = f"the system did not get up (系统启动失败); log: {log_path(folder, SUPERVISOR)}\n{said}"
    return Misconfigured(text) if child is not None and child.returncode == 2 else Retryable(text)


def _pause(deadline_mono_s: float, folder: Path) -> None:
    if time.monotonic() > deadline_mono_s:
        raise Retryable(
            f"the system in {folder} is not up in time (等待超时); it goes on in the background: g60 status"
        )
    time.sleep(_LOOK_S)
