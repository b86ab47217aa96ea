"""What the stream tests share."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable

import pytest

from deploy.local import ports
from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from stream.topics import Topic


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python 3.0.12 reads its schemas with importlib.resources.read_text, deprecated in Python 3.11 and 3.12,
    # which itself calls open_text.
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")


MakeTopic = Callable[..., Topic]


@pytest.fixture
def make_topic(kafka: Kafka | ExternalKafka) -> MakeTopic:
    """Make topics of the test's own on the shared Kafka."""

    # Not at the top: a conftest is imported before the filter for kafka-python's warnings is in place.
    from stream.clients import ensure_topics

    def make(partitions: int = 1) -> Topic:
        topic = Topic(f"test.{secrets.token_hex(6)}", partitions)
        ensure_topics(kafka.bootstrap, [topic])
        return topic

    return make


@pytest.fixture
def unused_address() -> str:
    """An address of the loopback at which nobody listens."""
    (port,) = ports.choose(random.SystemRandom(), 1)
    return f"{ports.LOOPBACK}:{port}"
