"""Networks that flap, hang and lie around the bridge: bounded meanwhile, drained by itself afterwards."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from stream.bridge.bridge import Bridge
from stream.bridge.settings import BridgeSettings
from stream.clients import ensure_topics
from stream.topics import TELEMETRY
from tests.services import machine
from tests.services.plugin import MakeMosquitto, free_ports
from tests.services.proxy import Proxy
from tests.stream.bridge.support import Gateway, Tail, settings
from tests.stream.eventually import eventually, running

WITHIN_S = 120.0
WINDOW = 50


@contextmanager
def kafka_behind_a_proxy(folder: Path) -> Iterator[tuple[Kafka, Proxy]]:
    """A Kafka that names the proxy as its address, so that its clients come back through it."""
    port, controller_port = free_ports(2)
    with Proxy("127.0.0.1", port) as proxy:
        advertised = {"advertised.listeners": f"PLAINTEXT://{proxy.host}:{proxy.port}"}
        server = Kafka(folder, port=port, controller_port=controller_port, settings=advertised)
        machine.provide(server)
        server.start()
        try:
            yield server, proxy
        finally:
            server.stop()


def through(proxy: Proxy, given: BridgeSettings) -> BridgeSettings:
    """The same settings, with the MQTT broker behind ``proxy``."""
    return given.model_copy(update={"mqtt": given.mqtt.model_copy(update={"host": proxy.host, "port": proxy.port})})


class Highest:
    """Looks at what a bridge has in flight, as often as it can."""

    def __init__(self, bridge: Bridge) -> None:
        self.seen = 0
        self._bridge = bridge
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Highest:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.005):
            self.seen = max(self.seen, self._bridge._window.messages)


@pytest.mark.slow
def test_networks_that_flap_on_both_sides_cost_nothing_and_hold_nothing_back(
    own_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    broker, name = own_mosquitto(), f"gw-{secrets.token_hex(6)}"
    sent: list[bytes] = []

    def more(count: int = 60) -> None:
        fresh = [b"%d" % number for number in range(len(sent), len(sent) + count)]
        sent.extend(fresh)
        gateway.publish_all(fresh, WITHIN_S)

    with (
        kafka_behind_a_proxy(tmp_path / "kafka") as (kafka, kafka_net),
        Proxy(broker.host, broker.port) as mqtt_net,
    ):
        bootstrap = f"{kafka_net.host}:{kafka_net.port}"
        ensure_topics(bootstrap)
        bridge = Bridge(through(mqtt_net, settings(broker, bootstrap, limits={"in_flight_messages": WINDOW})))
        counters = bridge.counters
        with (
            Tail(kafka.bootstrap, [TELEMETRY.name]) as tail,
            running(bridge.run, stops_within_s=30),
            Gateway(broker, name) as gateway,
            Highest(bridge) as highest,
        ):
            eventually(lambda: counters.connected, WITHIN_S)
            more()
            # Kafka: reset, silent, reset in the middle of a request.
            kafka_net.cut()
            more()
            kafka_net.stall()
            more(2 * WINDOW)
            eventually(lambda: counters.full > 0, WITHIN_S, "the window is full while Kafka is silent")
            kafka_net.resume()
            more()
            kafka_net.cut_after(100)
            more()
            # The broker: the same, and refused for a while.
            connects = counters.connects
            mqtt_net.cut()
            more()
            eventually(lambda: counters.connects > connects, WITHIN_S)
            mqtt_net.cut_after(10)
            more()
            eventually(lambda: counters.connects > connects + 1, WITHIN_S)
            mqtt_net.refuse()
            more()
            eventually(lambda: not counters.connected, WITHIN_S)
            mqtt_net.accept()
            mqtt_net.stall()
            more()
            mqtt_net.resume()
            more()
            tail.values_until(sent, WITHIN_S)
            eventually(lambda: bridge._window.messages == 0, WITHIN_S)
            eventually(lambda: counters.connected, WITHIN_S)
        assert highest.seen <= WINDOW
        assert counters.refused == 0


def test_a_broker_that_says_nothing_any_more_is_given_up_and_found_again(
    kafka: Kafka | ExternalKafka, own_mosquitto: MakeMosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection stands as far as TCP can see: only a question to the broker finds out."""
    monkeypatch.setattr("stream.bridge.link.PEER_GONE_S", 6)
    ensure_topics(kafka.bootstrap, replication=1)
    broker, name = own_mosquitto(), f"gw-{secrets.token_hex(6)}"
    with Proxy(broker.host, broker.port) as mqtt_net, Tail(kafka.bootstrap, [TELEMETRY.name]) as tail:
        bridge = Bridge(through(mqtt_net, settings(broker, kafka.bootstrap)))
        with running(bridge.run, stops_within_s=30), Gateway(broker, name) as gateway:
            eventually(lambda: bridge.counters.connected, WITHIN_S)
            assert mqtt_net.half_open() == 1
            gateway.publish_all([b"into the queue"])
            tail.values_until([b"into the queue"], WITHIN_S)
            assert bridge.counters.connects >= 2
