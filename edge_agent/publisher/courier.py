"""The publisher's thread: connect, talk, and when the connection is lost wait and connect again."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from edge_agent.clock import Clock, ClockWatch
from edge_agent.contract.errors import BadRecord, Retryable
from edge_agent.contract.event import Event, EventKind
from edge_agent.contract.topics import Channel, commands_of, parse_down, up
from edge_agent.outbox.database import OutboxDamaged, OutboxFull, OutboxUnavailable
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.outflow import Outflow, Oversized
from edge_agent.publisher.announce import Portrait, farewell, will
from edge_agent.publisher.backoff import Backoff, Chance
from edge_agent.publisher.company import Company
from edge_agent.publisher.confirmation import Confirmations
from edge_agent.publisher.identity import IdTaken, Instance, Met, id_taken
from edge_agent.publisher.mqtt import (
    OVERHEAD_BYTES,
    Acknowledged,
    Address,
    Connection,
    ConnectionLost,
    Happening,
    NotAllowed,
    Opened,
    Received,
    Subscribed,
    TakenOver,
    Will,
)
from edge_agent.publisher.report import Reporter
from edge_agent.publisher.session import Bounds, Outrun, Session
from edge_agent.settings import Publish

_log = logging.getLogger(__name__)

_FIRST_WAIT_S: Final = 2.0
_TICK_S: Final = 1.0
_THROTTLED_TICK_S: Final = 0.1
_GOODBYE_S: Final = 1.0
_LAST_WORDS_S: Final = 3.0
_COMPLAIN_S: Final = 60.0


class Courier:
    """Sends what the outbox holds until it is stopped; :meth:`run` is the body of its thread.

    ``portrait`` is called in that thread and gives everything about the agent but its clock and what it holds.
    """

    def __init__(
        self,
        gateway: str,
        address: Address,
        reconnect_max_s: float,
        publish: Publish,
        outbox: Outbox,
        portrait: Callable[[ClockWatch], Portrait],
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._gateway = gateway
        self._commands = commands_of(gateway)
        self._own_state = up(gateway, Channel.STATE)
        self._address = address
        self._publish = publish
        self._outbox = outbox
        self._portrait = portrait
        self._clock = clock
        self._chance = chance
        self._watch = ClockWatch(clock)
        self._backoff = Backoff(min(_FIRST_WAIT_S, reconnect_max_s), reconnect_max_s, chance)
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._stopping = threading.Event()
        self._stop_by_mono_s = 0.0
        self._again: tuple[int, ...] = ()
        self._company = Company(clock)
        self._too_long: Oversized | None = None
        self._broker = f"{address.host}:{address.port}"
        self._reporter = Reporter(outbox.path, self._broker, clock)
        self._complain_mono_s = 0.0

    def wake(self) -> None:
        """Say that there is something new to send; any thread may."""
        try:
            self._wake_in.send(b"!")
        except (BlockingIOError, OSError):
            return  # it has not yet looked at the last one, or has ended

    def stop(self, by_mono_s: float) -> None:
        """Have :meth:`run` end: send what can be sent until ``by_mono_s``, then say goodbye. Any thread may."""
        self._stop_by_mono_s = by_mono_s
        self._stopping.set()
        self.wake()

    def run(self) -> None:
        """Send until stopped.

        What ends it earlier is ``OutboxDamaged``, a mistake in this program, or ``IdTaken``: another agent runs under
        this id. Then everything is on disk, in an epoch of its own.
        """
        self._reporter.remove()
        with self._wake_in, self._wake_out, self._outbox.outflow() as outflow:
            confirmations = Confirmations(
                outflow.epoch,
                outflow.confirmed_through(),
                self._publish.resend_after_s,
                self._publish.resend_max_s,
                self._clock.mono_s(),
            )
            while not self._stopping.is_set():
                wait_s = self._try(outflow, confirmations)
                if self._company.taken:
                    raise self._stopped(outflow, confirmations)
                self._wait(outflow, wait_s)
                self._renew(outflow, confirmations)
        self._reporter.remove()

    def _renew(self, outflow: Outflow, confirmations: Confirmations) -> None:
        """Leave an epoch that is not ours alone; a full disk leaves that for later, and nothing is sent meanwhile."""
        if self._company.doubt:
            with self._while_disk_is_full():
                self._company.leave(outflow, confirmations)
                self._again = ()

    def _stopped(self, outflow: Outflow, confirmations: Confirmations) -> IdTaken:
        """Say goodbye in an epoch of our own, leave word for `g60-edge status`, and return what ends this agent."""
        error = id_taken(self._gateway, self._broker, str(self._outbox.path))
        self._renew(outflow, confirmations)
        with self._while_disk_is_full():
            outflow.add_event(Event(kind=EventKind.ID_TAKEN, at=self._clock.utc_ms(), text=str(error)[:1000]))
        self._stop_by_mono_s = self._clock.mono_s() + _LAST_WORDS_S
        try:
            if not self._company.doubt:
                self._generation(outflow, confirmations)
        except OutboxDamaged:
            raise
        except Retryable as trouble:
            _log.warning("publisher.last_words error=%r: they are said at the next start", str(trouble))
        self._reporter.stopped(str(error))
        return error

    def _try(self, outflow: Outflow, confirmations: Confirmations) -> float:
        """Live through one connection; return how many seconds to wait before the next."""
        if self._company.doubt:
            return _TICK_S
        try:
            self._generation(outflow, confirmations)
        except (TakenOver, Outrun, Met) as error:
            wait_s = self._backoff.failed()
            self._company.lost(error)
            self._reporter.lost(str(error))
        except NotAllowed as error:
            wait_s = self._backoff.slow()
            _log.error(
                "publisher.not_allowed user=%s error=%r next_try_s=%.0f: check mqtt.user and mqtt.password "
                "(用户名或密码错误，或未授权，请检查配置)",
                self._address.user,
                str(error),
                wait_s,
            )
            self._reporter.lost(f"not allowed: {error} (用户名或密码错误，或未授权)")
        except OutboxDamaged:
            raise
        except Retryable as error:
            wait_s = self._backoff.failed()
            _log.warning("publisher.disconnected error=%r next_try_s=%.1f (与服务器断开)", str(error), wait_s)
            self._reporter.lost(str(error))
        else:
            wait_s = 0.0
        return wait_s

    def _generation(self, outflow: Outflow, confirmations: Confirmations) -> None:
        goodbye = Will(self._own_state, will().encode(), str(self._company.instance(outflow)))
        opened_by_mono_s = self._clock.mono_s() + 2 * self._address.connect_timeout_s
        session: Session | None = None
        with Connection(self._address, goodbye, self._publish.window) as connection:
            try:
                while True:
                    tick_s = _THROTTLED_TICK_S if session is not None and session.throttled else _TICK_S
                    happenings = connection.wait(tick_s, self._wake_out)
                    self._drain_wakes()
                    if session is None:
                        opened = next((found for found in happenings if isinstance(found, Opened)), None)
                        if opened is not None:
                            session = self._opened(opened, connection, outflow, confirmations)
                        elif self._clock.mono_s() > opened_by_mono_s:
                            raise ConnectionLost("the broker took the connection but said nothing")
                        elif self._stopping.is_set() or (self._company.taken and self._overdue()):
                            return
                        continue
                    with self._while_disk_is_full():
                        self._look_at_clock(outflow)
                        self._react(session, outflow, happenings)
                        self._company.introduced |= session.introduced
                        session.pump()
                    if session.stalled():
                        raise ConnectionLost("the broker has stopped acknowledging")
                    self._tell_connected(session)
                    if (self._stopping.is_set() or self._company.taken) and (session.idle or self._overdue()):
                        self._say_goodbye(connection, session)
                        return
            finally:
                if session is not None:
                    self._again = session.unacknowledged()

    def _overdue(self) -> bool:
        return self._clock.mono_s() >= self._stop_by_mono_s

    def _opened(
        self, opened: Opened, connection: Connection, outflow: Outflow, confirmations: Confirmations
    ) -> Session:
        self._backoff.succeeded()
        self._reporter.opened()
        packet_bytes = opened.packet_bytes
        payload_bytes = None if packet_bytes is None else max(packet_bytes - OVERHEAD_BYTES, 1)
        oversized = outflow.limit(payload_bytes)
        _log.info(
            "publisher.connected broker=%s:%d user=%s packet_bytes=%s again=%d",
            self._address.host,
            self._address.port,
            self._address.user,
            packet_bytes,
            len(self._again),
        )
        if oversized is not None:
            _log.error(
                "publisher.too_long messages=%d first_seq=%d largest_bytes=%d allowed_bytes=%s: kept, not sent "
                "(报文超过服务器允许的长度，已保留未发送，请提高 max_packet_size)",
                oversized.messages,
                oversized.first_seq,
                oversized.largest_bytes,
                payload_bytes,
            )
            self._tell_too_long(outflow, oversized, payload_bytes)
        connection.subscribe(self._commands)
        connection.subscribe(self._own_state)
        bounds = Bounds(min(self._publish.window, opened.receive_maximum), payload_bytes)
        return Session(
            self._gateway,
            self._publish,
            outflow,
            connection,
            confirmations,
            lambda: self._portrait(self._watch),
            self._clock,
            self._chance,
            bounds,
            self._again,
        )

    def _tell_too_long(self, outflow: Outflow, oversized: Oversized, allowed_bytes: int | None) -> None:
        if oversized == self._too_long:
            return
        self._too_long = oversized
        text = (
            f"messages={oversized.messages} first_seq={oversized.first_seq} largest_bytes={oversized.largest_bytes} "
            f"allowed_bytes={allowed_bytes}: kept, not sent; raise the broker's max_packet_size "
            "(报文超过服务器允许的长度，已保留未发送)"
        )
        outflow.add_event(Event(kind=EventKind.MESSAGE_TOO_LONG, at=self._clock.utc_ms(), text=text))

    def _say_goodbye(self, connection: Connection, session: Session) -> None:
        payload = farewell(session.state()).encode()
        packet_id = connection.publish(self._own_state, payload, retain=True, encoding=None)
        by_mono_s = self._clock.mono_s() + _GOODBYE_S
        while self._clock.mono_s() < by_mono_s:
            for happening in connection.wait(_THROTTLED_TICK_S, self._wake_out):
                if isinstance(happening, Acknowledged):
                    session.acknowledged(happening.packet_id, happening.reason_code)
                    if happening.packet_id == packet_id:
                        by_mono_s = 0.0
        connection.farewell()
        _log.info("publisher.goodbye idle=%s", session.idle)

    def _wait(self, outflow: Outflow, wait_s: float) -> None:
        until_mono_s = self._clock.mono_s() + wait_s
        while not self._stopping.is_set():
            with self._while_disk_is_full():
                self._look_at_clock(outflow)
            left_s = until_mono_s - self._clock.mono_s()
            if left_s <= 0:
                return
            self._stopping.wait(min(left_s, _TICK_S))

    def _look_at_clock(self, outflow: Outflow) -> None:
        step = self._watch.look()
        if step is not None:
            _log.warning("agent.clock_stepped %s (时钟跳变)", step.text)
            outflow.add_event(Event(kind=EventKind.CLOCK_STEPPED, at=step.to_ms, text=step.text))

    @contextmanager
    def _while_disk_is_full(self) -> Iterator[None]:
        """Go on with the connection when the outbox cannot be written now: nothing new is sent meanwhile."""
        try:
            yield
        except (OutboxFull, OutboxUnavailable) as error:
            now_mono_s = self._clock.mono_s()
            if now_mono_s >= self._complain_mono_s:
                self._complain_mono_s = now_mono_s + _COMPLAIN_S
                _log.error("publisher.outbox error=%r (缓冲无法写入，暂停发送)", str(error))

    def _drain_wakes(self) -> None:
        try:
            self._wake_out.recv(4096)
        except BlockingIOError:
            return

    def _tell_connected(self, session: Session) -> None:
        trouble = "nobody takes the telemetry (没有接收方)" if session.refused else ""
        self._reporter.connected(self._device_clocks(), trouble)

    def _device_clocks(self) -> Mapping[str, int]:
        return self._portrait(self._watch).device_clocks

    def _react(self, session: Session, outflow: Outflow, happenings: Sequence[Happening]) -> None:
        for happening in happenings:
            match happening:
                case Acknowledged(packet_id, reason_code):
                    session.acknowledged(packet_id, reason_code)
                case Received(topic, _, instance) if topic == self._own_state:
                    self._company.meet(outflow, Instance.parse(instance))
                case Received(topic, payload):
                    _obey(session, topic, payload)
                case Subscribed(topic_filter, granted, reason):
                    if granted and topic_filter == self._commands:
                        session.subscribed()
                    elif topic_filter == self._commands:
                        _log.error("publisher.no_commands reason=%r: nothing can be confirmed (无法订阅确认)", reason)
                    elif not granted:
                        _log.warning("publisher.no_states reason=%r: a second agent is not noticed", reason)
                case Opened():
                    pass


def _obey(session: Session, topic: str, payload: bytes) -> None:
    """Pass a command on; one that is none is counted in the log and stops nothing."""
    if not payload:
        return  # a retained command that was cleared
    try:
        session.told(parse_down(topic).command, payload)
    except BadRecord as error:
        _log.warning("publisher.bad_command topic=%s error=%r", topic, str(error))
