"""The other side: pymodbus's own server with several units, and raw wires that misbehave."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.contract.settings import parse
from edge_agent.sources.modbus.settings import ModbusConnection

Registers = Mapping[int, int]


def device(unit_id: int, registers: Registers) -> SimDevice:
    """Return a unit that knows exactly these registers and refuses all others."""
    return SimDevice(
        unit_id, [SimData(address, values=value, datatype=DataType.REGISTERS) for address, value in registers.items()]
    )


@asynccontextmanager
async def bus(units: Mapping[int, Registers], port: int = 0) -> AsyncIterator[int]:
    """Serve ``units`` on a port; a unit that is not there is refused with exception 4."""
    devices = [device(unit_id, registers) for unit_id, registers in units.items()]
    server = ModbusTcpServer(devices, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    assert isinstance(server.transport, asyncio.Server)
    try:
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Request:
    """A read request as it came over the wire."""

    transaction: int
    unit_id: int
    function: int
    address: int
    count: int
    connection: int

    def answer(self, *words: int) -> bytes:
        return self.frame(bytes([self.function, 2 * len(words)]) + struct.pack(f">{len(words)}H", *words))

    def refusal(self, code: int) -> bytes:
        return self.frame(bytes([self.function | 0x80, code]))

    def frame(self, pdu: bytes) -> bytes:
        return struct.pack(">HHHB", self.transaction, 0, len(pdu) + 1, self.unit_id) + pdu


class Close:
    """Instead of an answer: the wire closes the connection, after sending ``first``."""

    def __init__(self, first: bytes = b"") -> None:
        self.first = first


Reply = bytes | Close | None
Behaviour = Callable[[Request], Reply | Awaitable[Reply]]


@dataclass(slots=True)
class Wire:
    """A TCP end point whose answers a test decides, and what it was asked."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def wire(behaviour: Behaviour, port: int = 0) -> AsyncIterator[Wire]:
    """Listen on a port and answer each request as ``behaviour`` says; ``None`` says nothing."""
    state = Wire()
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.connections += 1
        connection = state.connections
        writers.add(writer)
        try:
            while True:
                head = await reader.readexactly(12)
                transaction, _, _, unit_id, function, address, count = struct.unpack(">HHHBBHH", head)
                request = Request(transaction, unit_id, function, address, count, connection)
                state.requests.append(request)
                reply = behaviour(request)
                if reply is not None and not isinstance(reply, bytes | Close):
                    reply = await reply
                if reply is not None:
                    writer.write(reply.first if isinstance(reply, Close) else reply)
                if isinstance(reply, Close):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            writers.discard(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


def gauge(quantity: str, address: int, **more: object) -> dict[str, object]:
    return {"quantity": quantity, "unit": "W", "kind": "gauge", "address": address, "dtype": "uint16"} | more


def meter(name: str, unit_id: int, *points: dict[str, object], **more: object) -> dict[str, object]:
    return {"name": name, "unit_id": unit_id, "address_base": 0, "points": list(points), "interval_ms": 1000} | more


def connection(port: int, *devices: dict[str, object], **more: object) -> ModbusConnection:
    raw: dict[str, object] = {
        "name": "line",
        "host": "127.0.0.1",
        "port": port,
        "timeout_s": 0.2,
        "backoff_first_s": 1,
        "devices": list(devices),
    }
    return parse(ModbusConnection, raw | more, "test")
