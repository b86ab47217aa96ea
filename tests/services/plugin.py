"""Fixtures that give a test a real broker or database.

``mosquitto``, ``kafka``, ``postgres``: one server for the whole run; a test keeps to topics and databases of its own
(``database`` is an empty one). A test that stops, kills or fills a server takes ``own_mosquitto``, ``own_kafka`` or
``own_postgres``: factories whose servers end with the test. ``G60_KAFKA`` and ``G60_DATABASE`` name servers to use
instead of the shared ones; Mosquitto is always ours, because tests make users in it. What the machine lacks is
installed where that is allowed; where it is not, the test fails and names the command. Nothing is skipped but what only
a native TimescaleDB can show, unless ``G60_TIMESCALE`` names one, which then replaces the one in WebAssembly, too.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import psycopg
import pytest
from psycopg import sql

from deploy.local import external, ports
from deploy.local.external import ExternalKafka, ExternalPostgres
from deploy.local.kafka import Kafka
from deploy.local.mosquitto import Mosquitto
from deploy.local.postgres import Postgres
from deploy.local.server import LocalServer
from tests.services import home, machine
from tests.services.timescale import NATIVE, Timescale

S = TypeVar("S", bound=LocalServer)
_DICE = random.SystemRandom()
_HURRY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""A test run's shared database survives kill -9 of its processes, not a power cut of the machine."""


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python 3.0.12 reads its schemas with importlib.resources.read_text, which Python 3.11 and 3.12 deprecate
    # (3.13 took it back); it does so wherever one of its modules is imported first.
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")
    _take_own_ports(os.environ.get("PYTEST_XDIST_WORKER"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def _take_own_ports(worker: str | None, workers: int) -> None:
    """Keep workers that run at the same time from choosing the same port: each has a part of the range."""
    if worker is None or ports.RANGE_VARIABLE in os.environ:
        return
    lowest, highest = ports.span()
    part = (highest - lowest) // workers
    first = lowest + part * int(worker.removeprefix("gw"))
    os.environ[ports.RANGE_VARIABLE] = f"{first}-{first + part}"


def pytest_report_header() -> list[str]:
    found = [f"{name} {version or 'MISSING'}" for name, version in machine.programs().items()]
    return [f"servers: {', '.join(found)}"]


class MakeMosquitto(Protocol):
    def __call__(self, folder: Path | None = None) -> Mosquitto: ...


class MakeKafka(Protocol):
    def __call__(self, folder: Path | None = None, settings: Mapping[str, str] | None = None) -> Kafka: ...


class MakePostgres(Protocol):
    def __call__(self, folder: Path | None = None, settings: Mapping[str, str] | None = None) -> Postgres: ...


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """The folder of the run's servers; ends the servers of runs that were killed."""
    home.sweep()
    folder = home.make()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mosquitto(servers_folder: Path) -> Iterator[Mosquitto]:
    """A running Mosquitto, shared: ``host``, ``port``, ``add_user``, ``bridge_user``, ``bridge_password``."""
    server = make_mosquitto(servers_folder)
    machine.provide(server)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kafka(servers_folder: Path) -> Iterator[Kafka | ExternalKafka]:
    """A running Kafka, shared: ``bootstrap``."""
    given = os.environ.get(external.KAFKA)
    server = ExternalKafka(given) if given else make_kafka(servers_folder)
    machine.provide(server)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres(servers_folder: Path) -> Iterator[Postgres | ExternalPostgres]:
    """A running PostgreSQL, shared: ``dsn`` of its superuser. It does not fsync: measure on ``own_postgres``."""
    given = os.environ.get(external.DATABASE)
    server = ExternalPostgres(given) if given else make_postgres(servers_folder, _HURRY)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database(postgres: Postgres | ExternalPostgres) -> Iterator[str]:
    """The DSN of an empty database that is dropped after the test."""
    with fresh_database(postgres) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def timescale(servers_folder: Path) -> Iterator[Timescale]:
    """A running TimescaleDB with one backend (see there), shared by the tests of a worker."""
    (port,) = free_ports(1)
    server = Timescale(servers_folder, port=port)
    machine.provide(server)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def timescale_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of an empty TimescaleDB: on the server that ``G60_TIMESCALE`` names, else in WebAssembly."""
    given = os.environ.get(NATIVE)
    if given is not None:
        with fresh_database(ExternalPostgres(given)) as dsn:
            yield dsn
        return
    server: Timescale = request.getfixturevalue("timescale")
    server.empty()
    yield server.dsn


@pytest.fixture
def native_timescale() -> Iterator[str]:
    """The DSN of an empty TimescaleDB on a native server; the test is skipped where none is named."""
    given = os.environ.get(NATIVE)
    if given is None:
        pytest.skip(f"{NATIVE} names no native TimescaleDB, and the build in WebAssembly cannot show this")
    with fresh_database(ExternalPostgres(given)) as dsn:
        yield dsn


@pytest.fixture
def own_mosquitto(servers_folder: Path) -> Iterator[MakeMosquitto]:
    """Make running Mosquittos of the test's own; a second one in the same folder takes over the first one's data."""
    with ExitStack() as ending:

        def make(folder: Path | None = None) -> Mosquitto:
            return _started(make_mosquitto(folder or _room(servers_folder)), ending)

        yield make


@pytest.fixture
def own_kafka(servers_folder: Path) -> Iterator[MakeKafka]:
    """Make running Kafkas of the test's own."""
    with ExitStack() as ending:

        def make(folder: Path | None = None, settings: Mapping[str, str] | None = None) -> Kafka:
            return _started(make_kafka(folder or _room(servers_folder), settings), ending)

        yield make


@pytest.fixture
def own_postgres(servers_folder: Path) -> Iterator[MakePostgres]:
    """Make running PostgreSQLs of the test's own, as durable as in production."""
    with ExitStack() as ending:

        def make(folder: Path | None = None, settings: Mapping[str, str] | None = None) -> Postgres:
            return _started(make_postgres(folder or _room(servers_folder), settings), ending)

        yield make


def free_ports(count: int) -> list[int]:
    """Return ports for servers of a test: free, and below those of outgoing connections."""
    return ports.choose(_DICE, count)


def make_mosquitto(folder: Path) -> Mosquitto:
    (port,) = free_ports(1)
    return Mosquitto(
        folder, port=port, bridge_password=secrets.token_urlsafe(), operator_password=secrets.token_urlsafe()
    )


def make_kafka(folder: Path, settings: Mapping[str, str] | None = None) -> Kafka:
    port, controller_port = free_ports(2)
    return Kafka(folder, port=port, controller_port=controller_port, settings=settings)


def make_postgres(folder: Path, settings: Mapping[str, str] | None = None) -> Postgres:
    (port,) = free_ports(1)
    return Postgres(folder, port=port, password=secrets.token_urlsafe(), settings=settings)


@contextmanager
def fresh_database(postgres: Postgres | ExternalPostgres, template: str = "template0") -> Iterator[str]:
    """Give a new database, a copy of ``template``, and drop it afterwards, whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres.dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield postgres.dsn_of(name)
    finally:
        with psycopg.connect(postgres.dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _room(servers_folder: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix="own-", dir=servers_folder))


def _started(server: S, ending: ExitStack) -> S:
    machine.provide(server)
    ending.callback(server.stop)
    server.start()
    return server
