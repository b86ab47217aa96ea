"""Where the servers of one test run keep their data, and how the next run ends what a killed run left behind."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

from deploy.local import identity

_OWNER = "owner.json"


def root() -> Path:
    return Path(tempfile.gettempdir()) / f"g60-pulse-tests-{os.geteuid()}"


def make() -> Path:
    """Return a folder for the servers of this run; it says which process it belongs to."""
    me = identity.identify(os.getpid())
    assert me is not None
    root().mkdir(mode=0o700, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".run-", dir=root()))
    identity.save(me, signal.SIGTERM, draft / _OWNER)
    # It gets the name that `sweep` looks for only once it says whose it is.
    return draft.rename(draft.with_name(draft.name[1:]))


def sweep() -> list[Path]:
    """End the servers of runs that are gone (a killed pytest stops nothing) and remove their folders."""
    swept = []
    for folder in sorted(root().glob("run-*")):
        owner = identity.saved(folder / _OWNER)
        if owner is None or not identity.alive(owner[0]):
            for pid_file in folder.rglob("pids/*.json"):
                identity.end_saved(pid_file, within_s=5)
            shutil.rmtree(folder, ignore_errors=True)
            swept.append(folder)
    return swept
