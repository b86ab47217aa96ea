"""Creates the topics and says where the ones that exist differ from what the code wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from stream.clients.faults import translated
from stream.clients.opening import opening
from stream.topics import TOPICS, Topic


@dataclass(frozen=True, slots=True)
class TopicReport:
    """How one topic was found."""

    name: str
    exists: bool
    """It existed before."""
    partitions: int
    differences: tuple[str, ...]
    """Each as ``setting: found …, wanted …``; empty when all is as wanted, or the topic is missing or new."""


def describe_topics(bootstrap: str, topics: Sequence[Topic] = TOPICS) -> tuple[TopicReport, ...]:
    """Return how ``topics`` are; changes nothing. ``Retryable`` when Kafka is away."""
    with _admin(bootstrap) as client:
        return _describe(client, topics)


def ensure_topics(
    bootstrap: str, topics: Sequence[Topic] = TOPICS, replication: int | None = None
) -> tuple[TopicReport, ...]:
    """Create those of ``topics`` that are missing and return how all of them are; safe to repeat.

    An existing topic is never changed: more partitions move keys to others, less retention deletes. ``replication``
    is the number of copies (``None``: the broker's default); with three or more, two must have a record before it
    counts as written.
    """
    with _admin(bootstrap) as client:
        found = _describe(client, topics)
        missing = [topic for topic, report in zip(topics, found, strict=True) if not report.exists]
        if missing:
            durable = {"min.insync.replicas": "2"} if replication is not None and replication >= 3 else {}
            answer = client.create_topics(
                {
                    topic.name: {
                        "num_partitions": topic.partitions,
                        "replication_factor": -1 if replication is None else replication,
                        "configs": topic.config() | durable,
                    }
                    for topic in missing
                },
                wait_for_metadata=True,
                raise_errors=False,
            )
            _check(answer["topics"])
            found = tuple(
                TopicReport(topic.name, False, topic.partitions, ()) if topic in missing else report
                for topic, report in zip(topics, found, strict=True)
            )
    return found


def _check(answers: Sequence[Any]) -> None:
    """Raise the first real error; that somebody else created a topic a moment earlier is none."""
    for answer in answers:
        if answer["error_code"] not in (0, TopicAlreadyExistsError.errno):
            raise for_code(answer["error_code"])(f"{answer['name']}: {answer['error_message']}")


def _describe(client: Any, topics: Sequence[Topic]) -> tuple[TopicReport, ...]:
    metadata = {found["name"]: found for found in client.describe_topics([topic.name for topic in topics])}
    present = [
        topic.name for topic in topics if metadata[topic.name]["error_code"] != UnknownTopicOrPartitionError.errno
    ]
    configs: dict[str, Any] = {}
    if present:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in present]
        configs = client.describe_configs(resources, config_filter="all")["topic"]
    reports = []
    for topic in topics:
        if topic.name not in present:
            reports.append(TopicReport(topic.name, False, 0, ()))
            continue
        partitions = len(metadata[topic.name]["partitions"])
        settings = {key: str(entry["value"]) for key, entry in configs[topic.name].items()}
        reports.append(TopicReport(topic.name, True, partitions, differences(topic, partitions, settings)))
    return tuple(reports)


def differences(topic: Topic, partitions: int, settings: dict[str, str]) -> tuple[str, ...]:
    """Return what of ``settings`` and ``partitions`` is not as ``topic`` wants it."""
    wanted = {"partitions": str(topic.partitions), **topic.config()}
    found = {"partitions": str(partitions), **settings}
    return tuple(
        f"{key}: found {found.get(key, 'nothing')}, wanted {value}"
        for key, value in sorted(wanted.items())
        if found.get(key) != value
    )


@contextmanager
def _admin(bootstrap: str) -> Iterator[Any]:
    """Connect kafka-python's admin client for a while; its exceptions come out translated."""
    with opening(bootstrap, "g60-admin", "connect an admin client") as shared:
        inner = KafkaAdminClient(**shared)
    try:
        with translated("administer topics"):
            yield inner
    finally:
        inner.close()
