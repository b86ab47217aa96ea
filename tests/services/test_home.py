"""A killed test run's servers are ended by the next run, a living one's are not."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from deploy.local import identity
from deploy.local.identity import Identity
from deploy.local.process import Process
from tests.deploy.children import child
from tests.services import home


def test_only_servers_of_runs_that_are_gone_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "root", lambda: tmp_path)
    ours, left = home.make(), home.make()
    owner = identity.saved(left / "owner.json")
    assert owner is not None
    who = owner[0]
    dead = Identity(who.pid, who.started_ticks - 1, who.boot)
    identity.save(dead, signal.SIGTERM, left / "owner.json")
    living = Process(child("server"), ours)
    orphan = Process(child("server"), left / "own-1")
    for process in (living, orphan):
        process.start()
    try:
        assert home.sweep() == [left]
        assert living.running()
        assert not orphan.running()
        assert ours.is_dir()
        assert not left.exists()
    finally:
        for process in (living, orphan):
            process.stop()
