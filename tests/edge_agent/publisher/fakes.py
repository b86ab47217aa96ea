"""A wire that remembers, and time and chance that a test moves."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_agent.contract.errors import Retryable
from edge_agent.contract.telemetry import Batch, parse_batch
from edge_agent.contract.topics import Channel, parse_up
from edge_agent.contract.wire import decompress
from tests.edge_agent.outbox.models import NOW_MS


@dataclass(slots=True)
class MovedClock:
    """Implements :class:`edge_agent.clock.Clock`; moves when told to."""

    now_mono_s: float = 1_000.0
    offset_ms: int = NOW_MS - 1_000_000
    disciplined_now: bool | None = True

    def utc_ms(self) -> int:
        return round(self.now_mono_s * 1000) + self.offset_ms

    def mono_s(self) -> float:
        return self.now_mono_s

    def disciplined(self) -> bool | None:
        return self.disciplined_now

    def forward(self, duration_s: float) -> None:
        self.now_mono_s += duration_s


@dataclass(frozen=True, slots=True)
class Sent:
    packet_id: int
    channel: Channel
    payload: bytes
    retain: bool
    encoding: str | None

    @property
    def batch(self) -> Batch:
        return parse_batch(decompress(self.payload, self.encoding))


@dataclass(slots=True)
class Wire:
    """Implements :class:`edge_agent.publisher.session.Link`; can be cut."""

    sent: list[Sent] = field(default_factory=list)
    cut_after: int | None = None

    def publish(self, topic: str, payload: bytes, *, retain: bool, encoding: str | None) -> int:
        if self.cut_after is not None and len(self.sent) >= self.cut_after:
            raise Retryable("cut")
        packet_id = len(self.sent) + 1
        self.sent.append(Sent(packet_id, parse_up(topic).channel, payload, retain, encoding))
        return packet_id

    def on(self, *channels: Channel) -> list[Sent]:
        return [sent for sent in self.sent if sent.channel in channels]

    def telemetry(self) -> list[tuple[str, int]]:
        """Lane and number of each telemetry message, in the order of sending."""
        return [(sent.channel.value, sent.batch.seq) for sent in self.on(Channel.LIVE, Channel.BACKLOG)]
