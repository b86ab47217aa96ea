"""What was read from MQTT and is not settled yet: its bounds, and on which connection it came. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from stream.bridge.routing import Outgoing


@dataclass(frozen=True, slots=True)
class Ticket:
    """One message on its way to Kafka."""

    generation: int
    """The MQTT connection it came on; a packet identifier means nothing on any other."""
    mid: int
    """Its packet identifier."""
    qos: int
    topic: str
    sent: Outgoing
    read_mono_s: float

    @property
    def size(self) -> int:
        """Bytes it holds in memory, without overhead."""
        return len(self.sent.key) + len(self.sent.value)


class Window:
    """Counts messages and bytes in flight; full at either bound, exceeded by the one message that made it full."""

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._since_mono_s: dict[int, float] = {}
        self.bytes = 0

    @property
    def messages(self) -> int:
        """Messages in flight."""
        return len(self._since_mono_s)

    @property
    def full(self) -> bool:
        """True while nothing more may be read."""
        return len(self._since_mono_s) >= self._max_messages or self.bytes >= self._max_bytes

    def enter(self, ticket: Ticket) -> None:
        """Count a message in."""
        self._since_mono_s[id(ticket)] = ticket.read_mono_s
        self.bytes += ticket.size

    def leave(self, ticket: Ticket) -> None:
        """Count a message out: Kafka took it, or will not."""
        del self._since_mono_s[id(ticket)]
        self.bytes -= ticket.size

    def oldest_s(self, now_mono_s: float) -> float:
        """Return how long the message that was counted in first has been in flight; 0 when there is none."""
        return now_mono_s - next(iter(self._since_mono_s.values()), now_mono_s)
