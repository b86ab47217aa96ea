"""Servers that somebody else runs: named by the environment, used and never started or stopped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from deploy.local.kafka.ask import brokers_in_service
from deploy.local.mosquitto.login import Login, admitted
from deploy.local.mosquitto.login import version_at as mqtt_version_at
from deploy.local.postgres import answers_at, version_at
from deploy.local.process import NotUp
from edge_agent.contract.errors import Misconfigured, Retryable

MQTT: Final = "G60_MQTT"
KAFKA: Final = "G60_KAFKA"
DATABASE: Final = "G60_DATABASE"
_ASK_S: Final = 5.0


class External(ABC):
    """A server that is not ours; starting it makes sure that it answers, stopping it leaves it alone."""

    name: ClassVar[str]
    variable: ClassVar[str]
    pid: ClassVar[int | None] = None
    log: ClassVar[Path | None] = None

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it listens, without a password."""

    @abstractmethod
    def healthy(self) -> bool:
        """Ask it: does it answer a real request now?"""

    def running(self) -> bool:
        """Return True: whether it lives is its owner's affair."""
        return True

    def start(self) -> None:
        """Make sure that it answers."""
        if not self.healthy():
            raise NotUp(f"{self.variable}: {self.name} at {self.address} does not answer (没有应答)")

    def stop(self) -> None:
        """Leave it alone."""
        return

    def bound_log(self) -> None:
        """Leave its log alone."""
        return

    def kill(self) -> None:
        """Refuse: it is not ours to kill."""
        raise Misconfigured(f"{self.variable}: {self.name} at {self.address} is not ours to kill (不是本系统启动的)")


class ExternalMosquitto(External):
    """An MQTT broker at ``mqtt://user:password@host:port``; the user is the bridge's."""

    name = "mosquitto"
    variable = MQTT

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "mqtt" or not parts.hostname or not parts.username:
            raise Misconfigured(f"{MQTT} is not mqtt://user:password@host:port (格式有误)")
        self.host = parts.hostname
        self.port = parts.port or 1883
        self.bridge_user = unquote(parts.username)
        self.bridge_password = unquote(parts.password or "")

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self.host}:{self.port}"

    def healthy(self) -> bool:
        """Log in to it."""
        try:
            return admitted(self._login, _ASK_S)
        except Retryable:
            return False

    def version(self) -> str:
        """Return what it publishes as its version; a broker that shows the bridge none says ``unknown``."""
        try:
            return mqtt_version_at(self._login)
        except Retryable:
            return "unknown"

    def add_users(self, users: Mapping[str, str]) -> None:
        """Refuse: users of a broker that is not ours are made where it is run."""
        raise Misconfigured(
            f"{MQTT}: the broker at {self.address} is not ours; make its users there (请在该 MQTT 服务器上创建用户): "
            f"{', '.join(users)}"
        )

    def add_user(self, user: str, password: str) -> None:
        """Refuse, as :meth:`add_users` does."""
        self.add_users({user: password})

    def remove_user(self, user: str) -> None:
        """Refuse, as :meth:`add_users` does."""
        self.add_users({user: ""})

    @property
    def _login(self) -> Login:
        return Login(self.host, self.port, self.bridge_user, self.bridge_password)


class ExternalKafka(External):
    """A Kafka cluster at ``host:port`` (several, separated by commas, are tried in turn)."""

    name = "kafka"
    variable = KAFKA

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._hosts = [_host_port(item.strip()) for item in bootstrap.split(",")]

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.bootstrap

    def healthy(self) -> bool:
        """Ask it which brokers serve clients."""
        return any(brokers_in_service(host, port, _ASK_S) for host, port in self._hosts)

    def version(self) -> str:
        """Return the newest release whose protocol it speaks; Kafka tells no more from afar."""
        # Imported when it is needed: the library takes longer than all else that `g60 status` does.
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        # The library leaves a socket open for each address that refuses it: it is given one that answers.
        answering = (f"{host}:{port}" for host, port in self._hosts if brokers_in_service(host, port, _ASK_S))
        try:
            with KafkaAdminClient(bootstrap_servers=next(answering), bootstrap_timeout_ms=5_000) as admin:
                broker = admin.describe_cluster()["brokers"][0]["broker_id"]
                spoken = admin.get_broker_version_data(broker).broker_version
        except (KafkaError, StopIteration) as error:
            raise NotUp(f"kafka at {self.bootstrap} does not answer (没有应答): {error}") from error
        return ".".join(str(part) for part in spoken)


class ExternalPostgres(External):
    """A database at a ``postgresql://`` address."""

    name = "postgres"
    variable = DATABASE

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        if parts.scheme not in ("postgresql", "postgres") or not parts.hostname:
            raise Misconfigured(f"{DATABASE} is not postgresql://user:password@host:port/database (格式有误)")
        self.dsn = dsn
        self._parts = parts

    @property
    def address(self) -> str:
        """Where it listens, without user and password."""
        return f"{self._parts.hostname}:{self._parts.port or 5432}{self._parts.path}"

    def dsn_of(self, database: str) -> str:
        """Return the connection string for another database of this server."""
        return urlunsplit(self._parts._replace(path=f"/{database}"))

    def healthy(self) -> bool:
        """Ask it for a row."""
        return answers_at(self.dsn)

    def version(self) -> str:
        """Return ``server_version`` as the server says it."""
        return version_at(self.dsn)


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise Misconfigured(f"{KAFKA} is not host:port (格式有误): {text!r}")
    return host, int(port)
