"""A member that has given its partitions away gets some again, whatever happens to the join."""

from __future__ import annotations

import secrets
from typing import Any

from kafka.errors import CoordinatorLoadInProgressError

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from stream.clients import Consumer, open_consumer
from tests.stream.conftest import MakeTopic
from tests.stream.eventually import eventually


def test_a_join_that_was_refused_is_seen_through_although_its_reason_is_gone(
    kafka: Kafka | ExternalKafka, make_topic: MakeTopic
) -> None:
    """As when all topics are made anew on a Kafka that has just started."""
    topic = make_topic(2)
    consumer = open_consumer(kafka.bootstrap, "test", f"test-{secrets.token_hex(6)}")
    try:
        consumer.subscribe([topic.name])
        eventually(lambda: assigned(consumer) == 2, 60)
        coordinator: Any = consumer._inner._coordinator
        join, known = coordinator._do_join_and_sync_async, dict(coordinator._metadata_snapshot)

        async def refused() -> Any:
            coordinator._do_join_and_sync_async = join
            coordinator._metadata_snapshot = known
            raise CoordinatorLoadInProgressError

        coordinator._do_join_and_sync_async = refused
        coordinator._metadata_snapshot = {}
        eventually(lambda: assigned(consumer) == 2, 60)
        assert coordinator._do_join_and_sync_async == join
    finally:
        consumer.close()


def assigned(consumer: Consumer) -> int:
    """Poll once; return how many partitions that assigned."""
    consumer.poll(0.1, 1)
    return sum(len(partitions) for ours, partitions in consumer.changes() if ours)
