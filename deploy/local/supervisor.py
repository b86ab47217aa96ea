"""Keeps a set of processes running until it is told to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol

from deploy.local.process import Process, Spec
from deploy.local.signals import EndOnSignal
from edge_agent.contract.errors import Misconfigured, PulseError

log = logging.getLogger(__name__)

POLL_S: Final = 0.1
"""How often a keeper looks whether its process lives."""
FIRST_BACK_OFF_S: Final = 0.2
LONGEST_BACK_OFF_S: Final = 10.0
STEADY_S: Final = 30.0
"""A process that ran this long before it died is started again after the first back-off, not the next."""
BOUND_LOG_EVERY_S: Final = 60.0

SERVERS: Final = 0
SERVICES: Final = 1
"""Waves: those of the last wave are stopped first, all of one wave at once."""


class State(StrEnum):
    """How a kept process is."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """It died or did not get up; it is started again after the back-off."""
    STOPPED = "stopped"


class Kept(Protocol):
    """What can be kept running: a server, or a :class:`Process`."""

    @property
    def name(self) -> str:
        """One lower-case word, unique in the supervisor."""

    @property
    def pid(self) -> int | None:
        """The process, ``None`` when it does not run or is not ours."""

    @property
    def log(self) -> Path | None:
        """Its log, ``None`` when it has none of ours."""

    def running(self) -> bool:
        """Return whether it lives."""

    def start(self) -> None:
        """Return once it is up."""

    def stop(self) -> None:
        """End it in good order, also while another thread starts it."""

    def kill(self) -> None:
        """End it as a power cut would."""

    def bound_log(self) -> None:
        """Keep the log of a long run short."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a kept process is now."""

    name: str
    state: State
    pid: int | None
    restarts: int
    """How often it was started again after it had ended by itself."""
    log: Path | None
    trouble: str
    """Why the last start failed; empty when it did not."""


class Supervisor:
    """Starts processes, starts those again that end by themselves, and ends all of them when it is left.

    As a context manager on the main thread it turns SIGTERM and SIGHUP into a regular end (``SystemExit(0)``), so
    that no child stays. Only kill -9 leaves children behind; their pid files in ``folder`` name them.
    ``changed`` is called, from any thread, after something that :meth:`standings` tells has changed.
    """

    def __init__(self, folder: Path, changed: Callable[[], None] | None = None) -> None:
        self.folder = folder.absolute()
        self._changed = changed or _nothing
        self._lock = threading.Lock()
        self._keepers: dict[str, _Keeper] = {}
        self._signals = EndOnSignal()

    def __enter__(self) -> Supervisor:
        self._signals.install()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._signals.hold()
        try:
            self.stop_all()
        finally:
            self._signals.restore()

    def start(self, what: Spec | Kept, wave: int = SERVICES) -> None:
        """Start ``what`` and keep it running; returns once it is up (a :class:`Spec`: once it is started).

        When the first start fails its error is raised and nothing is kept.
        """
        kept: Kept = Process(what, self.folder) if isinstance(what, Spec) else what
        keeper = _Keeper(kept, wave, self._changed)
        with self._lock:
            old = self._keepers.get(kept.name)
            if old is not None and old.state is not State.STOPPED:
                raise Misconfigured(f"a process named {kept.name!r} is already kept (名称重复)")
            self._keepers[kept.name] = keeper
        keeper.start()

    def stop(self, name: str) -> None:
        """End the process and leave it ended until :meth:`resume`."""
        self._keeper(name).stop()

    def resume(self, name: str) -> None:
        """Start a stopped process again and keep it running."""
        self._keeper(name).start()

    def kill(self, name: str) -> None:
        """End the process as a power cut would; like any that dies, it is started again."""
        self._keeper(name).kept.kill()

    def pid(self, name: str) -> int | None:
        """Return the process that runs under ``name`` now."""
        return self._keeper(name).kept.pid

    def restarts(self, name: str) -> int:
        """Return how often it was started again after it had ended by itself."""
        return self._keeper(name).restarts

    def standings(self) -> tuple[Standing, ...]:
        """Return how every process is, in the order in which they were started."""
        with self._lock:
            keepers = tuple(self._keepers.values())
        return tuple(keeper.standing() for keeper in keepers)

    def stop_all(self) -> None:
        """End all processes, the last wave first."""
        with self._lock:
            keepers = tuple(self._keepers.values())
        for wave in sorted({keeper.wave for keeper in keepers}, reverse=True):
            ending = [keeper for keeper in keepers if keeper.wave == wave]
            with ThreadPoolExecutor(len(ending), thread_name_prefix="stop") as pool:
                list(pool.map(_Keeper.stop, ending))

    def _keeper(self, name: str) -> _Keeper:
        with self._lock:
            found = self._keepers.get(name)
            known = ", ".join(self._keepers)
        if found is None:
            raise Misconfigured(f"no process is named {name!r} (没有这个进程); there are: {known}")
        return found


class _Keeper:
    """Keeps one process running, on a thread of its own: a server that takes long to start holds up no other."""

    def __init__(self, kept: Kept, wave: int, changed: Callable[[], None]) -> None:
        self.kept = kept
        self.wave = wave
        self.state = State.STOPPED
        self.restarts = 0
        self._trouble = ""
        self._changed = changed
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._ending.clear()
        self._enter(State.STARTING)
        try:
            self.kept.start()
        except BaseException:
            self._enter(State.STOPPED)
            raise
        log.info("started name=%s pid=%s", self.kept.name, self.kept.pid)
        self._enter(State.RUNNING)
        self._thread = threading.Thread(target=self._keep, name=f"keep-{self.kept.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        # Before the thread is waited for, so that a start under way ends at once; after it, should one have got by.
        self.kept.stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self.kept.stop()
        self._enter(State.STOPPED)

    def standing(self) -> Standing:
        kept = self.kept
        return Standing(kept.name, self.state, kept.pid, self.restarts, kept.log, self._trouble)

    def _keep(self) -> None:
        back_off_s = FIRST_BACK_OFF_S
        up_since_mono_s = bounded_mono_s = time.monotonic()
        while not self._ending.wait(POLL_S):
            now_mono_s = time.monotonic()
            if self.kept.running():
                if now_mono_s - bounded_mono_s > BOUND_LOG_EVERY_S:
                    self.kept.bound_log()
                    bounded_mono_s = now_mono_s
                continue
            if self.state is State.RUNNING and now_mono_s - up_since_mono_s > STEADY_S:
                back_off_s = FIRST_BACK_OFF_S
            log.warning("ended by itself name=%s again_in_s=%.1f log=%s", self.kept.name, back_off_s, self.kept.log)
            self._enter(State.WAITING)
            if self._ending.wait(back_off_s):
                return
            back_off_s = min(2 * back_off_s, LONGEST_BACK_OFF_S)
            self._again()
            up_since_mono_s = time.monotonic()

    def _again(self) -> None:
        self.restarts += 1
        self._enter(State.STARTING)
        try:
            self.kept.start()
        except (PulseError, OSError) as error:
            log.warning("did not start name=%s error=%s", self.kept.name, error)
            self._enter(State.WAITING, str(error))
        else:
            log.info("started again name=%s pid=%s restarts=%d", self.kept.name, self.kept.pid, self.restarts)
            self._enter(State.RUNNING)

    def _enter(self, state: State, trouble: str = "") -> None:
        self.state = state
        if state is State.RUNNING or trouble:
            self._trouble = trouble
        self._changed()


def _nothing() -> None:
    """Nobody asked to be told."""
