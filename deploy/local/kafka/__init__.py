"""Genuine Apache Kafka in KRaft mode: one broker and controller in one JVM, on the loopback.

It runs as whoever starts it, root too: Java asks access(2) before it reads a file, which ignores capabilities, so
that nobody could read neither the user's cache nor a data folder below a ``/root`` of mode 0700.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from deploy.local import missing, ports
from deploy.local.files import write_atomically
from deploy.local.kafka import jars
from deploy.local.kafka.ask import brokers_in_service
from deploy.local.process import NotUp, Spec, log_path
from deploy.local.server import LocalServer
from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.wire import MAX_MESSAGE_BYTES

HEAP_MB: Final = 512
NODE: Final = 1
_VERSION_LINE: Final = re.compile(r"AppInfoParser Kafka version: (\S+)")
_ASK_S: Final = 2.0


class Kafka(LocalServer):
    """One Kafka server; ``settings`` go over ours, by their names in server.properties."""

    name = "kafka"
    # 2.3 s on two idle cores, 34 s with ten busy processes beside it.
    start_within_s = 120.0

    def __init__(
        self, folder: Path, *, port: int, controller_port: int, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(folder)
        self.port = port
        self._version: str | None = None
        self.settings = {**_settings(self.data / "log", port, controller_port), **(settings or {})}

    @property
    def bootstrap(self) -> str:
        """``host:port`` for clients."""
        return f"{ports.LOOPBACK}:{self.port}"

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.bootstrap

    def prepare(self) -> Spec:
        """Fetch the jars and format the storage unless they are there, and write the settings."""
        lib = jars.provide()
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = [f"{name}={value}\n" for name, value in self.settings.items()]
        logging = (files(__package__) / "log4j2.properties").read_text("utf-8")
        write_atomically(self.data / "server.properties", "".join(lines))
        write_atomically(self.data / "log4j2.properties", logging)
        if not (self.data / "log" / "meta.properties").is_file():
            self._format(lib)
        return Spec(
            name=self.name,
            argv=self._java(lib, "kafka.Kafka", str(self.data / "server.properties")),
            cwd=self.data,
            stop_within_s=20.0,
        )

    def healthy(self) -> bool:
        """Ask it which brokers serve clients: itself, once it is registered and not fenced."""
        return brokers_in_service(ports.LOOPBACK, self.port, _ASK_S) > 0

    def launch(self) -> None:
        """Start the process and wait until it answers and has written its version, which it does after that."""
        self._version = None
        super().launch()
        if self._process is not None:
            self._process.until(self._has_said_its_version, self.start_within_s)

    def version(self) -> str:
        """Return the version that this start of the server wrote to its log; the protocol itself tells none."""
        if self._version is None or not self.running():
            raise NotUp("kafka does not run (Kafka 未运行)")
        return self._version

    def _has_said_its_version(self) -> bool:
        # Kept: a log that grows too long is cut at its beginning, where the line stands.
        found = _VERSION_LINE.search(log_path(self.folder, self.name).read_text("utf-8", errors="replace"))
        self._version = None if found is None else found[1]
        return found is not None

    def _java(self, lib: Path, main: str, *arguments: str) -> tuple[str, ...]:
        java = missing.java_path()
        if java is None:
            raise Misconfigured(missing.told((missing.JAVA,)))
        return (
            java,
            f"-Xms{HEAP_MB // 2}m",
            f"-Xmx{HEAP_MB}m",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self.data / 'log4j2.properties'}",
            "-cp",
            f"{lib}/*",
            main,
            *arguments,
        )

    def _format(self, lib: Path) -> None:
        """Give the storage its cluster id; a folder that was formatted half is formatted anew."""
        shutil.rmtree(self.data / "log", ignore_errors=True)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        argv = self._java(
            lib,
            "kafka.tools.StorageTool",
            "format",
            # In one word: one id in 64 begins with a hyphen and would be taken for an option.
            f"--cluster-id={cluster}",
            f"--config={self.data / 'server.properties'}",
        )
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=self.data)
        if done.returncode != 0:
            raise Misconfigured(
                f"Kafka's storage cannot be formatted (无法初始化 Kafka): {done.stderr.strip()[-2000:]}"
            )


def _settings(log: Path, port: int, controller_port: int) -> dict[str, str]:
    here = ports.LOOPBACK
    return {
        "process.roles": "broker,controller",
        "node.id": str(NODE),
        "controller.quorum.voters": f"{NODE}@{here}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{here}:{port},CONTROLLER://{here}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{here}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(log),
        # Topics are code (stream.topics); a mistyped one must fail and not appear.
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        # One message of the contract, its record header and batch around it.
        "message.max.bytes": str(MAX_MESSAGE_BYTES + (64 << 10)),
        # A killed broker may not register again before its old session ends: 12.2 s to a restart with 9 s, 5.6 with 3.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "4",
    }
