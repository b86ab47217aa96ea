"""kafka-python stays behind its border, and what it does there is what we rely on."""

from __future__ import annotations

import ast
import secrets
import threading
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from edge_agent.contract.errors import BadRecord, Retryable
from stream.clients import describe_topics, ensure_topics, open_consumer, open_producer
from stream.topics import MAX_RECORD_BYTES, Partition, Topic
from tests.services.plugin import MakeKafka
from tests.stream.conftest import MakeTopic

AnyKafka = Kafka | ExternalKafka
ROOT = Path(str(files("stream")))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def test_only_the_clients_know_the_library() -> None:
    knowing = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if any(name.split(".")[0] == "kafka" for name in imported(path))
    }
    assert knowing == {"clients"}


@pytest.mark.parametrize("build", [open_producer, lambda at, name: open_consumer(at, name, name)])
def test_a_client_that_finds_no_kafka_leaves_nothing_behind(
    unused_address: str, build: Callable[[str, str], object]
) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(Retryable, match=unused_address):
        build(unused_address, "test")
    assert threading.active_count() == 1
    assert len(set(Path("/proc/self/fd").iterdir())) <= len(before)


def test_asking_for_a_topic_does_not_make_it_even_where_the_broker_would(own_kafka: MakeKafka) -> None:
    kafka = own_kafka(settings={"auto.create.topics.enable": "true"})
    topic = Topic("test.never")
    producer = open_producer(kafka.bootstrap, "test", block_s=0.5)
    consumer = open_consumer(kafka.bootstrap, "test", "test")
    try:
        with pytest.raises(Retryable, match="g60 stream topics ensure"):
            producer.require([topic.name])
        assert consumer.partitions_of(topic.name) == ()
        assert not describe_topics(kafka.bootstrap, [topic])[0].exists
    finally:
        producer.close(1)
        consumer.close()


def test_a_record_that_is_too_long_is_refused_alone_and_the_producer_lives_on(
    kafka: AnyKafka, make_topic: MakeTopic
) -> None:
    topic = make_topic()
    producer = open_producer(kafka.bootstrap, "test")
    outcomes: list[object] = []
    try:
        for size in (10, MAX_RECORD_BYTES, 10, MAX_RECORD_BYTES - 1000):
            producer.send(topic.name, b"k", bytes(size), [], outcomes.append)
        producer.flush(20)
    finally:
        producer.close(1)
    (refused,) = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(refused, BadRecord)
    assert refused.reason == "too_large"
    assert len(outcomes) == 4


def test_every_outcome_is_told_when_a_producer_is_closed_while_kafka_is_away(own_kafka: MakeKafka) -> None:
    kafka, name = own_kafka(), f"test.{secrets.token_hex(6)}"
    ensure_topics(kafka.bootstrap, [Topic(name)])
    producer = open_producer(kafka.bootstrap, "test")
    producer.require([name])
    kafka.kill()
    outcomes: list[object] = []
    for _ in range(100):
        producer.send(name, b"k", b"v", [], outcomes.append)
    producer.close(0.2)
    assert len(outcomes) == 100
    assert all(isinstance(outcome, Retryable) for outcome in outcomes)


def test_what_the_group_took_away_may_still_be_held_and_resumed(kafka: AnyKafka, make_topic: MakeTopic) -> None:
    """A write that ends after a poll learns only then that its partitions are somebody else's."""
    topic = make_topic(2)
    ours, taken = Partition(topic.name, 0), Partition(topic.name, 1)
    consumer = open_consumer(kafka.bootstrap, "test", f"test-{secrets.token_hex(6)}")
    try:
        consumer.assign([ours])
        consumer.hold([ours, taken])
        consumer.resume([ours, taken])
        consumer.release(ours, 7)
        assert consumer.position(ours) == 7
    finally:
        consumer.close()
