"""Which record a message becomes."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.contract.birth import Birth, Kind, SeriesSpec
from edge_agent.contract.topics import Channel, up
from edge_agent.contract.wire import compress
from stream.bridge.routing import KEPT_BYTES, Outgoing, refuse, route
from stream.topics import BIRTHS, MAX_RECORD_BYTES, REFUSED, TELEMETRY, TOPIC_OF

BIRTH = Birth(
    gateway="gw-1",
    series={"m.p": SeriesSpec(device="m", quantity="power", unit="kW", kind=Kind.GAUGE, interval_ms=1000)},
)


@pytest.mark.parametrize("channel", list(Channel))
def test_a_channel_goes_to_its_topic_with_the_gateway_as_key(channel: Channel) -> None:
    sent = route(up("gw-1", channel), b"bytes", None, 1234)
    assert sent == Outgoing(
        TOPIC_OF[channel].name, b"gw-1", b"bytes", [("channel", channel.encode()), ("received", b"1234")]
    )


@pytest.mark.parametrize(("payload", "encoding"), [(BIRTH.encode(), None), (compress(BIRTH.encode()), "gzip")])
def test_a_birth_has_its_digest_in_its_key(payload: bytes, encoding: str | None) -> None:
    sent = route("g60/v1/gw-1/birth", payload, encoding, 0)
    assert (sent.topic, sent.key) == (BIRTHS.name, f"gw-1/{BIRTH.digest()}".encode())


@pytest.mark.parametrize(("payload", "encoding"), [(b"", None), (b"{}", None), (BIRTH.encode(), "gzip"), (b"x", "br")])
def test_a_birth_that_cannot_be_read_goes_on_under_its_gateway(payload: bytes, encoding: str | None) -> None:
    sent = route("g60/v1/gw-1/birth", payload, encoding, 0)
    assert (sent.topic, sent.key, sent.value) == (BIRTHS.name, b"gw-1", payload)


def test_compression_and_replay_are_told_in_headers() -> None:
    sent = route("g60/v1/gw-1/live", b"", "gzip", 0, retained=True)
    assert dict(sent.headers) == {
        "channel": b"live",
        "received": b"0",
        "content-encoding": b"gzip",
        "retained": b"1",
    }


def test_a_gateway_name_outside_the_contract_is_the_sinks_business() -> None:
    sent = route("g60/v1/GW 1/live", b"", None, 0)
    assert (sent.topic, sent.key) == (TELEMETRY.name, b"GW 1")


@pytest.mark.parametrize("topic", ["g60/v1/gw-1/nonsense", "g60/v2/gw-1/live", "g60/v1/gw-1", "", "a/b/c/live/e"])
def test_a_topic_without_a_channel_is_refused_whole(topic: str) -> None:
    sent = route(topic, b"bytes", "gzip", 7)
    assert (sent.topic, sent.value) == (REFUSED.name, b"bytes")
    assert dict(sent.headers) == {
        "reason": b"topic",
        "mqtt-topic": topic.encode(),
        "received": b"7",
        "content-encoding": b"gzip",
    }


@given(topic=st.text(max_size=200), payload=st.binary(max_size=200), encoding=st.none() | st.text(max_size=10))
def test_any_message_becomes_a_record_with_its_bytes(topic: str, payload: bytes, encoding: str | None) -> None:
    topic = topic.encode("utf-8", "replace").decode()
    encoding = None if encoding is None else encoding.encode("utf-8", "replace").decode()
    assert route(topic, payload, encoding, 0).value == payload


def test_what_kafka_refuses_is_cut_and_says_what_it_was() -> None:
    payload = bytes(MAX_RECORD_BYTES)
    kept = refuse(route("g60/v1/gw-1/live", payload, "gzip", 5), "g60/v1/gw-1/live", "too_large")
    assert (kept.topic, kept.key, kept.value) == (REFUSED.name, b"gw-1", payload[:KEPT_BYTES])
    assert dict(kept.headers) == {
        "channel": b"live",
        "received": b"5",
        "content-encoding": b"gzip",
        "reason": b"too_large",
        "mqtt-topic": b"g60/v1/gw-1/live",
        "bytes": b"%d" % MAX_RECORD_BYTES,
        "sha256": hashlib.sha256(payload).hexdigest().encode(),
    }
