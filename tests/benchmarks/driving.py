"""The controlling end of the load generator."""

from __future__ import annotations

import secrets
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from deploy.local.files import write_atomically
from deploy.local.mosquitto import Mosquitto
from tests.benchmarks.fleet import SERIES_A_MESSAGE, fleet
from tests.benchmarks.plan import Answer, Order, Plan


class Driver:
    """A running generator."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path) -> None:
        self._process = process
        self._said = said

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def tell(self, order: Order) -> None:
        """Give an order; :meth:`answer` waits for its end."""
        _pipe(self._process.stdin).write(order.model_dump_json().encode() + b"\n")
        _pipe(self._process.stdin).flush()

    def ready(self, within_s: float) -> bool:
        """Wait for the answer, at most ``within_s``; True when it is there."""
        return bool(select.select([_pipe(self._process.stdout)], [], [], within_s)[0])

    def answer(self) -> Answer:
        """Return how the last order went, once it is done."""
        line = _pipe(self._process.stdout).readline()
        if not line:
            raise RuntimeError(f"the load generator has ended:\n{self._said.read_text('utf-8')[-4_000:]}")
        return Answer.model_validate_json(line)

    def ask(self, order: Order) -> Answer:
        """Give an order and return how it went."""
        self.tell(order)
        return self.answer()


@contextmanager
def driving(mosquitto: Mosquitto, folder: Path, gateways: int, points: int, epoch: int) -> Iterator[Driver]:
    """Make the gateways' users, each with a password of its own, and give a generator that plays them."""
    passwords = {gateway.name: secrets.token_urlsafe() for gateway in fleet(gateways, SERIES_A_MESSAGE)}
    mosquitto.add_users(passwords)
    plan = Plan(host=mosquitto.host, port=mosquitto.port, points=points, epoch=epoch, passwords=passwords)
    path, said = folder / "plan.json", folder / "generator.log"
    write_atomically(path, plan.model_dump_json())
    with (
        said.open("wb") as log,
        subprocess.Popen(
            (sys.executable, "-m", "tests.benchmarks.generator", str(path)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        try:
            yield Driver(process, said)
        finally:
            process.kill()


def _pipe(found: IO[bytes] | None) -> IO[bytes]:
    if found is None:
        raise RuntimeError("the load generator has no pipes")
    return found
