"""Exactly once from Kafka into the database: whole sinks, genuine servers, each trouble forced."""

from __future__ import annotations

import random
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition

from deploy.local.kafka import Kafka
from stream.topics import TELEMETRY
from tests.services import machine
from tests.services.plugin import MakePostgres, make_kafka
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
from tests.warehouse.sink.test_service import service
from warehouse.migrate import migrate
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


@pytest.mark.slow
def test_a_member_that_is_stuck_within_its_transaction_commits_first_and_the_next_one_is_stale(
    bootstrap: str, warehouse: str, connection: Connection, group: str, fleet: Fleet
) -> None:
    """Kafka gives it up and another one begins to write the same; then the lock that both wait for is gone."""
    with (
        feeding(bootstrap, fleet) as feed,
        sinking(bootstrap, warehouse, group, max_poll_interval_s=2.0) as slow,
        connect(warehouse, application="blocker") as blocker,
        administered(bootstrap) as admin,
    ):
        feed.births()
        feed.messages(fleet.messages(10))
        eventually(all_stored(connection, fleet), WITHIN_S)
        blocker.execute("begin")
        blocker.execute("lock table ingest.batch in share row exclusive mode")
        feed.messages(fleet.messages(10))
        eventually(lambda: waiting_for_locks(connection) == 1, WITHIN_S)
        eventually(lambda: not admin.describe_groups([group])[group]["members"], WITHIN_S)
        with sinking(bootstrap, warehouse, group, name="two") as other:
            eventually(lambda: waiting_for_locks(connection) == 2, WITHIN_S)
            blocker.execute("commit")
            eventually(all_stored(connection, fleet), WITHIN_S)
            eventually(lambda: other.stale > 0, WITHIN_S)
            feed.messages(fleet.messages(10))
            eventually(all_stored(connection, fleet), WITHIN_S)
        assert slow.stale == 0
    assert_settled(connection, fleet)
    assert readings_taken(connection) == len(fleet.rows())


def births(connection: Connection) -> int:
    row = connection.execute("select count(*) from ingest.birth").fetchone()
    assert row is not None
    return int(row[0])


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


@pytest.mark.slow
def test_a_cluster_that_was_set_up_anew_begins_at_its_beginning(
    one_kafka: Kafka, bootstrap: str, warehouse: str, connection: Connection, group: str, fleet: Fleet
) -> None:
    with sinking(bootstrap, warehouse, group):
        first = fleet.messages(20)
        with feeding(bootstrap, fleet) as feed:
            feed.births()
            feed.messages(first)
            eventually(all_stored(connection, fleet), WITHIN_S)
        one_kafka.kill()
        shutil.rmtree(one_kafka.data)
        one_kafka.start()
        make_topics(bootstrap)
        with feeding(bootstrap, fleet) as feed:
            feed.messages(first + fleet.messages(20))
            eventually(all_stored(connection, fleet), WITHIN_S)
        # Whose log it is, Kafka is asked every half a minute; nothing is lost or twice until then.
        clusters = "select count(distinct cluster_id) from ingest.sink_offset"
        eventually(lambda: connection.execute(clusters).fetchall() == [(2,)], WITHIN_S)
        eventually(lambda: readings_taken(connection) >= len(fleet.rows()) + READINGS * len(first), WITHIN_S)
    assert_settled(connection, fleet)


def test_a_log_that_lost_its_end_is_read_again_and_gives_its_numbers_to_other_messages(
    one_kafka: Kafka,
    bootstrap: str,
    warehouse: str,
    connection: Connection,
    group: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fleet = Fleet(("gw-a",))
    with sinking(bootstrap, warehouse, group):
        with feeding(bootstrap, fleet) as feed:
            feed.births()
            for _ in range(20):
                feed.messages(fleet.messages(1))
            eventually(all_stored(connection, fleet), WITHIN_S)
        # A power cut takes what Kafka had not yet put on the disk: the log ends within a batch.
        one_kafka.kill()
        ((partition,),) = connection.execute(
            "select partition from ingest.sink_offset where topic = %s and next_offset > 0", [TELEMETRY.name]
        ).fetchall()
        segment = one_kafka.data / "log" / f"{TELEMETRY.name}-{partition}" / f"{0:020}.log"
        size = segment.stat().st_size
        with segment.open("r+b") as file:
            file.truncate(size * 3 // 4)
        one_kafka.start()
        with feeding(bootstrap, fleet) as feed:
            feed.messages(fleet.messages(3))
            eventually(all_stored(connection, fleet), WITHIN_S)
            # Beyond where the log ended before.
            feed.messages(fleet.messages(20))
            eventually(all_stored(connection, fleet), WITHIN_S)
    assert_settled(connection, fleet)
    assert any(told.levelname == "ERROR" and "verdict=cut" in told.message for told in caplog.records)


@pytest.mark.slow
def test_a_database_that_is_gone_for_longer_than_the_poll_interval_costs_no_member_its_partitions(
    bootstrap: str, own_postgres: MakePostgres, group: str, fleet: Fleet
) -> None:
    server, most_s = own_postgres(), 6.0
    patient: dict[str, Any] = {"max_poll_interval_s": most_s, "session_timeout_s": 20.0}
    with connect(server.dsn, application="test") as connection:
        migrate(connection)
    with (
        feeding(bootstrap, fleet) as feed,
        sinking(bootstrap, server.dsn, group, **patient) as one,
        sinking(bootstrap, server.dsn, group, name="two", **patient) as two,
    ):
        feed.births()
        feed.messages(fleet.messages(10))
        with connect(server.dsn, application="test") as connection:
            eventually(lambda: bool(one.owned) and bool(two.owned) and not one.owned & two.owned, WITHIN_S)
            eventually(all_stored(connection, fleet), WITHIN_S)
        changes = len(one.asked) + len(one.taken) + len(two.asked) + len(two.taken)
        server.kill()
        gone_mono_s = time.monotonic()
        feed.messages(fleet.messages(10))
        eventually(lambda: time.monotonic() > gone_mono_s + 2 * most_s, WITHIN_S)
        server.start()
        with connect(server.dsn, application="test") as connection:
            eventually(all_stored(connection, fleet), WITHIN_S)
            assert_settled(connection, fleet)
            assert readings_taken(connection) == len(fleet.rows())
    assert len(one.asked) + len(two.asked) + len(one.taken) + len(two.taken) == changes + 2, "one farewell each"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261])
def test_sinks_that_join_and_are_killed_under_load(
    bootstrap: str, warehouse: str, connection: Connection, group: str, fleet: Fleet, tmp_path: Path, seed: int
) -> None:
    """Two processes; one of them is killed after a random number of writes, and another comes in its place."""
    dice = random.Random(seed)  # noqa: S311  # chance that can be repeated, no secret
    config = tmp_path / "sink.toml"
    config.write_text(
        f'group = "{group}"\n[kafka]\nbootstrap = "{bootstrap}"\nmax_records = 50\nmax_wait_ms = 10\n'
        f'session_timeout_s = 6.0\nretry_first_s = 0.05\n[database]\ndsn = "{warehouse}"\n',
        "utf-8",
    )
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            feed.messages(fleet.messages(20))
            stop.wait(0.05)

    def writes() -> int:
        row = connection.execute("select count(*) from ingest.batch").fetchone()
        assert row is not None
        return int(row[0])

    def await_writes(enough: int) -> None:
        eventually(lambda: writes() >= enough or loading.done(), WITHIN_S)

    with ExitStack() as ending:
        feed = ending.enter_context(feeding(bootstrap, fleet))
        feed.births()
        with sinking(bootstrap, warehouse, group):
            # Else messages wait for them, and those for which there is no room are left to their agents.
            eventually(lambda: births(connection) == len(fleet.gateways), WITHIN_S)
        sinks = [ending.enter_context(service(config)) for _ in range(2)]
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(load)
            ending.callback(stop.set)
            try:
                for _ in range(6):
                    await_writes(writes() + dice.randint(1, 12))
                    killed = dice.randrange(2)
                    sinks[killed].kill()
                    sinks[killed].wait()
                    sinks[killed] = ending.enter_context(service(config))
            finally:
                stop.set()
            loading.result(WITHIN_S)
        eventually(all_stored(connection, fleet), WITHIN_S)
        assert all(sink.poll() is None for sink in sinks)
    assert_settled(connection, fleet)
    assert readings_taken(connection) == len(fleet.rows())
