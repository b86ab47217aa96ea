"""Exactly once from Kafka into the database: whole sinks, genuine servers, each trouble forced."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from kafka import TopicPartition

from deploy.local.kafka import Kafka
from stream.topics import TELEMETRY
from tests.services import machine
from tests.services.plugin import make_kafka
from tests.warehouse.sink.feed import Sent, eventually
from tests.warehouse.sink.loops import (
    READINGS,
    WITHIN_S,
    Fleet,
    administered,
    all_stored,
    assert_settled,
    feeding,
    has_all,
    make_topics,
    readings_taken,
    sinking,
    stored,
)
from warehouse.postgres import Connection, connect


@pytest.fixture(scope="module")
def one_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A Kafka for this file, whose topics are deleted and cut."""
    server = make_kafka(tmp_path_factory.mktemp("kafka"))
    machine.provide(server)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bootstrap(one_kafka: Kafka) -> str:
    """Where the file's Kafka is; its topics are new and empty."""
    make_topics(one_kafka.bootstrap)
    return one_kafka.bootstrap


@pytest.fixture
def group() -> str:
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture
def fleet() -> Fleet:
    """Gateways on both partitions."""
    return Fleet(("gw-a", "gw-b", "gw-c", "gw-d", "gw-e"))


def test_a_member_that_lost_its_partitions_before_its_write_stores_nothing(
    bootstrap: str, warehouse: str, connection: Connection, group: str, fleet: Fleet
) -> None:
    """It reads, then stands still for longer than Kafka waits; another one writes the same; then it goes on."""
    with (
        feeding(bootstrap, fleet) as feed,
        sinking(bootstrap, warehouse, group, max_poll_interval_s=2.0) as slow,
    ):
        feed.births()
        feed.messages(fleet.messages(10))
        eventually(all_stored(connection, fleet), WITHIN_S)
        slow.free.clear()
        feed.messages(fleet.messages(10))
        assert slow.held.wait(WITHIN_S)
        with sinking(bootstrap, warehouse, group, name="two") as other:
            eventually(has_all(other), WITHIN_S)
            eventually(all_stored(connection, fleet), WITHIN_S)
            assert slow.stale == 0
            slow.free.set()
            eventually(lambda: slow.stale > 0, WITHIN_S)
            feed.messages(fleet.messages(10))
            eventually(all_stored(connection, fleet), WITHIN_S)
            eventually(lambda: bool(slow.owned) and bool(other.owned) and not slow.owned & other.owned, WITHIN_S)
    assert_settled(connection, fleet)
    assert readings_taken(connection) == len(fleet.rows())


def test_a_member_that_is_stuck_within_its_transaction_commits_first_and_the_next_one_is_stale(
    bootstrap: str, warehouse: str, connection: Connection, group: str, fleet: Fleet
) -> None:
    with (
        feeding(bootstrap, fleet) as feed,
        sinking(bootstrap, warehouse, group, max_poll_interval_s=2.0) as slow,
        connect(warehouse, application="blocker") as blocker,
    ):
        feed.births()
        feed.messages(fleet.messages(10))
        eventually(all_stored(connection, fleet), WITHIN_S)
        with blocker.transaction():
            blocker.execute("lock table ingest.batch in share row exclusive mode")
            feed.messages(fleet.messages(10))
            eventually(lambda: waiting_for_locks(connection) == 1, WITHIN_S)
            with sinking(bootstrap, warehouse, group, name="two", max_poll_interval_s=60.0) as other:
                eventually(has_all(other), WITHIN_S)
                eventually(lambda: waiting_for_locks(connection) == 2, WITHIN_S)
                blocker.execute("commit")
                eventually(all_stored(connection, fleet), WITHIN_S)
                eventually(lambda: slow.stale + other.stale > 0, WITHIN_S)
                feed.messages(fleet.messages(10))
                eventually(all_stored(connection, fleet), WITHIN_S)
    assert_settled(connection, fleet)
    assert readings_taken(connection) == len(fleet.rows())


def waiting_for_locks(connection: Connection) -> int:
    row = connection.execute(
        """select count(*) from pg_stat_activity
           where application_name like 'g60 sink%' and datname = current_database() and wait_event_type = 'Lock'"""
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_topics_that_are_made_anew_begin_at_their_beginning_and_what_is_sent_again_is_recognised(
    bootstrap: str, warehouse: str, connection: Connection, group: str, fleet: Fleet
) -> None:
    with sinking(bootstrap, warehouse, group):
        first = fleet.messages(20)
        with feeding(bootstrap, fleet) as feed:
            feed.births()
            feed.messages(first)
            eventually(all_stored(connection, fleet), WITHIN_S)
        places = "select ctid, * from ingest.reading_gauge order by series_id, t"
        before = connection.execute(places).fetchall()
        make_topics(bootstrap)
        with feeding(bootstrap, fleet) as feed:
            # As the agents do, which had no confirmation of them. The new logs are longer than the old ones were at
            # once: the old offsets would be good ones to go on from.
            feed.messages(first + fleet.messages(20))
            eventually(all_stored(connection, fleet), WITHIN_S)
    assert_settled(connection, fleet)
    # The old rows stand where they stood.
    after = {row[0]: row for row in connection.execute(places).fetchall()}
    assert [after.get(row[0]) for row in before] == before
    assert readings_taken(connection) == len(fleet.rows()) + READINGS * len(first)
    ids = connection.execute(
        "select count(distinct topic_id) from ingest.sink_offset where topic = %s", [TELEMETRY.name]
    )
    assert ids.fetchall() == [(2,)]


def test_what_retention_took_before_it_was_stored_is_named_and_stays_open_until_it_comes_again(
    bootstrap: str, warehouse: str, connection: Connection, group: str
) -> None:
    fleet, sent = Fleet(("gw-a",)), Sent()
    with feeding(bootstrap, fleet) as feed:
        with sinking(bootstrap, warehouse, group):
            feed.births()
            feed.messages(fleet.messages(10))
            eventually(all_stored(connection, fleet), WITHIN_S)
        # The sink is away: 11 … 30 are written, and 11 … 20 are deleted before it comes back.
        feed.messages(fleet.messages(20))
        (place,) = connection.execute(
            "select topic, partition from ingest.sink_offset where topic = %s and next_offset > 0", [TELEMETRY.name]
        ).fetchall()
        with administered(bootstrap) as client:
            client.delete_records({TopicPartition(*place): 20})
        with sinking(bootstrap, warehouse, group, sent=sent):
            feed.state("gw-a", 1, 30)
            eventually(lambda: len(stored(connection)) == READINGS * 20, WITHIN_S)
            losses = connection.execute("select topic, partition, stored_offset, log_start from ingest.offset_loss")
            assert losses.fetchall() == [(*place, 10, 20)]
            status = "select open_count, lost_count from ingest.ledger_status"
            eventually(lambda: connection.execute(status).fetchall() == [(10, 0)], WITHIN_S)
            # The agent hears which ones are missing, and sends them again.
            eventually(
                lambda: [(one.through, one.missing) for one in sent.stored("gw-a")][-1:] == [(30, ((11, 20),))],
                WITHIN_S,
            )
            feed.messages([("gw-a", seq) for seq in range(11, 21)])
            eventually(all_stored(connection, fleet), WITHIN_S)
            eventually(lambda: connection.execute(status).fetchall() == [(0, 0)], WITHIN_S)
            eventually(lambda: [(one.through, one.missing) for one in sent.stored("gw-a")][-1:] == [(30, ())], WITHIN_S)
    assert_settled(connection, fleet)
