"""Programs with one guarantee switched off: the judge must find what that costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.faults.plan import Fault, Kind, Round
from tests.faults.report import Report
from tests.faults.run import Run
from tests.faults.stage import Theatre

_HERE: Final = "tests.faults.mutants"


@dataclass(frozen=True, slots=True)
class Mutant:
    """Which programs are exchanged, and the faults that show it."""

    name: str
    kill: Kind
    agent: str = "edge_agent"
    bridge: str | None = None
    sink: str | None = None
    covered: bool = False
    """Another guarantee makes up for it: the run is clean all the same."""


_FORGETFUL: Final = f"{_HERE}.delete_on_puback"
_HASTY: Final = f"{_HERE}.acknowledge_before_kafka"
_APART: Final = f"{_HERE}.offsets_outside_transaction"

MUTANTS: Final = {
    mutant.name: mutant
    for mutant in (
        Mutant("delete_on_puback", Kind.KILL_MOSQUITTO, agent=_FORGETFUL),
        # The confirmation by the warehouse would make up for the next two: the agent sends again what did not arrive.
        # So they run with it off, too; that alone loses nothing at these kills, as the controls show.
        Mutant("acknowledge_before_kafka", Kind.KILL_BRIDGE, agent=_FORGETFUL, bridge=_HASTY),
        Mutant("offsets_outside_transaction", Kind.KILL_SINK, agent=_FORGETFUL, sink=_APART),
        Mutant("control_bridge", Kind.KILL_BRIDGE, agent=_FORGETFUL, covered=True),
        Mutant("control_sink", Kind.KILL_SINK, agent=_FORGETFUL, covered=True),
        Mutant("acknowledge_before_kafka_alone", Kind.KILL_BRIDGE, bridge=_HASTY, covered=True),
        Mutant("offsets_outside_transaction_alone", Kind.KILL_SINK, sink=_APART, covered=True),
    )
}


def play_mutant(
    theatre: Theatre, mutant: Mutant, gateways: tuple[str, ...], rounds: int, seed: int, say: Callable[[str], None]
) -> Report:
    """Exchange the programs, kill the one that the guarantee is about, judge; then put everything back."""
    exchanged = {name: program for name in ("bridge", "sink") if (program := getattr(mutant, name)) is not None}
    for name, program in exchanged.items():
        theatre.exchange(name, program)
    try:
        run = Run(theatre, gateways, seed, say, mutant=mutant.name, forgiving=not mutant.covered)
        faults = (Fault(mutant.kill, after_s=0.5, held=True),)
        return run.play([Round(number + 1, faults) for number in range(rounds)], mutant.agent)
    finally:
        for name in exchanged:
            theatre.exchange(name, None)
