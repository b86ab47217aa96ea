"""The bridge's side of the broker, played with paho: hears everything of one gateway, sends it commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from deploy.local.mosquitto import Mosquitto
from edge_agent.contract.telemetry import Batch, parse_batch
from edge_agent.contract.topics import ROOT, Channel, Command, down, parse_up
from edge_agent.contract.wire import ENCODING_PROPERTY, Message, decompress

SOON_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the gateway."""

    channel: Channel
    payload: bytes
    retained: bool
    encoding: str | None
    at_mono_s: float

    @property
    def batch(self) -> Batch:
        return parse_batch(decompress(self.payload, self.encoding))


class Bridge:
    """``with`` subscribes to one gateway; paho connects again by itself when the broker was away."""

    def __init__(self, mosquitto: Mosquitto, gateway: str) -> None:
        self._gateway = gateway
        self._heard: list[Heard] = []
        self._news = threading.Condition()
        self._subscribed = 0
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(mosquitto.bridge_user, mosquitto.bridge_password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._address = mosquitto.host, mosquitto.port

    def __enter__(self) -> Self:
        self._client.connect(*self._address)
        self._client.loop_start()
        self.until(lambda _: self._subscribed > 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def until(self, enough: Callable[[list[Heard]], bool], within_s: float = SOON_S) -> list[Heard]:
        """Wait until what was heard is ``enough``, and return it."""
        deadline_mono_s = time.monotonic() + within_s
        with self._news:
            while not enough(self._heard):
                left_s = deadline_mono_s - time.monotonic()
                if left_s <= 0:
                    heard = [(heard.channel.value, heard.payload[:200]) for heard in self._heard[-20:]]
                    raise AssertionError(f"not within {within_s} s; the last of {len(self._heard)}: {heard}")
                self._news.wait(left_s)
            return list(self._heard)

    def until_seqs(self, *seqs: int) -> list[Heard]:
        """Wait until every one of ``seqs`` was heard; return all telemetry."""
        heard = self.until(lambda heard: set(seqs) <= {found.batch.seq for found in telemetry(heard)})
        return telemetry(heard)

    def until_again(self, subscriptions: int) -> None:
        """Wait until the subscription stands for the so-manieth time."""
        self.until(lambda _: self._subscribed >= subscriptions)

    def heard(self, *channels: Channel) -> list[Heard]:
        with self._news:
            return [found for found in self._heard if found.channel in channels]

    def forget(self) -> None:
        with self._news:
            self._heard.clear()

    def tell(self, command: Command, message: Message) -> None:
        topic = down(self._gateway, command)
        self._client.publish(topic, message.encode(), qos=1, retain=command.retained).wait_for_publish(SOON_S)

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, _reason: ReasonCode, _properties: Properties | None
    ) -> None:
        client.subscribe([(f"{ROOT}/{self._gateway}/{channel.value}", 1) for channel in Channel])

    def _on_subscribe(self, *_: object) -> None:
        with self._news:
            self._subscribed += 1
            self._news.notify_all()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        pairs = getattr(message.properties, "UserProperty", [])
        found = Heard(
            parse_up(message.topic).channel,
            bytes(message.payload),
            message.retain,
            dict(pairs).get(ENCODING_PROPERTY),
            time.monotonic(),
        )
        with self._news:
            self._heard.append(found)
            self._news.notify_all()


def telemetry(heard: list[Heard]) -> list[Heard]:
    return [found for found in heard if found.channel.telemetry]
