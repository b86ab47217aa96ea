"""The meters as a process: Modbus TCP servers that answer from the clock and journal before they answer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass
from itertools import count, groupby
from pathlib import Path
from typing import Final

from deploy.local.meters.curve import read_curve
from deploy.local.meters.journal import JournalFull, JournalWriter
from deploy.local.meters.memory import answered, holds, read
from deploy.local.meters.meter import Display
from deploy.local.meters.modbus import HEADER_BYTES, Header, Read, Refusal, answer, parse_header, parse_read, refuse
from deploy.local.meters.settings import MetersSettings
from edge_agent.contract.errors import BadRecord, Misconfigured

MAX_CONNECTIONS: Final = 16
"""Connections to one port at once; further ones are closed."""

_log = logging.getLogger(__name__)


def utc_ms() -> int:
    """Return the system's clock in UTC milliseconds, rounded down."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Station:
    """A meter on the wire: its display, its journal, and the switch that makes it silent."""

    display: Display
    journal: JournalWriter
    silent: Path
    """While this file exists the meter takes requests and answers none."""

    def respond(self, header: Header, body: bytes, connection: int, now_ms: int) -> bytes | None:
        """Return the answer to a request, already in the journal; ``None`` when the meter is silent.

        ``JournalFull`` when the answer could not be recorded: it must not leave.
        """
        request = parse_read(body)
        silent = self.silent.exists()
        if isinstance(request, Read) and not holds(self.display.meter, request.address, request.count):
            request = Refusal.ILLEGAL_ADDRESS
        if isinstance(request, Refusal):
            return None if silent else refuse(header, body[0], request)
        if silent:
            self.journal.asked(now_ms, connection, request)
            return None
        return self._answer(header, request, connection, now_ms)

    def _answer(self, header: Header, request: Read, connection: int, now_ms: int) -> bytes:
        meter = self.display.meter
        values = {cell.quantity: self.display.value(cell.quantity, now_ms) for cell in meter.cells}
        words = read(meter, values, request.address, request.count)
        covered = [cell.quantity for cell in answered(meter, request.address, request.count)]
        self.journal.answered(now_ms, connection, request, {quantity: values[quantity] for quantity in covered})
        return answer(header, request.function, words)


class Port:
    """One TCP port and the meters behind it, by unit."""

    def __init__(self, stations: dict[int, Station], clock_ms: Callable[[], int], numbers: count[int]) -> None:
        self._stations = stations
        self._clock_ms = clock_ms
        self._numbers = numbers
        self._open: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        if len(self._open) >= MAX_CONNECTIONS:
            _log.warning("connection refused open=%d", len(self._open))
            writer.close()
            return
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        try:
            await self._serve(reader, writer, next(self._numbers))
        except (BadRecord, JournalFull) as error:
            _log.warning("connection closed reason=%s", error)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            _log.debug("connection ended")
        finally:
            writer.close()

    async def stop(self) -> None:
        """End every connection."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        while True:
            header = parse_header(await reader.readexactly(HEADER_BYTES))
            body = await reader.readexactly(header.body_bytes)
            station = self._stations.get(header.unit)
            if station is None:
                response: bytes | None = refuse(header, body[0], Refusal.NO_SUCH_UNIT)
            else:
                response = station.respond(header, body, connection, self._clock_ms())
            if response is not None:
                writer.write(response)
                await writer.drain()


async def serve(
    settings: MetersSettings,
    stop: asyncio.Event,
    *,
    ready: asyncio.Event | None = None,
    clock_ms: Callable[[], int] = utc_ms,
) -> None:
    """Run the meters until ``stop`` is set; ``ready`` is set when all of them listen.

    ``Misconfigured`` when the curve cannot be read, a journal cannot be opened or a port is taken.
    """
    curve = read_curve(settings.curve)
    numbers, life = count(1), time.time_ns()
    settings.journals.mkdir(parents=True, exist_ok=True)
    by_port = sorted(settings.meters, key=lambda meter: meter.port)
    with ExitStack() as journals:
        async with AsyncExitStack() as listening:
            for number, meters in groupby(by_port, key=lambda meter: meter.port):
                stations = {}
                for meter in meters:
                    path = settings.journals / f"{meter.name}.jsonl"
                    writer = JournalWriter(path, meter.name, life, settings.journal_max_bytes)
                    journal = journals.enter_context(writer)
                    stations[meter.unit] = Station(Display(meter, curve), journal, path.with_suffix(".silent"))
                port = Port(stations, clock_ms, numbers)
                server = await _listen(port, settings.host, number)
                listening.push_async_callback(port.stop)
                listening.callback(server.close)
                _log.info(
                    "listening port=%d meters=%s", number, ",".join(s.display.meter.name for s in stations.values())
                )
            if ready is not None:
                ready.set()
            await stop.wait()
            _log.info("stopping")


async def _listen(port: Port, host: str, number: int) -> asyncio.Server:
    try:
        return await asyncio.start_server(port.connected, host, number)
    except OSError as error:
        raise Misconfigured(f"port {number} on {host} cannot be opened (端口无法监听): {error}") from error


def silence(journals: Path, meter: str) -> None:
    """Make ``meter`` take requests without answering, until :func:`speak`; works on a running process."""
    (journals / f"{meter}.silent").touch()


def speak(journals: Path, meter: str) -> None:
    """Let ``meter`` answer again; does nothing when it was not silent."""
    with suppress(FileNotFoundError):
        (journals / f"{meter}.silent").unlink()
