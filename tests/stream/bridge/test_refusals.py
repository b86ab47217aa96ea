"""Poison on its whole way, from a gateway through genuine Mosquitto and Kafka to the dead letters of the warehouse."""

from __future__ import annotations

import gzip
import secrets
import time
from collections.abc import Callable

import pytest

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from deploy.local.mosquitto import HEADER_BYTES, Mosquitto
from deploy.local.mosquitto.login import Login
from edge_agent.contract.command import parse_stored
from edge_agent.contract.topics import Channel, Command, down
from edge_agent.contract.wire import GZIP, MAX_MESSAGE_BYTES
from stream.bridge.bridge import Bridge
from stream.clients import ensure_topics
from stream.commands import CommandSender
from stream.consumer import ConsumerLoop
from stream.settings import ConsumerSettings
from stream.topics import UP_TOPICS
from tests.services.mqtt import connected
from tests.stream.bridge.support import Gateway, settings
from tests.stream.eventually import eventually, running
from tests.warehouse.sink.conftest import connection, migrated, warehouse
from tests.warehouse.sink.feed import EPOCH, birth, telemetry
from warehouse.postgres import Connection
from warehouse.settings import DatabaseSettings
from warehouse.sink.settings import SinkSettings
from warehouse.sink.store import PostgresStore

__all__ = ["connection", "migrated", "warehouse"]

MakeMosquitto = Callable[[], Mosquitto]
NOW = time.time_ns() // 1_000_000 - 60_000


DEAD = "select count(*) from ingest.dead_letter where gateway = %s"
STORED = "select count(*) from ingest.reading_gauge join ingest.series using (series_id) where gateway = %s"


def count(connection: Connection, query: str, gateway: str) -> int:
    row = connection.execute(query.encode(), (gateway,)).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.slow
def test_poison_between_good_messages_is_settled_and_the_gateway_hears_so(
    kafka: Kafka | ExternalKafka, own_mosquitto: MakeMosquitto, warehouse: str, connection: Connection
) -> None:
    broker, name = own_mosquitto(), f"gw-{secrets.token_hex(6)}"
    ensure_topics(kafka.bootstrap)
    of = birth(name)

    def good(seq: int) -> bytes:
        return telemetry(of, seq, {"p": [(NOW + seq, seq)]})

    bomb = gzip.compress(bytes(64 << 20), 9)
    foreign = birth("somebody-else")
    poison: list[tuple[Channel, bytes, str | None]] = [
        (Channel.LIVE, b"\x00\xff\xfe", None),
        (Channel.LIVE, good(2).replace(b'"v": 1', b'"v": 9'), None),
        (Channel.LIVE, bomb, GZIP),
        (Channel.BACKLOG, gzip.compress(good(9))[:-5], GZIP),
        (Channel.LIVE, good(9), "zstd"),
        (Channel.BACKLOG, b'{"v":1,"series":' + b"[" * 50_000, None),
        (Channel.EVENT, b'{"v":1,"kind":"\\u0000"}', None),
        (Channel.STATE, b'{"v":1,"online":"perhaps"}', None),
        # Its own name is on the topic and another's in the body.
        (Channel.BIRTH, foreign.encode(), None),
    ]
    store_settings = SinkSettings(
        kafka=ConsumerSettings(bootstrap=kafka.bootstrap),
        database=DatabaseSettings(dsn=warehouse),
        name="test",
        confirm_every_s=0.2,
    )
    bridge = Bridge(settings(broker, kafka.bootstrap))
    with (
        CommandSender(kafka.bootstrap, f"sink-{name}") as sender,
        running(bridge.run, stops_within_s=60),
        Gateway(broker, name) as gateway,
    ):
        store = PostgresStore(store_settings, sender)
        loop = ConsumerLoop(store_settings.kafka, store, f"sink-{name}", [topic.name for topic in UP_TOPICS])
        gateway.listen()
        eventually(lambda: bridge.counters.connected, 60)
        gateway.publish(Channel.BIRTH, of.encode())
        with running(loop.run, stops_within_s=60):
            gateway.publish(Channel.LIVE, good(1))
            for channel, payload, encoding in poison:
                gateway.publish(channel, payload, encoding=encoding)
            gateway.publish(Channel.LIVE, good(3))
            eventually(lambda: count(connection, DEAD, name) == len(poison), 120)
            eventually(lambda: count(connection, STORED, name) == 2, 60)
            topic = down(name, Command.STORED)
            # Number 2 is refused for good and need not be sent again: it counts as settled.
            eventually(
                lambda: any(
                    heard == topic and parse_stored(payload).settles(2) and parse_stored(payload).through == 3
                    for heard, payload, _ in gateway.heard
                ),
                60,
            )
        store.close()
    reasons = connection.execute(
        "select d.reason, count(*) from ingest.dead_letter as d where d.gateway = %s group by 1 order by 1", (name,)
    ).fetchall()
    assert reasons == [
        ("encoding", 1),
        ("identity", 1),
        ("not_gzip", 1),
        ("not_json", 2),
        ("schema", 2),
        ("too_large", 1),
        ("version", 1),
    ]
    kept = {bytes(value) for (value,) in connection.execute(DEAD.replace("count(*)", "value").encode(), (name,))}
    assert kept == {payload for _, payload, _ in poison}
    settled = connection.execute(
        "select epoch, settled::text, rejected::text from ingest.ledger where gateway = %s", (name,)
    ).fetchall()
    assert settled == [(EPOCH, "{[1,4)}", "{[2,3)}")]


def test_a_message_beyond_what_the_broker_announced_ends_only_its_senders_connection(
    own_mosquitto: MakeMosquitto,
) -> None:
    """An agent splits by the size in CONNACK; who ignores it is cut off, and nothing of the message passes."""
    broker = own_mosquitto()
    broker.add_users({"gw-rude": "one", "gw-kind": "two"})
    rude, kind = (
        Login(broker.host, broker.port, user, word) for user, word in (("gw-rude", "one"), ("gw-kind", "two"))
    )
    with connected(broker.operator) as witness, connected(kind) as neighbour:
        witness.subscribe("g60/v1/#")
        with connected(rude) as sender:
            allowed = sender.connack["MaximumPacketSize"]
            assert allowed == MAX_MESSAGE_BYTES + HEADER_BYTES
            # The library of a rude gateway does not look at what the broker announced.
            sender.publish("g60/v1/gw-rude/live", bytes(int(str(allowed)) + 1))
            assert sender.cut_off.wait(60)
        neighbour.publish("g60/v1/gw-kind/live", b"still here")
        eventually(lambda: witness.messages.get("g60/v1/gw-kind/live") == b"still here", 60)
        assert not neighbour.cut_off.is_set()
        assert "g60/v1/gw-rude/live" not in witness.messages
