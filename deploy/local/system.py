"""The whole system on one machine: three servers, whatever services are added, and one supervisor for all."""

from __future__ import annotations

import fcntl
import logging
import os
import random
import shlex
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple
from urllib.parse import quote

from deploy.local import external, identity, iotcore, keys, missing, runfile
from deploy.local.external import ExternalKafka, ExternalMosquitto, ExternalPostgres
from deploy.local.files import write_atomically
from deploy.local.iotcore import IotCore
from deploy.local.kafka import Kafka, jars
from deploy.local.mosquitto import Mosquitto
from deploy.local.postgres import Postgres
from deploy.local.process import LEFTOVER_S, Spec, pids
from deploy.local.runfile import Entry, Phase, Run
from deploy.local.server import Mqtt, Server
from deploy.local.supervisor import SERVERS, Supervisor
from edge_agent.contract.errors import Misconfigured

log = logging.getLogger(__name__)


class _Servers(NamedTuple):
    mqtt: Mqtt
    kafka: Kafka | ExternalKafka
    database: Postgres | ExternalPostgres


class System:
    """Brings up broker, log and database in ``folder`` when it is entered, and ends all when it is left.

    ``G60_MQTT``, ``G60_KAFKA`` and ``G60_DATABASE`` in ``environment`` name servers to use instead of ours. Entering
    installs what the machine lacks where that is allowed (:mod:`deploy.local.missing`), ends what a killed
    supervisor left behind in ``folder``, and raises ``Misconfigured`` when another one works there.
    ``services`` are asked for once the servers answer; they run when this is entered. More can be added to
    ``supervisor`` at any time. ``run.json`` in ``folder`` follows every change.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        services: Callable[[System], Iterable[Spec]] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.environment = os.environ if environment is None else environment
        self.supervisor = Supervisor(self.folder, self._tell)
        self._services = services or (lambda _: ())
        self._phase = Phase.STARTING
        self._error = ""
        self._versions: dict[str, str] = {}
        self._telling = threading.Lock()
        self._ending = ExitStack()
        self._chosen: _Servers | None = None

    @property
    def mqtt(self) -> Mqtt:
        """The MQTT broker: ``host``, ``port``, ``bridge_user``, ``bridge_password``, ``add_users``."""
        return self._entered.mqtt

    @property
    def kafka(self) -> Kafka | ExternalKafka:
        """The log: ``bootstrap``."""
        return self._entered.kafka

    @property
    def database(self) -> Postgres | ExternalPostgres:
        """The database: ``dsn``."""
        return self._entered.database

    @property
    def servers(self) -> tuple[Server, ...]:
        """All three."""
        return self._entered

    def versions(self) -> dict[str, str]:
        """Return each server's version as the running server says it."""
        return {server.name: server.version() for server in self.servers}

    def __enter__(self) -> System:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as unwinding:
            unwinding.enter_context(_locked(self.folder))
            runfile.claim(self.folder, os.getpid())
            # The lock goes last: whoever gets it next finds the last word of this life.
            unwinding.callback(self._finish)
            unwinding.enter_context(self.supervisor)
            self._phase, self._error = Phase.STARTING, ""
            try:
                self._up()
            except Exception as error:
                self._phase, self._error = Phase.FAILED, str(error) or repr(error)
                raise
            self._ending = unwinding.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._ending:
            self._phase = Phase.STOPPING
            self._tell()

    def _up(self) -> None:
        self._tell()
        end_leftovers(self.folder)
        self._chosen = self._choose()
        self._start_servers()
        self._versions = self.versions()
        exports = {
            external.MQTT: f"mqtt://{quote(self.mqtt.bridge_user)}:{quote(self.mqtt.bridge_password)}"
            f"@{self.mqtt.host}:{self.mqtt.port}",
            external.KAFKA: self.kafka.bootstrap,
            external.DATABASE: self.database.dsn,
        }
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in exports.items()]
        write_atomically(environment_path(self.folder), "".join(lines))
        for service in self._services(self):
            self.supervisor.start(service)
        self._phase = Phase.RUNNING
        self._tell()

    @property
    def _entered(self) -> _Servers:
        if self._chosen is None:
            raise Misconfigured("the servers of a system are known inside `with System(...)` only")
        return self._chosen

    def _choose(self) -> _Servers:
        """Build the servers: those of the environment, and ours for the rest, once the machine has their programs."""
        mqtt, kafka, database = (
            self.environment.get(name) for name in (external.MQTT, external.KAFKA, external.DATABASE)
        )
        broker = None if mqtt else broker_class()
        programs = [missing.MOSQUITTO] if broker is Mosquitto else []
        if not kafka:
            programs += [missing.JAVA] if jars.folder().is_dir() else [missing.JAVA, missing.MAVEN]
        missing.provide(programs)
        if not kafka:
            # Here and not when it starts: the first time it takes long, and this thread can be interrupted.
            jars.provide()
        own = keys.provide(self.folder, random.SystemRandom())
        return _Servers(
            broker(
                self.folder,
                port=own.mqtt_port,
                bridge_password=own.bridge_password,
                operator_password=own.operator_password,
            )
            if broker
            else ExternalMosquitto(mqtt or ""),
            ExternalKafka(kafka)
            if kafka
            else Kafka(self.folder, port=own.kafka_port, controller_port=own.kafka_controller_port),
            ExternalPostgres(database)
            if database
            else Postgres(self.folder, port=own.postgres_port, password=own.postgres_password),
        )

    def _start_servers(self) -> None:
        with ThreadPoolExecutor(len(self.servers), thread_name_prefix="start") as pool:
            starts = [pool.submit(self.supervisor.start, server, SERVERS) for server in self.servers]
            try:
                wait(starts, return_when=FIRST_EXCEPTION)
                for start in starts:
                    if start.done():
                        start.result()
            finally:
                if not all(start.done() for start in starts):
                    # One failed, or we are told to end: the others' starts end at once with this.
                    self.supervisor.stop_all()

    def _finish(self) -> None:
        if self._phase is not Phase.FAILED:
            self._phase = Phase.STOPPED
        self._tell()

    def _tell(self) -> None:
        with self._telling:
            runfile.write(self.folder, self._run())

    def _run(self) -> Run:
        addresses = {server.name: server.address for server in self._chosen or ()}
        return Run(
            phase=self._phase,
            pid=os.getpid(),
            error=self._error,
            entries=tuple(
                Entry(
                    name=standing.name,
                    address=addresses.get(standing.name, ""),
                    state=standing.state,
                    pid=standing.pid,
                    restarts=standing.restarts,
                    log=None if standing.log is None else str(standing.log),
                    version=self._versions.get(standing.name, ""),
                    trouble=standing.trouble,
                    note=iotcore.LACKS if standing.name == IotCore.name else "",
                )
                for standing in self.supervisor.standings()
            ),
        )


def end_leftovers(folder: Path) -> tuple[str, ...]:
    """End the processes that a killed supervisor left behind in ``folder``, and return their names."""
    return tuple(
        pid_file.stem for pid_file in sorted(pids(folder).glob("*.json")) if identity.end_saved(pid_file, LEFTOVER_S)
    )


def environment_path(folder: Path) -> Path:
    """Return the shell file (``. FILE``) that points other programs to the servers; it holds passwords, mode 0600."""
    return folder / "env"


def broker_class() -> type[Mosquitto | IotCore]:
    """Return Mosquitto, unless it can neither be found nor installed here and the stand-in is there: then that."""
    if missing.lacking([missing.MOSQUITTO]) and not missing.may_install() and iotcore.installed():
        log.warning("%s", iotcore.LACKS)
        return IotCore
    return Mosquitto


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            run = runfile.read(folder)
            by = f" by process {run.pid}" if run else ""
            raise Misconfigured(
                f"{folder} is in use{by}; end it with (该目录正在使用,可用以下命令停止): g60 down --folder {folder}"
            ) from error
        yield
