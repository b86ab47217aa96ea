"""Rounds of faults under load, recovery after each, and a drain at the end."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from tests.faults.deeds import Deed, Hand
from tests.faults.disk import Disk, make_roomy
from tests.faults.gauges import Gauges
from tests.faults.plan import Kind, Round
from tests.faults.report import Report
from tests.faults.stage import Theatre
from tests.faults.verdict import find

RECOVER_WITHIN_S: Final = 120.0
"""After it a round counts as recovered all the same: the drain and the judge decide."""
DRAIN_WITHIN_S: Final = 240.0
_LOOK_S: Final = 0.1


class Run:
    """One stretch of load from ``gateways`` with faults in it, judged for itself.

    A ``forgiving`` one waits for the flow to come back, and not for what will never come.
    """

    def __init__(
        self,
        theatre: Theatre,
        gateways: tuple[str, ...],
        seed: int,
        say: Callable[[str], None],
        *,
        mutant: str | None = None,
        forgiving: bool = False,
    ) -> None:
        self._theatre = theatre
        self._gateways = gateways
        self._seed = seed
        self._say = say
        self._mutant = mutant
        self._every = not forgiving
        self._log_file = theatre.folder / f"faults-{mutant or 'none'}.jsonl"
        self._log: list[dict[str, object]] = []
        self._faults: Counter[str] = Counter()
        self._hits: Counter[str] = Counter()
        self._rounds = 0

    def play(self, rounds: Iterable[Round], agent: str = "edge_agent") -> Report:
        """Start the load, do the rounds, drain, judge; ``agent`` is the program that agents run."""
        began_mono_s = time.monotonic()
        theatre = self._theatre
        with Gauges(theatre) as gauges:
            theatre.play_meters()
            theatre.start_agents(self._gateways, agent)
            try:
                drained = self._act(rounds, gauges)
                restarts = theatre.restarts()
            finally:
                # Whatever happened, the next run finds an empty stage.
                theatre.stop_meters()
                theatre.stop_agents(self._gateways)
        findings = find(theatre.dsn, theatre.play, self._gateways)
        return Report(
            rounds=self._rounds,
            seed=self._seed,
            seconds=time.monotonic() - began_mono_s,
            servers=theatre.versions,
            faults=dict(self._faults),
            left_out=self.left_out,
            kills_with_unacknowledged=dict(self._hits),
            mutant=self._mutant,
            drained=drained,
            restarts=restarts,
            findings=findings,
            log=tuple(self._log),
        )

    @property
    def left_out(self) -> dict[str, str]:
        """Faults that cannot be done here, and why."""
        disk = self._theatre.disk
        return {} if isinstance(disk, Disk) else {str(Kind.FILL_DISK): disk}

    def _act(self, rounds: Iterable[Round], gauges: Gauges) -> bool:
        """Do the rounds, silence the meters, and drain; False when something did not get through in time."""
        self._await_flow(gauges)
        hand = Hand(self._theatre, gauges, self._gateways)
        for one in rounds:
            self._round(one, hand, gauges)
        self._theatre.stop_meters()
        return self._drain(gauges)

    def _round(self, one: Round, hand: Hand, gauges: Gauges) -> None:
        began_mono_s = time.monotonic()
        deeds: list[Deed] = []
        for fault in one.faults:
            if str(fault.kind) in self.left_out:
                continue
            deed = hand.do(fault)
            deeds.append(deed)
            self._faults[str(deed.kind)] += 1
            if deed.at_victim is not None:
                self._hits[str(deed.kind)] += deed.at_victim > 0
            self._log.append({"round": one.number, "at_ms": time.time_ns() // 1_000_000, **deed.as_dict()})
            with self._log_file.open("a", encoding="utf-8") as log:
                log.write(json.dumps(self._log[-1]) + "\n")
        recovered = self._recover(gauges)
        self._rounds += 1
        words = ", ".join(
            f"{deed.kind}{' (held)' if deed.held else ''}"
            + ("" if deed.at_victim is None else f" {deed.at_victim} unacknowledged")
            for deed in deeds
        )
        took_s = time.monotonic() - began_mono_s
        self._say(f"round {one.number}: {words}; {'recovered' if recovered else 'NOT recovered'} in {took_s:.1f} s")

    def _await_flow(self, gauges: Gauges) -> None:
        """Return once every agent has been heard to the end of the chain."""
        self._until(lambda: all(gauges.numbers(gateway) for gateway in self._gateways), RECOVER_WITHIN_S)
        if not self._settle(gauges):
            raise AssertionError(f"no reading arrives; {self._theatre.away()}")
        first = self._theatre.gateways[0]
        if first in self._gateways and isinstance(self._theatre.disk, Disk):
            make_roomy(self._theatre.outbox(first))

    def _recover(self, gauges: Gauges) -> bool:
        """Wait until everything runs, and every message that was written by then is settled."""
        return self._until(lambda: not self._theatre.away(), RECOVER_WITHIN_S) and self._settle(gauges)

    def _settle(self, gauges: Gauges) -> bool:
        found = {gateway: gauges.numbers(gateway) for gateway in self._gateways}
        until_mono_s = time.monotonic() + RECOVER_WITHIN_S
        while not all(numbers is not None and numbers.last_seq for numbers in found.values()):
            if time.monotonic() > until_mono_s:
                return False
            time.sleep(_LOOK_S)
            found = {gateway: gauges.numbers(gateway) for gateway in self._gateways}
        wanted = {gateway: numbers for gateway, numbers in found.items() if numbers is not None}
        return self._until(lambda: gauges.settled(wanted, every=self._every), RECOVER_WITHIN_S)

    def _drain(self, gauges: Gauges) -> bool:
        """Wait until no agent holds anything."""

        def empty() -> bool:
            numbers = [gauges.numbers(gateway) for gateway in self._gateways]
            return all(each is not None and not each.held_messages and not each.pending_readings for each in numbers)

        return self._until(empty, DRAIN_WITHIN_S)

    def _until(self, condition: Callable[[], bool], within_s: float) -> bool:
        until_mono_s = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > until_mono_s:
                return False
            time.sleep(_LOOK_S)
        return True
