"""The bridge between genuine Mosquitto and genuine Kafka."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from deploy.local.mosquitto import Mosquitto
from edge_agent.contract.birth import Birth, Kind, SeriesSpec
from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.topics import Channel
from edge_agent.contract.wire import compress
from stream.bridge.bridge import Bridge
from stream.clients import ensure_topics
from stream.clients.opening import CONNECT_TIMEOUT_S
from stream.topics import BIRTHS, EVENTS, REFUSED, STATES, TELEMETRY, TOPICS, UP_TOPICS
from tests.stream.bridge.support import Gateway, Tail, settings
from tests.stream.eventually import eventually, running

AnyKafka = Kafka | ExternalKafka
MakeMosquitto = Callable[[], Mosquitto]
MakeKafka = Callable[[], Kafka]


@pytest.fixture
def name() -> str:
    return f"gw-{secrets.token_hex(6)}"


@pytest.fixture
def ready_kafka(kafka: AnyKafka) -> AnyKafka:
    ensure_topics(kafka.bootstrap)
    return kafka


@contextmanager
def frozen(kafka: Kafka) -> Iterator[None]:
    """Kafka neither answers nor closes a connection, as when its disk hangs."""
    assert kafka.pid is not None
    os.kill(kafka.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(kafka.pid, signal.SIGCONT)


def numbered(first: int, count: int, size: int = 0) -> list[bytes]:
    return [(b"%d " % number).ljust(size, b"x") for number in range(first, first + count)]


def a_birth(gateway: str) -> Birth:
    spec = SeriesSpec(device="m1", quantity="power", unit="kW", kind=Kind.GAUGE, interval_ms=10_000)
    return Birth(gateway=gateway, series={"m1.power": spec})


def test_each_channel_goes_to_its_topic_byte_for_byte(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    broker, birth = own_mosquitto(), a_birth(name)
    bridge = Bridge(settings(broker, ready_kafka.bootstrap))
    topics = [topic.name for topic in UP_TOPICS]
    with (
        Tail(ready_kafka.bootstrap, topics) as tail,
        running(bridge.run, stops_within_s=5),
        Gateway(broker, name) as gateway,
    ):
        eventually(lambda: bridge.counters.connected, 20)
        gateway.publish(Channel.BIRTH, birth.encode())
        gateway.publish(Channel.LIVE, b'{"any": "bytes \xff\x00"}')
        gateway.publish(Channel.BACKLOG, compress(b"old"), encoding="gzip")
        gateway.publish(Channel.STATE, b"")
        gateway.publish(Channel.EVENT, b"{}")
        gateway.publish(Channel.BIRTH, compress(birth.encode()), encoding="gzip")
        gateway.publish(Channel.BIRTH, b"no birth")
        found = tail.until(lambda records: len(records) == 7)
        eventually(lambda: bridge.counters.acked == 7, 5)
    by_topic = {topic: [record for record in found if record.topic == topic] for topic in topics}
    key = name.encode()
    live, backlog = by_topic[TELEMETRY.name]
    assert (live.key, live.value) == (key, b'{"any": "bytes \xff\x00"}')
    assert {header: live.headers[header] for header in live.headers if header != "received"} == {"channel": b"live"}
    assert abs(int(live.headers["received"]) - live.timestamp_ms) < 10_000
    assert (backlog.key, backlog.value) == (key, compress(b"old"))
    assert backlog.headers["channel"] == b"backlog"
    assert backlog.headers["content-encoding"] == b"gzip"
    assert [(record.key, record.value) for record in by_topic[STATES.name]] == [(key, b"")]
    assert [(record.key, record.value) for record in by_topic[EVENTS.name]] == [(key, b"{}")]
    digest = f"{name}/{birth.digest()}".encode()
    assert {(record.key, record.value) for record in by_topic[BIRTHS.name]} == {
        (digest, birth.encode()),
        (digest, compress(birth.encode())),
        (key, b"no birth"),
    }
    assert by_topic[REFUSED.name] == []


def test_a_new_session_brings_what_the_broker_retains_and_says_so(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    broker, birth = own_mosquitto(), a_birth(name)
    with Gateway(broker, name) as gateway:
        gateway.publish(Channel.BIRTH, birth.encode()).wait_for_publish(10)
    with Tail(ready_kafka.bootstrap, [BIRTHS.name]) as tail:
        with running(Bridge(settings(broker, ready_kafka.bootstrap)).run, stops_within_s=5):
            (record,) = tail.until(lambda records: len(records) == 1)
            assert record.headers["retained"] == b"1"
        again = Bridge(settings(broker, ready_kafka.bootstrap))
        with running(again.run, stops_within_s=5), Gateway(broker, name) as gateway:
            eventually(lambda: again.counters.connected, 20)
            gateway.publish(Channel.BIRTH, birth.encode())
            # The session was there, so the retained birth does not come again before the new one.
            _, fresh = tail.until(lambda records: len(records) == 2)
            assert "retained" not in fresh.headers
        assert again.counters.received == 1


def test_nothing_is_acknowledged_before_kafka_has_it(
    own_kafka: MakeKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    kafka, broker = own_kafka(), own_mosquitto()
    ensure_topics(kafka.bootstrap)
    bridge = Bridge(settings(broker, kafka.bootstrap))
    first, second = numbered(0, 50), numbered(50, 200)
    with Tail(kafka.bootstrap, [TELEMETRY.name]) as tail:
        with running(bridge.run, stops_within_s=5), Gateway(broker, name) as gateway:
            eventually(lambda: bridge.counters.connected, 20)
            gateway.publish_all(first)
            eventually(lambda: bridge.counters.acked == 50, 10)
            kafka.kill()
            gateway.publish_all(second)
            eventually(lambda: bridge.counters.in_flight > 0, 10)
            taken = bridge.counters.received
            assert (bridge.counters.acked, bridge.counters.forwarded) == (50, 50)
        # Stopped with Kafka away: nothing more was acknowledged, the broker keeps it all.
        assert bridge.counters.acked == 50
        assert 50 < taken <= 250
        kafka.start()
        next_life = Bridge(settings(broker, kafka.bootstrap))
        with running(next_life.run, stops_within_s=5):
            values = tail.values_until(first + second, 60)
            eventually(lambda: next_life.counters.acked == 200, 10)
    assert values.count(first[0]) == 1
    assert next_life.counters.repeated >= taken - 50


def test_a_kafka_that_comes_back_gets_everything_and_in_order(
    own_kafka: MakeKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    kafka, broker = own_kafka(), own_mosquitto()
    ensure_topics(kafka.bootstrap)
    bridge = Bridge(settings(broker, kafka.bootstrap, limits={"in_flight_messages": 100}))
    values = numbered(0, 600)
    with (
        Tail(kafka.bootstrap, [TELEMETRY.name]) as tail,
        running(bridge.run, stops_within_s=5),
        Gateway(broker, name) as gateway,
    ):
        eventually(lambda: bridge.counters.connected, 20)
        gateway.publish_all(values[:100])
        kafka.kill()
        gateway.publish_all(values[100:])
        eventually(lambda: bridge.counters.full > 0, 10, "the window is full")
        kafka.start()
        found = tail.values_until(values, 60)
        eventually(lambda: bridge.counters.acked == 600, 10)
    # The producer is idempotent and the connection lived, so that even the order is kept, and nothing comes twice.
    assert found == values
    assert bridge.counters.connects == 1


@pytest.mark.parametrize(
    ("limits", "payloads", "most_messages", "most_bytes"),
    [
        ({"in_flight_messages": 20}, numbered(0, 300), 20, 1_000),
        # The byte bound is exceeded by the message that reaches it, never by two.
        ({"in_flight_bytes": 1 << 20}, numbered(0, 60, size=100_000), 11, (1 << 20) + 100_100),
    ],
    ids=["messages", "bytes"],
)
def test_what_is_in_flight_is_bounded(
    own_kafka: MakeKafka,
    own_mosquitto: MakeMosquitto,
    name: str,
    limits: dict[str, object],
    payloads: list[bytes],
    most_messages: int,
    most_bytes: int,
) -> None:
    kafka, broker = own_kafka(), own_mosquitto()
    ensure_topics(kafka.bootstrap)
    bridge = Bridge(settings(broker, kafka.bootstrap, limits=limits))
    counters = bridge.counters
    with (
        Tail(kafka.bootstrap, [TELEMETRY.name]) as tail,
        running(bridge.run, stops_within_s=5),
        Gateway(broker, name) as gateway,
    ):
        eventually(lambda: counters.connected, 20)
        with frozen(kafka):
            gateway.publish_all(payloads)
            eventually(lambda: counters.full > 0 and counters.in_flight == most_messages, 20)
            assert counters.received == most_messages
            assert counters.in_flight_bytes <= most_bytes
        tail.values_until(payloads, 60)
        eventually(lambda: counters.acked == len(payloads), 10)


def test_acknowledgements_of_an_earlier_connection_are_thrown_away(
    own_kafka: MakeKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    kafka, broker = own_kafka(), own_mosquitto()
    ensure_topics(kafka.bootstrap)
    bridge = Bridge(settings(broker, kafka.bootstrap))
    values = numbered(0, 40)
    with Tail(kafka.bootstrap, [TELEMETRY.name]) as tail, running(bridge.run, stops_within_s=5):
        eventually(lambda: bridge.counters.connected, 20)
        with frozen(kafka):
            with Gateway(broker, name) as gateway:
                gateway.publish_all(values)
            eventually(lambda: bridge.counters.received == 40, 10)
            broker.stop()
            broker.start()
            eventually(lambda: bridge.counters.connects == 2, 20)
            eventually(lambda: bridge.counters.repeated == 40, 10)
            assert bridge.counters.acked == 0
        found = tail.until(lambda records: len(records) == 80)
        eventually(lambda: bridge.counters.acked == 40, 10)
    assert bridge.counters.acks_thrown_away == 40
    assert bridge.counters.sessions_lost == 1  # the first one, which was new
    assert sorted(record.value or b"" for record in found) == sorted(values * 2)


def test_a_message_that_kafka_refuses_is_kept_as_refused_and_the_rest_goes_on(
    own_kafka: MakeKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    kafka, broker = own_kafka(), own_mosquitto()
    small = replace(TELEMETRY, extra=(("max.message.bytes", "20000"),))
    ensure_topics(kafka.bootstrap, [small, *(topic for topic in TOPICS if topic is not TELEMETRY)])
    bridge = Bridge(settings(broker, kafka.bootstrap))
    big = b"big ".ljust(100_000, b"x")
    with (
        Tail(kafka.bootstrap, [TELEMETRY.name, REFUSED.name]) as tail,
        running(bridge.run, stops_within_s=5),
        Gateway(broker, name) as gateway,
    ):
        eventually(lambda: bridge.counters.connected, 20)
        gateway.publish_all([*numbered(0, 5), big, *numbered(5, 5)])
        found = tail.until(lambda records: len(records) == 11)
        eventually(lambda: bridge.counters.acked == 11, 5)
    (refused,) = [record for record in found if record.topic == REFUSED.name]
    assert refused.key == name.encode()
    assert refused.value == big[: 64 << 10]
    told = refused.headers
    assert (told["reason"], told["bytes"], told["channel"]) == (b"too_large", b"100000", b"live")
    assert told["mqtt-topic"] == f"g60/v1/{name}/live".encode()
    assert bridge.counters.refused == 1
    assert {record.value for record in found if record.topic == TELEMETRY.name} == set(numbered(0, 10))


def test_a_message_that_waits_too_long_makes_both_sides_begin_anew(
    own_kafka: MakeKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    kafka, broker = own_kafka(), own_mosquitto()
    ensure_topics(kafka.bootstrap)
    bridge = Bridge(settings(broker, kafka.bootstrap, kafka={"delivery_timeout_s": 20.0}))
    values = numbered(0, 30)
    with (
        Tail(kafka.bootstrap, [TELEMETRY.name]) as tail,
        running(bridge.run, stops_within_s=8),
        Gateway(broker, name) as gateway,
    ):
        eventually(lambda: bridge.counters.connected, 20)
        kafka.kill()
        gateway.publish_all(values)
        eventually(lambda: bridge.counters.kafka_restarts > 0, 40)
        assert not bridge.counters.connected
        kafka.start()
        tail.values_until(values, 60)
        eventually(lambda: bridge.counters.acked == 30, 10)


def test_a_broker_that_restarts_is_found_again(ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, name: str) -> None:
    broker = own_mosquitto()
    bridge = Bridge(settings(broker, ready_kafka.bootstrap))
    with Tail(ready_kafka.bootstrap, [TELEMETRY.name]) as tail, running(bridge.run, stops_within_s=5):
        eventually(lambda: bridge.counters.connected, 20)
        broker.kill()
        eventually(lambda: not bridge.counters.connected, 10)
        broker.start()
        eventually(lambda: bridge.counters.connects == 2, 20)
        with Gateway(broker, name) as gateway:
            gateway.publish_all(numbered(0, 10))
            tail.values_until(numbered(0, 10))


def test_it_waits_for_brokers_that_are_not_there_and_stops_within_seconds(
    own_mosquitto: MakeMosquitto, unused_address: str
) -> None:
    bridge = Bridge(settings(own_mosquitto(), unused_address))
    before = threading.active_count()
    with running(bridge.run, stops_within_s=5):
        eventually(lambda: bridge.counters.kafka_restarts > 0, 20)
    # A look for Kafka that was under way may outlast the bridge, by CONNECT_TIMEOUT_S at most.
    eventually(lambda: threading.active_count() == before, CONNECT_TIMEOUT_S + 2)


def test_a_wrong_password_is_for_a_person_to_mend(ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto) -> None:
    bridge = Bridge(settings(own_mosquitto(), ready_kafka.bootstrap, mqtt={"password": "wrong"}))
    with pytest.raises(Misconfigured, match="does not let user bridge in"):
        bridge.run(threading.Event())
