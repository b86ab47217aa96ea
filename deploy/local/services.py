"""The services of ours that belong to every system: the bridge, the sink and the jobs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from deploy.local.files import write_atomically
from deploy.local.process import Spec
from deploy.local.system import System
from deploy.local.toml_text import dumps
from stream.clients.admin import ensure_topics
from warehouse import postgres
from warehouse.jobs.settings import JobName
from warehouse.migrate import migrate

CONFIRM_EVERY_S: Final = 10.0
"""How often a gateway hears what is stored, at most."""


def services(
    system: System, confirm_every_s: float = CONFIRM_EVERY_S, jobs: Sequence[JobName] = tuple(JobName)
) -> tuple[Spec, ...]:
    """Prepare topics and schema, write the services' settings, and return what to run beside the servers."""
    ensure_topics(system.kafka.bootstrap)
    with postgres.connect(system.database.dsn, application="g60-up") as connection:
        migrate(connection)
    bridge = {
        "mqtt": {
            "host": system.mqtt.host,
            "port": system.mqtt.port,
            "user": system.mqtt.bridge_user,
            "password": system.mqtt.bridge_password,
        },
        "kafka": {"bootstrap": system.kafka.bootstrap},
    }
    sink = {
        "name": "sink",
        "confirm_every_s": confirm_every_s,
        # A fixed name: after a restart the sink has its partitions back at once.
        "kafka": {"bootstrap": system.kafka.bootstrap, "instance": "sink"},
        "database": {"dsn": system.database.dsn},
    }
    return (
        _service(system, "bridge", bridge, "stream", "bridge"),
        _service(system, "sink", sink, "warehouse", "sink"),
        _service(
            system,
            "jobs",
            {"jobs": [str(name) for name in jobs], "database": {"dsn": system.database.dsn}},
            "warehouse",
            "jobs",
        ),
    )


def _service(system: System, name: str, settings: dict[str, object], *command: str) -> Spec:
    path = system.folder / "config" / f"{name}.toml"
    write_atomically(path, dumps(settings))
    return Spec(name, (sys.executable, "-m", "deploy.cli", *command, "--config", str(path)))
