"""One gateway of the load generator: its connection, its window, its two lanes."""

from __future__ import annotations

import re
import socket
from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from edge_agent.contract.state import Clock, ClockStatus, Held, State
from edge_agent.contract.topics import Channel, commands_of, up
from tests.benchmarks import packets
from tests.benchmarks.fleet import Gateway, Template
from tests.benchmarks.packets import Kind, Packet

WINDOW: Final = 50
"""Messages unacknowledged at once, as an agent's default."""
KEEPALIVE_S: Final = 60
"""As an agent's default; the states, every 50 s, are what keeps the connection."""
_THROUGH: Final = re.compile(rb'"through":(\d+)')
_CHUNK: Final = 65_536


class Message(NamedTuple):
    """One message, written and not sent yet."""

    seq: int
    t_ms: int
    """Time of its newest readings."""


@dataclass(slots=True)
class Backlog:
    """What was written while there was no connection: an outage, of evenly spaced messages, and what came later."""

    seq: int = 0
    t_ms: int = 0
    every_ms: int = 0
    left: int = 0
    later: deque[Message] = field(default_factory=deque)

    def __len__(self) -> int:
        return self.left + len(self.later)

    def pop(self) -> Message:
        """Take the oldest message."""
        if not self.left:
            return self.later.popleft()
        found = Message(self.seq, self.t_ms)
        self.seq, self.t_ms, self.left = self.seq + 1, self.t_ms + self.every_ms, self.left - 1
        return found


@dataclass(slots=True)
class Counts:
    """What happened to all gateways since it was last asked."""

    sent: int = 0
    backlog: int = 0
    acknowledged: int = 0
    refused: int = 0
    lost: int = 0


@dataclass(slots=True)
class Client:
    """A gateway that talks; its owner watches the socket."""

    gateway: Gateway
    password: str
    template: Template
    points: int
    epoch: int
    counts: Counts
    sock: socket.socket | None = None
    up: bool = False
    """It is connected, subscribed, and has published birth and state."""
    seq: int = 0
    """Last message written."""
    through: int = 0
    """Last message that the warehouse has confirmed."""
    boundary: int = 0
    """Last message written before it was up; later ones are live."""
    live: deque[Message] = field(default_factory=deque)
    backlog: Backlog = field(default_factory=Backlog)
    step_ms: int = 1
    """Time between the points of a message."""
    _inbox: bytearray = field(default_factory=bytearray)
    outbox: bytearray = field(default_factory=bytearray)
    _next_id: int = 1
    _telemetry: set[int] = field(default_factory=set)
    _announced: set[int] = field(default_factory=set)

    def opened(self, sock: socket.socket, now_ms: int) -> None:
        """Begin to talk on a socket that is connecting."""
        name = self.gateway.name
        self.sock, self.up = sock, False
        self._inbox.clear()
        self.outbox.clear()
        self._telemetry.clear()
        self._announced.clear()
        self.outbox += packets.connect(
            name, name, self.password, KEEPALIVE_S, up(name, Channel.STATE), State(online=False).encode()
        )
        self.outbox += packets.subscribe(self._id(), commands_of(name))
        birth, state = self._id(), self._id()
        self._announced = {birth, state}
        self.outbox += packets.publish(_topic(name, Channel.BIRTH), birth, self.gateway.birth, retain=True)
        self.outbox += packets.publish(_topic(name, Channel.STATE), state, self.state(now_ms), retain=True)

    def cut(self) -> None:
        """Let go of the connection without a word."""
        if self.sock is not None:
            self.sock.close()
        self.sock, self.up = None, False

    def say(self, data: bytes) -> bool:
        """Send ``data``; True when some of it has to wait until the socket takes more."""
        if self.outbox or self.sock is None:
            self.outbox += data
            return True
        try:
            taken = self.sock.send(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            return False  # reading will tell that the connection is gone
        if taken < len(data):
            self.outbox += data[taken:]
            return True
        return False

    def flush(self) -> bool:
        """Send what waits; True when some of it still does."""
        if self.sock is not None and self.outbox:
            try:
                del self.outbox[: self.sock.send(self.outbox)]
            except BlockingIOError:
                return True
            except OSError:
                return False
        return bool(self.outbox)

    def write(self, t_ms: int) -> Message:
        """Write the next message, whose newest readings are of ``t_ms``."""
        self.seq += 1
        return Message(self.seq, t_ms)

    def miss(self, messages: int, first_ms: int, every_ms: int) -> None:
        """Write what an outage kept from being sent."""
        self.backlog = Backlog(self.seq + 1, first_ms, every_ms, messages)
        self.seq += messages

    @property
    def free(self) -> bool:
        """True when one more message may be under way."""
        return self.up and len(self._telemetry) < WINDOW

    @property
    def waits(self) -> bool:
        """True while something is unacknowledged or not sent."""
        return bool(self._telemetry or self.live)

    def packet(self, message: Message, channel: Channel) -> bytes:
        """Return ``message`` as a packet that is under way from now on."""
        packet_id = self._id()
        self._telemetry.add(packet_id)
        self.counts.sent += 1
        times = [message.t_ms - self.step_ms * before for before in range(self.points - 1, -1, -1)]
        payload = self.template.fill(self.gateway.digest, self.epoch, message.seq, message.t_ms, times)
        return packets.publish(_topic(self.gateway.name, channel), packet_id, payload)

    def state_packet(self, now_ms: int) -> bytes:
        """Return the present state as a packet."""
        return packets.publish(_topic(self.gateway.name, Channel.STATE), self._id(), self.state(now_ms), retain=True)

    def state(self, now_ms: int) -> bytes:
        """Return the present state."""
        return State(
            online=True,
            agent="load",
            at=now_ms,
            b=self.gateway.digest,
            held=Held(epoch=self.epoch, first=self.through + 1, last=max(self.seq, self.through)),
            clock=Clock(status=ClockStatus.SYNCED),
        ).encode()

    def read(self) -> bytes | None:
        """Take in what came and return the answers to it; ``None`` when the connection is over."""
        if self.sock is None:
            return None
        try:
            data = self.sock.recv(_CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            return None
        if not data:
            return None
        self._inbox += data
        answers = [self._heard(packet) for packet in packets.take(self._inbox)]
        return None if None in answers else b"".join(answer for answer in answers if answer)

    def _heard(self, packet: Packet) -> bytes | None:
        match packet.kind:
            case Kind.PUBACK:
                self._acknowledged(int.from_bytes(packet.body[:2]), packets.reason_of(packet))
            case Kind.PUBLISH:
                command = packets.command_of(packet)
                found = _THROUGH.search(command.payload)
                if found is not None and command.topic.endswith(b"stored"):
                    self.through = max(self.through, int(found[1]))
                return b"" if command.packet_id is None else packets.puback(command.packet_id)
            case Kind.CONNACK | Kind.SUBACK if packets.reason_of(packet) >= 0x80:
                raise PermissionError(f"{self.gateway.name} was refused with reason {packets.reason_of(packet)}")
            case Kind.DISCONNECT:
                return None
        return b""

    def _acknowledged(self, packet_id: int, reason: int) -> None:
        if packet_id in self._telemetry:
            self._telemetry.discard(packet_id)
            self.counts.acknowledged += 1
            self.counts.refused += reason != 0
        elif packet_id in self._announced:
            self._announced.discard(packet_id)
            self.up = not self._announced

    def _id(self) -> int:
        found = self._next_id
        self._next_id = found % 65_535 + 1
        return found


def _topic(gateway: str, channel: Channel) -> bytes:
    return up(gateway, channel).encode()
