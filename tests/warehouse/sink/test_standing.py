"""How far behind the warehouse is, looked at with genuine servers."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from stream.clients import ensure_topics
from stream.clients.watch import Watch
from stream.lag import Pace, Standing, Track
from stream.settings import ConsumerSettings
from stream.topics import UP_TOPICS
from tests.services.plugin import MakePostgres
from tests.warehouse.sink.feed import Clock, eventually
from tests.warehouse.sink.loops import WITHIN_S, Fleet, feeding, sinking
from warehouse.migrate import migrate
from warehouse.postgres import connect
from warehouse.settings import DatabaseSettings
from warehouse.sink.settings import SinkSettings
from warehouse.sink.standing import Standings, standing_of


@contextmanager
def looking(bootstrap: str, dsn: str, clock: Clock, steady_s: float = 0.0) -> Iterator[Standings]:
    settings = SinkSettings(
        kafka=ConsumerSettings(bootstrap=bootstrap), database=DatabaseSettings(dsn=dsn), name="looker"
    )
    standings = Standings(settings, now_mono_s=clock, track=Track(steady_s=steady_s), read_s=WITHIN_S)
    try:
        yield standings
    finally:
        standings.close()


def test_a_backlog_is_told_kept_and_gone_once_it_is_stored(
    kafka: Kafka | ExternalKafka, warehouse: str, caplog: pytest.LogCaptureFixture
) -> None:
    ensure_topics(kafka.bootstrap, replication=1)
    caplog.set_level(logging.INFO)
    fleet, clock = Fleet((f"gw-{secrets.token_hex(6)}",)), Clock()
    group = f"test-{secrets.token_hex(6)}"
    with (
        feeding(kafka.bootstrap, fleet) as feed,
        looking(kafka.bootstrap, warehouse, clock) as standings,
        connect(warehouse, application="test") as connection,
    ):
        assert standing_of(connection) is None
        feed.births()
        feed.messages(fleet.messages(50))
        first = standings.look()
        assert first.pace is Pace.BEHIND
        assert first.lag_records >= 51
        assert first.behind_s > 0
        clock.now_s += 10
        feed.messages(fleet.messages(50))
        second = standings.look()
        assert second.pace is Pace.FALLING_BEHIND
        assert second.in_per_s == pytest.approx((second.lag_records - first.lag_records) / 10)
        assert standing_of(connection) == (second, False)

        def caught_up() -> bool:
            clock.now_s += 1
            return standings.look().lag_records == 0

        with sinking(kafka.bootstrap, warehouse, group):
            eventually(caught_up, WITHIN_S)
        told = standing_of(connection)
        assert told is not None
        assert (told[0].pace, told[0].behind_s, told[0].told()) == (Pace.UP_TO_DATE, 0.0, "up to date (已追平)")
    lines = [record.message for record in caplog.records if record.name == "warehouse.sink.standing"]
    assert any(line.startswith("event=falling_behind behind_s=") and "minutes=unknown" in line for line in lines)
    assert lines[-1] == "event=caught_up"


def test_while_the_database_is_away_the_backlog_is_seen_to_grow(
    kafka: Kafka | ExternalKafka, own_postgres: MakePostgres
) -> None:
    ensure_topics(kafka.bootstrap, replication=1)
    server, clock = own_postgres(), Clock()
    with connect(server.dsn, application="test") as connection:
        migrate(connection)
    fleet = Fleet((f"gw-{secrets.token_hex(6)}",))
    with feeding(kafka.bootstrap, fleet) as feed, looking(kafka.bootstrap, server.dsn, clock) as standings:
        feed.births()
        before = standings.look()
        server.kill()
        feed.messages(fleet.messages(50))
        clock.now_s += 10
        after = standings.look()
        assert after.lag_records >= before.lag_records + 50
        assert after.pace is Pace.FALLING_BEHIND
        assert after.out_per_s == 0
        server.start()
        clock.now_s += 10
        standings.look()
        with connect(server.dsn, application="test") as connection:
            found = standing_of(connection)
            assert found is not None
            assert found[0].lag_records >= after.lag_records


def test_it_looks_by_itself_until_it_is_left(kafka: Kafka | ExternalKafka, warehouse: str) -> None:
    ensure_topics(kafka.bootstrap, replication=1)
    settings = SinkSettings(
        kafka=ConsumerSettings(bootstrap=kafka.bootstrap), database=DatabaseSettings(dsn=warehouse), name="looker"
    )
    with connect(warehouse, application="test") as connection:
        with Standings(settings, every_s=0.1):
            eventually(lambda: standing_of(connection) is not None, WITHIN_S)
        found = standing_of(connection)
        assert found is not None
        assert isinstance(found[0], Standing)
        connection.execute("update ingest.sink_standing set at = at - interval '5 minutes'")
        assert standing_of(connection) == (found[0], True)


def test_a_watch_knows_the_age_of_a_record(kafka: Kafka | ExternalKafka) -> None:
    ensure_topics(kafka.bootstrap, replication=1)
    fleet = Fleet((f"gw-{secrets.token_hex(6)}",))
    watch = Watch(kafka.bootstrap, "test-watch", [topic.name for topic in UP_TOPICS])
    try:
        before = watch.bounds()
        with feeding(kafka.bootstrap, fleet) as feed:
            feed.births()
        grown = {place: found for place, found in watch.bounds().items() if found.end > before[place].end}
        ((place, found),) = grown.items()
        first = watch.age_s(place, found.end - 1, read_s=WITHIN_S)
        assert first is not None
        assert 0 <= first < WITHIN_S
        again = watch.age_s(place, found.end - 1, read_s=WITHIN_S)
        assert again is not None
        assert again >= first
        assert watch.age_s(place, found.end, read_s=0.2) is None
    finally:
        watch.close()
