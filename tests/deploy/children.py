"""Small child processes for the tests of those that look after processes."""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.local.process import Spec

SLEEPS = "import time; print('up', flush=True); time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPS


def child(name: str, code: str = SLEEPS, *, stop_within_s: float = 10.0) -> Spec:
    return Spec(name=name, argv=(sys.executable, "-c", code), stop_within_s=stop_within_s)


def gone(pid: int) -> bool:
    """Return whether nothing is left of the process, not even a zombie."""
    return not Path(f"/proc/{pid}").exists()
