"""The shared servers answer, and say who they are."""

from __future__ import annotations

import psycopg

from deploy.local.kafka import Kafka, jars
from deploy.local.mosquitto import Mosquitto
from deploy.local.postgres import Postgres


def test_every_shared_server_answers_and_says_its_version(
    mosquitto: Mosquitto, kafka: Kafka, postgres: Postgres
) -> None:
    for server in (mosquitto, kafka, postgres):
        assert server.healthy()
    assert mosquitto.version().startswith("2.")
    assert kafka.version().startswith(jars.VERSION)
    assert postgres.version().startswith("18.")


def test_a_fresh_database_is_empty_and_speaks_utf8_and_utc(database: str) -> None:
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "select current_setting('server_encoding'), current_setting('timezone'), datlocale,"
            " (select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
            "  where n.nspname = 'public')"
            " from pg_catalog.pg_database where datname = current_database()"
        ).fetchone()
    assert row == ("UTF8", "UTC", "C.UTF-8", 0)
