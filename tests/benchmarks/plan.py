"""What the load generator is told, and what it answers; both travel as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Told(BaseModel):
    """Base of both."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Plan(Told):
    """Who the gateways are; a file, since it holds their passwords."""

    host: str
    port: int
    points: int
    """Readings of each of 20 series in a message."""
    epoch: int
    passwords: dict[str, str]
    """By gateway; in the order of :func:`tests.benchmarks.fleet.fleet`."""


class Connect(Told):
    """Bring every gateway in, evenly, with birth and state."""

    per_s: Annotated[float, Field(gt=0)]


class Live(Told):
    """Send for a while, one gateway after the other, evenly."""

    seconds: float
    messages_per_s: float


class Drop(Told):
    """Cut every connection, as a power cut of the broker's network would."""


class Return(Told):
    """Come back with a backlog, within some seconds, while live messages go on."""

    within_s: float
    seconds: float
    messages_per_s: float
    backlog_messages: int
    """Of each gateway."""
    interval_ms: int
    """Between the messages of the backlog."""
    backlog_per_s: float
    """Messages of the backlog that a gateway sends in a second."""


class Order(Told):
    """One line to the generator."""

    connect: Connect | None = None
    live: Live | None = None
    drop: Drop | None = None
    back: Return | None = None


class Answer(Told):
    """How an order went."""

    began_ms: int
    """When it began, UTC milliseconds; the first live message is of this time."""
    took_s: float
    connected: int
    messages: int = 0
    """Messages written and sent."""
    unsent: int = 0
    """Messages written and not sent: the backlog that is left."""
    backlog: int = 0
    """Of the messages sent, those of the backlog."""
    acknowledged: int = 0
    refused: int = 0
    """Messages that the broker acknowledged with another reason than success."""
    lost_connections: int = 0
    late_p99_ms: float = 0.0
    """How late the generator itself was; counted in every latency, since `t` is when a reading was due."""
    cpu_cores: float = 0.0
    """Processor time of the generator over the time that passed."""
    boundaries: Sequence[int] = ()
    """By gateway: the last message written before it was back; later ones are live."""
    confirmed: int = 0
    """Messages that the warehouse has confirmed to their gateways so far."""
