"""Events of a gateway: what happened, once, as opposed to how things stand (state)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from edge_agent.contract.wire import Message, TimeMs, decode


class EventKind(StrEnum):
    """What can happen to an agent that somebody may want to know."""

    STARTED = "started"
    DEVICE_DOWN = "device_down"
    DEVICE_UP = "device_up"
    BUFFER_SET_ASIDE = "buffer_set_aside"
    """The buffer's file was damaged; it was kept under another name and a new epoch began."""
    CLOCK_STEPPED = "clock_stepped"


class Event(Message):
    """One event; ``text`` is for people, in the agent's language."""

    kind: EventKind
    at: TimeMs
    device: Annotated[str, StringConstraints(max_length=100)] | None = None
    text: Annotated[str, StringConstraints(max_length=1000)] = ""


def parse_event(payload: bytes) -> Event:
    """Parse an event; ``BadRecord`` with reason ``not_json``, ``version`` or ``schema``."""
    return decode(Event, payload)
