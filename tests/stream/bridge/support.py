"""A gateway that publishes, a reader of Kafka, and the bridge as a process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from deploy.local.mosquitto import Mosquitto
from edge_agent.contract.topics import Channel, commands_of, up
from stream.bridge.settings import BridgeSettings
from stream.clients import open_consumer
from stream.topics import Partition, Record
from tests.stream.eventually import eventually


class Gateway:
    """An MQTT client with a gateway's rights; its network runs on paho's thread."""

    def __init__(self, broker: Mosquitto, name: str) -> None:
        self.name = name
        self.heard: list[tuple[str, bytes, bool]] = []
        broker.add_user(name, "secret")
        self._broker = broker
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(name, "secret")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect_timeout = 2.0

    def __enter__(self) -> Self:
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(
        self, channel: Channel, payload: bytes, *, encoding: str | None = None, retain: bool | None = None
    ) -> MQTTMessageInfo:
        properties = None
        if encoding is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.UserProperty = ("content-encoding", encoding)
        kept = channel.retained if retain is None else retain
        return self._client.publish(up(self.name, channel), payload, qos=1, retain=kept, properties=properties)

    def publish_all(self, payloads: Sequence[bytes], within_s: float = 30.0) -> None:
        """Publish on ``live`` and wait until the broker has acknowledged everything."""
        deadline_mono_s = time.monotonic() + within_s
        for info in [self.publish(Channel.LIVE, payload) for payload in payloads]:
            info.wait_for_publish(max(0.0, deadline_mono_s - time.monotonic()))
            assert info.is_published()

    def listen(self) -> None:
        """Subscribe to the commands."""
        self._subscribed.clear()
        self._client.subscribe(commands_of(self.name), options=SubscribeOptions(qos=1))
        assert self._subscribed.wait(10)

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload), message.retain))


class Tail:
    """What was appended to some topics since the tail was made."""

    def __init__(self, bootstrap: str, topics: Sequence[str]) -> None:
        self.records: list[Record] = []
        self._consumer = open_consumer(bootstrap, "tail", "tail")
        places = [place for topic in topics for place in self._consumer.partitions_of(topic)]
        self._consumer.assign(places)
        for place, (_, end) in self._consumer.bounds(places).items():
            self._consumer.release(place, end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def until(self, enough: Callable[[list[Record]], bool], within_s: float = 30.0) -> list[Record]:
        """Read until ``enough`` says so of all that was read."""

        def read() -> bool:
            self.records += self._consumer.poll(0.1, 5000)
            return enough(self.records)

        eventually(read, within_s, f"{len(self.records)} records")
        return self.records

    def values_until(self, wanted: Sequence[bytes], within_s: float = 30.0) -> list[bytes]:
        """Read until every one of ``wanted`` has come; return all values, repeated ones as often as they came."""
        missing = set(wanted)

        def enough(records: list[Record]) -> bool:
            missing.difference_update(record.value or b"" for record in records)
            return not missing

        return [record.value or b"" for record in self.until(enough, within_s)]


def ends(bootstrap: str, topic: str) -> dict[Partition, int]:
    """Return the log ends of a topic."""
    consumer = open_consumer(bootstrap, "ends", "ends")
    try:
        return {place: end for place, (_, end) in consumer.bounds(consumer.partitions_of(topic)).items()}
    finally:
        consumer.close()


def settings(broker: Mosquitto, bootstrap: str, **changed: dict[str, object]) -> BridgeSettings:
    mqtt = {"host": broker.host, "port": broker.port, "user": broker.bridge_user, "password": broker.bridge_password}
    return BridgeSettings.model_validate(
        {
            "mqtt": mqtt | changed.get("mqtt", {}),
            "kafka": {"bootstrap": bootstrap} | changed.get("kafka", {}),
            "limits": changed.get("limits", {}),
            "report": {"every_s": 0.2} | changed.get("report", {}),
        }
    )


def config(path: Path, broker: Mosquitto, bootstrap: str, status: Path) -> Path:
    """Write a configuration file."""
    path.write_text(
        f'[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\nuser = "{broker.bridge_user}"\n'
        f'password = "{broker.bridge_password}"\n[kafka]\nbootstrap = "{bootstrap}"\n'
        f'[report]\nevery_s = 0.2\nstatus_file = "{status}"\n'
    )
    return path


@contextmanager
def process(config_file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the bridge as its users do; it is killed at the end unless it ended before."""
    child = subprocess.Popen(
        [sys.executable, "-c", "from stream.cli import cli; cli()", "bridge", "--config", str(config_file)],
        stderr=subprocess.PIPE,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()
