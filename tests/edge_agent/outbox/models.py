"""Births, polls and small outboxes for the tests of the outbox and of the publisher."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.contract.birth import Birth, Kind, SeriesSpec
from edge_agent.contract.telemetry import parse_batch
from edge_agent.outbox.batches import Bounds, unpack
from edge_agent.outbox.database import Database
from edge_agent.outbox.intake import Compression, Intake
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.outflow import Outflow
from edge_agent.sources import Bookmark, Poll, Reading

NOW_MS = 1_764_000_000_000
MANY_BYTES = 64 << 20
BOUNDS = Bounds(readings=1_000, payload_bytes=16 << 10)


def birth(version: int = 0, gateway: str = "gw-1") -> Birth:
    """A birth of one gauge and one register; another ``version`` has another digest."""
    gauge = SeriesSpec(
        device="m1", quantity="power", unit="kW", kind=Kind.GAUGE, interval_ms=1000 + version, rated_max=500.0
    )
    register = SeriesSpec(
        device="m1", quantity="energy", unit="kWh", kind=Kind.REGISTER, interval_ms=1000, decimals=2, range=10**8
    )
    return Birth(gateway=gateway, series={"m1.power": gauge, "m1.energy": register})


def gauges(first_t: int, number: int) -> Poll:
    return Poll("m1", tuple(Reading("m1.power", first_t + i, i * 0.1) for i in range(number)))


def registers(first_t: int, number: int) -> Poll:
    return Poll("m1", tuple(Reading("m1.energy", first_t + i, i) for i in range(number)))


def marked(poll: Poll, value: str) -> Poll:
    return Poll(poll.device, poll.readings, Bookmark("place", value))


@contextmanager
def opened(
    path: Path, max_bytes: int = MANY_BYTES, bounds: Bounds = BOUNDS, compression: Compression = Compression.NONE
) -> Iterator[tuple[Outbox, Intake, Outflow]]:
    """An outbox with both its sides, in one thread."""
    with (
        Outbox(path, max_bytes, now_ms=lambda: NOW_MS, random_bits=lambda _: 7) as outbox,
        outbox.intake(bounds, compression) as intake,
        outbox.outflow() as outflow,
    ):
        yield outbox, intake, outflow


def everything(path: Path) -> dict[int, bytes]:
    """The payloads held, by number."""
    with Database(path, readonly=True) as database:
        statement = "SELECT seq, body FROM main.payload JOIN main.message USING (payload_id)"
        return dict(database._connection.execute(statement).fetchall())


def pending_times(path: Path) -> list[int]:
    """The times of the readings that no message carries yet."""
    with Database(path, readonly=True) as database:
        return [entry[1] for _, _, _, body, _ in database.rows("pending") for entry in unpack(body)]


def inherited_times(path: Path) -> list[int]:
    """The times of the readings that wait to be numbered anew."""
    with Database(path, readonly=True) as database:
        found = [parse_batch(row[5]) for row in database.rows("inherited")]
    return [t for batch in found for points in batch.series.values() for t in points.t]
