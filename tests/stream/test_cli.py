"""``g60 stream status`` and ``g60 stream drain`` against genuine servers."""

from __future__ import annotations

import re
import secrets

import pytest
from click.testing import CliRunner, Result

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from edge_agent.contract.command import parse_drain
from edge_agent.contract.topics import Command, down
from stream.bridge.bridge import Bridge
from stream.cli import cli
from stream.clients import ensure_topics, open_consumer, open_producer
from stream.topics import EVENTS, UP_TOPICS
from tests.services.plugin import MakeMosquitto
from tests.stream.bridge.support import Gateway, settings
from tests.stream.eventually import eventually, running


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def test_status_tells_each_partition_and_the_sum(kafka: Kafka | ExternalKafka) -> None:
    ensure_topics(kafka.bootstrap, replication=1)
    group = f"test-{secrets.token_hex(6)}"
    producer = open_producer(kafka.bootstrap, "test")
    try:
        for _ in range(3):
            producer.send(EVENTS.name, b"gw", b"{}", [], lambda _: None)
        producer.flush(60)
    finally:
        producer.close(5)
    consumer = open_consumer(kafka.bootstrap, "test", group)
    try:
        places = consumer.partitions_of(EVENTS.name)
        ends = {place: end for place, (_, end) in consumer.bounds(places).items()}
        (fed,) = [place for place in places if consumer.bounds([place])[place][1] == max(ends.values())][:1]
        consumer.commit({fed: ends[fed] - 2}, 30.0)
    finally:
        consumer.close()
    told = call("status", "--kafka", kafka.bootstrap, "--group", group)
    assert told.exit_code == 0, told.output
    rows = [line.split() for line in told.output.splitlines()]
    assert rows[0] == ["topic", "partition", "end", "stored", "lag"]
    assert len(rows) == 1 + sum(topic.partitions for topic in UP_TOPICS) + 1
    assert [EVENTS.name, str(fed.partition), str(ends[fed]), str(ends[fed] - 2), "2"] in rows
    assert re.search(r"behind \(积压\): \d+ records; refused by the bridge", told.output)


def test_status_of_a_kafka_that_is_away_is_told_in_words(unused_address: str) -> None:
    told = call("status", "--kafka", unused_address)
    assert told.exit_code == 1
    assert unused_address in told.output


def test_a_drain_rate_reaches_the_gateway_and_goes_back_to_its_own(
    kafka: Kafka | ExternalKafka, own_mosquitto: MakeMosquitto
) -> None:
    ensure_topics(kafka.bootstrap, replication=1)
    broker, name = own_mosquitto(), f"gw-{secrets.token_hex(6)}"
    bridge = Bridge(settings(broker, kafka.bootstrap))
    topic = down(name, Command.DRAIN)

    def last() -> list[float | None]:
        """The last rate that was heard; a command may come twice, as when the bridge has a new session."""
        return [parse_drain(body).messages_per_s for where, body, _ in gateway.heard if where == topic][-1:]

    with running(bridge.run, stops_within_s=10), Gateway(broker, name) as gateway:
        gateway.listen()
        told = call("drain", name, "--kafka", kafka.bootstrap, "--per-second", "25")
        assert told.exit_code == 0, told.output
        assert told.output == f"{name}: backlog at most 25 messages/s (条/秒)\n"
        eventually(lambda: last() == [25.0], 120)
        assert call("drain", name, "--kafka", kafka.bootstrap, "--default").exit_code == 0
        eventually(lambda: last() == [None], 120)
        # It is retained: a gateway that comes later hears the last one.
        gateway.heard.clear()
        gateway.listen()
        eventually(lambda: last() == [None], 120)


@pytest.mark.parametrize(
    "words",
    [
        ("gw",),
        ("gw", "--per-second", "5", "--default"),
        ("gw", "--per-second", "0"),
        ("gw", "--per-second", "nan"),
        ("Gateway 1", "--per-second", "5"),
    ],
)
def test_a_drain_that_makes_no_sense_is_refused_before_kafka_is_asked(words: tuple[str, ...]) -> None:
    told = call("drain", *words, "--kafka", "unused:1")
    assert told.exit_code == 2, told.output
