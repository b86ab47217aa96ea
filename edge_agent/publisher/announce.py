"""What a gateway says about itself: its births, its state, its last will."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from edge_agent.contract.state import Clock, Held, PreviousEpoch, State


@dataclass(frozen=True, slots=True)
class Portrait:
    """How the agent is, apart from what it holds."""

    agent: str
    at_ms: int
    birth: str
    """Digest of the current birth."""
    clock: Clock
    devices: Mapping[str, bool]
    """Whether each device answers."""
    device_clocks: Mapping[str, int] = field(default_factory=dict)
    """Devices that stamp their own values: their clock minus the gateway's, ms."""


def online(portrait: Portrait, held: Held, previous: PreviousEpoch | None) -> State:
    """Return the state of an agent that is connected."""
    sources: dict[str, Literal["up", "down"]] = {
        device: "up" if up else "down" for device, up in portrait.devices.items()
    }
    return State(
        online=True,
        agent=portrait.agent,
        at=portrait.at_ms,
        b=portrait.birth,
        held=held,
        previous=previous,
        clock=portrait.clock,
        sources=sources,
    )


def farewell(state: State) -> State:
    """Return the state of an agent that stops: the last thing known of it, and that it is gone."""
    return state.model_copy(update={"online": False})


def will() -> State:
    """Return what the broker says when the agent vanishes."""
    return State(online=False)


class StateDue:
    """Decides when a state is to be published again: at once when it changed, and every ``every_s`` seconds.

    What is held changes all the time and its numbers alone are no change.
    """

    def __init__(self, every_s: float, soonest_s: float = 1.0) -> None:
        self._every_s = every_s
        self._soonest_s = soonest_s
        self._last: State | None = None
        self._last_mono_s = 0.0

    def due(self, state: State, now_mono_s: float) -> bool:
        """Return whether ``state`` should be published now."""
        if self._last is None:
            return True
        passed_s = now_mono_s - self._last_mono_s
        return passed_s >= self._every_s or (passed_s >= self._soonest_s and _lasting(state) != _lasting(self._last))

    def published(self, state: State, now_mono_s: float) -> None:
        """Note that ``state`` was published."""
        self._last, self._last_mono_s = state, now_mono_s


def _lasting(state: State) -> State:
    epoch = None if state.held is None else Held(epoch=state.held.epoch, first=1, last=0)
    return state.model_copy(update={"at": None, "held": epoch})
