"""Does a fault, and says what it hit."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from deploy.local.demo.stage import agent_name
from tests.faults.disk import Disk, shorten_log
from tests.faults.gauges import Gauges, Unacknowledged
from tests.faults.plan import Fault, Kind
from tests.faults.stage import UP_WITHIN_S, Theatre

HELD_S: Final = 0.4
"""How long the way on from a process stands still at least before it is killed."""
FED: Final = 3
"""So many messages come to it meanwhile …"""
FED_WITHIN_S: Final = 10.0
"""… unless they take longer than this."""
FULL_S: Final = 2.0
_LARGEST_CUT: Final = 120
"""Bytes let through before a link is cut: fewer than any message on it."""
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Deed:
    """A fault that was done."""

    kind: Kind
    what: str
    """The process with its pid, or the link."""
    held: bool
    unacknowledged: Unacknowledged
    at_victim: int | None
    """Of that, at the killed process; ``None`` for other faults."""

    def as_dict(self) -> dict[str, object]:
        """Return all of it for the log."""
        return {
            "kind": str(self.kind),
            "what": self.what,
            "held": self.held,
            "unacknowledged": self.unacknowledged.as_dict(),
            "at_victim": self.at_victim,
        }


class Hand:
    """Does faults to a theatre whose load comes from ``gateways``."""

    def __init__(self, theatre: Theatre, gauges: Gauges, gateways: tuple[str, ...]) -> None:
        self._theatre = theatre
        self._gauges = gauges
        self._gateways = gateways

    def do(self, fault: Fault) -> Deed:
        """Wait as long as the fault says, do it, and return; the system may still be recovering."""
        time.sleep(fault.after_s)
        if fault.kind.kill:
            return self._kill(fault)
        if fault.kind is Kind.FILL_DISK:
            return self._fill()
        return self._cut(fault)

    def _kill(self, fault: Fault) -> Deed:
        victim = fault.kind.target
        gateways = self._gateways
        process = victim
        if victim == "agent":
            gateways = (self._gateways[int(fault.chance * len(self._gateways))],)
            process = agent_name(gateways[0])
        pid = self._await_running(process)
        wire = self._theatre.wires.after[victim]
        try:
            found = self._gauges.moment(victim, gateways)
            for tries in range(1, _TRIES + 1) if fault.held else ():
                wire.stall()
                self._feed(victim)
                found = self._gauges.now(gateways)
                if found.under_way(victim) or tries == _TRIES:
                    break
                wire.resume()
                self._gauges.moment(victim, gateways)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._until(lambda: self._theatre.pid(process) != pid)
        finally:
            if fault.held:
                # What the dead one had said and nobody heard dies with it.
                wire.cut()
                wire.resume()
        return Deed(fault.kind, f"{process} pid={pid}", fault.held, found, found.at(victim))

    def _feed(self, victim: str) -> None:
        """Wait while more comes to ``victim``, whose way on stands still."""
        time.sleep(HELD_S)
        before = self._come(victim)
        until_mono_s = time.monotonic() + FED_WITHIN_S
        while before is not None and time.monotonic() < until_mono_s:
            if (self._come(victim) or 0) >= before + FED:
                return
            time.sleep(0.02)

    def _come(self, victim: str) -> int | None:
        """Return how many messages have come to ``victim`` so far, where the proxies hear that."""
        wires = self._theatre.wires
        come = {
            "mosquitto": wires.agent_mqtt.taken,
            "bridge": wires.bridge_mqtt.delivered,
            "kafka": wires.bridge_mqtt.given,
        }
        return come.get(victim)

    def _cut(self, fault: Fault) -> Deed:
        """Cut the link within the next message of each client, and wait until somebody connects again."""
        wire = self._theatre.wires.of(fault.kind.target)
        found = self._gauges.now(self._gateways)
        before = wire.connections
        wire.cut_after(1 + int(fault.chance * _LARGEST_CUT))
        self._until(lambda: wire.connections > before)
        return Deed(fault.kind, f"{fault.kind.target} port={wire.port}", False, found, None)

    def _fill(self) -> Deed:
        disk = self._theatre.disk
        if not isinstance(disk, Disk):
            raise TypeError(f"no disk to fill: {disk}")
        found = self._gauges.now(self._gateways)
        shorten_log(self._theatre.outbox(self._theatre.gateways[0]))
        filled = disk.fill()
        time.sleep(FULL_S)
        disk.empty()
        return Deed(Kind.FILL_DISK, f"{disk.folder} bytes={filled}", False, found, None)

    def _await_running(self, process: str) -> int:
        if not self._until(lambda: self._theatre.pid(process) is not None):
            raise AssertionError(f"{process} does not run after {UP_WITHIN_S:.0f} s: {self._theatre.away()}")
        return self._theatre.pid(process) or self._await_running(process)

    def _until(self, condition: Callable[[], bool]) -> bool:
        deadline_mono_s = time.monotonic() + UP_WITHIN_S
        while not condition():
            if time.monotonic() > deadline_mono_s:
                return False
            time.sleep(0.02)
        return True
