"""Every type in every order, there and back; and any words at all."""

from __future__ import annotations

import math
import struct
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.contract.birth import INT64_MAX, Kind
from edge_agent.contract.errors import BadRecord
from edge_agent.sources.modbus.decode import Dtype, Layout, WordOrder, decode

INTEGERS = [dtype for dtype in Dtype if not dtype.is_float]
FLOATS = [Dtype.FLOAT32, Dtype.FLOAT64]
REASONS = {"word_count", "word_range", "bcd", "not_finite", "register_range", "value_range"}

# Written out by hand, not derived: position of each byte of the number on the wire.
ON_THE_WIRE = {
    (1, "ABCD"): "AB",
    (1, "CDAB"): "AB",
    (1, "BADC"): "BA",
    (1, "DCBA"): "BA",
    (2, "ABCD"): "ABCD",
    (2, "CDAB"): "CDAB",
    (2, "BADC"): "BADC",
    (2, "DCBA"): "DCBA",
    (4, "ABCD"): "ABCDEFGH",
    (4, "CDAB"): "GHEFCDAB",
    (4, "BADC"): "BADCFEHG",
    (4, "DCBA"): "HGFEDCBA",
}


def on_the_wire(big_endian: bytes, order: WordOrder) -> list[int]:
    places = ON_THE_WIRE[len(big_endian) // 2, order.value]
    raw = bytes(big_endian[ord(place) - ord("A")] for place in places)
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


def encoded(value: int, dtype: Dtype) -> bytes:
    if dtype.is_bcd:
        return bytes.fromhex(f"{value:0{4 * dtype.words}d}")
    return value.to_bytes(2 * dtype.words, "big", signed=dtype.signed)


@st.composite
def integers(draw: st.DrawFn) -> tuple[Dtype, int]:
    dtype = draw(st.sampled_from(INTEGERS))
    capacity = dtype.capacity
    assert capacity is not None
    low = -capacity if dtype.signed else 0
    return dtype, draw(st.integers(low, capacity - 1))


@given(integers(), st.sampled_from(WordOrder))
def test_integers_come_back(number: tuple[Dtype, int], order: WordOrder) -> None:
    dtype, value = number
    words = on_the_wire(encoded(value, dtype), order)
    found = decode(words, Layout(dtype, order))
    assert found == (value if value <= INT64_MAX else float(value))
    assert isinstance(found, int) == (value <= INT64_MAX)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(WordOrder))
def test_float32_comes_back_as_the_shortest_decimal(value: float, order: WordOrder) -> None:
    found = decode(on_the_wire(struct.pack(">f", value), order), Layout(Dtype.FLOAT32, order))
    assert isinstance(found, float)
    assert struct.pack(">f", found) == struct.pack(">f", value)
    digits = len(Decimal(repr(found)).normalize().as_tuple().digits)
    assert digits <= 9
    if digits > 6:
        shorter = float(f"{value:.{digits - 1}g}")
        assert abs(shorter) > 3.4028235e38 or struct.pack(">f", shorter) != struct.pack(">f", value)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(WordOrder))
def test_float64_comes_back_to_the_bit(value: float, order: WordOrder) -> None:
    found = decode(on_the_wire(struct.pack(">d", value), order), Layout(Dtype.FLOAT64, order))
    assert struct.pack(">d", found) == struct.pack(">d", value)


@given(
    st.lists(st.integers(0, 65_535), min_size=0, max_size=5),
    st.sampled_from(Dtype),
    st.sampled_from(WordOrder),
    st.sampled_from(Kind),
    st.sampled_from(["1", "0.1", "0.001", "1e-9", "1e9", "2.5"]),
    st.integers(0, 9),
    st.integers(2, INT64_MAX),
)
def test_any_words_give_a_value_or_a_bad_record(
    words: list[int], dtype: Dtype, order: WordOrder, kind: Kind, scale: str, decimals: int, display: int
) -> None:
    if kind is Kind.STATE and dtype.is_float:
        return
    register = kind is Kind.REGISTER
    layout = Layout(dtype, order, kind, Fraction(scale), decimals if register else None, display if register else None)
    try:
        value = decode(words, layout)
    except BadRecord as error:
        assert error.reason in REASONS  # noqa: PT017 - either outcome is right
        return
    assert math.isfinite(value)
    if kind is not Kind.GAUGE:
        assert isinstance(value, int)
        assert -INT64_MAX - 1 <= value <= INT64_MAX
    if register:
        assert 0 <= value < display


@given(st.sampled_from(FLOATS), st.floats(0, 1e9, width=32), st.integers(0, 9), st.sampled_from(WordOrder))
def test_a_float_register_is_rounded_exactly(dtype: Dtype, value: float, decimals: int, order: WordOrder) -> None:
    raw = struct.pack(">f" if dtype is Dtype.FLOAT32 else ">d", value)
    layout = Layout(dtype, order, Kind.REGISTER, decimals=decimals, range=INT64_MAX)
    # Decimal with room for every digit of a double is exact, and not how decode does it.
    exact = Context(prec=2000)
    expected = exact.scaleb(Decimal(value), decimals).to_integral_value(ROUND_HALF_EVEN, exact)
    assert decode(on_the_wire(raw, order), layout) == int(expected)


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-9, 9))
def test_scaling_is_decimal(raw: int, exponent: int) -> None:
    scale = Decimal(1).scaleb(exponent)
    layout = Layout(Dtype.INT32, scale=Fraction(scale))
    found = decode(on_the_wire(raw.to_bytes(4, "big", signed=True), WordOrder.ABCD), layout)
    assert found == float(Decimal(raw) * scale)


@pytest.mark.parametrize(
    ("words", "layout", "expected"),
    [
        ([2314], Layout(Dtype.UINT16, scale=Fraction("0.1")), 231.4),
        ([2310], Layout(Dtype.UINT16, scale=Fraction("0.1")), 231),
        ([0xFB2E], Layout(Dtype.INT16, scale=Fraction("0.001")), -1.234),
        (on_the_wire(struct.pack(">f", 231.4), WordOrder.CDAB), Layout(Dtype.FLOAT32, WordOrder.CDAB), 231.4),
        (on_the_wire(struct.pack(">f", 0.3), WordOrder.ABCD), Layout(Dtype.FLOAT32, scale=Fraction(1000)), 300),
        ([0x00BC, 0x614E], Layout(Dtype.UINT32, kind=Kind.REGISTER, decimals=2, range=100_000_000), 12_345_678),
        ([0x1234, 0x5678], Layout(Dtype.BCD32, kind=Kind.REGISTER, decimals=2, range=100_000_000), 12_345_678),
        (
            on_the_wire(struct.pack(">d", 123456.785), WordOrder.ABCD),
            Layout(Dtype.FLOAT64, kind=Kind.REGISTER, decimals=2, range=100_000_000),
            12_345_679,  # the double lies above the tie
        ),
        ([3], Layout(Dtype.UINT16, kind=Kind.STATE), 3),
    ],
)
def test_known_values(words: list[int], layout: Layout, expected: float) -> None:
    found = decode(words, layout)
    assert found == expected
    assert repr(float(found)) == repr(float(expected))


@pytest.mark.parametrize(
    ("words", "layout", "reason"),
    [
        ([0x7FC0, 0], Layout(Dtype.FLOAT32), "not_finite"),
        ([0x7F80, 0], Layout(Dtype.FLOAT32, kind=Kind.REGISTER, decimals=2, range=100), "not_finite"),
        ([0x12A4], Layout(Dtype.BCD16), "bcd"),
        ([100], Layout(Dtype.UINT16, kind=Kind.REGISTER, decimals=0, range=100), "register_range"),
        ([0xFFFF], Layout(Dtype.INT16, kind=Kind.REGISTER, decimals=0, range=100), "register_range"),
        ([0xFFFF] * 4, Layout(Dtype.UINT64, kind=Kind.STATE), "value_range"),
        ([0x7FEF, 0xFFFF, 0xFFFF, 0xFFFF], Layout(Dtype.FLOAT64, scale=Fraction(10)), "value_range"),
        ([1], Layout(Dtype.UINT32), "word_count"),
        ([65_536], Layout(Dtype.UINT16), "word_range"),
        ([-1], Layout(Dtype.UINT16), "word_range"),
    ],
)
def test_known_refusals(words: list[int], layout: Layout, reason: str) -> None:
    with pytest.raises(BadRecord) as caught:
        decode(words, layout)
    assert caught.value.reason == reason
