"""The sink as a process: Kafka is filled first, then it reads to the end; rows per second from first to last commit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from deploy.local.process import Process
from tests.benchmarks import barecopy
from tests.benchmarks.cpu import Meter, costs_us
from tests.benchmarks.prefill import Filling, Load, load
from tests.benchmarks.scale import Scale
from tests.benchmarks.stage import PATIENCE_S, Place, Stage, pid_of, running
from tests.services.waiting import until
from warehouse.postgres import Connection, statement

Say = Callable[[str], None]
Result = dict[str, object]

_SQL = "tests.benchmarks"


@dataclass(frozen=True, slots=True)
class Run:
    """One reading to the end."""

    rows_per_s: float
    commits: int
    cpu: dict[str, float] = field(default_factory=dict)


def sink(stage: Stage, scale: Scale, say: Say) -> Result:
    """200 readings a message."""
    return against_copy(stage, scale, say, points=10)


def sink_20(stage: Stage, scale: Scale, say: Say) -> Result:
    """20 readings a message."""
    return against_copy(stage, scale, say, points=1)


def against_copy(stage: Stage, scale: Scale, say: Say, points: int) -> Result:
    """Measure sink and bare COPY in turn, on the same rows into equally large tables of one server."""
    with stage.place() as place, ExitStack() as ending:
        twins = {name: ending.enter_context(place.twin()) for name in ("sorted", "arrival")}
        work = load(scale.sink_gateways, points, rows=scale.rounds * scale.sink_rows)
        filling = Filling(stage.kafka.bootstrap)
        ending.callback(filling.close)
        admit(place, filling, work)
        each = scale.sink_rows // (scale.sink_gateways * work.readings)
        runs: list[Run] = []
        copies: dict[str, list[float]] = {name: [] for name in twins}
        size = 0
        for number in range(scale.rounds):
            first = number * each + 1
            size = filling.telemetry(work.messages(first, each))
            runs.append(read_to_the_end(place, each * len(work.gateways) * work.readings))
            rows = barecopy.rows_of(place.dsn, first, first + each - 1)
            months = barecopy.months_of(rows)
            # The order changes from round to round, so that neither is always the one that follows the sink.
            for name in sorted(twins, reverse=bool(number % 2)):
                pieces = barecopy.chunks(rows, in_order=name == "sorted")
                stage.checkpoint()
                copies[name].append(len(rows) / barecopy.copy(twins[name], pieces, months))
            say(
                f"round {number + 1}/{scale.rounds}: sink {runs[-1].rows_per_s:,.0f} rows/s, bare COPY "
                + ", ".join(f"{name} {speeds[-1]:,.0f}" for name, speeds in copies.items())
            )
    rate = statistics.median(run.rows_per_s for run in runs)
    cpu = {name: round(statistics.median(run.cpu[name] for run in runs), 3) for name in sorted(runs[0].cpu)}
    medians = {name: statistics.median(speeds) for name, speeds in copies.items()}
    best = max(medians.values())
    return {
        "rows_per_s": round(rate),
        "copy_rows_per_s": round(best),
        "ratio": round(rate / best, 3),
        "copy_variants": {name: round(speed) for name, speed in medians.items()},
        "rounds": [round(run.rows_per_s) for run in runs],
        "copy_rounds": {name: [round(speed) for speed in speeds] for name, speeds in copies.items()},
        "rows_a_round": each * len(work.gateways) * work.readings,
        "message_bytes": size,
        "cpu": cpu,
        "cpu_us_per_row": costs_us(cpu, rate),
    }


def admit(place: Place, filling: Filling, work: Load) -> None:
    """Have the sink store the births, so that they are not measured."""
    filling.births(work.gateways)
    with running(place.sink()) as process, place.database() as connection:
        until(lambda: bool(pid_of(process)) and births_stored(connection) == len(work.gateways), PATIENCE_S)


def births_stored(connection: Connection) -> int:
    """Return how many births the warehouse has."""
    row = connection.execute(statement(_SQL, "births.sql")).fetchone()
    return int(row[0]) if row else 0


def stored(connection: Connection) -> tuple[int, int]:
    """Return the last batch and how many readings were taken in all."""
    row = connection.execute(statement(_SQL, "stored.sql")).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def _until_stored(process: Process, connection: Connection, readings: int) -> None:
    until(lambda: bool(pid_of(process)) and stored(connection)[1] >= readings, PATIENCE_S, every_s=0.1)


def read_to_the_end(place: Place, rows: int) -> Run:
    """Run the sink until it has stored ``rows`` more than before, and return how fast it was."""
    place.stage.checkpoint()
    with place.database() as connection:
        last_batch, before = stored(connection)
        process = place.sink()
        began_s = time.time()
        with running(process):
            _until_stored(process, connection, before + 1)
            with Meter(place.stage.pids() | {"sink": pid_of(process)}) as meter:
                _until_stored(process, connection, before + rows)
        commits = connection.execute(statement(_SQL, "commits.sql"), {"after": last_batch}).fetchall()
    (first_s, first_rows), (last_s, _) = commits[0], commits[-1]
    if len(commits) == 1:  # only where so little is written that the rate means nothing
        first_s, first_rows = began_s, 0
    written = sum(readings for _, readings in commits) - first_rows
    return Run(written / (last_s - first_s), len(commits), meter.shares)
