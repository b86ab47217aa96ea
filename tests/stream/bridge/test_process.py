"""The bridge as its users run it: killed under load, asked to stop, wrongly configured."""

from __future__ import annotations

import json
import secrets
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from deploy.local.mosquitto import Mosquitto
from edge_agent.contract.topics import Channel
from stream.cli import cli
from stream.clients import ensure_topics
from stream.topics import TELEMETRY, TOPICS
from tests.stream.bridge.support import Gateway, Tail, config, process
from tests.stream.eventually import eventually

AnyKafka = Kafka | ExternalKafka
MakeMosquitto = Callable[[], Mosquitto]


@pytest.fixture
def ready_kafka(kafka: AnyKafka) -> AnyKafka:
    ensure_topics(kafka.bootstrap)
    return kafka


def status(path: Path) -> dict[str, int]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def test_killed_under_load_it_loses_nothing(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    broker, name, rounds, each = own_mosquitto(), f"gw-{secrets.token_hex(6)}", 5, 3_000
    told = tmp_path / "status.json"
    file = config(tmp_path / "bridge.toml", broker, ready_kafka.bootstrap, told)
    values = [b"%d".ljust(1000) % number for number in range(rounds * each)]
    with process(file):  # makes the session: from here on the broker keeps what the bridge does not have
        eventually(lambda: bool(status(told).get("connected")), 30)
    with Tail(ready_kafka.bootstrap, [TELEMETRY.name]) as tail, Gateway(broker, name) as gateway:
        for number in range(rounds):
            told.unlink(missing_ok=True)
            part = values[number * each : (number + 1) * each]
            load = threading.Thread(target=gateway.publish_all, args=(part, 60.0))
            with process(file) as child:
                eventually(lambda: bool(status(told).get("connected")), 30)
                load.start()
                eventually(lambda: status(told).get("forwarded", 0) > 300, 30)
                child.kill()
                child.wait()
            load.join()
        with process(file):
            found = tail.values_until(values, 60)
    assert set(found) == set(values)


def test_sigterm_ends_it_within_seconds_and_leaves_nothing_behind(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    broker, name, told = own_mosquitto(), f"gw-{secrets.token_hex(6)}", tmp_path / "status.json"
    file = config(tmp_path / "bridge.toml", broker, ready_kafka.bootstrap, told)
    with Tail(ready_kafka.bootstrap, [TELEMETRY.name]) as tail, Gateway(broker, name) as gateway:
        with process(file) as child:
            eventually(lambda: bool(status(told).get("connected")), 30)
            gateway.publish_all([b"%d" % number for number in range(100)])
            eventually(lambda: status(told).get("received") == 100, 10)
            child.send_signal(signal.SIGTERM)
            assert child.wait(5) == 0
            assert child.stderr is not None
            lines = child.stderr.read().decode().splitlines()
        assert len(tail.until(lambda records: len(records) >= 100)) == 100
    last = status(told)
    assert (last["received"], last["acked"], last["in_flight"], last["connected"]) == (100, 100, 0, False)
    assert sum("event=bridge " in line for line in lines) > 1
    assert "received=100" in lines[-1]
    with process(file) as child, Gateway(broker, name) as gateway:
        # What came while it was away waits in the session that it left behind.
        gateway.publish(Channel.LIVE, b"later").wait_for_publish(10)
        eventually(lambda: status(told).get("received") == 1, 30)


def test_a_configuration_that_a_person_has_to_mend_ends_it_with_a_message(
    ready_kafka: AnyKafka, own_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    broker = own_mosquitto()
    file = config(tmp_path / "bridge.toml", broker, ready_kafka.bootstrap, tmp_path / "status.json")
    file.write_text(file.read_text().replace(broker.bridge_password, "wrong"))
    with process(file) as child:
        assert child.wait(20) == 1
        assert child.stderr is not None
        assert b"does not let user bridge in" in child.stderr.read()
    found = CliRunner().invoke(cli, ["bridge", "--config", str(tmp_path / "nowhere.toml")])
    assert found.exit_code == 1
    assert "nowhere.toml" in found.output


def test_the_topics_are_made_and_listed(kafka: AnyKafka, unused_address: str) -> None:
    made = CliRunner().invoke(cli, ["topics", "ensure", "--kafka", kafka.bootstrap])
    assert made.exit_code == 0, made.output
    listed = CliRunner().invoke(cli, ["topics", "list", "--kafka", kafka.bootstrap])
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.output.splitlines()] == [topic.name for topic in TOPICS]
    away = CliRunner().invoke(cli, ["topics", "list", "--kafka", unused_address])
    assert away.exit_code == 1
    assert unused_address in away.output
