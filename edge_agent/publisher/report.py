"""The small file beside the outbox that tells `g60-edge status` how the connection is."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from edge_agent.clock import Clock

_log = logging.getLogger(__name__)

REPORT_S: Final = 10.0
"""How often a running agent writes its report."""
STALE_S: Final = 3 * REPORT_S


@dataclass(frozen=True, slots=True)
class Report:
    """How the publisher was at ``at_ms``."""

    process: int
    at_ms: int
    connected: bool
    broker: str
    since_ms: int
    """Since when the connection is up, or down."""
    trouble: str = ""
    """Why there is no connection, or what is wrong with it; empty when nothing is."""
    stopped: str = ""
    """Why the agent stopped by itself; empty while it runs."""
    device_clocks: Mapping[str, int] = field(default_factory=dict)
    """Devices that stamp their own values: their clock minus the gateway's, ms."""


def path_beside(outbox: Path) -> Path:
    """Return where the report of the agent that uses ``outbox`` is."""
    return outbox.with_name(outbox.name + ".status")


def write(path: Path, report: Report) -> None:
    """Replace the report at ``path``; a reader sees the old one or the new one."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(asdict(report), ensure_ascii=False), "utf-8")
    draft.replace(path)


def read(path: Path, now_ms: int) -> Report | None:
    """Return the report of an agent that is running, or says why it stopped; ``None`` when there is none."""
    try:
        found = Report(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    running = now_ms - found.at_ms <= STALE_S * 1000 and _alive(found.process)
    return found if found.stopped or running else None


class Reporter:
    """Writes the report of a running agent, now and then; a disk that does not take it disturbs nothing."""

    def __init__(self, outbox: Path, broker: str, clock: Clock) -> None:
        self._path = path_beside(outbox)
        self._broker = broker
        self._clock = clock
        self._due_mono_s = 0.0
        self._since_ms = clock.utc_ms()
        self._device_clocks: Mapping[str, int] = {}

    def remove(self) -> None:
        """Take the report away: the agent begins, or has ended as it was asked to."""
        self._path.unlink(missing_ok=True)

    def opened(self) -> None:
        """A connection stands from now on."""
        self._since_ms, self._due_mono_s = self._clock.utc_ms(), 0.0

    def connected(self, device_clocks: Mapping[str, int], trouble: str) -> None:
        """Say, when it is time, that the connection stands."""
        self._device_clocks = device_clocks
        if self._clock.mono_s() >= self._due_mono_s:
            self._write(connected=True, trouble=trouble)

    def lost(self, trouble: str) -> None:
        """Say at once that the connection is lost."""
        self._since_ms = self._clock.utc_ms()
        self._write(connected=False, trouble=trouble)

    def stopped(self, why: str) -> None:
        """Say for good why the agent stopped by itself."""
        self._write(connected=False, trouble="", stopped=why)

    def _write(self, *, connected: bool, trouble: str, stopped: str = "") -> None:
        self._due_mono_s = self._clock.mono_s() + REPORT_S
        now_ms = self._clock.utc_ms()
        clocks = dict(self._device_clocks)
        found = Report(os.getpid(), now_ms, connected, self._broker, self._since_ms, trouble, stopped, clocks)
        try:
            write(self._path, found)
        except OSError as error:
            _log.warning("publisher.report error=%r", str(error))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
