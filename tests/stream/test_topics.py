"""The topics as code."""

from __future__ import annotations

from edge_agent.contract.topics import Channel, Command
from edge_agent.contract.wire import MAX_MESSAGE_BYTES
from stream.topics import MAX_RECORD_BYTES, TOPIC_OF, TOPICS, UP_TOPICS, command_key, gateway_of


def test_every_channel_has_a_topic_that_the_sink_reads() -> None:
    assert set(TOPIC_OF) == set(Channel)
    assert set(TOPIC_OF.values()) <= set(UP_TOPICS) <= set(TOPICS)


def test_every_topic_takes_the_longest_message_and_is_bounded_or_compacted() -> None:
    for topic in TOPICS:
        assert int(topic.config()["max.message.bytes"]) > MAX_RECORD_BYTES > MAX_MESSAGE_BYTES
        assert topic.compacted or (topic.retention_ms is not None and topic.retention_bytes is not None)


def test_keys_name_their_gateway() -> None:
    assert command_key("gw-1", Command.STORED) == b"gw-1/stored"
    for key in (b"gw-1", b"gw-1/0123", command_key("gw-1", Command.DRAIN)):
        assert gateway_of(key) == "gw-1"
    assert gateway_of(None) == ""
    assert gateway_of(b"\xff\xfe/x") == "��"
