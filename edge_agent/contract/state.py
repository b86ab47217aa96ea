"""State of a gateway: what it still holds, and whether its clock can be believed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from edge_agent.contract.birth import Digest
from edge_agent.contract.wire import Epoch, Message, Seq, TimeMs, Wire, decode

STATE_INTERVAL_S: Final = 60
"""A gateway that is online says so at least this often."""


class ClockStatus(StrEnum):
    """Whether the times of a gateway can be believed."""

    SYNCED = "synced"
    UNSYNCED = "unsynced"
    STEPPED = "stepped"


class Clock(Wire):
    """State of the gateway's clock; ``step_ms`` is how far it jumped, forward positive, when ``stepped``."""

    status: ClockStatus
    step_ms: int | None = None


class Held(Wire):
    """Messages still on the agent's disk: the first, and the last ever written, of the epoch."""

    epoch: Epoch
    first: Seq
    """One more than ``last`` when nothing is held."""
    last: Annotated[int, Field(ge=0, lt=1 << 40)]


class PreviousEpoch(Wire):
    """The life before this one: where its numbering ended."""

    epoch: Epoch
    last: Annotated[int, Field(ge=0, lt=1 << 40)]


class State(Message):
    """Retained; the broker publishes the offline form as last will, which knows nothing but ``online``."""

    online: bool
    agent: Annotated[str, StringConstraints(max_length=64)] = ""
    at: TimeMs | None = None
    b: Digest | None = None
    """The current birth."""
    held: Held | None = None
    previous: PreviousEpoch | None = None
    clock: Clock | None = None
    sources: dict[str, Literal["up", "down"]] = Field(default_factory=dict)
    """Devices by name, and whether the last poll was answered."""


def parse_state(payload: bytes) -> State:
    """Parse a state; ``BadRecord`` with reason ``not_json``, ``version`` or ``schema``."""
    return decode(State, payload)
