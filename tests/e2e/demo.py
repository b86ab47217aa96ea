"""Runs `g60 demo` as a person does: in a process of its own, watched from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import runfile
from deploy.local.demo.report import Report
from deploy.local.runfile import Entry, Phase
from deploy.local.supervisor import State

ROOT = Path(__file__).parents[2]


class Running:
    """A demo that plays in ``folder``."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, report: Path) -> None:
        self._process = process
        self._report = report
        self.folder = folder

    def entry(self, name: str) -> Entry | None:
        """What `run.json` says of a process now."""
        run = runfile.read(self.folder)
        return None if run is None or run.phase is not Phase.RUNNING else run.entry(name)

    def await_running(self, name: str, other_than: int | None = None, within_s: float = 120) -> int:
        """Wait until ``name`` runs, under another pid than ``other_than``, and return its pid."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = self.entry(name)
            if found is not None and found.state is State.RUNNING and found.pid not in (None, other_than):
                assert found.pid is not None
                return found.pid
            if self._process.poll() is not None:
                output, _ = self._process.communicate()
                raise AssertionError(f"the demo ended while {name} was awaited:\n{output}")
            time.sleep(0.1)
        raise AssertionError(f"{name} does not run after {within_s} s")

    def kill(self, name: str) -> None:
        """kill -9 one process and wait until it has been started again."""
        pid = self.await_running(name)
        os.kill(pid, signal.SIGKILL)
        self.await_running(name, other_than=pid)

    def finish(self, within_s: float = 400) -> tuple[int, str, Report]:
        """Wait for the end; return exit code, what was printed, and the report."""
        output, _ = self._process.communicate(timeout=within_s)
        return self._process.returncode, output, Report.model_validate_json(self._report.read_text("utf-8"))


@contextmanager
def playing(folder: Path, seconds: int) -> Iterator[Running]:
    """Play a demo below ``folder`` by the README's command; end it, whatever happens."""
    report = folder / "report.json"
    stage = folder / "demo"
    arguments = f"--seconds {seconds} --report {report} --folder {stage}"
    installed = Path(sys.prefix) / "installed"
    process = subprocess.Popen(
        # Installed already: the target that would do it is called old.
        ["make", "--silent", f"--old-file={installed}", "demo", f"VENV={sys.prefix}", f"ARGS={arguments}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Running(process, stage, report)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)
