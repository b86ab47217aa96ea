"""The publisher's thread: connect, talk, and when the connection is lost wait and connect again."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from edge_agent.clock import Clock, ClockWatch
from edge_agent.contract.errors import BadRecord, Retryable
from edge_agent.contract.event import Event, EventKind
from edge_agent.contract.topics import Channel, commands_of, parse_down, up
from edge_agent.outbox.database import OutboxDamaged, OutboxFull, OutboxUnavailable
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.outflow import Outflow
from edge_agent.publisher import report
from edge_agent.publisher.announce import Portrait, farewell, will
from edge_agent.publisher.backoff import Backoff, Chance
from edge_agent.publisher.confirmation import Confirmations
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
    Will,
)
from edge_agent.publisher.session import Bounds, Session
from edge_agent.settings import Publish

_log = logging.getLogger(__name__)

_FIRST_WAIT_S: Final = 2.0
_TICK_S: Final = 1.0
_THROTTLED_TICK_S: Final = 0.1
_GOODBYE_S: Final = 1.0
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
        self._report_path = report.path_beside(outbox.path)
        self._report_mono_s = 0.0
        self._complain_mono_s = 0.0
        self._since_ms = clock.utc_ms()

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
        """Send until stopped. Only ``OutboxDamaged`` and mistakes in this program end it earlier."""
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
                self._wait(outflow, wait_s)
        self._report_path.unlink(missing_ok=True)

    def _try(self, outflow: Outflow, confirmations: Confirmations) -> float:
        """Live through one connection; return how many seconds to wait before the next."""
        try:
            self._generation(outflow, confirmations)
        except NotAllowed as error:
            wait_s = self._backoff.slow()
            _log.error(
                "publisher.not_allowed user=%s error=%r next_try_s=%.0f: check mqtt.user and mqtt.password "
                "(用户名或密码错误，或未授权，请检查配置)",
                self._address.user,
                str(error),
                wait_s,
            )
            self._lost(f"not allowed: {error} (用户名或密码错误，或未授权)")
        except OutboxDamaged:
            raise
        except Retryable as error:
            wait_s = self._backoff.failed()
            _log.warning("publisher.disconnected error=%r next_try_s=%.1f (与服务器断开)", str(error), wait_s)
            self._lost(str(error))
        else:
            wait_s = 0.0
        return wait_s

    def _generation(self, outflow: Outflow, confirmations: Confirmations) -> None:
        goodbye = Will(up(self._gateway, Channel.STATE), will().encode())
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
                        elif self._stopping.is_set():
                            return
                        continue
                    with self._while_disk_is_full():
                        self._look_at_clock(outflow)
                        _react(session, happenings)
                        session.pump()
                    if session.stalled():
                        raise ConnectionLost("the broker has stopped acknowledging")
                    self._tell_connected(session)
                    if self._stopping.is_set() and (session.idle or self._clock.mono_s() >= self._stop_by_mono_s):
                        self._say_goodbye(connection, session)
                        return
            finally:
                if session is not None:
                    self._again = session.unacknowledged()

    def _opened(
        self, opened: Opened, connection: Connection, outflow: Outflow, confirmations: Confirmations
    ) -> Session:
        self._backoff.succeeded()
        self._since_ms, self._report_mono_s = self._clock.utc_ms(), 0.0
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
        connection.subscribe(commands_of(self._gateway))
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

    def _say_goodbye(self, connection: Connection, session: Session) -> None:
        payload = farewell(session.state()).encode()
        packet_id = connection.publish(up(self._gateway, Channel.STATE), payload, retain=True, encoding=None)
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
            _log.warning("agent.clock_stepped step_ms=%d (时钟跳变)", step.step_ms)
            text = f"{step.step_ms} ms"
            outflow.add_event(Event(kind=EventKind.CLOCK_STEPPED, at=self._clock.utc_ms(), text=text))

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
        self._tell(connected=True, trouble=trouble)

    def _lost(self, trouble: str) -> None:
        self._since_ms, self._report_mono_s = self._clock.utc_ms(), 0.0
        self._tell(connected=False, trouble=trouble)

    def _tell(self, *, connected: bool, trouble: str) -> None:
        """Write the report when it is time; a disk that does not take it disturbs nothing."""
        now_mono_s = self._clock.mono_s()
        if now_mono_s < self._report_mono_s:
            return
        self._report_mono_s = now_mono_s + report.REPORT_S
        broker = f"{self._address.host}:{self._address.port}"
        found = report.Report(os.getpid(), self._clock.utc_ms(), connected, broker, self._since_ms, trouble)
        try:
            report.write(self._report_path, found)
        except OSError as error:
            _log.warning("publisher.report error=%r", str(error))


def _react(session: Session, happenings: Sequence[Happening]) -> None:
    for happening in happenings:
        match happening:
            case Acknowledged(packet_id, reason_code):
                session.acknowledged(packet_id, reason_code)
            case Received(topic, payload):
                _obey(session, topic, payload)
            case Subscribed(granted=True):
                session.subscribed()
            case Subscribed(reason=reason):
                _log.error("publisher.no_commands reason=%r: nothing can be confirmed (无法订阅确认)", reason)
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
