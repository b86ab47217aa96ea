"""A gateway's folder, its agent as a process, and what the bridge heard of its readings."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.mosquitto import Mosquitto
from tests.edge_agent.agent.runner import POLL_READINGS, SERIES
from tests.edge_agent.publisher.bridge import SOON_S, Heard, telemetry


class Plant:
    """A gateway's folder and its agent's process."""

    def __init__(self, mosquitto: Mosquitto, folder: Path, name: str | None = None) -> None:
        self.name = name or f"gw-{secrets.token_hex(4)}"
        if name is None:
            mosquitto.add_user(self.name, "right")
        self.outbox = folder / "outbox.db"
        self.config = folder / "agent.toml"
        self.journal = folder / "journal"
        self.journal.touch()
        self.log = folder / "log"
        password = folder / "password"
        password.write_text("right\n")
        self.config.write_text(
            f"""
            [gateway]
            id = "{self.name}"
            [mqtt]
            host = "{mosquitto.host}"
            port = {mosquitto.port}
            tls = "off"
            password_file = "{password}"
            reconnect_max_s = 0.5
            [outbox]
            path = "{self.outbox}"
            [publish]
            batch_s = 0.1
            resend_after_s = 1
            settle_after_s = 0
            [[replay]]
            name = "none"
            files = ["{folder / "none.csv"}"]
            series = [{{ series = "a.b", device = "a", quantity = "b", unit = "", kind = "gauge" }}]
            """
        )

    @contextmanager
    def running(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        arguments = [str(self.config), str(self.journal), *options]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.edge_agent.agent.runner", *arguments], stderr=log, stdout=log
            )
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def promised(self) -> set[int]:
        """The readings that the source was told are on disk."""
        lines = self.journal.read_text("ascii").split("\n")[:-1]
        return {int(line) + step for line in lines for step in range(POLL_READINGS)}

    def until(self, condition: Callable[[], bool]) -> None:
        deadline_mono_s = time.monotonic() + SOON_S
        while not condition():
            assert time.monotonic() < deadline_mono_s, self.log.read_text("utf-8")[-3000:]
            time.sleep(0.02)


def readings(heard: list[Heard]) -> list[int]:
    """The readings of all telemetry, each message once."""
    batches = {(batch.epoch, batch.seq): batch for batch in (found.batch for found in telemetry(heard))}
    found = [batches[key].series[SERIES] for key in sorted(batches) if SERIES in batches[key].series]
    assert all(points.t == points.v for points in found)
    return [t for points in found for t in points.t]
