"""A stand-in for Mosquitto where that cannot be had: ``iotcore`` from PyPI (rumqttd inside), MQTT 5 with passwords.

It has no access rules, and keeps no session, queue or retained message over a restart; correctness does not depend
on those (the agent keeps a message until the warehouse has it), privacy between gateways does.
"""

from __future__ import annotations

import importlib.util
import json
import re
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local import missing, ports
from deploy.local.files import write_atomically
from deploy.local.mosquitto import BRIDGE, HEADER_BYTES, OPERATOR, check_gateway
from deploy.local.mosquitto.login import Login, admitted
from deploy.local.process import NotUp, Spec, log_path
from deploy.local.server import LocalServer
from edge_agent.contract.errors import Misconfigured, Retryable
from edge_agent.contract.wire import MAX_MESSAGE_BYTES

LACKS: Final = (
    "iotcore stands in for Mosquitto: no access rules (a gateway can read and write under another's name), and nothing "
    "kept over a restart; not for production (iotcore 代替 Mosquitto:没有访问控制,重启后不保留数据,不可用于生产)"
)
_VERSION_LINE: Final = re.compile(r"^iotcore (\S+): MQTT broker", re.MULTILINE)
_ASK_S: Final = 2.0


def installed() -> bool:
    """Return whether the package is there."""
    return importlib.util.find_spec("iotcore") is not None


class IotCore(LocalServer):
    """One iotcore broker; gateways' users are kept in its folder."""

    name = "iotcore"
    start_within_s = 20.0

    def __init__(self, folder: Path, *, port: int, bridge_password: str, operator_password: str) -> None:
        super().__init__(folder)
        self.host = ports.LOOPBACK
        self.port = port
        self.bridge_user = BRIDGE
        self.bridge_password = bridge_password
        self._system = {BRIDGE: bridge_password, OPERATOR: operator_password}
        self._changing = threading.Lock()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self.host}:{self.port}"

    def prepare(self) -> Spec:
        """Write the configuration with all users: the broker reads them when it starts and never again."""
        if not installed():
            raise Misconfigured(
                f"iotcore is not installed (未安装), install it with (请运行): {missing.IOTCORE_INSTALL}"
            )
        users = json.dumps(self._users() | self._system, sort_keys=True)
        self._write("users.json", users)
        self._write("rumqttd.toml", self._configuration(json.loads(users)))
        return Spec(
            name=self.name,
            # rumqttd tells every packet as an error.
            argv=(sys.executable, "-m", "iotcore", "--log-level", "CRITICAL", "--config", f"{self.data}/rumqttd.toml"),
            env={"PYTHONUNBUFFERED": "1"},
            cwd=self.data,
            polite=signal.SIGTERM,
        )

    def healthy(self) -> bool:
        """Log in to it."""
        try:
            return admitted(Login(self.host, self.port, OPERATOR, self._system[OPERATOR]), _ASK_S)
        except Retryable:
            return False

    def version(self) -> str:
        """Return the version that this start of the broker wrote to its log; it publishes none."""
        text = log_path(self.folder, self.name).read_text("utf-8", errors="replace") if self.running() else ""
        found = _VERSION_LINE.search(text)
        if found is None:
            raise NotUp("iotcore does not run, or has not said its version (iotcore 未运行)")
        return found[1]

    def add_user(self, user: str, password: str) -> None:
        """Let gateway ``user`` in; a running broker is started anew for it, and all connections with it."""
        self.add_users({user: password})

    def add_users(self, users: Mapping[str, str]) -> None:
        """Let these gateways in; a running broker is started anew for it, and all connections with it."""
        for user in users:
            check_gateway(user)
        self._change({**self._users(), **users})

    def remove_user(self, user: str) -> None:
        """Shut gateway ``user`` out; a running broker is started anew for it, and all connections with it."""
        check_gateway(user)
        self._change({name: password for name, password in self._users().items() if name != user})

    def _change(self, users: Mapping[str, str]) -> None:
        with self._changing:
            self._write("users.json", json.dumps(users, sort_keys=True))
            if self.running():
                self.stop()
                self.start()

    def _users(self) -> dict[str, str]:
        path = self.data / "users.json"
        if not path.is_file():
            return {}
        found: dict[str, str] = json.loads(path.read_text("utf-8"))
        return found

    def _write(self, name: str, text: str) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self.data / name, text)

    def _configuration(self, users: Mapping[str, str]) -> str:
        known = "".join(f"{json.dumps(name)} = {json.dumps(password)}\n" for name, password in users.items())
        return f"""\
id = 0
[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10
[v5.1]
name = "gateways"
listen = "{self.host}:{self.port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = {MAX_MESSAGE_BYTES + HEADER_BYTES}
max_inflight_count = 100
[v5.1.connections.auth]
{known}"""
