"""Which faults happen in which round: a function of the seed, and of nothing else."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What can be done to the system."""

    KILL_AGENT = "kill_agent"
    KILL_MOSQUITTO = "kill_mosquitto"
    KILL_BRIDGE = "kill_bridge"
    KILL_KAFKA = "kill_kafka"
    KILL_SINK = "kill_sink"
    KILL_POSTGRES = "kill_postgres"
    CUT_AGENT_MQTT = "cut_agent_mqtt"
    CUT_BRIDGE_MQTT = "cut_bridge_mqtt"
    CUT_BRIDGE_KAFKA = "cut_bridge_kafka"
    CUT_SINK_KAFKA = "cut_sink_kafka"
    CUT_SINK_POSTGRES = "cut_sink_postgres"
    FILL_DISK = "fill_disk"

    @property
    def kill(self) -> bool:
        """True for kill -9 of a process."""
        return self.value.startswith("kill_")

    @property
    def target(self) -> str:
        """The process or the link."""
        return self.value.partition("_")[2]


KILLS: Final = tuple(kind for kind in Kind if kind.kill)
OTHERS: Final = tuple(kind for kind in Kind if not kind.kill)
SECOND_KILL: Final = 0.3
"""Chance that a later round has a second kill."""
AT_ONCE: Final = 0.5
"""Chance that it comes at once, and not a little later, while the first process is coming back."""
HELD: Final = 1 / 3
"""Chance that the way on from the killed process stands still before the kill, so that more is under way."""
LATEST_S: Final = 1.5


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault."""

    kind: Kind
    after_s: float = 0.0
    """Wait before it: after the fault before, or after the beginning of the round."""
    held: bool = False
    """The way on from the killed process stands still first."""
    chance: float = 0.0
    """In [0, 1); chooses the gateway, and the byte at which a link is cut."""


@dataclass(frozen=True, slots=True)
class Round:
    """Faults that are done one after the other; then the system must recover."""

    number: int
    """From 1."""
    faults: tuple[Fault, ...]


def plan(rounds: int, seed: int, kinds: Collection[Kind] = tuple(Kind)) -> Iterator[Round]:
    """Yield ``rounds`` rounds of faults of ``kinds``: first each kind in turn, then by chance."""
    dice = random.Random(seed)  # noqa: S311 - the same seed must give the same faults
    kills = [kind for kind in KILLS if kind in kinds]
    others = [kind for kind in OTHERS if kind in kinds]
    # A shorter run has more of them in a round.
    first_pass = min(rounds, max(len(kills), len(others)))
    for index in range(rounds):
        if index < first_pass:
            chosen = [*kills[index::first_pass], *others[index::first_pass]]
            dice.shuffle(chosen)
            faults = [_fault(kind, dice) for kind in chosen]
        else:
            faults = _by_chance(kills, others, dice)
        yield Round(index + 1, tuple(faults))


def _by_chance(kills: list[Kind], others: list[Kind], dice: random.Random) -> list[Fault]:
    faults = [_fault(dice.choice(of), dice) for of in (kills, others) if of]
    dice.shuffle(faults)
    if kills and dice.random() < SECOND_KILL:
        second = _fault(dice.choice(kills), dice)
        faults.append(second if dice.random() >= AT_ONCE else Fault(second.kind, 0.0, second.held, second.chance))
    return faults


def _fault(kind: Kind, dice: random.Random) -> Fault:
    after_s, held, chance = dice.uniform(0, LATEST_S), dice.random() < HELD, dice.random()
    return Fault(kind, after_s, held and kind.kill, chance)
