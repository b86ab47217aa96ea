"""The jobs run round after round, wait for a database that is away, and stop when told to, whatever they are doing."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import load, parse
from tests.services.plugin import MakePostgres
from tests.warehouse.sink.feed import T0, Log, birth, eventually, sink, telemetry, write
from warehouse.jobs.run import run_until
from warehouse.jobs.settings import JobName, JobsSettings
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import Connection, connect
from warehouse.settings import DatabaseSettings

OF = birth()
WITHIN_S = 60.0
SAMPLE = Path(__file__).parents[3] / "warehouse/jobs/sample.toml"


def settings(dsn: str) -> JobsSettings:
    return JobsSettings(database=DatabaseSettings(dsn=dsn), every_s=0.1)


@contextmanager
def running(dsn: str) -> Iterator[threading.Thread]:
    stop = threading.Event()
    thread = threading.Thread(target=run_until, args=(stop, settings(dsn)))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(WITHIN_S)
    assert not thread.is_alive()


def holes(connection: Connection) -> int:
    return len(connection.execute("select from ingest.hole where state = 'open'").fetchall())


def until_all_are_done(lines: Iterable[str]) -> Iterator[str]:
    """Give lines of the log up to the one by which every job has been run."""
    left = set(JobName)
    for line in lines:
        yield line
        left -= {name for name in left if f"event=done job={name} " in line}
        if not left:
            return


def test_the_service_keeps_all_tables_up_to_date_and_stops_cleanly(
    warehouse: str, connection: Connection, tmp_path: Path
) -> None:
    config = tmp_path / "jobs.toml"
    config.write_text(f'every_s = 0.1\n[database]\ndsn = "{warehouse}"\n', "utf-8")
    command = [sys.executable, "-c", "from warehouse.cli import cli; cli()", "jobs", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            log = Log()
            with sink(warehouse) as store:
                messages = [telemetry(OF, seq, {"p": [(T0 + seq, 1)]}) for seq in (1, 3)]
                write(store, log.birth(OF), *map(log.message, messages))
            eventually(lambda: holes(connection) == 1, WITHIN_S)
            received = "select sum(received) from ingest.completeness"
            eventually(lambda: connection.execute(received.encode()).fetchall() == [(2,)], WITHIN_S)
            closed = "select closed_through > '-infinity' from ingest.watermark"
            eventually(lambda: connection.execute(closed.encode()).fetchall() == [(True,)], WITHIN_S)
            lines = list(until_all_are_done(process.stderr))
            process.send_signal(signal.SIGTERM)
            lines += process.stderr
            process.wait(WITHIN_S)
        finally:
            process.kill()
    assert process.returncode == 0
    assert f"event=started jobs={','.join(JobName)}" in lines[0]
    assert "event=stopped" in lines[-1]


def test_a_database_that_restarts_is_waited_for(own_postgres: MakePostgres, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server = own_postgres()
    with connect(server.dsn, application="test") as connection:
        migrate(connection, Flavour.PLAIN)

    def rounds() -> int:
        return sum("event=done job=completeness" in record.getMessage() for record in caplog.records)

    with running(server.dsn):
        eventually(lambda: rounds() > 0, WITHIN_S)
        server.stop()
        eventually(lambda: any("event=waiting" in record.getMessage() for record in caplog.records), WITHIN_S)
        before = rounds()
        server.start()
        eventually(lambda: rounds() > before, WITHIN_S)


def test_a_statement_that_waits_does_not_hold_up_the_end(warehouse: str, connection: Connection) -> None:
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with connect(warehouse, application="blocker") as blocker, blocker.transaction():
        blocker.execute("lock table ingest.hole in access exclusive mode")
        with running(warehouse):
            eventually(lambda: connection.execute(waiting.encode()).fetchall() == [(1,)], WITHIN_S)


def test_a_database_without_its_migrations_ends_it_with_words(database: str) -> None:
    with pytest.raises(Misconfigured, match="g60 warehouse migrate"):
        run_until(threading.Event(), settings(database))


def test_no_package_of_the_stream_is_needed() -> None:
    code = (
        "import sys, warehouse.cli, warehouse.jobs.run, warehouse.ledger.listing;"
        "print(*sorted({'kafka', 'stream', 'numpy', 'orjson', 'warehouse.sink'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == []


def test_the_sample_loads_and_a_job_runs_once_a_round() -> None:
    sample = load(JobsSettings, [SAMPLE])
    assert (sample.jobs, sample.every_s) == (tuple(JobName), 60)
    with pytest.raises(Misconfigured, match="a job stands twice"):
        parse(JobsSettings, {"database": {"dsn": ""}, "jobs": ["holes", "holes"]}, "jobs.toml")
