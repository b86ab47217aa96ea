"""A small MQTT client for tests: it remembers what it received and when it was cut off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from deploy.local.mosquitto.login import Login

WAIT_S = 10.0


class Seen:
    """One connection, and what came over it."""

    def __init__(self, login: Login, will: tuple[str, bytes] | None = None) -> None:
        self.messages: dict[str, bytes] = {}
        self.connack: dict[str, object] = {}
        self.cut_off = threading.Event()
        self.up = threading.Event()
        self._subscribed = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5, reconnect_on_failure=False)
        self.client.username_pw_set(login.user, login.password)
        if will is not None:
            topic, payload = will
            self.client.will_set(topic, payload, qos=1, retain=True)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = self._on_message
        self.client.on_disconnect = self._on_disconnect

    def subscribe(self, topic: str) -> None:
        self._subscribed.clear()
        self.client.subscribe(topic, qos=1)
        assert self._subscribed.wait(WAIT_S)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish; returns once the broker has acknowledged it, or has cut the connection for it."""
        info = self.client.publish(topic, payload, qos=1, retain=retain)
        while not self.cut_off.is_set() and not info.is_published():
            try:
                info.wait_for_publish(0.05)
            except (RuntimeError, ValueError):
                return

    def vanish(self) -> None:
        """Break the connection off without a word, so that the broker publishes the will."""
        self.client.loop_stop()
        found = self.client.socket()
        assert found is not None
        found.close()

    def _on_connect(
        self, _: Client, __: object, ___: ConnectFlags, reason: ReasonCode, said: Properties | None
    ) -> None:
        assert not reason.is_failure, reason
        self.connack = dict(vars(said)) if said else {}
        self.up.set()

    def _on_subscribe(self, *_: object) -> None:
        self._subscribed.set()

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        self.messages[message.topic] = bytes(message.payload)

    def _on_disconnect(
        self, _: Client, __: object, ___: DisconnectFlags, ____: ReasonCode, _____: Properties | None
    ) -> None:
        self.cut_off.set()


@contextmanager
def connected(login: Login, will: tuple[str, bytes] | None = None) -> Iterator[Seen]:
    """Give a connection of ``login``; it does not come back by itself once it is cut off.

    ``will`` is topic and payload of a retained last will.
    """
    seen = Seen(login, will)
    seen.client.connect(login.host, login.port)
    seen.client.loop_start()
    try:
        assert seen.up.wait(WAIT_S)
        yield seen
    finally:
        seen.client.disconnect()
        seen.client.loop_stop()
