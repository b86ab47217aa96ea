"""The supervisor: what dies comes back, what is stopped stays stopped, and nothing outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from deploy.local import identity
from deploy.local.process import NotUp, Process, pid_path, tail
from deploy.local.supervisor import SERVERS, State, Supervisor
from edge_agent.contract.errors import Misconfigured
from tests.deploy.children import DEAF, child, gone
from tests.services.waiting import until

ROOT = Path(__file__).resolve().parents[2]


def _pid(system: Supervisor, name: str) -> int:
    pid = system.pid(name)
    assert pid is not None
    return pid


def _wait_for_restart(system: Supervisor, name: str, times: int) -> None:
    until(lambda: system.restarts(name) == times and system.pid(name) is not None)


def _wait_for_word(log: Path) -> None:
    until(lambda: tail(log, 1) == ["up"])


def test_a_killed_child_is_started_again_and_counted(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as system:
        system.start(child("one"))
        system.start(child("two"))
        first, other = _pid(system, "one"), _pid(system, "two")
        for times in (1, 2):
            system.kill("one")
            _wait_for_restart(system, "one", times)
        assert _pid(system, "one") != first
        assert _pid(system, "two") == other
        assert system.restarts("two") == 0
        last = _pid(system, "one")
    assert gone(first)
    assert gone(last)
    assert gone(other)


def test_a_child_killed_from_outside_is_started_again(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as system:
        system.start(child("one"))
        os.kill(_pid(system, "one"), signal.SIGKILL)
        until(lambda: system.restarts("one") == 1 and system.pid("one") is not None)


def test_stopped_stays_stopped_until_resumed(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as system:
        system.start(child("one"))
        pid = _pid(system, "one")
        system.stop("one")
        assert gone(pid)
        assert system.pid("one") is None
        assert [standing.state for standing in system.standings()] == [State.STOPPED]
        system.resume("one")
        assert system.pid("one") not in (None, pid)
        assert system.restarts("one") == 0


def test_back_off_grows_for_a_child_that_dies_at_once(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as system:
        began_mono_s = time.monotonic()
        system.start(child("short", ""))
        until(lambda: system.restarts("short") >= 3)
        # 0.2 + 0.4 + 0.8 s
        assert time.monotonic() - began_mono_s > 1.4
        system.stop("short")


def test_first_start_that_fails_is_told_and_not_kept(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as system:
        with pytest.raises(NotUp):
            system.start(Hard(tmp_path, fails=1))
        assert [standing.state for standing in system.standings()] == [State.STOPPED]
        system.start(Hard(tmp_path, fails=0))
        assert system.pid("hard") is not None


def test_a_later_start_that_fails_is_tried_again_and_its_reason_shown(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as system:
        hard = Hard(tmp_path, fails=0)
        system.start(hard)
        hard.fails = 1
        system.kill("hard")
        until(lambda: any("not yet" in standing.trouble for standing in system.standings()))
        until(lambda: system.restarts("hard") == 2 and system.pid("hard") is not None)
        until(lambda: [standing.trouble for standing in system.standings()] == [""])


def test_names_are_unique_and_known(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as system:
        system.start(child("one"))
        with pytest.raises(Misconfigured, match="'one'"):
            system.start(child("one"))
        with pytest.raises(Misconfigured, match="there are: one"):
            system.stop("two")


def test_services_end_before_the_servers_they_use(tmp_path: Path) -> None:
    ends: list[str] = []

    def note_ends() -> None:
        ends.extend(
            standing.name
            for standing in system.standings()
            if standing.state is State.STOPPED and standing.name not in ends
        )

    with Supervisor(tmp_path, note_ends) as system:
        system.start(child("server"), SERVERS)
        system.start(child("service-a"))
        system.start(child("service-b"))
        ends.clear()
    assert sorted(ends[:2]) == ["service-a", "service-b"]
    assert ends[2:] == ["server"]


def test_children_of_one_wave_end_at_the_same_time(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as system:
        for number in range(4):
            system.start(child(f"deaf-{number}", DEAF, stop_within_s=1.0))
            _wait_for_word(tmp_path / "logs" / f"deaf-{number}.log")
        began_mono_s = time.monotonic()
    assert time.monotonic() - began_mono_s < 3.0


def test_stop_cuts_short_a_start_that_is_under_way(tmp_path: Path) -> None:
    hard = Hard(tmp_path, fails=0)
    with Supervisor(tmp_path) as system:
        system.start(hard)
        hard.slow = True
        system.kill("hard")
        assert hard.starting.wait(10)
        began_mono_s = time.monotonic()
        system.stop("hard")
        assert time.monotonic() - began_mono_s < 5.0
        assert system.pid("hard") is None


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_children_end_with_a_supervisor_that_is_told_to_end(tmp_path: Path, told: signal.Signals) -> None:
    program, pids = _program(tmp_path)
    program.send_signal(told)
    assert program.wait(20) == (130 if told is signal.SIGINT else 0)
    assert all(gone(pid) for pid in pids)


def test_children_of_a_killed_supervisor_can_still_be_ended(tmp_path: Path) -> None:
    program, pids = _program(tmp_path)
    program.kill()
    program.wait()
    assert all(identity.identify(pid) for pid in pids)
    for name in ("one", "two"):
        assert identity.end_saved(pid_path(tmp_path, name), within_s=10)
    assert not any(identity.identify(pid) for pid in pids)


def _program(folder: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    """Start a supervisor with two children in a process of its own."""
    program = subprocess.Popen([sys.executable, "-m", "tests.deploy.supervised", str(folder)], cwd=ROOT)
    until(lambda: (folder / "ready").exists())
    return program, [int(word) for word in (folder / "ready").read_text().split()]


class Hard(Process):
    """A process whose start fails as often as told, or takes long."""

    def __init__(self, folder: Path, fails: int) -> None:
        super().__init__(child("hard"), folder)
        self.fails = fails
        self.slow = False
        self.starting = threading.Event()

    def start(self) -> None:
        if self.fails:
            self.fails -= 1
            raise NotUp("not yet")
        super().start()
        if self.slow:
            self.starting.set()
            self.until(lambda: False, within_s=60)
