"""One MQTT connection, from connecting to its loss: the only module that knows paho.

A :class:`Connection` is one generation: a fresh client with ``clean_start`` and no session, used once. Packet ids and
acknowledgements of another generation therefore cannot be confused with its own. It runs in the thread that calls it.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.contract.errors import Misconfigured, Retryable
from edge_agent.contract.wire import ENCODING_PROPERTY, MAX_MESSAGE_BYTES
from edge_agent.publisher.identity import INSTANCE_PROPERTY

OVERHEAD_BYTES: Final = 160
"""Bytes of a PUBLISH packet around its payload, at most: the topic (78), the encoding (23), headers."""
_BAD_CREDENTIALS: Final = frozenset({134, 135})
_SESSION_TAKEN_OVER: Final = 142


class ConnectionLost(Retryable):
    """There is no connection to the broker, or not any more."""


class TakenOver(ConnectionLost):
    """Somebody connected under our client id while this connection was alive; our own reconnecting never does that."""


class NotAllowed(Retryable):
    """The broker does not let this gateway in; only a person can mend that, here or there."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The broker took the connection."""

    packet_bytes: int | None
    """Longest packet it accepts; ``None`` when it did not say."""
    receive_maximum: int


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The broker answered a subscription."""

    topic_filter: str
    granted: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A PUBACK; only ``reason_code`` 0 means that somebody got the message."""

    packet_id: int
    reason_code: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message for us."""

    topic: str
    payload: bytes
    instance: str | None = None
    """Who sent it, if it says so."""


Happening = Opened | Subscribed | Acknowledged | Received


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is and as whom to go there."""

    host: str
    port: int
    client_id: str
    user: str
    password: str | None
    tls: ssl.SSLContext | None
    keepalive_s: int
    connect_timeout_s: float


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when we vanish."""

    topic: str
    payload: bytes
    instance: str


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho 2.2 leaves it open then."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def tls_context(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """Return what verifies the broker's certificate; ``Misconfigured`` names the file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"mqtt.ca_file: {ca_file}: {error} (无法使用 CA 证书)") from error
    context.sslsocket_class = _Socket
    if cert_file is not None:
        try:
            context.load_cert_chain(str(cert_file), None if key_file is None else str(key_file))
        except (OSError, ssl.SSLError) as error:
            raise Misconfigured(f"mqtt.cert_file: {cert_file}, {key_file}: {error} (无法使用客户端证书)") from error
    return context


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call]  # paho 2.2 leaves it without annotations


class Connection:
    """One connection; ``with`` connects, and leaving it closes without a word, so that the will is published."""

    def __init__(self, address: Address, will: Will, window: int) -> None:
        self._address = address
        self._will = will
        self._happenings: deque[Happening] = deque()
        self._lost: ConnectionLost | NotAllowed | None = None
        self._asked: dict[int, str] = {}
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=address.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = address.connect_timeout_s
        # Our own window counts; one more for the farewell.
        self._client.max_inflight_messages_set(window + 1)
        self._client.username_pw_set(address.user, address.password)
        if address.tls is not None:
            self._client.tls_set_context(address.tls)
        properties = _properties(PacketTypes.WILLMESSAGE)
        properties.UserProperty = (INSTANCE_PROPERTY, will.instance)
        self._client.will_set(will.topic, will.payload, qos=1, retain=True, properties=properties)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    def __enter__(self) -> Self:
        properties = _properties(PacketTypes.CONNECT)
        properties.MaximumPacketSize = MAX_MESSAGE_BYTES
        address = self._address
        try:
            self._client.connect(
                address.host, address.port, address.keepalive_s, clean_start=True, properties=properties
            )
        except OSError as error:  # refused, unknown name, time-out; ssl.SSLError is one too
            raise ConnectionLost(f"{address.host}:{address.port}: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        found = self._client.socket()
        if found is not None:
            found.close()

    def wait(self, timeout_s: float, wake: socket.socket) -> Sequence[Happening]:
        """Let the network work until something happens, ``wake`` is readable or ``timeout_s`` have passed.

        ``ConnectionLost`` or ``NotAllowed`` once there is nothing left to tell of before the loss.
        """
        sock = self._client.socket()
        if sock is not None:
            # poll, not select: an agent with many devices has file descriptors beyond select's 1024.
            poller = select.poll()
            poller.register(wake.fileno(), select.POLLIN)
            poller.register(sock.fileno(), select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
            buffered = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
            poller.poll(0 if buffered or self._happenings else timeout_s * 1000)
            self._client.loop_read()
            if self._client.want_write():
                self._client.loop_write()
            self._client.loop_misc()
        happenings = tuple(self._happenings)
        self._happenings.clear()
        if not happenings:
            if self._lost is not None:
                raise self._lost
            if self._client.socket() is None:
                raise ConnectionLost("the connection is closed")
        return happenings

    def subscribe(self, topic_filter: str) -> None:
        """Ask for ``topic_filter`` at QoS 1; the answer is :class:`Subscribed`."""
        result, packet_id = self._client.subscribe(topic_filter, qos=1)
        self._check(result)
        if packet_id is not None:
            self._asked[packet_id] = topic_filter

    def publish(self, topic: str, payload: bytes, *, retain: bool, encoding: str | None) -> int:
        """Send at QoS 1 and return the packet id that the acknowledgement will name.

        What goes to the will's topic says, as the will does, who sends it.
        """
        properties = None
        said = [] if encoding is None else [(ENCODING_PROPERTY, encoding)]
        if topic == self._will.topic:
            said.append((INSTANCE_PROPERTY, self._will.instance))
        if said:
            properties = _properties(PacketTypes.PUBLISH)
            properties.UserProperty = said
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        self._check(info.rc)
        return info.mid

    def farewell(self) -> None:
        """Disconnect in order, so that the broker does not publish the will."""
        self._client.disconnect()
        while self._client.socket() is not None and self._client.want_write():
            self._client.loop_write()

    def _check(self, result: MQTTErrorCode) -> None:
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._lost or ConnectionLost(error_string(result))

    def _on_connect(
        self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            kind = NotAllowed if reason.value in _BAD_CREDENTIALS else ConnectionLost
            self._lost = kind(f"{self._address.host}:{self._address.port}: {reason}")
            return
        self._happenings.append(
            Opened(
                getattr(properties, "MaximumPacketSize", None),
                getattr(properties, "ReceiveMaximum", 65_535),
            )
        )

    def _on_subscribe(
        self, _client: Client, _data: object, mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        failed = [str(reason) for reason in reasons if reason.is_failure]
        self._happenings.append(Subscribed(self._asked.pop(mid, ""), not failed, ", ".join(failed)))

    def _on_publish(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        self._happenings.append(Acknowledged(mid, reason.value))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        said = dict(getattr(message.properties, "UserProperty", ()))
        self._happenings.append(Received(message.topic, bytes(message.payload), said.get(INSTANCE_PROPERTY)))

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._lost is None:
            kind = TakenOver if reason.value == _SESSION_TAKEN_OVER else ConnectionLost
            self._lost = kind(f"{self._address.host}:{self._address.port}: {reason}")
