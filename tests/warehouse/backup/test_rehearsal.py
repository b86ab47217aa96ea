"""A restore is rehearsed with a real sink and a real Kafka: what was stored after the backup comes back from Kafka."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from kafka import TopicPartition

from deploy.local.external import ExternalPostgres
from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from stream.topics import TELEMETRY
from tests.services import machine
from tests.services.plugin import fresh_database, make_kafka
from tests.warehouse.sink.feed import Sent, eventually
from tests.warehouse.sink.loops import (
    READINGS,
    WITHIN_S,
    Fleet,
    administered,
    all_stored,
    assert_settled,
    feeding,
    make_topics,
    readings_taken,
    sinking,
    stored,
)
from warehouse.backup.run import backup
from warehouse.cli import cli
from warehouse.postgres import connect


@pytest.fixture(scope="module")
def one_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A Kafka for this file, whose topics are made anew."""
    server = make_kafka(tmp_path_factory.mktemp("kafka"))
    machine.provide(server)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bootstrap(one_kafka: Kafka) -> str:
    make_topics(one_kafka.bootstrap)
    return one_kafka.bootstrap


@pytest.fixture
def group() -> str:
    return f"test-{secrets.token_hex(6)}"


@pytest.mark.slow
def test_what_was_stored_after_the_backup_is_read_again_and_nothing_twice(
    bootstrap: str, postgres: Postgres | ExternalPostgres, migrated: str, group: str, tmp_path: Path
) -> None:
    fleet, folder = Fleet(("gw-a", "gw-b", "gw-c")), tmp_path / "backup"
    with feeding(bootstrap, fleet) as feed:
        with (
            fresh_database(postgres, migrated) as dsn,
            connect(dsn, application="test") as connection,
            sinking(bootstrap, dsn, group),
        ):
            feed.births()
            feed.messages(fleet.messages(10))
            eventually(all_stored(connection, fleet), WITHIN_S)
            # Taken while the sink is at work.
            archive = backup(dsn, folder)
            feed.messages(fleet.messages(10))
            eventually(all_stored(connection, fleet), WITHIN_S)
        # The database is gone; meanwhile more comes.
        feed.messages(fleet.messages(5))
        with fresh_database(postgres) as dsn:
            result = CliRunner().invoke(cli, ["restore", str(folder), "--database", dsn])
            assert result.exit_code == 0, result.output
            assert "verified" in result.output
            telemetry = [one for one in archive.figures.offsets if one.topic == TELEMETRY.name and one.next_offset]
            assert sum(one.next_offset for one in telemetry) == 30
            for one in telemetry:
                assert f"{one.topic}-{one.partition}: goes on at {one.next_offset}" in result.output
            with connect(dsn, application="test") as connection:
                assert len(stored(connection)) == READINGS * 30
                with sinking(bootstrap, dsn, group):
                    eventually(all_stored(connection, fleet), WITHIN_S)
                    feed.messages(fleet.messages(5))
                    eventually(all_stored(connection, fleet), WITHIN_S)
                assert_settled(connection, fleet)
                # Each record was taken once: those before the backup by it, the others after the restore.
                assert readings_taken(connection) == len(fleet.rows())


@pytest.mark.slow
def test_what_kafka_has_deleted_since_the_backup_is_named_as_lost(
    bootstrap: str, postgres: Postgres | ExternalPostgres, migrated: str, group: str, tmp_path: Path
) -> None:
    fleet, folder, sent = Fleet(("gw-a",)), tmp_path / "backup", Sent()
    with feeding(bootstrap, fleet) as feed:
        with (
            fresh_database(postgres, migrated) as dsn,
            connect(dsn, application="test") as connection,
            sinking(bootstrap, dsn, group),
        ):
            feed.births()
            feed.messages(fleet.messages(10))
            eventually(all_stored(connection, fleet), WITHIN_S)
            backup(dsn, folder)
            feed.messages(fleet.messages(10))
            eventually(all_stored(connection, fleet), WITHIN_S)
            place = connection.execute(
                "select topic, partition from ingest.sink_offset where topic = %s and next_offset > 0",
                [TELEMETRY.name],
            ).fetchall()
        # 11 … 20 were confirmed, so the agent has deleted them; Kafka still has 16 … 20, and 21 … 25 are new.
        with administered(bootstrap) as client:
            client.delete_records({TopicPartition(*place[0]): 15})
        with fresh_database(postgres) as dsn:
            assert CliRunner().invoke(cli, ["restore", str(folder), "--database", dsn]).exit_code == 0
            with connect(dsn, application="test") as connection, sinking(bootstrap, dsn, group, sent=sent):
                feed.messages(fleet.messages(5))
                feed.state("gw-a", 21, 25)
                # The first one after the state would have told of messages that the agent gave up.
                feed.messages(fleet.messages(1))
                status = "select open_count, lost_count from ingest.ledger_status"
                eventually(lambda: connection.execute(status).fetchall() == [(0, 5)], WITHIN_S)
                losses = connection.execute("select stored_offset, log_start from ingest.offset_loss")
                assert losses.fetchall() == [(10, 15)]
                kept = {(g, v) for g, v in fleet.rows() if not READINGS * 11 <= v < READINGS * 16}
                eventually(lambda: stored(connection) == kept, WITHIN_S)
