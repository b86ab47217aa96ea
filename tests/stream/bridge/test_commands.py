"""Commands on their way down."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from deploy.local.mosquitto import Mosquitto
from edge_agent.contract.command import BirthRequest, Stored
from edge_agent.contract.errors import BadRecord, Retryable
from edge_agent.contract.topics import Command, down
from stream.bridge.bridge import Bridge
from stream.bridge.downlink import order_of
from stream.clients import ensure_topics, open_producer
from stream.commands import CommandSender
from stream.topics import COMMANDS, Record
from tests.stream.bridge.support import Gateway, Tail, settings
from tests.stream.eventually import eventually, running

AnyKafka = Kafka | ExternalKafka
MakeMosquitto = Callable[[], Mosquitto]


@pytest.fixture
def name() -> str:
    return f"gw-{secrets.token_hex(6)}"


@pytest.fixture
def ready_kafka(kafka: AnyKafka) -> AnyKafka:
    ensure_topics(kafka.bootstrap)
    return kafka


def stored(through: int) -> bytes:
    return Stored(epoch=1, through=through).encode()


def said(gateway: Gateway) -> list[bytes]:
    """What the gateway heard, without the repetitions that a new session of the bridge brings."""
    return list(dict.fromkeys(payload for _, payload, _ in gateway.heard))


def record(key: bytes | None, value: bytes | None) -> Record:
    return Record(COMMANDS.name, 0, 7, key, value, {}, 0)


def test_a_command_goes_to_its_gateway_and_waits_there_when_it_is_one_to_keep(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    broker = own_mosquitto()
    bridge = Bridge(settings(broker, ready_kafka.bootstrap, mqtt={"client_id": f"bridge-{name}"}))
    request = BirthRequest(b=None).encode()
    with running(bridge.run, stops_within_s=5), CommandSender(ready_kafka.bootstrap) as sender:
        eventually(lambda: bridge.counters.connected, 20)
        with Gateway(broker, name) as gateway:
            gateway.listen()
            sender.send(name, Command.STORED, stored(5))
            sender.send(name, Command.BIRTH, request)
            sender.flush()
            eventually(lambda: len(said(gateway)) == 2, 20)
            assert set(gateway.heard) == {
                (down(name, Command.BIRTH), request, False),
                (down(name, Command.STORED), stored(5), False),
            }
        with Gateway(broker, f"{name}-x") as other:
            other.listen()
        with Gateway(broker, name) as gateway:
            gateway.listen()
            eventually(lambda: (down(name, Command.STORED), stored(5), True) in gateway.heard, 10)
            assert said(gateway) == [stored(5)], "kept, and the request is not"
        assert other.heard == []


def test_the_last_command_of_a_kind_is_the_one_that_holds(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    broker = own_mosquitto()
    bridge = Bridge(settings(broker, ready_kafka.bootstrap, mqtt={"client_id": f"bridge-{name}"}))
    with running(bridge.run, stops_within_s=5), CommandSender(ready_kafka.bootstrap) as sender:
        with Gateway(broker, name) as gateway:
            gateway.listen()
            for through in range(1, 501):
                sender.send(name, Command.STORED, stored(through))
            sender.flush()
            eventually(lambda: bool(gateway.heard) and gateway.heard[-1][1] == stored(500), 30)
            order = {stored(through): through for through in range(501)}
            assert said(gateway) == sorted(said(gateway), key=order.__getitem__)
        with Gateway(broker, name) as gateway:
            gateway.listen()
            eventually(lambda: [payload for _, payload, _ in gateway.heard] == [stored(500)], 10)


def test_a_bridge_that_was_away_publishes_what_came_meanwhile_and_only_that(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    broker = own_mosquitto()
    first, later = f"{name}-1", f"{name}-2"
    with CommandSender(ready_kafka.bootstrap) as sender, Gateway(broker, first) as one, Gateway(broker, later) as two:
        one.listen()
        two.listen()
        bridge = Bridge(settings(broker, ready_kafka.bootstrap, mqtt={"client_id": f"bridge-{name}"}))
        with running(bridge.run, stops_within_s=5):
            sender.send(first, Command.STORED, stored(1))
            sender.flush()
            eventually(lambda: said(one) == [stored(1)], 20)
            eventually(lambda: bridge.counters.commands_lag == bridge.counters.commands_in_flight == 0, 10)
        before = len(one.heard)
        sender.send(later, Command.STORED, stored(2))
        sender.flush()
        again = Bridge(settings(broker, ready_kafka.bootstrap, mqtt={"client_id": f"bridge-{name}"}))
        with running(again.run, stops_within_s=5):
            eventually(lambda: said(two) == [stored(2)], 20)
        assert len(one.heard) == before


def test_a_broker_that_forgot_everything_gets_the_last_commands_again(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    old, new = own_mosquitto(), own_mosquitto()
    with CommandSender(ready_kafka.bootstrap) as sender:
        bridge = Bridge(settings(old, ready_kafka.bootstrap, mqtt={"client_id": f"bridge-{name}"}))
        with running(bridge.run, stops_within_s=5), Gateway(old, name) as gateway:
            gateway.listen()
            for through in (1, 2, 3):
                sender.send(name, Command.STORED, stored(through))
            sender.send(name, Command.BIRTH, BirthRequest().encode())
            sender.flush()
            eventually(lambda: {stored(3), BirthRequest().encode()} <= set(said(gateway)), 20)
    again = Bridge(settings(new, ready_kafka.bootstrap, mqtt={"client_id": f"bridge-{name}"}))
    with Gateway(new, name) as gateway:
        gateway.listen()
        with running(again.run, stops_within_s=5):
            eventually(lambda: bool(gateway.heard), 20)
            eventually(lambda: again.counters.connected and again.counters.commands_in_flight == 0, 10)
        # Neither the ones it replaced, nor the request, which was for its time.
        assert said(gateway) == [stored(3)]


def test_a_tombstone_clears_what_the_broker_keeps(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    broker = own_mosquitto()
    bridge = Bridge(settings(broker, ready_kafka.bootstrap, mqtt={"client_id": f"bridge-{name}"}))
    with running(bridge.run, stops_within_s=5), CommandSender(ready_kafka.bootstrap) as sender:
        with Gateway(broker, name) as gateway:
            gateway.listen()
            sender.send(name, Command.STORED, stored(1))
            sender.flush()
            eventually(lambda: said(gateway) == [stored(1)], 20)
            sender.clear(name, Command.STORED)
            sender.flush()
            eventually(lambda: said(gateway) == [stored(1), b""], 20)
        with Gateway(broker, name) as gateway:
            gateway.listen()
            sender.send(name, Command.DRAIN, b"{}")
            sender.flush()
            eventually(lambda: bool(gateway.heard), 10)
            assert [topic for topic, _, _ in gateway.heard] == [down(name, Command.DRAIN)]


def test_records_that_are_no_commands_are_counted_and_do_not_stop_the_others(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, name: str
) -> None:
    broker = own_mosquitto()
    bridge = Bridge(settings(broker, ready_kafka.bootstrap, mqtt={"client_id": f"bridge-{name}"}))
    producer = open_producer(ready_kafka.bootstrap, "test")
    try:
        with running(bridge.run, stops_within_s=5), Gateway(broker, name) as gateway:
            gateway.listen()
            eventually(lambda: bridge.counters.connected, 20)
            before = bridge.counters.commands_skipped
            for key in (b"", b"\xff", b"no-command", f"{name}/reboot".encode(), f"{name}/stored/x".encode()):
                producer.send(COMMANDS.name, key, b"{}", [], lambda _: None)
            producer.send(COMMANDS.name, f"{name}/stored".encode(), stored(1), [], lambda _: None)
            producer.flush(10)
            eventually(lambda: said(gateway) == [stored(1)], 20)
            eventually(lambda: bridge.counters.commands_skipped >= before + 5, 10)
    finally:
        producer.close(1)


def test_the_sender_writes_the_key_by_which_the_topic_is_compacted(ready_kafka: AnyKafka, name: str) -> None:
    with Tail(ready_kafka.bootstrap, [COMMANDS.name]) as tail, CommandSender(ready_kafka.bootstrap) as sender:
        sender.send(name, Command.DRAIN, b"payload")
        sender.flush()
        (found,) = tail.until(lambda records: bool(records))
    assert (found.key, found.value) == (f"{name}/drain".encode(), b"payload")


def test_a_sender_without_kafka_says_so_and_looks_again_only_after_a_while(unused_address: str) -> None:
    now = [100.0]
    with CommandSender(unused_address, now_mono_s=lambda: now[0]) as sender:
        for then, told in ((100.0, "connect a producer"), (104.0, "a moment ago"), (105.0, "connect a producer")):
            now[0] = then
            with pytest.raises(Retryable, match=told):
                sender.send("gw-1", Command.STORED, b"{}")
        sender.flush()


def test_a_sender_whose_kafka_went_away_says_so_when_it_is_flushed(own_kafka: Callable[[], Kafka]) -> None:
    kafka = own_kafka()
    ensure_topics(kafka.bootstrap)
    with CommandSender(kafka.bootstrap) as sender:
        sender.send("gw-1", Command.STORED, b"1")
        sender.flush()
        kafka.kill()
        sender.send("gw-1", Command.STORED, b"2")
        with pytest.raises(Retryable):
            sender.flush(0.5)
        kafka.start()
        sender.flush(30)


@pytest.mark.parametrize("key", [None, b"", b"gw-1", b"gw-1/reboot", b"gw-1/stored/x", b"GW/stored", b"\xff/stored"])
def test_a_key_that_names_no_command_is_none(key: bytes | None) -> None:
    with pytest.raises(BadRecord, match="topic"):
        order_of(record(key, b"{}"))


def test_only_what_is_retained_can_be_cleared() -> None:
    cleared = order_of(record(b"gw-1/stored", None))
    assert (cleared.topic, cleared.payload, cleared.retain) == ("g60/v1/gw-1/cmd/stored", b"", True)
    with pytest.raises(BadRecord, match="nothing to clear"):
        order_of(record(b"gw-1/birth", None))
