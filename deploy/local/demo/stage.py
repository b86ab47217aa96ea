"""The stage of the demo: everything that is written into its folder, and the processes that play on it."""

from __future__ import annotations

import random
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from deploy.local import ports
from deploy.local.demo.agents import Surroundings, agent_toml
from deploy.local.demo.profiles import Demo
from deploy.local.files import write_atomically
from deploy.local.meters.load_profile import write_load_profile
from deploy.local.process import Spec
from deploy.local.system import System
from deploy.local.toml_text import dumps

METERS = "meters"


@dataclass(frozen=True)
class Stage:
    """Where the demo of ``demo`` plays; building it touches nothing."""

    folder: Path
    demo: Demo
    base_port: int
    """Meter number n listens on ``base_port + n``."""
    passwords: Mapping[str, str] = field(repr=False)
    """By gateway."""

    @classmethod
    def chosen(cls, folder: Path, demo: Demo) -> Stage:
        """Return a stage with free ports and fresh passwords."""
        return cls(
            folder.absolute(),
            demo,
            ports.choose_run(random.SystemRandom(), len(demo.displays)) - 1,
            {gateway: secrets.token_urlsafe() for gateway in demo.gateways},
        )

    @property
    def journals(self) -> Path:
        """Folder of the meters' journals."""
        return self.folder / "journals"

    @property
    def district(self) -> Path:
        """Folder of the synthetic district, as the registry loads it."""
        return self.folder / "district"

    def journal(self, meter: str) -> Path:
        """Return the journal of ``meter``."""
        return self.journals / f"{meter}.jsonl"

    def load_profile(self, meter: str) -> Path:
        """Return the load profile of ``meter``: its own record of the past."""
        return self.folder / "load-profiles" / f"{meter}.csv.gz"

    def outbox(self, gateway: str) -> Path:
        """Return the agent's buffer."""
        return self.folder / "outboxes" / f"{gateway}.db"

    @cached_property
    def meters(self) -> tuple[str, ...]:
        """The meters' names."""
        return tuple(self.demo.displays)

    def write_past(self) -> int:
        """Write the load profiles; return how many readings they hold."""
        count = 0
        for meter, display in self.demo.displays.items():
            path = self.load_profile(meter)
            path.parent.mkdir(parents=True, exist_ok=True)
            count += write_load_profile(display, self.demo.start_ms, self.demo.now_ms, path)
        return count

    def meters_spec(self) -> Spec:
        """Write the meters' settings and return the process that plays all of them."""
        self.journals.mkdir(parents=True, exist_ok=True)
        settings = self.demo.meters_settings(self.journals, self.base_port)
        path = self.folder / "meters.toml"
        write_atomically(path, dumps(settings.model_dump(mode="json")))
        return _python(METERS, "deploy.local.meters", "--config", str(path))

    def agent_specs(self, system: System) -> tuple[Spec, ...]:
        """Give every gateway a user and a configuration, and return the agents' processes."""
        system.mqtt.add_users(self.passwords)
        return tuple(self._agent(gateway, system) for gateway in self.demo.gateways)

    def _agent(self, gateway: str, system: System) -> Spec:
        secret = self.folder / "passwords" / gateway
        write_atomically(secret, self.passwords[gateway] + "\n")
        self.outbox(gateway).parent.mkdir(parents=True, exist_ok=True)
        around = Surroundings(
            broker_host=system.mqtt.host,
            broker_port=system.mqtt.port,
            password_file=secret,
            outbox=self.outbox(gateway),
            meters_host="127.0.0.1",
            meters_base_port=self.base_port,
            load_profiles=tuple(
                self.load_profile(meter) for meter in self.meters if self.demo.gateway_of(meter) == gateway
            ),
        )
        path = self.config(gateway)
        write_atomically(path, agent_toml(self.demo, gateway, around))
        return _python(agent_name(gateway), "edge_agent", "run", "--config", str(path))

    def config(self, gateway: str) -> Path:
        """Return the agent's configuration."""
        return self.folder / "agents" / f"{gateway}.toml"


def agent_name(gateway: str) -> str:
    """Return the name of the agent's process."""
    return f"agent-{gateway}"


def _python(name: str, module: str, *arguments: str) -> Spec:
    return Spec(name, (sys.executable, "-m", module, *arguments))
