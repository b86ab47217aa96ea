"""Lets a gateway into a running system: a user of its own at the broker, by a password that is shown once."""

from __future__ import annotations

import os
import secrets
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.local import keys, runfile
from deploy.local.mosquitto import Mosquitto
from deploy.local.mosquitto.login import Login, admitted
from deploy.local.supervisor import State
from deploy.local.toml_text import dumps
from edge_agent.contract.errors import Misconfigured, Retryable

TAKES_EFFECT_S: Final = 10.0
"""Longest time that the broker may take to read its passwords again."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What the agent on the gateway must be told."""

    gateway: str
    host: str
    port: int
    password: str = field(repr=False)

    def toml(self) -> str:
        """Return the beginning of its ``agent.toml``."""
        mqtt = {"host": self.host, "port": self.port, "tls": "off", "password": self.password}
        return dumps({"gateway": {"id": self.gateway}, "mqtt": mqtt})


def admit(folder: Path, gateway: str) -> Admission:
    """Give ``gateway`` a new password at the broker of the system that runs in ``folder``; an old one ends.

    ``Misconfigured`` when no broker of ours runs there or the name is none, ``Retryable`` when the broker does not
    take it.
    """
    run = runfile.now(folder)
    broker = None if run is None else run.entry(Mosquitto.name)
    known = keys.kept(folder)
    if broker is None or broker.pid is None or broker.state is not State.RUNNING or known is None:
        raise Misconfigured(f"no broker of ours runs in {folder} (没有运行中的消息服务器); start it with: g60 up")
    login = Login("127.0.0.1", known.mqtt_port, gateway, secrets.token_urlsafe())
    # The process belongs to the supervisor: this object only writes its password file.
    Mosquitto(
        folder,
        port=known.mqtt_port,
        bridge_password=known.bridge_password,
        operator_password=known.operator_password,
    ).add_user(gateway, login.password)
    os.kill(broker.pid, signal.SIGHUP)
    deadline_mono_s = time.monotonic() + TAKES_EFFECT_S
    while not admitted(login, TAKES_EFFECT_S):
        if time.monotonic() > deadline_mono_s:
            raise Retryable(f"the broker has not read its passwords within {TAKES_EFFECT_S:.0f} s (未重新加载)")
        time.sleep(0.05)
    return Admission(gateway, login.host, login.port, login.password)
