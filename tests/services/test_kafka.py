"""Kafka: the real one, the same data after a restart, and no jar folder that is half there."""

from __future__ import annotations

import os
import stat
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError, UnknownTopicOrPartitionError

from deploy.local.kafka import Kafka, jars
from deploy.local.kafka.ask import brokers_in_service
from deploy.local.ports import LOOPBACK
from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.wire import MAX_MESSAGE_BYTES
from tests.services.plugin import MakeKafka

TOPIC = "kept"


def _create(bootstrap: str, topic: str) -> None:
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])


def _send(bootstrap: str, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=2 * MAX_MESSAGE_BYTES)
    try:
        for value in values:
            producer.send(topic, value).get(timeout=30)
    finally:
        producer.close()


def _read(bootstrap: str, topic: str, group: str | None = None) -> list[bytes]:
    """Return all values of the topic's one partition from its beginning, or from where ``group`` stands."""
    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        consumer.assign([partition])
        end = consumer.end_offsets([partition])[partition]
        values: list[bytes] = []
        while consumer.position(partition) < end:
            for records in consumer.poll(timeout_ms=500).values():
                values += [record.value for record in records]
        if group is not None:
            consumer.commit()
        return values
    finally:
        consumer.close()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_records_offsets_and_identity_are_there_after_a_restart(own_kafka: MakeKafka, end: str) -> None:
    kafka = own_kafka()
    _create(kafka.bootstrap, TOPIC)
    _send(kafka.bootstrap, TOPIC, b"one", b"two")
    assert _read(kafka.bootstrap, TOPIC, group="g") == [b"one", b"two"]
    with KafkaAdminClient(bootstrap_servers=kafka.bootstrap) as admin:
        cluster = admin.describe_cluster()["cluster_id"]

    (kafka.stop if end == "stop" else kafka.kill)()
    assert not kafka.running()
    assert not kafka.healthy()
    kafka.start()

    assert kafka.version() == jars.VERSION
    _send(kafka.bootstrap, TOPIC, b"three")
    assert _read(kafka.bootstrap, TOPIC) == [b"one", b"two", b"three"]
    assert _read(kafka.bootstrap, TOPIC, group="g") == [b"three"]
    with KafkaAdminClient(bootstrap_servers=kafka.bootstrap) as admin:
        assert admin.describe_cluster()["cluster_id"] == cluster


def test_longest_message_of_the_contract_passes(kafka: Kafka) -> None:
    _create(kafka.bootstrap, "longest")
    longest = os.urandom(MAX_MESSAGE_BYTES)
    _send(kafka.bootstrap, "longest", longest)
    assert _read(kafka.bootstrap, "longest") == [longest]


def test_a_mistyped_topic_does_not_come_into_being(kafka: Kafka) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, max_block_ms=1_000)
    with pytest.raises(KafkaError):
        producer.send("mistyped", b"x").get(timeout=5)
    producer.close()
    with KafkaAdminClient(bootstrap_servers=kafka.bootstrap) as admin:
        assert "mistyped" not in admin.list_topics()
        with pytest.raises(UnknownTopicOrPartitionError):
            admin.delete_topics(["mistyped"])


def test_nobody_is_in_service_where_nobody_listens(tmp_path: Path) -> None:
    assert brokers_in_service(LOOPBACK, 1, within_s=1) == 0
    silent = Kafka(tmp_path, port=1, controller_port=2)
    assert not silent.healthy()
    assert list(tmp_path.iterdir()) == []


def test_pom_names_the_version_that_the_cache_folder_bears() -> None:
    pom = ET.parse(Path(jars.__file__).with_name("pom.xml"))  # noqa: S314 - our own file
    version = pom.find("{*}properties/{*}kafka.version")
    assert version is not None
    assert version.text == jars.VERSION


@pytest.fixture
def fake_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a Maven that notes each call and writes one jar, or fails after half of its work."""
    program = tmp_path / "bin" / "mvn"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        f"echo called >> {tmp_path}/calls\n"
        'for word in "$@"; do case "$word" in -DoutputDirectory=*) out=${word#*=};; esac; done\n'
        'mkdir -p "$out" && : > "$out/kafka.jar"\n'
        f'[ ! -e {tmp_path}/fails ] || {{ echo "no network" >&2; exit 1; }}\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_jars_are_fetched_once(fake_maven: Path) -> None:
    assert not jars.folder().exists()
    assert jars.provide() == jars.provide() == fake_maven / "cache" / "g60-pulse" / f"kafka-{jars.VERSION}"
    assert (jars.folder() / "kafka.jar").is_file()
    assert (fake_maven / "calls").read_text() == "called\n"


def test_jars_of_a_broken_fetch_do_not_appear_and_the_next_one_starts_anew(fake_maven: Path) -> None:
    (fake_maven / "fails").touch()
    with pytest.raises(Misconfigured, match="no network"):
        jars.provide()
    assert not jars.folder().exists()
    (fake_maven / "fails").unlink()
    assert (jars.provide() / "kafka.jar").is_file()
    assert [path.name for path in jars.folder().parent.iterdir() if path.name != ".lock"] == [jars.folder().name]
