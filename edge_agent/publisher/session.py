"""One generation's talk with the broker: what to say next, and what an answer means.

Knows neither sockets nor threads: a :class:`Link` carries what it says, and whoever owns the link tells it what came
back.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from edge_agent.clock import Clock
from edge_agent.contract.command import Stored, parse_birth_request, parse_drain, parse_stored
from edge_agent.contract.errors import Retryable
from edge_agent.contract.state import State
from edge_agent.contract.topics import Channel, Command, up
from edge_agent.contract.wire import GZIP, compress
from edge_agent.outbox.outflow import KeptBirth, Outflow, Outgoing
from edge_agent.publisher.announce import Portrait, StateDue, online
from edge_agent.publisher.backoff import Chance
from edge_agent.publisher.confirmation import Confirmations
from edge_agent.publisher.sending import Telemetry
from edge_agent.publisher.window import SUCCESS, Window
from edge_agent.settings import Publish

_log = logging.getLogger(__name__)

_EVENTS_AT_ONCE: Final = 10
_EVENT_PAUSE_S: Final = 30.0
_STATE_LOOK_S: Final = 1.0
_REFUSED_FROM: Final = 128


class Link(Protocol):
    """Carries messages to the broker."""

    def publish(self, topic: str, payload: bytes, *, retain: bool, encoding: str | None) -> int:
        """Send at QoS 1; return the packet id by which it will be acknowledged. ``Retryable`` when it is lost."""


class Outrun(Retryable):
    """Somebody knows numbers of this epoch that were never given away here: the epoch is not ours alone."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the broker takes."""

    window: int
    """Messages unacknowledged at once."""
    payload_bytes: int | None
    """Longest payload; ``None`` when it did not say."""


@dataclass(frozen=True, slots=True)
class _Message:
    seq: int


@dataclass(frozen=True, slots=True)
class _Event:
    number: int


_Item = _Message | _Event | Channel
"""What is under way; a channel stands for a birth or a state."""


class Session:
    """Sends births, state, events and telemetry of one connection, and takes commands.

    ``again`` are numbers that an older connection sent without an acknowledgement.
    """

    def __init__(
        self,
        gateway: str,
        publish: Publish,
        outflow: Outflow,
        link: Link,
        confirmations: Confirmations,
        portrait: Callable[[], Portrait],
        clock: Clock,
        chance: Chance,
        bounds: Bounds,
        again: Iterable[int] = (),
    ) -> None:
        now_mono_s = clock.mono_s()
        self._gateway = gateway
        self._compression = publish.compression
        self._outflow = outflow
        self._link = link
        self._confirmations = confirmations
        self._portrait = portrait
        self._clock = clock
        self._chance = chance
        self._payload_bytes = bounds.payload_bytes
        self._window: Window[_Item] = Window(bounds.window, chance)
        self._telemetry = Telemetry(publish, outflow, confirmations, again, now_mono_s)
        self._state_due = StateDue(publish.state_s)
        self._state_look_mono_s = now_mono_s
        self._births: deque[KeptBirth] = deque(outflow.births())
        self._stored: Stored | None = None
        self._settle_from_mono_s = now_mono_s + publish.settle_after_s
        self._event_after = 0
        self._events_from_mono_s = now_mono_s
        self._nothing_left = False
        self._introduced = False
        confirmations.connected(now_mono_s)

    @property
    def idle(self) -> bool:
        """True when the last pump found nothing to send and nothing is unacknowledged."""
        return self._nothing_left and not self._window.under_way()

    @property
    def introduced(self) -> bool:
        """True once the broker has taken a state of ours."""
        return self._introduced

    @property
    def refused(self) -> bool:
        """True while the broker takes telemetry without having anybody to give it to."""
        return self._window.refused

    @property
    def throttled(self) -> bool:
        """True when there may be something to send a little later although nothing happens."""
        return self._telemetry.throttled(self._clock.mono_s())

    def subscribed(self) -> None:
        """The subscription to commands stands."""
        self._telemetry.subscribed(self._clock.mono_s())

    def stalled(self) -> bool:
        """True when the broker has stopped acknowledging."""
        return self._window.stalled(self._clock.mono_s())

    def unacknowledged(self) -> tuple[int, ...]:
        """Return the messages that may or may not have arrived; the next session's ``again``."""
        return tuple(dict.fromkeys([*self._under_way(), *self._telemetry.due_again]))

    def acknowledged(self, packet_id: int, reason_code: int) -> None:
        """Take a PUBACK. It opens the window when its reason is 0; it never deletes a message."""
        now_mono_s = self._clock.mono_s()
        match self._window.acknowledged(packet_id):
            case _Message() if reason_code == SUCCESS:
                self._window.succeeded()
            case _Message(seq):
                self._telemetry.refused(seq)
                pause_s = self._window.refuse(now_mono_s)
                if pause_s is not None:
                    _log.warning(
                        "publisher.refused seq=%d reason=%d pause_s=%.1f: nobody takes it, it stays here "
                        "(服务器上没有接收方，数据保留，稍后重发)",
                        seq,
                        reason_code,
                        pause_s,
                    )
            case _Event(number) if reason_code == SUCCESS:
                self._outflow.delete_event(number)
            case _Event():
                self._event_after = 0
                self._events_from_mono_s = now_mono_s + _EVENT_PAUSE_S * (0.5 + 0.5 * self._chance())
            case Channel.STATE if reason_code < _REFUSED_FROM:
                self._introduced = True
            case Channel() as channel if reason_code >= _REFUSED_FROM:
                _log.error("publisher.not_taken channel=%s reason=%d", channel, reason_code)
            case _:
                pass

    def told(self, command: Command, payload: bytes) -> None:
        """Take a command; ``BadRecord`` when it is not one."""
        match command:
            case Command.STORED:
                self._hear(parse_stored(payload))
                self._settle()
            case Command.BIRTH:
                wanted = parse_birth_request(payload).b
                kept = self._outflow.births()
                known = any(birth.digest == wanted for birth in kept)
                self._births = deque(b for b in kept if not known or b.current or b.digest == wanted)
                _log.info("publisher.births_wanted b=%s known=%s", wanted or "all", known)
            case Command.DRAIN:
                self._telemetry.drain(parse_drain(payload).messages_per_s)

    def _hear(self, stored: Stored) -> None:
        if stored.epoch != self._outflow.epoch:
            return
        if self._outflow.outrun_by(stored):
            raise Outrun(f"the warehouse knows messages up to {stored.through} of epoch {stored.epoch}")
        now_mono_s = self._clock.mono_s()
        if self._confirmations.heard(stored, now_mono_s):
            self._telemetry.confirmed(now_mono_s)
        self._stored = stored

    def _settle(self) -> None:
        """Delete what the latest confirmation says, once the connection has stood for a while.

        Another agent under this id takes a connection over within that time, and then its messages, not ours, may be
        what was confirmed. A full disk leaves the confirmation for the next pump.
        """
        if self._stored is None or self._clock.mono_s() < self._settle_from_mono_s:
            return
        settled = self._outflow.settle(self._stored, self._clock.utc_ms())
        _log.debug("publisher.stored through=%d deleted=%d", self._stored.through, settled.messages)
        self._stored = None

    def pump(self) -> None:
        """Send whatever may be sent now: births, then the state, events, and telemetry in both lanes."""
        now_mono_s = self._clock.mono_s()
        self._nothing_left = False
        self._settle()
        while self._births and self._window.free:
            self._send_birth(self._births.popleft(), now_mono_s)
        if self._births:
            return
        self._send_state(now_mono_s)
        self._send_events(now_mono_s)
        room = self._window.worthwhile(now_mono_s)

        def send(channel: Channel, message: Outgoing) -> None:
            self._publish(channel, message.payload, message.encoding, _Message(message.seq), now_mono_s)

        found = self._telemetry.send(room, frozenset(self._under_way()), now_mono_s, send)
        self._nothing_left = not found

    def state(self) -> State:
        """Return the present state of the gateway."""
        return online(self._portrait(), self._outflow.held(), self._outflow.previous())

    def _send_birth(self, birth: KeptBirth, now_mono_s: float) -> None:
        gzipped = self._compression == GZIP or self._too_long(birth.body)
        payload = compress(birth.body) if gzipped else birth.body
        if self._too_long(payload):
            _log.error(
                "publisher.birth_too_long bytes=%d allowed=%s: the broker does not take it "
                "(点表超过服务器允许的长度，请提高 max_packet_size 或拆分网关)",
                len(payload),
                self._payload_bytes,
            )
            return
        self._publish(Channel.BIRTH, payload, GZIP if gzipped else None, Channel.BIRTH, now_mono_s)

    def _too_long(self, payload: bytes) -> bool:
        return self._payload_bytes is not None and len(payload) > self._payload_bytes

    def _send_state(self, now_mono_s: float) -> None:
        if now_mono_s < self._state_look_mono_s or not self._window.free:
            return
        self._state_look_mono_s = now_mono_s + _STATE_LOOK_S
        state = self.state()
        if self._state_due.due(state, now_mono_s):
            self._publish(Channel.STATE, state.encode(), None, Channel.STATE, now_mono_s)
            self._state_due.published(state, now_mono_s)

    def _send_events(self, now_mono_s: float) -> None:
        if now_mono_s < self._events_from_mono_s:
            return
        for number, body in self._outflow.events(self._event_after, min(self._window.free, _EVENTS_AT_ONCE)):
            self._publish(Channel.EVENT, body, None, _Event(number), now_mono_s)
            self._event_after = number

    def _publish(self, channel: Channel, payload: bytes, encoding: str | None, item: _Item, now_mono_s: float) -> None:
        topic = up(self._gateway, channel)
        packet_id = self._link.publish(topic, payload, retain=channel.retained, encoding=encoding)
        self._window.sent(packet_id, item, now_mono_s)

    def _under_way(self) -> list[int]:
        return [item.seq for item in self._window.under_way() if isinstance(item, _Message)]
