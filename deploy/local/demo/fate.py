"""What became of the readings: asked of the database, the agents' buffers and the meters' journals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import Connection

from deploy.local.demo.judge import Answered, Recorded, Verdict, judge
from deploy.local.demo.report import Latency, Readings
from deploy.local.demo.stage import Stage
from deploy.local.demo.witnesses import answers_of, records_of, rows_from_database
from edge_agent.contract.errors import Retryable
from edge_agent.outbox.inspection import Numbers, inspect
from warehouse import postgres

MAX_OUTBOX_BYTES = 2 << 30
_HOURS = 72.0


@dataclass(frozen=True, slots=True)
class Tally:
    """How far the readings have come."""

    stored: int
    backfilled: int
    """Of these, those of the past."""
    held: int
    """Readings on the agents' disks, as far as the agents could be asked."""
    silent: int
    """Agents that could not be asked."""


def tally(connection: Connection, stage: Stage, now_ms: int) -> Tally:
    """Count; ``Retryable`` when the database is away."""
    with postgres.translated():
        row = connection.execute(
            postgres.statement(__package__, "stored_count.sql"), {"began": _moment(stage.demo.now_ms)}
        ).fetchone()
    stored, backfilled = row or (0, 0)
    numbers = [_numbers(stage, gateway, now_ms) for gateway in stage.demo.gateways]
    known = [each for each in numbers if each is not None]
    held = sum(each.held_readings + each.pending_readings for each in known)
    return Tally(stored, backfilled, held, len(numbers) - len(known))


def verdict(dsn: str, stage: Stage) -> Verdict:
    """Judge the tables against the meters' journals and load profiles."""
    return judge(_answers(stage), _records(stage), rows_from_database(dsn))


def readings(connection: Connection, stage: Stage, found: Verdict, now_ms: int) -> Readings:
    """Return the fate of the readings for the report."""
    with postgres.translated():
        dead = connection.execute("SELECT count(*) FROM ingest.dead_letter").fetchone()
    return Readings(
        acquired=found.acquired,
        confirmed=sum(_confirmed(connection, stage, gateway, now_ms) for gateway in stage.demo.gateways),
        stored=found.stored,
        duplicate=found.duplicated,
        lost=found.lost,
        dead_letters=0 if dead is None else dead[0],
        mismatched=found.mismatched,
        unexpected=found.unexpected,
        unfollowed=found.unfollowed,
        backfilled=found.backfilled,
    )


def latency(connection: Connection, began_ms: int) -> Latency:
    """Return how long live readings took from the meter to the commit."""
    with postgres.translated():
        row = connection.execute(
            postgres.statement(__package__, "latency.sql"), {"began": _moment(began_ms)}
        ).fetchone()
    p50, p99 = row or (None, None)
    return Latency(p50=p50, p99=p99)


def _confirmed(connection: Connection, stage: Stage, gateway: str, now_ms: int) -> int:
    numbers = inspect(stage.outbox(gateway), MAX_OUTBOX_BYTES, _HOURS, now_ms)
    given = {"gateway": gateway, "epoch": numbers.epoch, "through": numbers.confirmed_through}
    with postgres.translated():
        row = connection.execute(postgres.statement(__package__, "confirmed_count.sql"), given).fetchone()
    return 0 if row is None else int(row[0])


def _numbers(stage: Stage, gateway: str, now_ms: int) -> Numbers | None:
    if not stage.outbox(gateway).is_file():
        return None
    try:
        return inspect(stage.outbox(gateway), MAX_OUTBOX_BYTES, _HOURS, now_ms)
    except Retryable:
        return None


def _answers(stage: Stage) -> Iterator[Answered]:
    for meter in stage.meters:
        yield from answers_of(stage.journal(meter), stage.demo.gateway_of(meter))


def _records(stage: Stage) -> Iterator[Recorded]:
    for meter in stage.meters:
        yield from records_of(stage.load_profile(meter), stage.demo.gateway_of(meter))


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
