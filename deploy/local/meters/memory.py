"""A meter's memory: the words that a Modbus read returns, and which quantities a read answers whole."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from deploy.local.meters.meter import Value
from deploy.local.meters.settings import Cell, Encoding, Meter, Order, Quantity

_FORMATS = {Encoding.INT16: ">h", Encoding.UINT32: ">I", Encoding.UINT64: ">Q", Encoding.FLOAT32: ">f"}


def encode(value: Value, encoding: Encoding, order: Order) -> bytes:
    """Return ``value`` as it lies in the meter: ``ABCD`` high word and high byte first.

    ``CDAB`` reverses the words, ``BADC`` the bytes within each word, ``DCBA`` both. A power factor (``int16``) is
    given as a fraction and written in thousandths. A single word knows the order of its bytes only.
    """
    number = round(value * 1000) if encoding is Encoding.INT16 else value
    raw = struct.pack(_FORMATS[encoding], number)
    words = [raw[at : at + 2] for at in range(0, len(raw), 2)]
    if order in (Order.CDAB, Order.DCBA):
        words.reverse()
    if order in (Order.BADC, Order.DCBA):
        words = [word[::-1] for word in words]
    return b"".join(words)


def holds(meter: Meter, address: int, count: int) -> bool:
    """True when words ``address … address + count - 1`` all lie between the first and the last cell of the meter."""
    first = min(cell.address for cell in meter.cells)
    end = max(cell.address + cell.encoding.words for cell in meter.cells)
    return first <= address and address + count <= end


def answered(meter: Meter, address: int, count: int) -> list[Cell]:
    """Return the cells that lie whole within the read; a cell that the read cuts answers nothing."""
    return [
        cell
        for cell in meter.cells
        if address <= cell.address and cell.address + cell.encoding.words <= address + count
    ]


def read(meter: Meter, values: Mapping[Quantity, Value], address: int, count: int) -> bytes:
    """Return the words of a read that :func:`holds` allows, two bytes each; words between the cells are 0."""
    first = min(cell.address for cell in meter.cells)
    end = max(cell.address + cell.encoding.words for cell in meter.cells)
    memory = bytearray(2 * (end - first))
    for cell in meter.cells:
        at = 2 * (cell.address - first)
        memory[at : at + 2 * cell.encoding.words] = encode(values[cell.quantity], cell.encoding, meter.order)
    return bytes(memory[2 * (address - first) : 2 * (address - first + count)])
