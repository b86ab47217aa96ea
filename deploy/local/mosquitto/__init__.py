"""Mosquitto, with one user per gateway and rights bound to the user's name."""

from __future__ import annotations

import os
import re
import resource
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from deploy.local import missing, ports
from deploy.local.files import write_atomically
from deploy.local.mosquitto import passwords
from deploy.local.mosquitto.login import VERSION_TOPIC, Login, admitted, version_at
from deploy.local.process import NotUp, Spec
from deploy.local.server import LocalServer
from edge_agent.contract.errors import Misconfigured, Retryable
from edge_agent.contract.topics import GATEWAY_PATTERN, RESERVED_GATEWAYS, ROOT, Channel
from edge_agent.contract.wire import MAX_MESSAGE_BYTES

BRIDGE: Final = "bridge"
OPERATOR: Final = "operator"
"""Reads everything, for people and health checks; writes nothing."""
HEADER_BYTES: Final = 4096
"""Room for topic and properties beside the longest message of the contract."""
MAX_QUEUED_MESSAGES: Final = 20_000
MAX_QUEUED_BYTES: Final = 64 << 20
"""Per client; the bridge's queue is the long one, and each save to disk stops the broker (476 MB: 1.1 s)."""
AUTOSAVE_S: Final = 60
_MARK: Final = "_reload"
"""A user whose password is new at each change: once it may log in, the broker has read the file. No gateway's name."""
_ASK_S: Final = 2.0
_TAKES_EFFECT_S: Final = 10.0


class Mosquitto(LocalServer):
    """One Mosquitto broker; gateways' users are kept in its folder, over restarts too."""

    name = "mosquitto"
    start_within_s = 20.0

    def __init__(self, folder: Path, *, port: int, bridge_password: str, operator_password: str) -> None:
        super().__init__(folder)
        self.host = ports.LOOPBACK
        self.port = port
        self.bridge_user = BRIDGE
        self.bridge_password = bridge_password
        self._changing = threading.Lock()
        self._system = {BRIDGE: bridge_password, OPERATOR: operator_password}

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self.host}:{self.port}"

    @property
    def operator(self) -> Login:
        """Who may read everything."""
        return Login(self.host, self.port, OPERATOR, self._system[OPERATOR])

    def prepare(self) -> Spec:
        """Write configuration, rights and the system's own users; gateways' users stay."""
        program = missing.mosquitto_path()
        if program is None:
            raise Misconfigured(missing.told((missing.MOSQUITTO,)))
        self._write("acl", acl())
        self._change(self._system, ())
        self._write("mosquitto.conf", self._configuration())
        argv = (program, "-c", str(self.data / "mosquitto.conf"))
        return Spec(
            name=self.name,
            argv=(*_open_files(), *self.account.command(argv, Path(program), self.data / "mosquitto.conf")),
            cwd=self.data,
        )

    def healthy(self) -> bool:
        """Log in to it."""
        try:
            return admitted(self.operator, _ASK_S)
        except Retryable:
            return False

    def version(self) -> str:
        """Return what the running broker publishes as its version."""
        try:
            return version_at(self.operator)
        except Retryable as error:
            raise NotUp(str(error)) from error

    def add_user(self, user: str, password: str) -> None:
        """Let gateway ``user`` in with ``password``; an old password is replaced, and ends its connection."""
        self.add_users({user: password})

    def add_users(self, users: Mapping[str, str]) -> None:
        """Let these gateways in (name → password); a running broker knows them when this returns."""
        for user in users:
            check_gateway(user)
        self._change(users, ())

    def remove_user(self, user: str) -> None:
        """Shut gateway ``user`` out: its connection ends, and it cannot log in again."""
        check_gateway(user)
        self._change({}, (user,))

    def save(self) -> None:
        """Ask the running broker to write what it keeps to its disk now, and not only every ``AUTOSAVE_S`` seconds."""
        self.send(signal.SIGUSR1)

    def _change(self, users: Mapping[str, str], gone: Iterable[str]) -> None:
        """Rewrite the password file, and wait until a running broker has read it."""
        with self._changing:
            running = self.running()
            token = secrets.token_urlsafe()
            hashes = passwords.parse(self._read("passwords"))
            for user in gone:
                hashes.pop(user, None)
            for user, password in {**users, _MARK: token}.items():
                hashes[user] = passwords.hashed(password, os.urandom)
            self._write("passwords", passwords.render(hashes))
            if running:
                self.send(signal.SIGHUP)
                self._await(Login(self.host, self.port, _MARK, token))

    def _await(self, mark: Login) -> None:
        deadline_mono_s = time.monotonic() + _TAKES_EFFECT_S
        while not admitted(mark, _ASK_S):
            if time.monotonic() > deadline_mono_s:
                raise Retryable(f"mosquitto has not read its passwords within {_TAKES_EFFECT_S:.0f} s (未重新加载)")
            time.sleep(0.02)

    def _configuration(self) -> str:
        return f"""\
# Written at each start by g60; changes are lost.
per_listener_settings false
listener {self.port} {self.host}
allow_anonymous false
password_file {self.data}/passwords
acl_file {self.data}/acl
persistence true
persistence_location {self.data}
autosave_interval {AUTOSAVE_S}
# Queues may drop: what is lost here, the agent sends again (it keeps a message until the warehouse has it).
max_queued_messages {MAX_QUEUED_MESSAGES}
max_queued_bytes {MAX_QUEUED_BYTES}
max_inflight_messages 100
max_packet_size {MAX_MESSAGE_BYTES + HEADER_BYTES}
set_tcp_nodelay true
# standard error is not buffered: the last lines of a killed broker are there
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""

    def _read(self, name: str) -> str:
        path = self.data / name
        return path.read_text("utf-8") if path.is_file() else ""

    def _write(self, name: str, text: str) -> None:
        self.account.own_tree(self.data)
        write_atomically(self.data / name, text, owner=self.account)


def acl() -> str:
    """Return who may do what: a gateway what bears its name, the bridge the rest, the operator reads."""
    up = [channel.value for channel in Channel]
    return "\n".join(
        (
            f"user {BRIDGE}",
            *(f"topic read {ROOT}/+/{channel}" for channel in up),
            f"topic write {ROOT}/+/cmd/#",
            f"topic read {VERSION_TOPIC}",
            "",
            f"user {OPERATOR}",
            f"topic read {ROOT}/#",
            "topic read $SYS/#",
            "",
            *(f"pattern write {ROOT}/%u/{channel}" for channel in up),
            f"pattern read {ROOT}/%u/cmd/#",
            # an agent hears its own state, and so notices another one under its name
            f"pattern read {ROOT}/%u/{Channel.STATE}",
            "",
        )
    )


def _open_files() -> tuple[str, ...]:
    """Return the prefix that allows as many connections as a child of this process may have open at most."""
    prlimit = shutil.which("prlimit")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return () if prlimit is None else (prlimit, f"--nofile={hard}:{hard}")


def check_gateway(user: str) -> None:
    """Raise ``Misconfigured`` unless ``user`` can be a gateway, whose name is its MQTT user."""
    if not re.fullmatch(GATEWAY_PATTERN, user) or user in RESERVED_GATEWAYS:
        reserved = ", ".join(sorted(RESERVED_GATEWAYS))
        raise Misconfigured(f"{user!r} is no gateway name (网关名无效); allowed: {GATEWAY_PATTERN}, not {reserved}")
