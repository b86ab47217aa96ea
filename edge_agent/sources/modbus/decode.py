"""From 16-bit words to a value: pure, and total: any words give a value or ``BadRecord``."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from edge_agent.contract.birth import INT64_MAX, Kind
from edge_agent.contract.errors import BadRecord

_FLOATS: Final = {2: struct.Struct(">f"), 4: struct.Struct(">d")}
_WORDS: Final = {
    swapped: {count: struct.Struct(f"{'<' if swapped else '>'}{count}H") for count in (1, 2, 4)}
    for swapped in (False, True)
}


class Dtype(StrEnum):
    """How a number lies in the words."""

    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"
    """Four decimal digits, one to each nibble."""
    BCD32 = "bcd32"
    """Eight decimal digits, one to each nibble."""

    @property
    def words(self) -> int:
        """Number of registers that the type takes."""
        return int(self.value[-2:]) // 16

    @property
    def is_float(self) -> bool:
        """True for IEEE 754."""
        return self.value.startswith("float")

    @property
    def signed(self) -> bool:
        """True for two's complement."""
        return self.value.startswith("int")

    @property
    def is_bcd(self) -> bool:
        """True for binary coded decimals."""
        return self.value.startswith("bcd")

    @property
    def capacity(self) -> int | None:
        """Number of distinct values from 0 up, for integers and BCD; ``None`` for floats."""
        if self.is_float:
            return None
        if self.is_bcd:
            return int(10 ** (4 * self.words))
        return 1 << (16 * self.words - self.signed)


class WordOrder(StrEnum):
    """Order of the bytes of a 32-bit number on the wire, A the most significant.

    64-bit numbers follow the same two rules: are the words reversed, are the bytes within a word swapped. 16-bit
    numbers know the second rule only.
    """

    ABCD = "ABCD"
    """Big-endian throughout (64 bit: ABCDEFGH); what the Modbus specification says."""
    CDAB = "CDAB"
    """Words reversed (64 bit: GHEFCDAB)."""
    BADC = "BADC"
    """Bytes within a word swapped (64 bit: BADCFEHG)."""
    DCBA = "DCBA"
    """Little-endian throughout (64 bit: HGFEDCBA)."""

    @property
    def words_reversed(self) -> bool:
        """True when the least significant word comes first."""
        return self in (WordOrder.CDAB, WordOrder.DCBA)

    @property
    def bytes_swapped(self) -> bool:
        """True when the less significant byte of a word comes first."""
        return self in (WordOrder.BADC, WordOrder.DCBA)


@dataclass(frozen=True, slots=True)
class Layout:
    """All that turns the words of one point into its value.

    ``decimals`` and ``range`` stand for registers and only for them; ``scale`` applies to gauges only.
    """

    dtype: Dtype
    order: WordOrder = WordOrder.ABCD
    kind: Kind = Kind.GAUGE
    scale: Fraction = Fraction(1)
    decimals: int | None = None
    range: int | None = None


def decode(words: Sequence[int], layout: Layout) -> int | float:
    """Return the value that ``words`` hold, or raise ``BadRecord``.

    A register gives the integer of its least digits: an integer type as it stands, a float rounded to ``decimals``
    (exactly, half to even). A gauge gives the decimal number nearest to raw × scale, free of binary noise: 2314 × 0.1
    is 231.4, and a float32 of 231.4 is 231.4, not 231.399994. A state gives an integer.

    Reasons: ``word_count``, ``word_range``, ``bcd`` (a nibble above 9), ``not_finite``, ``register_range``,
    ``value_range`` (does not fit 64 bits).
    """
    if len(words) != layout.dtype.words:
        raise BadRecord("word_count", f"{len(words)} words, {layout.dtype} has {layout.dtype.words}")
    raw = bytes_of(words, layout.order)
    if layout.dtype.is_float:
        number = _FLOATS[layout.dtype.words].unpack(raw)[0]
        if not math.isfinite(number):
            raise BadRecord("not_finite", f"the device holds {number}")
        return (
            _register(_least_digits(number, layout), layout) if layout.kind is Kind.REGISTER else _real(number, layout)
        )
    whole = _bcd(raw) if layout.dtype.is_bcd else int.from_bytes(raw, "big", signed=layout.dtype.signed)
    if layout.kind is Kind.REGISTER:
        return _register(whole, layout)
    if layout.kind is Kind.STATE:
        if whole > INT64_MAX:
            raise BadRecord("value_range", f"{whole} does not fit 64 bits")
        return whole
    return _scaled(whole, 1, layout.scale)


def bytes_of(words: Sequence[int], order: WordOrder) -> bytes:
    """Return the bytes of a number of 1, 2 or 4 ``words``, the most significant first."""
    ordered = words[::-1] if order.words_reversed else words
    try:
        return _WORDS[order.bytes_swapped][len(words)].pack(*ordered)
    except struct.error as error:
        raise BadRecord("word_range", f"{list(words)}: {error}") from error


def _bcd(raw: bytes) -> int:
    text = raw.hex()
    if not text.isdecimal():
        raise BadRecord("bcd", f"0x{text} is not binary coded decimal")
    return int(text)


def _register(least: int, layout: Layout) -> int:
    if layout.range is None or not 0 <= least < layout.range:
        raise BadRecord("register_range", f"{least} is outside 0 … {(layout.range or 0) - 1}")
    return least


def _least_digits(number: float, layout: Layout) -> int:
    numerator, denominator = number.as_integer_ratio()
    ten_to_decimals = int(10 ** (layout.decimals or 0))
    whole, rest = divmod(numerator * ten_to_decimals, denominator)
    above_half = 2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1)
    return whole + above_half


def _real(number: float, layout: Layout) -> int | float:
    text = _shortest32(number) if layout.dtype is Dtype.FLOAT32 else repr(number)
    if layout.scale == 1:
        return float(text)
    return _scaled(*Fraction(text).as_integer_ratio(), layout.scale)


def _shortest32(number: float) -> str:
    """Return the shortest decimal that is the same float32; nine digits always are."""
    pack = _FLOATS[2]
    for digits in (6, 7, 8):
        text = f"{number:.{digits}g}"
        if pack.unpack(pack.pack(float(text)))[0] == number:
            return text
    return f"{number:.9g}"


def _scaled(numerator: int, denominator: int, scale: Fraction) -> int | float:
    """Return numerator / denominator × scale: an int where it is one of 64 bits, else the nearest float."""
    top = numerator * scale.numerator
    bottom = denominator * scale.denominator
    if bottom == 1 and -INT64_MAX - 1 <= top <= INT64_MAX:
        return top
    try:
        return top / bottom  # division of ints rounds once, correctly
    except OverflowError as error:
        raise BadRecord("value_range", "beyond the largest float") from error
