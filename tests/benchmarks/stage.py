"""Where the benchmarks play: servers of their own, fresh topics and databases, and services as real processes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kafka import KafkaAdminClient

from deploy.local.external import ExternalPostgres
from deploy.local.files import write_atomically
from deploy.local.kafka import Kafka
from deploy.local.mosquitto import Mosquitto
from deploy.local.postgres import Postgres
from deploy.local.process import Process, Spec
from deploy.local.toml_text import dumps
from stream.clients import ensure_topics
from stream.topics import TOPICS
from tests.services import home, machine
from tests.services.plugin import fresh_database, make_kafka, make_mosquitto, make_postgres
from warehouse import postgres
from warehouse.migrate import Flavour, migrate, status
from warehouse.postgres import Connection

PATIENCE_S: Final = 300.0
"""How long anything may take before a benchmark gives up."""


@dataclass(frozen=True, slots=True)
class Place:
    """One benchmark's own topics and database."""

    stage: Stage
    dsn: str
    folder: Path

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """Give a connection to the warehouse."""
        with postgres.connect(self.dsn, application="g60 bench") as connection:
            yield connection

    @contextmanager
    def twin(self) -> Iterator[str]:
        """Give another database of the same server with the same tables."""
        with self.stage.database() as dsn:
            yield dsn

    def sink(self) -> Process:
        """Return the sink, not started."""
        settings = {
            "name": "sink",
            "kafka": {"bootstrap": self.stage.kafka.bootstrap, "instance": "sink"},
            "database": {"dsn": self.dsn},
        }
        return self._service("sink", settings, "warehouse", "sink")

    def bridge(self, mosquitto: Mosquitto) -> Process:
        """Return the bridge between ``mosquitto`` and Kafka, not started."""
        settings = {
            "mqtt": {
                "host": mosquitto.host,
                "port": mosquitto.port,
                "user": mosquitto.bridge_user,
                "password": mosquitto.bridge_password,
            },
            "kafka": {"bootstrap": self.stage.kafka.bootstrap},
        }
        return self._service("bridge", settings, "stream", "bridge")

    @contextmanager
    def mosquitto(self) -> Iterator[Mosquitto]:
        """Give a running broker without users, sessions or retained messages."""
        server = make_mosquitto(self.folder)
        machine.provide(server)
        server.start()
        try:
            yield server
        finally:
            server.stop()

    def _service(self, name: str, settings: Mapping[str, object], *command: str) -> Process:
        path = self.folder / f"{name}.toml"
        write_atomically(path, dumps(settings))
        return Process(Spec(name, (sys.executable, "-m", "deploy.cli", *command, "--config", str(path))), self.folder)


class Stage:
    """Kafka and a database server while it is entered; with ``dsn`` that server instead of one of ours."""

    def __init__(self, dsn: str | None = None) -> None:
        self._ending = ExitStack()
        self._places = 0
        home.sweep()
        self.folder = home.make()
        self.kafka: Kafka = make_kafka(self.folder)
        self.server: Postgres | ExternalPostgres = make_postgres(self.folder) if dsn is None else ExternalPostgres(dsn)

    def __enter__(self) -> Self:
        with ExitStack() as unwinding:
            unwinding.callback(shutil.rmtree, self.folder, ignore_errors=True)
            for server in (self.kafka, self.server):
                machine.provide(server)
                unwinding.callback(server.stop)
                server.start()
            self._ending = unwinding.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Give empty topics and an empty warehouse."""
        self._empty_topics()
        self._places += 1
        folder = self.folder / f"place-{self._places}"
        folder.mkdir()
        with self.database() as dsn:
            yield Place(self, dsn, folder)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give a database with this version's tables, dropped afterwards."""
        with fresh_database(self.server) as dsn:
            with postgres.connect(dsn, application="g60 bench") as connection:
                migrate(connection)
            yield dsn

    def flavour(self) -> Flavour:
        """Return what keeps the readings here."""
        with postgres.connect(self.server.dsn, application="g60 bench") as connection:
            return status(connection).flavour

    def checkpoint(self) -> None:
        """Have the server write everything down, so that whatever is measured next begins equally."""
        with postgres.connect(self.server.dsn, application="g60 bench") as connection:
            connection.execute("checkpoint")

    def pids(self) -> dict[str, int]:
        """Return the servers that are processes of ours."""
        found = {"kafka": self.kafka.pid, "postgres": self.server.pid}
        return {name: pid for name, pid in found.items() if pid is not None}

    def _empty_topics(self) -> None:
        names = [topic.name for topic in TOPICS]
        admin = KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        try:
            there = set(admin.list_topics())
            if there & set(names):
                admin.delete_topics([name for name in names if name in there])
        finally:
            admin.close()
        ensure_topics(self.kafka.bootstrap)


@contextmanager
def running(process: Process) -> Iterator[Process]:
    """Run a service for a while."""
    process.start()
    try:
        yield process
    finally:
        process.stop()


def pid_of(process: Process) -> int:
    """Return the pid of a service that runs; it may not have ended."""
    pid = process.pid
    if pid is None:
        raise RuntimeError(f"{process.name} has ended. {process.last_words()}")
    return pid
