"""Topics are made as the code says, once, and differences are told."""

from __future__ import annotations

import secrets

import pytest

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from edge_agent.contract.errors import Retryable
from stream.clients import describe_topics, ensure_topics
from stream.topics import TOPICS, Topic


def test_topics_are_made_once_and_the_second_time_found_as_wanted(kafka: Kafka | ExternalKafka) -> None:
    ensure_topics(kafka.bootstrap)
    again = ensure_topics(kafka.bootstrap)
    assert [report.name for report in again] == [topic.name for topic in TOPICS]
    assert all(report.exists and not report.differences for report in again), again
    assert [report.partitions for report in again] == [6, 3, 3, 3, 3, 1]


def test_a_topic_that_is_otherwise_is_told_and_left_alone(kafka: Kafka | ExternalKafka) -> None:
    name = f"test.{secrets.token_hex(6)}"
    assert ensure_topics(kafka.bootstrap, [Topic(name, 2, retention_ms=1_000)])[0].exists is False
    wanted = Topic(name, 3, compacted=True)
    for report in (*ensure_topics(kafka.bootstrap, [wanted]), *describe_topics(kafka.bootstrap, [wanted])):
        assert report.differences == (
            "cleanup.policy: found delete, wanted compact",
            "partitions: found 2, wanted 3",
            "retention.ms: found 1000, wanted -1",
        )


def test_a_missing_topic_is_described_and_not_made(kafka: Kafka | ExternalKafka) -> None:
    wanted = Topic(f"test.{secrets.token_hex(6)}")
    for _ in range(2):
        report = describe_topics(kafka.bootstrap, [wanted])[0]
        assert (report.exists, report.partitions) == (False, 0)


def test_kafka_away_is_told_within_seconds(unused_address: str) -> None:
    with pytest.raises(Retryable, match=unused_address):
        ensure_topics(unused_address)
