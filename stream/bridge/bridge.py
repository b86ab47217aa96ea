"""The bridge's loop: one thread that owns the MQTT connection, the window and all counts.

Two loops, one in the other. The outer one is a producer's life: it begins with Kafka there and its topics known, and
ends when a message could not be sent although it should have been; then the MQTT connection is let go as well, and
the broker delivers everything unacknowledged again to the next life. The inner one is an MQTT connection's life.

    Kafka is away        messages in flight wait in the producer; when the window is full the socket is not read, and
                         the broker keeps the rest; after ``delivery_timeout_s`` both sides begin anew
    MQTT is away         what is in flight goes on to Kafka; its acknowledgements are thrown away, since the broker
                         will deliver it again, perhaps under other packet identifiers
    Kafka refuses one    what is kept of the message goes to the refused topic, then it is acknowledged; should even
                         that be refused, the bridge lets go and tries again with growing pauses
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from paho.mqtt.client import MQTTMessage

from edge_agent.contract.errors import BadRecord, PulseError, Retryable
from edge_agent.contract.wire import ENCODING_PROPERTY
from stream.backoff import Backoff
from stream.bridge.counters import Counters
from stream.bridge.downlink import Downlink
from stream.bridge.link import Link
from stream.bridge.publisher import Publisher
from stream.bridge.routing import refuse, route
from stream.bridge.settings import BridgeSettings
from stream.bridge.uplink import Uplink
from stream.bridge.wakeup import Wakeup
from stream.bridge.window import Ticket, Window
from stream.clients import Producer, open_producer
from stream.topics import BYTES, UP_TOPICS

log = logging.getLogger(__name__)

READ_AT_ONCE: Final = 64
"""Packets read before acknowledgements are sent and commands published."""
TICK_S: Final = 0.5
LAST_WORDS_S: Final = 2.0
"""How long a bridge that stops waits for what is in flight."""
STEADY_S: Final = 60.0
"""After so long without trouble the next pause is a short one again."""
UP_WITHIN_S: Final = 10.0
"""A broker that took the connection and has not let us in after so long is given up."""


class Bridge:
    """Moves messages until it is told to stop; see the module."""

    def __init__(
        self,
        settings: BridgeSettings,
        *,
        now_mono_s: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.counters = Counters()
        self._settings = settings
        self._now_mono_s = now_mono_s
        self._now_ms = now_ms
        self._generation = 0
        self._window = self._new_window()
        self._wakeup = Wakeup()
        self._downlink = Downlink(
            settings.kafka.bootstrap, settings.mqtt.client_id, settings.limits.commands_queued, self._wakeup.set
        )
        self._publisher = Publisher(self._downlink, settings.limits.commands_in_flight, self.counters)
        self._was_full = False
        self._report_at_mono_s = now_mono_s() + settings.report.every_s

    def run(self, stop: threading.Event) -> None:
        """Bridge until ``stop``, then settle what is in flight and say goodbye, within 5 s.

        ``Misconfigured`` when a person has to act: a password, a right, a certificate.
        """
        with self._wakeup:
            self._downlink.start()
            try:
                self._lives(stop)
            finally:
                self._downlink.close(2.0)
                self._report(force=True)

    def _lives(self, stop: threading.Event) -> None:
        backoff = Backoff(0.5, 30.0)
        while not stop.is_set():
            began_mono_s = self._now_mono_s()
            try:
                with Uplink(self._connect, self._wakeup.set, stop) as uplink:
                    self._window = self._new_window()
                    self._serve(uplink, stop)
            except Retryable as error:
                if self._now_mono_s() - began_mono_s > STEADY_S:
                    backoff.reset()
                wait_s = backoff.next_s()
                self.counters.kafka_restarts += 1
                log.warning("event=kafka_away wait_s=%.1f error=%s", wait_s, error)
                self._rest(wait_s, None, stop)

    def _connect(self) -> Producer:
        kafka = self._settings.kafka
        producer = open_producer(
            kafka.bootstrap,
            self._settings.mqtt.client_id,
            linger_ms=kafka.linger_ms,
            delivery_timeout_s=kafka.delivery_timeout_s,
        )
        try:
            producer.require([topic.name for topic in UP_TOPICS])
        except PulseError:
            producer.close(0.0)
            raise
        return producer

    def _serve(self, uplink: Uplink, stop: threading.Event) -> None:
        """Keep an MQTT connection until ``stop``; raises when Kafka did not take a message."""
        backoff = Backoff(0.5, 30.0)
        while not stop.is_set():
            self._generation += 1
            link = Link(self._settings.mqtt, self._generation, partial(self._heard, uplink), self._publisher.answered)
            began_mono_s = self._now_mono_s()
            try:
                try:
                    link.open()
                except Retryable as error:
                    link.lost = error
                self._pump(link, uplink, stop)
                if stop.is_set():
                    self._last_words(link, uplink)
            finally:
                self._let_go(link)
            if link.up and self._now_mono_s() - began_mono_s > STEADY_S:
                backoff.reset()
            if not stop.is_set() and link.lost is not None:
                if not isinstance(link.lost, Retryable):
                    raise link.lost
                wait_s = backoff.next_s()
                log.warning("event=mqtt_away wait_s=%.1f error=%s", wait_s, link.lost)
                self._rest(wait_s, uplink, stop)

    def _pump(self, link: Link, uplink: Uplink, stop: threading.Event) -> None:
        """Move messages until ``stop`` or until the connection is lost; raises when Kafka did not take one."""
        up_until_mono_s = self._now_mono_s() + UP_WITHIN_S
        tick_at_mono_s = 0.0
        wake = self._wakeup.fileno()
        more = False
        while not stop.is_set() and link.lost is None and (fd := link.fileno()) is not None:
            reading = not self._window.full
            self._note_full(reading)
            readable, writable, _ = select.select(
                [wake, fd] if reading else [wake],
                [fd] if link.wants_write() else [],
                [],
                0.0 if more and reading else TICK_S,
            )
            if wake in readable:
                self._wakeup.clear()
            self._settle(uplink, link)
            if link.up:
                self._publisher.publish(link)
            if fd in writable:
                link.write()
            if reading and (more or fd in readable):
                was_up = link.up
                more = link.read(READ_AT_ONCE, lambda: self._window.full)
                if link.up and not was_up:
                    self._welcome(link)
            now = self._now_mono_s()
            if now >= tick_at_mono_s:
                tick_at_mono_s = now + TICK_S
                link.tick()
                link.watch(now, reading=reading)
                self._report()
                self._downlink.check()
            if not link.up and now > up_until_mono_s and link.lost is None:
                link.lost = Retryable("the MQTT broker took the connection and does not answer")

    def _welcome(self, link: Link) -> None:
        self.counters.connects += 1
        self.counters.connected = True
        log.info("event=mqtt_up generation=%d session_present=%s", link.generation, str(link.session_present).lower())
        if not link.session_present:
            self.counters.sessions_lost += 1
            self._downlink.replay()

    def _heard(self, uplink: Uplink, message: MQTTMessage) -> None:
        """Send a message on to Kafka; called while reading."""
        self.counters.received += 1
        self.counters.repeated += message.dup
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        sent = route(topic, bytes(message.payload), encoding_of(message), self._now_ms(), retained=message.retain)
        self._forward(uplink, Ticket(self._generation, message.mid, message.qos, topic, sent, self._now_mono_s()))

    def _forward(self, uplink: Uplink, ticket: Ticket) -> None:
        self._window.enter(ticket)
        uplink.send(ticket)

    def _settle(self, uplink: Uplink, link: Link | None) -> None:
        """Acknowledge what Kafka took; raises when there is something that it should have taken and did not."""
        counters = self.counters
        for ticket, error in uplink.outcomes():
            self._window.leave(ticket)
            if error is None:
                counters.forwarded += 1
                if ticket.qos == 0:
                    continue
                if link is not None and link.lost is None and link.generation == ticket.generation:
                    link.ack(ticket.mid)
                    counters.acked += 1
                else:
                    counters.acks_thrown_away += 1
            elif isinstance(error, BadRecord):
                self._refuse(uplink, ticket, error)
            else:
                raise error

    def _refuse(self, uplink: Uplink, ticket: Ticket, error: BadRecord) -> None:
        if any(name == BYTES for name, _ in ticket.sent.headers):
            raise Retryable(f"the topic for refused messages refuses one: {error}") from error
        self.counters.refused += 1
        log.error("event=refused topic=%s bytes=%d error=%s", ticket.topic, len(ticket.sent.value), error)
        self._forward(uplink, replace(ticket, sent=refuse(ticket.sent, ticket.topic, error.reason)))

    def _let_go(self, link: Link) -> None:
        link.close()
        self.counters.connected = False
        self._publisher.let_go()

    def _last_words(self, link: Link, uplink: Uplink) -> None:
        """Wait a little for what is in flight, and acknowledge it."""
        self._downlink.end()
        until_mono_s = self._now_mono_s() + LAST_WORDS_S
        while self._window.messages and self._now_mono_s() < until_mono_s and link.lost is None:
            select.select([self._wakeup.fileno()], [], [], 0.1)
            self._wakeup.clear()
            self._settle(uplink, link)

    def _rest(self, wait_s: float, uplink: Uplink | None, stop: threading.Event) -> None:
        """Wait; what Kafka takes meanwhile is counted out of the window."""
        until_mono_s = self._now_mono_s() + wait_s
        while not stop.is_set() and (left_s := until_mono_s - self._now_mono_s()) > 0:
            select.select([self._wakeup.fileno()], [], [], min(left_s, TICK_S))
            self._wakeup.clear()
            if uplink is not None:
                self._settle(uplink, None)
            self._downlink.check()
            self._report()

    def _note_full(self, reading: bool) -> None:
        if not reading and not self._was_full:
            self.counters.full += 1
        self._was_full = not reading

    def _new_window(self) -> Window:
        return Window(self._settings.limits.in_flight_messages, self._settings.limits.in_flight_bytes)

    def _report(self, *, force: bool = False) -> None:
        now = self._now_mono_s()
        if now < self._report_at_mono_s and not force:
            return
        self._report_at_mono_s = now + self._settings.report.every_s
        counters = self.counters
        counters.in_flight = self._window.messages
        counters.in_flight_bytes = self._window.bytes
        counters.oldest_ms = int(self._window.oldest_s(now) * 1000)
        counters.commands_in_flight = self._publisher.in_flight
        counters.commands_lag = self._downlink.lag
        counters.commands_skipped = self._downlink.skipped
        log.info("%s", counters.line())
        path = self._settings.report.status_file
        if path is not None:
            try:
                counters.write(path, self._now_ms())
            except OSError as error:
                log.warning("event=status_not_written error=%s", error)


def encoding_of(message: MQTTMessage) -> str | None:
    """Return the compression that a message's user property names; ``None`` without one."""
    named = getattr(message.properties, "UserProperty", ())
    return next((value for name, value in named if name == ENCODING_PROPERTY), None)
