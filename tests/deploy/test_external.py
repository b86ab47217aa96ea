"""Servers of the environment: used, never started, stopped or killed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploy.local.external import External, ExternalKafka, ExternalMosquitto, ExternalPostgres
from deploy.local.kafka import Kafka, jars
from deploy.local.mosquitto import Mosquitto
from deploy.local.postgres import Postgres
from deploy.local.process import NotUp
from edge_agent.contract.errors import Misconfigured


def test_they_are_asked_as_ours_are_and_outlive_us(mosquitto: Mosquitto, kafka: Kafka, postgres: Postgres) -> None:
    broker = ExternalMosquitto(
        f"mqtt://{mosquitto.bridge_user}:{mosquitto.bridge_password}@{mosquitto.host}:{mosquitto.port}"
    )
    log = ExternalKafka(f"127.0.0.1:1, {kafka.bootstrap}")
    database = ExternalPostgres(postgres.dsn)
    for server in (broker, log, database):
        server.start()
        assert server.healthy()
        assert server.running()
        with pytest.raises(Misconfigured, match="not ours"):
            server.kill()
        server.stop()
        assert server.healthy()
        assert server.pid is None
    assert broker.version() == mosquitto.version()
    assert jars.VERSION.startswith(log.version())
    assert database.version() == postgres.version()
    assert database.address == postgres.address
    assert postgres.password not in database.address
    with pytest.raises(Misconfigured, match="gw-1"):
        broker.add_user("gw-1", "x")


@pytest.mark.parametrize(
    "server",
    [
        ExternalMosquitto("mqtt://a:b@127.0.0.1:1"),
        ExternalKafka("127.0.0.1:1"),
        ExternalPostgres("postgresql://a:b@127.0.0.1:1/c"),
    ],
)
def test_one_that_does_not_answer_is_named_with_its_variable(server: External) -> None:
    with pytest.raises(NotUp, match=rf"{server.variable}: .*127\.0\.0\.1:1"):
        server.start()


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (ExternalMosquitto, "127.0.0.1:1883"),
        (ExternalMosquitto, "mqtt://127.0.0.1:1883"),
        (ExternalKafka, "kafka"),
        (ExternalKafka, "kafka:port"),
        (ExternalPostgres, "host=127.0.0.1"),
    ],
)
def test_malformed_address_says_what_it_should_be(build: Callable[[str], External], text: str) -> None:
    with pytest.raises(Misconfigured, match="格式有误"):
        build(text)


def test_percent_signs_in_an_mqtt_password_are_decoded() -> None:
    broker = ExternalMosquitto("mqtt://us%40er:p%3Aw@host:99")
    assert (broker.bridge_user, broker.bridge_password, broker.address) == ("us@er", "p:w", "host:99")
