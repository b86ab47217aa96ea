"""What every server of the system can do, wherever it comes from."""

from __future__ import annotations

import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol

from deploy.local import account, identity
from deploy.local.process import LEFTOVER_S, NotUp, Process, Spec, log_path, pid_path


class Server(Protocol):
    """A broker or a database that others connect to."""

    @property
    def name(self) -> str:
        """What it is, in one lower-case word; the same in logs, pid files and tables."""

    @property
    def address(self) -> str:
        """Where it listens, without a password."""

    @property
    def pid(self) -> int | None:
        """The process, ``None`` when it does not run or is not ours."""

    @property
    def log(self) -> Path | None:
        """Its log, ``None`` when it is not ours."""

    def running(self) -> bool:
        """Return whether its process lives; true of a server that is not ours."""

    def start(self) -> None:
        """Return once it answers; nothing to do when it runs. Its data of the last time is there again.

        ``NotUp`` when it does not get up, ``Misconfigured`` when a person has to act.
        """

    def stop(self) -> None:
        """End it, after it has put its data away."""

    def kill(self) -> None:
        """End it as a power cut would."""

    def healthy(self) -> bool:
        """Ask it: does it answer a real request now?"""

    def version(self) -> str:
        """Return the version as the running server says it; ``NotUp`` when it does not."""

    def bound_log(self) -> None:
        """Keep the log of a long run short."""


class Mqtt(Server, Protocol):
    """An MQTT broker with a user for the bridge and one for each gateway."""

    host: str
    port: int
    bridge_user: str
    bridge_password: str

    def add_user(self, user: str, password: str) -> None:
        """Let gateway ``user`` in with ``password``; an old password is replaced, and ends its connection."""

    def add_users(self, users: Mapping[str, str]) -> None:
        """Let these gateways in (name → password); a running broker knows them when this returns."""

    def remove_user(self, user: str) -> None:
        """Shut gateway ``user`` out: its connection ends, and it cannot log in again."""


class LocalServer(ABC):
    """A server that is a process of ours, with its data in ``folder/name``.

    Building one touches nothing; ``folder`` is the system's, shared with the other servers.
    """

    name: ClassVar[str]
    start_within_s: ClassVar[float] = 60.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / self.name
        self.log: Path | None = log_path(self.folder, self.name)
        self.account = account.of_this_process()
        self._process: Process | None = None
        self._starting = threading.Lock()

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it listens, without a password."""

    @abstractmethod
    def prepare(self) -> Spec:
        """Put configuration and data folder in place and return what to run."""

    @abstractmethod
    def healthy(self) -> bool:
        """Ask it: does it answer a real request now?"""

    @abstractmethod
    def version(self) -> str:
        """Return the version as the running server says it; ``NotUp`` when it does not."""

    @property
    def pid(self) -> int | None:
        """The process, ``None`` when none runs."""
        return None if self._process is None else self._process.pid

    def running(self) -> bool:
        """Return whether its process lives."""
        return self._process is not None and self._process.running()

    def start(self) -> None:
        """Return once it answers; nothing to do when it runs. Its data of the last time is there again."""
        with self._starting:
            if not self.running():
                self.stop()
                identity.end_saved(pid_path(self.folder, self.name), LEFTOVER_S)
                self.launch()

    def launch(self) -> None:
        """Start the process and wait until it answers."""
        process = self._process = Process(self.prepare(), self.folder)
        process.start()
        try:
            process.until(self.healthy, self.start_within_s)
        except NotUp:
            process.stop()
            raise

    def stop(self) -> None:
        """End it, after it has put its data away."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()

    def send(self, what: signal.Signals) -> None:
        """Send a signal to its process, if it runs."""
        if self._process is not None:
            self._process.send(what)

    def bound_log(self) -> None:
        """Keep the log of a long run short."""
        if self._process is not None:
            self._process.bound_log()
