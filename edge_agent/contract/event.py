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
    BUFFER_RENEWED = "buffer_renewed"
    """Somebody else may have gone on with the buffer's numbers (a copied card, an old copy brought back, two agents
    under one id): a new epoch began, and what was held is numbered anew in it."""
    BUFFER_OVERFLOW = "buffer_overflow"
    """The buffer was full; messages that had never been sent were given up, and later messages report them."""
    DISK_FULL = "disk_full"
    """For a while nothing could be written; told once it could. The text says what could not be kept."""
    MESSAGE_TOO_LONG = "message_too_long"
    """The broker takes no messages of that length; they are kept and not sent."""
    CLOCK_STEPPED = "clock_stepped"
    """The gateway's clock was set: ``from=… to=… step_ms=…`` stand in the text, UTC milliseconds."""
    DEVICE_CLOCK = "device_clock"
    """The clock of a device that stamps its own values is wrong, right again, or jumped; ``offset_ms=…`` (device minus
    gateway) stands in the text."""
    ID_TAKEN = "id_taken"
    """Another agent runs under this gateway's id; this one stops."""


class Event(Message):
    """One event; ``text`` is for people, in the agent's language."""

    kind: EventKind
    at: TimeMs
    device: Annotated[str, StringConstraints(max_length=100)] | None = None
    text: Annotated[str, StringConstraints(max_length=1000)] = ""


def parse_event(payload: bytes) -> Event:
    """Parse an event; ``BadRecord`` with reason ``not_json``, ``version`` or ``schema``."""
    return decode(Event, payload)
