"""A process of ours: a session of its own, a bounded log, and a pid file that outlives us.

Children are deliberately not tied to us by ``PR_SET_PDEATHSIG``: it fires when the *thread* that forked ends, servers
are started from threads, and the kernel clears it when the child changes its user. The pid files do that work: whoever
comes next ends exactly what was left behind.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from deploy.local import identity
from edge_agent.contract.errors import Misconfigured, Retryable

log = logging.getLogger(__name__)

KEPT_LOGS: Final = 3
"""Logs of earlier starts that are kept beside the running one."""
MAX_LOG_BYTES: Final = 64 << 20
"""Size at which a running process's log is moved aside."""
_LOOKED_AT_LINES: Final = 500
_SHOWN_CHARS: Final = 400
_ERROR: Final = re.compile(r"\b(ERROR|FATAL|PANIC)\b|^Error: ")
LEFTOVER_S: Final = 10.0
"""Time that a process left behind by a killed supervisor has to end."""


class NotUp(Retryable):
    """A process ended, or did not get ready in time, while it was being started; says where its log is."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What to run."""

    name: str
    """Lower-case word; names the log and the pid file."""
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of this process."""
    cwd: Path | None = None
    polite: signal.Signals = signal.SIGTERM
    """Signal that asks it to end."""
    stop_within_s: float = 10.0
    """Time to end by itself before it is killed."""


def log_path(folder: Path, name: str) -> Path:
    """Return where the log of process ``name`` of the system in ``folder`` stands."""
    return folder / "logs" / f"{name}.log"


def pid_path(folder: Path, name: str) -> Path:
    """Return where the pid file of process ``name`` of the system in ``folder`` stands."""
    return pids(folder) / f"{name}.json"


def pids(folder: Path) -> Path:
    """Return the folder of the pid files of the system in ``folder``."""
    return folder / "pids"


class Process:
    """Runs one :class:`Spec` at a time; safe to use from several threads."""

    def __init__(self, spec: Spec, folder: Path) -> None:
        self.spec = spec
        self.name = spec.name
        self.log = log_path(folder, spec.name)
        self._pid_file = pid_path(folder, spec.name)
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._pidfd = -1

    @property
    def pid(self) -> int | None:
        """The running process, ``None`` when there is none."""
        child = self._child
        return child.pid if child is not None and self.running() else None

    def running(self) -> bool:
        """Return whether the process lives."""
        with self._lock:
            return self._running()

    def start(self) -> None:
        """Start the process unless it runs; one left behind under the same name is ended first."""
        with self._lock:
            if self._running():
                return
            self._bury()
            if identity.end_saved(self._pid_file, LEFTOVER_S):
                log.warning("leftover ended name=%s", self.name)
            rotate(self.log)
            self._spawn()

    def stop(self) -> None:
        """End the process, politely, then not; what it started in its session ends too. No zombie stays."""
        with self._lock:
            if self._running():
                signal.pidfd_send_signal(self._pidfd, self.spec.polite)
                if not identity.exited(self._pidfd, self.spec.stop_within_s):
                    log.warning("killed name=%s after_s=%s", self.name, self.spec.stop_within_s)
            self._bury()
            self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the process as a power cut would (SIGKILL), and wait until it is gone."""
        with self._lock:
            if self._running():
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            self._bury()

    def send(self, what: signal.Signals) -> None:
        """Send a signal to the running process; nothing happens when none runs."""
        with self._lock:
            if self._running():
                signal.pidfd_send_signal(self._pidfd, what)

    def until(self, ready: Callable[[], bool], within_s: float, every_s: float = 0.05) -> None:
        """Return once ``ready()``; ``NotUp`` when the process ends first, or after ``within_s`` seconds."""
        deadline_mono_s = time.monotonic() + within_s
        while not ready():
            if not self.running():
                raise NotUp(f"{self.name} ended while it was starting ({self.name} 启动失败). {self.last_words()}")
            if time.monotonic() > deadline_mono_s:
                raise NotUp(f"{self.name} is not ready after {within_s:.0f} s (启动超时). {self.last_words()}")
            time.sleep(every_s)

    def last_words(self, lines: int = 8) -> str:
        """Return what of the log tells a person why it ended: its errors, which may stand far up, and its end."""
        last = tail(self.log, _LOOKED_AT_LINES)
        errors = [line for line in last[:-lines] if _ERROR.search(line)]
        return f"{self.log}:\n" + "\n".join(f"  {line[:_SHOWN_CHARS]}" for line in [*errors[-lines:], *last[-lines:]])

    def bound_log(self) -> None:
        """Move the log of the running process aside once it is longer than ``MAX_LOG_BYTES``."""
        with self._lock:
            if self.log.is_file() and self.log.stat().st_size > MAX_LOG_BYTES:
                # The process appends (O_APPEND) to the open file: it is copied and cut, never renamed under it.
                try:
                    shift(self.log)
                    shutil.copyfile(self.log, older(self.log, 1))
                except OSError as error:
                    # A full disk is no reason to fill it further: what could not be set aside goes.
                    log.warning("log cut, not kept name=%s error=%s", self.name, error)
                os.truncate(self.log, 0)

    def _running(self) -> bool:
        return self._pidfd >= 0 and not identity.exited(self._pidfd, 0)

    def _spawn(self) -> None:
        try:
            with self.log.open("ab") as out:
                child = subprocess.Popen(
                    self.spec.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=self.spec.cwd,
                    env=os.environ | self.spec.env,
                    start_new_session=True,
                )
        except OSError as error:
            raise Misconfigured(f"{self.name}: cannot run {self.spec.argv[0]} (无法运行): {error}") from error
        self._child = child
        self._pidfd = os.pidfd_open(child.pid)
        who = identity.identify(child.pid)
        if who is not None:
            identity.save(who, self.spec.polite, self._pid_file)

    def _bury(self) -> None:
        """Kill what is left of the child's session and collect its exit code."""
        child, self._child = self._child, None
        if child is None:
            return
        # The child is not collected yet, so its process group still is its own.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        os.close(self._pidfd)
        self._pidfd = -1


def tail(path: Path, lines: int) -> list[str]:
    """Return the last lines of a text file; none when it is not there."""
    try:
        with path.open("rb") as file:
            return last_lines(file, lines)
    except FileNotFoundError:
        return []


def last_lines(file: IO[bytes], lines: int) -> list[str]:
    """Return the last lines of an open file and leave it at its end."""
    size = file.seek(0, os.SEEK_END)
    span = 0
    text = b""
    while text.count(b"\n") <= lines and span < size:
        span = min(size, max(2 * span, 4096))
        file.seek(size - span)
        text = file.read(span)
    return text.decode("utf-8", errors="replace").splitlines()[-lines:] if lines else []


def rotate(path: Path) -> None:
    """Move the log of the last start aside, so that ``path`` holds one start only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        shift(path)
        path.replace(older(path, 1))


def shift(path: Path) -> None:
    """Make ``older(path, 1)`` free; the oldest of ``KEPT_LOGS`` goes."""
    for age in range(KEPT_LOGS, 1, -1):
        younger = older(path, age - 1)
        if younger.is_file():
            younger.replace(older(path, age))


def older(path: Path, age: int) -> Path:
    """Return the name of the log ``age`` starts ago."""
    return path.with_name(f"{path.name}.{age}")
