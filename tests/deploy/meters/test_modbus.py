"""Any bytes give an answer, an exception or `BadRecord`; values lie in the words as declared."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from deploy.local.meters.memory import answered, encode, holds, read
from deploy.local.meters.modbus import Header, Read, Refusal, answer, parse_header, parse_read, refuse
from deploy.local.meters.settings import Encoding, Order, Quantity
from edge_agent.contract.errors import BadRecord
from tests.deploy.meters.plant import ORIGIN_MS, display, meter


@given(st.binary(min_size=7, max_size=7))
def test_any_header_is_understood_or_refused(raw: bytes) -> None:
    transaction, protocol, length, unit = struct.unpack(">HHHB", raw)
    try:
        header = parse_header(raw)
    except BadRecord:
        assert protocol != 0 or not 2 <= length <= 254
    else:
        assert header == Header(transaction, unit, length - 1)


@given(st.binary(min_size=1, max_size=253))
def test_any_request_is_a_read_or_an_exception(body: bytes) -> None:
    request = parse_read(body)
    if isinstance(request, Read):
        assert body == struct.pack(">BHH", request.function, request.address, request.count)
        assert request.function in (3, 4)
        assert 1 <= request.count <= 125
    elif body[0] not in (3, 4):
        assert request is Refusal.ILLEGAL_FUNCTION
    else:
        assert request is Refusal.ILLEGAL_VALUE


def test_the_frames_of_the_specification() -> None:
    # Modbus Application Protocol 1.1b3, 6.3: read holding register 108-110 gives 022B 0000 0064; here in TCP framing.
    header = parse_header(bytes.fromhex("00010000000611"))
    assert parse_read(bytes.fromhex("03006B0003")) == Read(3, 107, 3)
    assert answer(header, 3, bytes.fromhex("022B00000064")).hex() == "0001000000091103" + "06022b00000064"
    assert refuse(header, 3, Refusal.ILLEGAL_ADDRESS).hex() == "000100000003118302"


@pytest.mark.parametrize(
    ("order", "expected"),
    [(Order.ABCD, "01020304"), (Order.CDAB, "03040102"), (Order.BADC, "02010403"), (Order.DCBA, "04030201")],
)
def test_the_order_of_bytes(order: Order, expected: str) -> None:
    assert encode(0x01020304, Encoding.UINT32, order).hex() == expected
    swapped = order in (Order.BADC, Order.DCBA)
    assert encode(0.953, Encoding.INT16, order) == (953).to_bytes(2, "little" if swapped else "big")


@given(st.integers(0, (1 << 63) - 1))
def test_a_library_reads_what_is_written(value: int) -> None:
    raw = encode(value, Encoding.UINT64, Order.CDAB)
    words = list(struct.unpack(">4H", raw))
    assert (
        ModbusClientMixin.convert_from_registers(words, ModbusClientMixin.DATATYPE.UINT64, word_order="little") == value
    )


def test_a_read_answers_the_cells_it_covers_whole() -> None:
    one = meter()
    assert [cell.quantity for cell in answered(one, 4096, 7)] == list(Quantity)
    assert [cell.quantity for cell in answered(one, 4097, 3)] == [Quantity.REACTIVE_ENERGY]
    assert holds(one, 4096, 7)
    assert not holds(one, 4096, 8)
    assert not holds(one, 4095, 2)


@given(st.integers(0, 6), st.integers(1, 7))
def test_a_part_of_the_memory_is_a_part_of_the_whole(skip: int, count: int) -> None:
    shown = display()
    values = {quantity: shown.value(quantity, ORIGIN_MS) for quantity in Quantity}
    whole = read(shown.meter, values, 4096, 7)
    count = min(count, 7 - skip)
    assert read(shown.meter, values, 4096 + skip, count) == whole[2 * skip : 2 * (skip + count)]
