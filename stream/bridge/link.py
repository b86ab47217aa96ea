"""One connection to the MQTT broker: paho's client, driven by the bridge's own loop.

A connection has a client of its own, so nothing of an earlier one can be acknowledged or sent again on it. The
session lives in the broker: a fixed client id, ``SessionExpiryInterval`` > 0 and ``clean_start=False`` on every
connect (paho's default, "first only", wipes it at each start of a process).
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge_agent.contract.errors import Misconfigured, PulseError, Retryable
from stream.bridge.routing import SUBSCRIPTION
from stream.bridge.settings import Mqtt, Tls

log = logging.getLogger(__name__)

REFUSALS: Final = frozenset({132, 133, 134, 135, 140, 144, 149, 154, 155})
"""CONNACK reasons that no retry mends: protocol, client id, user or password, rights, authentication, properties."""
PEER_GONE_S: Final = 30
"""After so long without an answer the connection is given up, by TCP or by :meth:`Link.watch`."""


class Link:
    """Lives from :meth:`open` until :attr:`lost` is set; every call comes from one thread."""

    def __init__(
        self,
        settings: Mqtt,
        generation: int,
        heard: Callable[[MQTTMessage], None],
        published: Callable[[int, ReasonCode], None],
    ) -> None:
        self.generation = generation
        self.up = False
        """The broker let us in and took the subscription."""
        self.session_present = False
        self.receive_maximum = 65_535
        """Messages that the broker takes before it has answered for the first."""
        self.lost: PulseError | None = None
        """Why the connection ended, or never came up."""
        self._settings = settings
        self._heard = heard
        self._published = published
        self._packets = 0
        self._packets_seen = -1
        self._seen_mono_s = 0.0
        self._asked = False
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.connect_timeout = settings.connect_timeout_s
        # The bridge has its own bound; paho's queue is never used.
        client.max_inflight_messages_set(0)
        client.username_pw_set(settings.user, settings.secret())
        if settings.tls is not None:
            client.tls_set_context(_context(settings.tls))
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        self._client = client

    def open(self) -> None:
        """Connect and say who we are; :attr:`up` follows while reading. ``Retryable`` when nobody answers."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        properties.SessionExpiryInterval = self._settings.session_expiry_s
        properties.ReceiveMaximum = self._settings.receive_maximum
        where = f"MQTT broker at {self._settings.host}:{self._settings.port}"
        try:
            self._client.connect(
                self._settings.host,
                self._settings.port,
                keepalive=self._settings.keepalive_s,
                clean_start=False,
                properties=properties,
            )
        except ssl.SSLCertVerificationError as error:
            raise Misconfigured(f"{where}: {error} (证书校验失败)") from error
        except OSError as error:
            raise Retryable(f"{where}: {error}") from error
        self._watch()

    def fileno(self) -> int | None:
        """Return what to wait on; ``None`` once the connection ended."""
        found = self._client.socket()
        return None if found is None or found.fileno() < 0 else found.fileno()

    def wants_write(self) -> bool:
        """True while something waits to be written."""
        return self._client.want_write()

    def read(self, most: int, full: Callable[[], bool]) -> bool:
        """Read up to ``most`` packets, until ``full`` says so; True when there may be more to read at once."""
        for _ in range(most):
            if full():
                return True
            before = self._packets
            self._check(self._client.loop_read())
            if self.lost is not None:
                return False
            if self._packets == before:
                return self._buffered()
        return True

    def write(self) -> None:
        """Write what waits to be written."""
        self._check(self._client.loop_write())

    def tick(self) -> None:
        """Do what is due by the clock; at least once a second."""
        self._check(self._client.loop_misc())

    def watch(self, now_mono_s: float, *, reading: bool) -> None:
        """Give up a broker that says nothing although asked; call it about once a second.

        TCP sees a peer that is gone, but not one behind a proxy or one that hangs. The question is our subscription
        once more, which changes nothing; a ping of MQTT would tie us to a keep-alive, see ``Mqtt.keepalive_s``. Time
        in which nothing is read does not count.
        """
        if not reading or not self.up or self._packets != self._packets_seen:
            self._packets_seen, self._seen_mono_s, self._asked = self._packets, now_mono_s, False
        elif now_mono_s - self._seen_mono_s >= PEER_GONE_S and self.lost is None:
            self.lost = Retryable(f"the MQTT broker has said nothing for {PEER_GONE_S} s, although asked")
        elif not self._asked and now_mono_s - self._seen_mono_s >= PEER_GONE_S / 3:
            self._asked = True
            self._subscribe()

    def ack(self, mid: int) -> None:
        """Acknowledge message ``mid`` of this connection."""
        self._check(self._client.ack(mid, 1))

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> int:
        """Send a message with QoS 1; its identifier comes back through ``published``."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        self._check(info.rc)
        return info.mid

    def close(self) -> None:
        """Say goodbye if that is possible; the broker keeps the session."""
        if self.lost is None:
            self._client.disconnect()
            self.lost = Retryable("closed")
        self._client.on_disconnect = None
        left = self._client.socket()
        if left is not None:  # the goodbye could not be written
            left.close()

    def _check(self, code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS and self.lost is None:
            self.lost = Retryable(f"MQTT connection lost: {code.name}")

    def _buffered(self) -> bool:
        found = self._client.socket()
        return isinstance(found, ssl.SSLSocket) and found.pending() > 0

    def _watch(self) -> None:
        """Let TCP find out that the broker is gone, since MQTT's keep-alive cannot while we do not read."""
        found: Any = self._client.socket()
        for level, name, value in (
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PEER_GONE_S // 3),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PEER_GONE_S // 3),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2),
            # Keep-alive is silent while something of ours is not acknowledged; then this counts, not 15 minutes.
            (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PEER_GONE_S * 1000),
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        ):
            found.setsockopt(level, name, value)

    def _on_connect(self, _: Client, __: Any, flags: ConnectFlags, reason: ReasonCode, said: Properties | None) -> None:
        self._packets += 1
        if reason.is_failure:
            kind = Misconfigured if reason.value in REFUSALS else Retryable
            self.lost = kind(
                f"MQTT broker at {self._settings.host}:{self._settings.port} does not let user "
                f"{self._settings.user} in (拒绝登录): {reason}"
            )
            return
        self.session_present = flags.session_present
        self.receive_maximum = getattr(said, "ReceiveMaximum", self.receive_maximum)
        self._subscribe()

    def _subscribe(self) -> None:
        # Retained messages only when the subscription is new: else each reconnect would bring all births again.
        self._client.subscribe(SUBSCRIPTION, options=SubscribeOptions(qos=1, retainHandling=1))

    def _on_subscribe(self, _: Client, __: Any, ___: int, reasons: list[ReasonCode], ____: Any) -> None:
        self._packets += 1
        if any(reason.is_failure for reason in reasons):
            self.lost = Misconfigured(
                f"MQTT broker does not let us subscribe to {SUBSCRIPTION} (拒绝订阅): {reasons[0]}"
            )
            return
        self.up = True

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        self._packets += 1
        self._heard(message)

    def _on_publish(self, _: Client, __: Any, mid: int, reason: ReasonCode, ___: Any) -> None:
        self._packets += 1
        self._published(mid, reason)

    def _on_disconnect(self, _: Client, __: Any, flags: DisconnectFlags, reason: ReasonCode, ___: Any) -> None:
        if self.lost is None:
            by = "the broker" if flags.is_disconnect_packet_from_server else "the network"
            self.lost = Retryable(f"MQTT connection ended by {by}: {reason}")


def _context(tls: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if tls.ca_file is None else str(tls.ca_file))
        if tls.cert_file is not None:
            context.load_cert_chain(tls.cert_file, tls.key_file)
    except OSError as error:
        raise Misconfigured(f"mqtt.tls: {error} (证书文件无法使用)") from error
    return context
