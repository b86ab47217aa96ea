"""The ear hears whole packets, however the bytes are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.tap import Ear


def packet(first: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        rest, low = rest >> 7, rest & 0x7F
        length.append(low | (0x80 if rest else 0))
        if not rest:
            return bytes((first,)) + bytes(length) + body


def publish(qos: int, number: int, payload: bytes) -> bytes:
    identifier = number.to_bytes(2, "big") if qos else b""
    # No properties.
    return packet(0x30 | qos << 1, b"\0\4g60/" + identifier + b"\0" + payload)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 0xFFFF), st.binary(max_size=300)), max_size=8),
    st.lists(st.integers(1, 50), max_size=20),
)
def test_what_is_published_and_acknowledged_is_heard_once(
    messages: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    stream = packet(0x10, b"\0\4MQTT\5")
    for qos, number, payload in messages:
        stream += publish(qos, number, payload) if qos < 2 else packet(0x40, number.to_bytes(2, "big") + b"\x10\0")
    ear, published, acknowledged = Ear(), [], []
    for cut in [*cuts, len(stream)]:
        piece, stream = stream[:cut], stream[cut:]
        more = ear.hear(piece)
        published += more[0]
        acknowledged += more[1]
    assert published == [number for qos, number, _ in messages if qos == 1]
    assert acknowledged == [number for qos, number, _ in messages if qos == 2]
