"""The consumer loop against genuine Kafka: who begins where, and that nothing is lost or twice in any trouble."""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from crc32c import crc32c
from kafka import KafkaAdminClient, TopicPartition
from kafka.record.util import calc_crc32c
from kafka.structs import OffsetAndMetadata

from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from edge_agent.contract.errors import Misconfigured
from stream.clients import ensure_topics, open_consumer, open_producer
from stream.consumer import ConsumerLoop, ConsumerSettings, Partition, Record
from stream.topics import MAX_RECORD_BYTES, Topic
from tests.stream.conftest import MakeTopic
from tests.stream.eventually import eventually, running
from tests.stream.ledger import Ledger, LedgerStore, Taken

AnyKafka = Kafka | ExternalKafka


def settings(bootstrap: str, **changed: object) -> ConsumerSettings:
    quick = {"session_timeout_s": 6.0, "retry_first_s": 0.05, "retry_most_s": 0.5, "max_wait_ms": 50}
    return ConsumerSettings.model_validate({"bootstrap": bootstrap, **quick, **changed})


def produce(bootstrap: str, topic: Topic, values: Sequence[bytes]) -> None:
    """Send ``values`` with keys that spread them over the partitions."""
    producer = open_producer(bootstrap, "test")
    outcomes: list[object] = []
    try:
        for number, value in enumerate(values):
            producer.send(topic.name, b"gw-%d" % (number % 7), value, [("channel", b"live")], outcomes.append)
        producer.flush(20)
    finally:
        producer.close(5)
    assert outcomes == [None] * len(values)


def numbered(first: int, count: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, first + count)]


@contextmanager
def admin(bootstrap: str) -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        yield client
    finally:
        client.close()


def loop(bootstrap: str, store: LedgerStore, group: str, topic: Topic, **changed: object) -> ConsumerLoop[Taken]:
    return ConsumerLoop(settings(bootstrap, **changed), store, group, [topic.name])


@pytest.fixture
def group() -> str:
    return f"test-{secrets.token_hex(6)}"


def stored_once(ledger: Ledger, values: Sequence[bytes]) -> Callable[[], bool]:
    def check() -> bool:
        found = ledger.values()
        assert len(found) == len(set(found)), "stored twice"
        return set(found) == set(values)

    return check


def test_checksums_are_not_computed_in_python() -> None:
    """kafka-python does so without a word when the package is missing."""
    assert calc_crc32c.__defaults__ == (crc32c,)


def test_it_begins_where_the_store_says_and_not_where_kafka_says(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    topic, ledger = make_topic(3), Ledger()
    produce(kafka.bootstrap, topic, numbered(0, 300))
    store = LedgerStore(ledger)
    with running(loop(kafka.bootstrap, store, group, topic).run):
        eventually(stored_once(ledger, numbered(0, 300)), 30)
    first = ledger.records[0]
    assert first.headers == {"channel": b"live"}
    assert (first.key or b"").startswith(b"gw-")
    assert store.taken[-1] == tuple(Partition(topic.name, number) for number in range(3))
    produce(kafka.bootstrap, topic, numbered(300, 100))
    with admin(kafka.bootstrap) as client:
        # Kafka is told that everything was read.
        far = {TopicPartition(topic.name, number): OffsetAndMetadata(400, "", -1) for number in range(3)}
        client.alter_group_offsets(group, far)
    with running(loop(kafka.bootstrap, LedgerStore(ledger), group, topic).run):
        eventually(stored_once(ledger, numbered(0, 400)), 30)


def test_records_keep_their_order_within_a_partition(kafka: AnyKafka, make_topic: MakeTopic, group: str) -> None:
    topic, ledger = make_topic(2), Ledger()
    produce(kafka.bootstrap, topic, numbered(0, 1000))
    with running(loop(kafka.bootstrap, LedgerStore(ledger), group, topic, max_records=37).run):
        eventually(stored_once(ledger, numbered(0, 1000)), 30)
    for number in range(2):
        offsets = [record.offset for record in ledger.records if record.partition == number]
        assert offsets == list(range(len(offsets)))


def test_a_write_is_bounded_by_records_and_by_bytes(kafka: AnyKafka, make_topic: MakeTopic, group: str) -> None:
    topic, ledger, store = make_topic(1), Ledger(), LedgerStore(Ledger())
    store.ledger = ledger
    big = [b"%05d" % number + b"x" * 100_000 for number in range(40)]
    produce(kafka.bootstrap, topic, big)
    with running(loop(kafka.bootstrap, store, group, topic, max_bytes=MAX_RECORD_BYTES).run):
        eventually(stored_once(ledger, big), 30)
    assert max(sum(record.size for record in records) for records, _ in store.attempts) <= MAX_RECORD_BYTES
    produce(kafka.bootstrap, topic, numbered(0, 500))
    before = len(store.batches)
    with running(loop(kafka.bootstrap, store, group, topic, max_records=100).run):
        eventually(stored_once(ledger, big + numbered(0, 500)), 30)
    assert max(store.batches[before:]) <= 100


def test_two_members_share_and_one_takes_over_when_the_other_leaves(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    topic, ledger = make_topic(4), Ledger()
    one, two = LedgerStore(ledger), LedgerStore(ledger)
    produce(kafka.bootstrap, topic, numbered(0, 200))
    with running(loop(kafka.bootstrap, one, group, topic).run):
        eventually(lambda: len(one.owned()) == 4, 30, "one has all")
        with running(loop(kafka.bootstrap, two, group, topic).run):
            eventually(lambda: len(one.owned()) == len(two.owned()) == 2, 30, "each has half")
            assert not one.owned() & two.owned()
            produce(kafka.bootstrap, topic, numbered(200, 400))
            eventually(stored_once(ledger, numbered(0, 600)), 30)
        assert two.owned() == set()
        eventually(lambda: len(one.owned()) == 4, 30, "one has all again")
        produce(kafka.bootstrap, topic, numbered(600, 200))
        eventually(stored_once(ledger, numbered(0, 800)), 30)


def test_a_stale_offset_makes_it_ask_again_and_go_on_where_the_other_stopped(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    topic, ledger = make_topic(1), Ledger()
    place = Partition(topic.name, 0)

    def somebody_else_writes(records: Sequence[Record]) -> None:
        if records[0].offset == 100:
            with ledger.lock:
                ledger.offsets[place] = 150

    store = LedgerStore(ledger, somebody_else_writes)
    produce(kafka.bootstrap, topic, numbered(0, 100))
    with running(loop(kafka.bootstrap, store, group, topic).run):
        eventually(stored_once(ledger, numbered(0, 100)), 30)
        produce(kafka.bootstrap, topic, numbered(100, 100))
        eventually(stored_once(ledger, numbered(0, 100) + numbered(150, 50)), 30)
    assert len(store.asked) == 2


def test_an_outage_of_the_store_longer_than_the_poll_interval_costs_neither_membership_nor_records(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    topic, ledger, store = make_topic(2), Ledger(), LedgerStore(Ledger())
    store.ledger = ledger
    produce(kafka.bootstrap, topic, numbered(0, 100))
    with running(loop(kafka.bootstrap, store, group, topic, max_poll_interval_s=2.0).run):
        eventually(stored_once(ledger, numbered(0, 100)), 30)
        ledger.away = True
        produce(kafka.bootstrap, topic, numbered(100, 100))
        written = len(store.attempts)
        eventually(lambda: len(store.attempts) >= written + 14, 30, "14 attempts, 0.25-0.5 s apart")
        ledger.away = False
        eventually(stored_once(ledger, numbered(0, 200)), 30)
        assert store.taken == []
        assert len(store.asked) == 1
    repeated = store.attempts[written : written + 14]
    assert all(attempt == repeated[0] for attempt in repeated)


def test_a_member_that_is_stuck_in_one_write_loses_its_partitions_and_joins_again(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    topic, ledger = make_topic(1), Ledger()
    free = threading.Event()

    def stuck(records: Sequence[Record]) -> None:
        if records[0].offset == 0:
            assert free.wait(30)

    store = LedgerStore(ledger, stuck)
    produce(kafka.bootstrap, topic, numbered(0, 50))
    with running(loop(kafka.bootstrap, store, group, topic, max_poll_interval_s=1.0).run):
        with admin(kafka.bootstrap) as client:
            eventually(lambda: len(store.attempts) == 1, 30)
            eventually(lambda: not client.describe_groups([group])[group]["members"], 30, "Kafka gave it up")
        free.set()
        produce(kafka.bootstrap, topic, numbered(50, 50))
        eventually(stored_once(ledger, numbered(0, 100)), 30)
        assert store.taken == [(Partition(topic.name, 0),)]


def test_a_store_that_is_away_when_partitions_come_is_asked_until_it_answers(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    topic, ledger = make_topic(1), Ledger(away=True)
    store = LedgerStore(ledger)
    produce(kafka.bootstrap, topic, numbered(0, 50))
    with running(loop(kafka.bootstrap, store, group, topic).run):
        with admin(kafka.bootstrap) as client:
            eventually(lambda: bool(client.describe_groups([group])[group]["members"]), 30)
        assert ledger.records == []
        ledger.away = False
        eventually(stored_once(ledger, numbered(0, 50)), 30)


def test_what_retention_deleted_is_a_named_loss(kafka: AnyKafka, make_topic: MakeTopic, group: str) -> None:
    topic, ledger = make_topic(1), Ledger()
    place = Partition(topic.name, 0)
    produce(kafka.bootstrap, topic, numbered(0, 100))
    with running(loop(kafka.bootstrap, LedgerStore(ledger), group, topic).run):
        eventually(stored_once(ledger, numbered(0, 100)), 30)
    produce(kafka.bootstrap, topic, numbered(100, 100))
    with admin(kafka.bootstrap) as client:
        client.delete_records({TopicPartition(topic.name, 0): 130})
    store = LedgerStore(ledger)
    with running(loop(kafka.bootstrap, store, group, topic).run):
        eventually(stored_once(ledger, numbered(0, 100) + numbered(130, 70)), 30)
    assert store.losses == [(place, 100, 130)]


def test_retention_that_overtakes_a_running_member_is_a_named_loss_too(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    topic, ledger, store = make_topic(1), Ledger(), LedgerStore(Ledger())
    store.ledger = ledger
    with running(loop(kafka.bootstrap, store, group, topic, max_records=10, fetch_bytes=MAX_RECORD_BYTES).run):
        produce(kafka.bootstrap, topic, numbered(0, 10))
        eventually(stored_once(ledger, numbered(0, 10)), 30)
        ledger.away = True
        big = [b"%05d" % number + b"x" * 100_000 for number in range(60)]
        produce(kafka.bootstrap, topic, big)
        written = len(store.attempts)
        eventually(lambda: len(store.attempts) > written, 30)
        with admin(kafka.bootstrap) as client:
            client.delete_records({TopicPartition(topic.name, 0): 68})
        ledger.away = False
        eventually(lambda: ledger.offsets.get(Partition(topic.name, 0)) == 70, 30)
    ((_, stored, log_start),) = store.losses
    assert log_start == 68
    # Between what was stored and the new log start nothing else is missing.
    assert [record.offset for record in ledger.records] == [*range(stored), 68, 69]


def test_a_topic_that_is_made_anew_is_read_from_its_beginning(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    topic, ledger = make_topic(1), Ledger()
    store = LedgerStore(ledger)
    produce(kafka.bootstrap, topic, numbered(0, 100))
    with running(loop(kafka.bootstrap, store, group, topic).run), admin(kafka.bootstrap) as client:
        eventually(stored_once(ledger, numbered(0, 100)), 30)
        before = store.sources[-1]
        client.delete_topics([topic.name])
        eventually(lambda: client.describe_topics([topic.name])[0]["error_code"] != 0, 30)
        ensure_topics(kafka.bootstrap, [topic])
        # Longer than the old one at once: an old offset would be a valid place to go on in the new log.
        produce(kafka.bootstrap, topic, numbered(1000, 200))
        eventually(stored_once(ledger, numbered(0, 100) + numbered(1000, 200)), 60)
        after = store.sources[-1]
    assert after.cluster_id == before.cluster_id
    assert after.topic_ids[topic.name] != before.topic_ids[topic.name]


def test_a_stored_offset_beyond_the_log_is_loud_and_goes_back_an_hour(
    kafka: AnyKafka, make_topic: MakeTopic, group: str, caplog: pytest.LogCaptureFixture
) -> None:
    topic, ledger = make_topic(1), Ledger()
    place = Partition(topic.name, 0)
    produce(kafka.bootstrap, topic, numbered(0, 100))
    # As after a power cut that took Kafka's last records, which the store has: 100 … 499.
    ledger.offsets[place] = 500
    with running(loop(kafka.bootstrap, LedgerStore(ledger), group, topic).run):
        eventually(stored_once(ledger, numbered(0, 100)), 30)
        produce(kafka.bootstrap, topic, numbered(100, 50))
        eventually(stored_once(ledger, numbered(0, 150)), 30)
    assert ledger.offsets[place] == 150
    (told,) = [record for record in caplog.records if record.levelname == "ERROR" and "verdict=cut" in record.message]
    assert "offset=0 stored=500" in told.message


def test_a_cut_log_of_which_nothing_is_recent_is_read_from_its_end(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    topic, ledger = make_topic(1), Ledger()
    store = LedgerStore(ledger)
    produce(kafka.bootstrap, topic, numbered(0, 100))
    ledger.offsets[Partition(topic.name, 0)] = 500
    with running(loop(kafka.bootstrap, store, group, topic, rewind_s=0.0).run):
        eventually(lambda: bool(store.owned()), 30)
        eventually(lambda: store.idled > 2, 10)
        produce(kafka.bootstrap, topic, numbered(100, 50))
        eventually(stored_once(ledger, numbered(100, 50)), 30)


def test_kafka_is_told_the_offsets_for_its_display_of_lag(kafka: AnyKafka, make_topic: MakeTopic, group: str) -> None:
    topic, ledger = make_topic(1), Ledger()
    place = Partition(topic.name, 0)
    produce(kafka.bootstrap, topic, numbered(0, 100))
    probe = open_consumer(kafka.bootstrap, "probe", group)
    try:
        with running(loop(kafka.bootstrap, LedgerStore(ledger), group, topic).run):
            eventually(lambda: probe.committed(place) == 100, 30)
            produce(kafka.bootstrap, topic, numbered(100, 1))
            eventually(stored_once(ledger, numbered(0, 101)), 30)
        assert probe.committed(place) == 101
    finally:
        probe.close()


def test_kafka_killed_and_started_again_loses_nothing_and_stores_nothing_twice(
    own_kafka: Callable[[], Kafka], group: str
) -> None:
    kafka, topic, ledger = own_kafka(), Topic("test.restart", 3), Ledger()
    ensure_topics(kafka.bootstrap, [topic])
    produce(kafka.bootstrap, topic, numbered(0, 300))
    store = LedgerStore(ledger)
    with running(loop(kafka.bootstrap, store, group, topic).run):
        eventually(stored_once(ledger, numbered(0, 300)), 30)
        kafka.kill()
        idled = store.idled
        eventually(lambda: store.idled > idled + 3, 20, "idle goes on while Kafka is away")
        kafka.start()
        produce(kafka.bootstrap, topic, numbered(300, 300))
        eventually(stored_once(ledger, numbered(0, 600)), 60)


def test_a_named_member_that_was_killed_gets_its_partitions_back_at_once(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    topic, ledger = make_topic(1), Ledger()
    produce(kafka.bootstrap, topic, numbered(0, 10))
    # Killed at the first word of an assignment, which is then never mended: it must not be an empty one.
    program = f"""
from stream.clients import open_consumer
consumer = open_consumer({kafka.bootstrap!r}, "first", {group!r}, instance="sink-1", session_timeout_s=40.0)
consumer.subscribe([{topic.name!r}])
while not any(ours for ours, _ in consumer.changes()):
    consumer.poll(0.1, 1)
print("assigned", flush=True)
while True:
    consumer.poll(0.1, 1)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"assigned\n"
        first.kill()
    named = loop(kafka.bootstrap, LedgerStore(ledger), group, topic, instance="sink-1", session_timeout_s=40.0)
    with running(named.run):
        eventually(stored_once(ledger, numbered(0, 10)), 20)


def test_it_waits_for_a_kafka_that_is_not_there_and_stops_within_seconds(unused_address: str, group: str) -> None:
    store = LedgerStore(Ledger())
    with running(loop(unused_address, store, group, Topic("test.none")).run, stops_within_s=5):
        eventually(lambda: store.idled >= 2, 20)
    assert threading.active_count() == 1


def test_it_waits_for_a_topic_that_is_not_there_yet(kafka: AnyKafka, group: str) -> None:
    topic, ledger = Topic(f"test.{secrets.token_hex(6)}", 1), Ledger()
    with running(loop(kafka.bootstrap, LedgerStore(ledger), group, topic).run), admin(kafka.bootstrap) as client:
        eventually(lambda: bool(client.describe_groups([group])[group]["members"]), 30)
        ensure_topics(kafka.bootstrap, [topic])
        produce(kafka.bootstrap, topic, numbered(0, 10))
        eventually(stored_once(ledger, numbered(0, 10)), 60)


def test_an_error_of_the_store_that_a_person_has_to_mend_ends_the_loop(
    kafka: AnyKafka, make_topic: MakeTopic, group: str
) -> None:
    def refuse(_: Sequence[Record]) -> None:
        raise Misconfigured("the schema is older than the program")

    topic, store = make_topic(1), LedgerStore(Ledger(), refuse)
    produce(kafka.bootstrap, topic, numbered(0, 1))
    with pytest.raises(Misconfigured, match="schema"):
        loop(kafka.bootstrap, store, group, topic).run(threading.Event())
    assert store.owned() == set()
