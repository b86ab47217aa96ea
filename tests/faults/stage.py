"""The whole system with a proxy in every link, and the meters and agents that keep it busy."""

from __future__ import annotations

import random
import secrets
import sys
import time
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.local import external, ports
from deploy.local.demo.agents import Surroundings
from deploy.local.demo.stage import METERS, Stage, agent_name
from deploy.local.files import write_atomically
from deploy.local.kafka import Kafka
from deploy.local.process import Spec
from deploy.local.services import services
from deploy.local.supervisor import SERVERS, State, Supervisor
from deploy.local.system import System
from deploy.local.toml_text import dumps
from tests.faults.disk import Disk, mounted
from tests.faults.load import agent_text, busy, write_registry
from tests.faults.tap import MqttTap
from tests.services import machine
from tests.services.proxy import Proxy

ROOT: Final = Path(__file__).parents[2]
CONFIRM_EVERY_S: Final = 1.0
UP_WITHIN_S: Final = 150.0
BATCH_S: Final = 0.1
P = TypeVar("P", bound=Proxy)


@dataclass(frozen=True, slots=True)
class Wires:
    """A proxy in each link; whoever connects is named first."""

    agent_mqtt: MqttTap
    bridge_mqtt: MqttTap
    bridge_kafka: Proxy
    sink_kafka: Proxy
    sink_postgres: Proxy

    def of(self, link: str) -> Proxy:
        """Return the proxy of the link."""
        found: Proxy = getattr(self, link)
        return found

    @property
    def after(self) -> Mapping[str, Proxy]:
        """The link by which each process hands on, or by which work comes to it in the database's case."""
        return {
            "agent": self.agent_mqtt,
            "mosquitto": self.bridge_mqtt,
            "bridge": self.bridge_kafka,
            "kafka": self.sink_kafka,
            "sink": self.sink_postgres,
            "postgres": self.sink_postgres,
        }


class Theatre:
    """Genuine Mosquitto, Kafka, PostgreSQL, bridge and sink while it is entered; meters and agents come and go."""

    def __init__(self, folder: Path, gateways: int) -> None:
        self.folder = folder
        demo = busy(time.time_ns() // 1_000_000, gateways)
        self.gateways: Final = tuple(demo.gateways)
        self.play = Stage(folder, demo, 0, {gateway: secrets.token_urlsafe() for gateway in demo.gateways})
        self.wires: Wires
        self.disk: Disk | str = "not mounted"
        self._ending = ExitStack()
        self._kafkas = Supervisor(folder / "kafka-alone")
        self._names = {"bridge": "bridge", "sink": "sink"}
        self._specs: dict[str, Spec] = {}

    def __enter__(self) -> Self:
        with ExitStack() as unwinding:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.disk = unwinding.enter_context(mounted(self.folder / "small-disk"))
            kafka_port, controller_port, for_bridge, for_sink = ports.choose(random.SystemRandom(), 4)
            taken = (kafka_port, controller_port, for_bridge, for_sink)
            bridge_kafka = self._proxy(unwinding, Proxy, for_bridge, taken)
            sink_kafka = self._proxy(unwinding, Proxy, for_sink, taken)
            listeners = {"PLAINTEXT": kafka_port, "BRIDGE": for_bridge, "SINK": for_sink}
            self.kafka = Kafka(
                self._kafkas.folder,
                port=kafka_port,
                controller_port=controller_port,
                settings=_listeners(
                    listeners | {"CONTROLLER": controller_port},
                    listeners | {"BRIDGE": bridge_kafka.port, "SINK": sink_kafka.port},
                ),
            )
            machine.provide(self.kafka)
            unwinding.enter_context(self._kafkas)
            self._kafkas.start(self.kafka, SERVERS)

            def wired(system: System) -> Iterable[Spec]:
                port = _port_of(system.database.dsn)
                self.wires = Wires(
                    self._proxy(unwinding, MqttTap, system.mqtt.port, taken),
                    self._proxy(unwinding, MqttTap, system.mqtt.port, taken),
                    bridge_kafka,
                    sink_kafka,
                    self._proxy(unwinding, Proxy, port, taken),
                )
                self._specs = {spec.name: spec for spec in services(system, CONFIRM_EVERY_S)}
                self._rewire(system)
                return self._specs.values()

            environment = {external.KAFKA: self.kafka.bootstrap}
            self.system = unwinding.enter_context(System(self.folder / "system", environment, wired))
            write_registry(self.play.district, self.play.demo)
            self.play.write_past()
            self._ending = unwinding.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.__exit__(kind, error, at)

    @property
    def dsn(self) -> str:
        """The database, by the direct way."""
        return self.system.database.dsn

    @property
    def versions(self) -> dict[str, str]:
        """The servers' versions, as they say them."""
        return self.system.versions() | {"kafka": self.kafka.version()}

    def play_meters(self) -> None:
        """Start the meters; all of them answer, whoever asks."""
        base = ports.choose_run(random.SystemRandom(), len(self.play.meters)) - 1
        self.play = Stage(self.folder, self.play.demo, base, self.play.passwords)
        self.system.supervisor.start(self.play.meters_spec())

    def stop_meters(self) -> None:
        """Silence the meters for good, or until they are played again."""
        self.system.supervisor.stop(METERS)

    def start_agents(self, gateways: Iterable[str], program: str = "edge_agent") -> None:
        """Start the agents of ``gateways``; ``program`` is the module they run."""
        chosen = tuple(gateways)
        self.system.mqtt.add_users({gateway: self.play.passwords[gateway] for gateway in chosen})
        for gateway in chosen:
            config = self._agent_config(gateway)
            self.system.supervisor.start(_python(agent_name(gateway), program, "run", "--config", str(config)))

    def stop_agents(self, gateways: Iterable[str]) -> None:
        """End the agents of ``gateways`` in good order."""
        for gateway in gateways:
            self.system.supervisor.stop(agent_name(gateway))

    def exchange(self, name: str, program: str | None) -> None:
        """End the bridge or the sink and go on with ``program`` in its place; ``None``: its own one again."""
        spec = self._specs[name]
        self.system.supervisor.stop(self._names[name])
        if program is None:
            self._names[name] = name
            self.system.supervisor.resume(name)
            return
        self._names[name] = f"{name}-{program.rpartition('.')[2].replace('_', '-')}"
        # python -m deploy.cli stream bridge … → python -m <program> stream bridge …
        self.system.supervisor.start(_python(self._names[name], program, *spec.argv[3:]))

    def outbox(self, gateway: str) -> Path:
        """Return the buffer of the agent; the first gateway's lies on the small disk, where there is one."""
        if gateway == self.gateways[0] and isinstance(self.disk, Disk):
            return self.disk.folder / f"{gateway}.db"
        return self.play.outbox(gateway)

    def pid(self, process: str) -> int | None:
        """Return the pid of a process that runs, ready to work, under the name that a fault calls it."""
        supervisor, name = self._kept(process)
        standing = next(standing for standing in supervisor.standings() if standing.name == name)
        return standing.pid if standing.state is State.RUNNING else None

    def away(self) -> list[str]:
        """Return the processes that should run and do not, with why."""
        return [
            f"{standing.name}: {standing.state} {standing.trouble}".strip()
            for supervisor in (self._kafkas, self.system.supervisor)
            for standing in supervisor.standings()
            if standing.state not in (State.RUNNING, State.STOPPED)
        ]

    def restarts(self) -> dict[str, int]:
        """Return how often each process was started again after it had died."""
        return {
            standing.name: standing.restarts
            for supervisor in (self._kafkas, self.system.supervisor)
            for standing in supervisor.standings()
            if standing.restarts
        }

    def logs(self) -> tuple[Path, ...]:
        """Return the folders of logs."""
        return self._kafkas.folder / "logs", self.folder / "system" / "logs"

    def _kept(self, process: str) -> tuple[Supervisor, str]:
        if process == "kafka":
            return self._kafkas, process
        return self.system.supervisor, self._names.get(process, process)

    def _rewire(self, system: System) -> None:
        config = system.folder / "config"
        wires = self.wires
        bridge = _read(config / "bridge.toml")
        bridge["mqtt"] |= {"port": wires.bridge_mqtt.port}
        bridge["kafka"] |= {"bootstrap": f"{ports.LOOPBACK}:{wires.bridge_kafka.port}"}
        sink = _read(config / "sink.toml")
        sink["kafka"] |= {"bootstrap": f"{ports.LOOPBACK}:{wires.sink_kafka.port}", "retry_most_s": 2.0}
        sink["database"] |= {"dsn": make_conninfo(system.database.dsn, port=wires.sink_postgres.port)}
        for name, table in (("bridge", bridge), ("sink", sink)):
            write_atomically(config / f"{name}.toml", dumps(table))

    def _agent_config(self, gateway: str) -> Path:
        secret = self.folder / "passwords" / gateway
        write_atomically(secret, self.play.passwords[gateway] + "\n")
        self.outbox(gateway).parent.mkdir(parents=True, exist_ok=True)
        demo = self.play.demo
        around = Surroundings(
            broker_host=ports.LOOPBACK,
            broker_port=self.wires.agent_mqtt.port,
            password_file=secret,
            outbox=self.outbox(gateway),
            meters_host=ports.LOOPBACK,
            meters_base_port=self.play.base_port,
            load_profiles=tuple(self.play.load_profile(meter.name) for meter in demo.gateways[gateway].meters),
            batch_s=BATCH_S,
        )
        write_atomically(self.play.config(gateway), agent_text(demo, gateway, around))
        return self.play.config(gateway)

    def _proxy(self, ending: ExitStack, make: type[P], target: int, taken: tuple[int, ...]) -> P:
        """Make a proxy on a port that is not promised to a server that has yet to start."""
        while True:
            found = make(ports.LOOPBACK, target)
            if found.port not in taken:
                ending.enter_context(found)
                return found
            found.close()


def _listeners(own: Mapping[str, int], told: Mapping[str, int]) -> dict[str, str]:
    """Return Kafka's settings for a listener per client: each is told the address of its own proxy."""

    def text(ports_by_name: Mapping[str, int]) -> str:
        return ",".join(f"{name}://{ports.LOOPBACK}:{port}" for name, port in ports_by_name.items())

    return {
        "listeners": text(own),
        "advertised.listeners": text(told),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in own),
        "inter.broker.listener.name": "PLAINTEXT",
    }


def _python(name: str, module: str, *arguments: str) -> Spec:
    # Mutants live in the tests, which are not installed.
    return Spec(name, (sys.executable, "-m", module, *arguments), cwd=ROOT)


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def _port_of(dsn: str) -> int:
    return int(str(conninfo_to_dict(dsn)["port"]))
