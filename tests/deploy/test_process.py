"""A process of ours: ended in good order or not, never the wrong one, and no zombie."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import identity, process
from deploy.local.identity import Identity
from deploy.local.process import NotUp, Process, Spec, older, pid_path, tail
from edge_agent.contract.errors import Misconfigured
from tests.deploy.children import DEAF, SLEEPS, child, gone
from tests.services.waiting import until


def _started(folder: Path, spec: Spec) -> tuple[Process, int]:
    running = Process(spec, folder)
    running.start()
    until(lambda: tail(running.log, 1) == ["up"])
    assert running.pid is not None
    return running, running.pid


def _wait_for_end(running: Process) -> None:
    until(lambda: not running.running())


def test_it_leads_a_session_of_its_own_and_ends_without_a_zombie(tmp_path: Path) -> None:
    running, pid = _started(tmp_path, child("one"))
    assert os.getsid(pid) == pid
    running.stop()
    assert gone(pid)
    assert not running.running()
    assert running.pid is None
    assert not pid_path(tmp_path, "one").exists()


def test_one_that_does_not_listen_is_killed_after_its_time(tmp_path: Path) -> None:
    running, pid = _started(tmp_path, child("deaf", DEAF, stop_within_s=0.1))
    running.stop()
    assert gone(pid)


def test_what_it_started_itself_ends_with_it(tmp_path: Path) -> None:
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', sys.argv[1]]).pid, flush=True);"
    spec = Spec("parent", (sys.executable, "-c", code + SLEEPS.replace("'up'", "'-'"), SLEEPS))
    running = Process(spec, tmp_path)
    running.start()
    until(lambda: "up" in tail(running.log, 3))
    grandchild = int(next(line for line in tail(running.log, 3) if line.isdecimal()))
    running.stop()
    until(lambda: identity.identify(grandchild) is None)


def test_killed_one_is_seen_dead_and_starts_again(tmp_path: Path) -> None:
    running, first = _started(tmp_path, child("one"))
    running.kill()
    assert not running.running()
    assert gone(first)
    running.start()
    assert running.pid not in (None, first)
    running.stop()


def test_one_that_dies_by_itself_leaves_no_zombie_once_it_is_started_again(tmp_path: Path) -> None:
    running = Process(child("short", "print('bye')"), tmp_path)
    running.start()
    until(lambda: not running.running())
    first = json.loads(pid_path(tmp_path, "short").read_text())["pid"]
    running.start()
    running.stop()
    assert gone(first)


def test_start_ends_what_a_killed_supervisor_left_under_the_same_name(tmp_path: Path) -> None:
    left, pid = _started(tmp_path, child("one"))
    newcomer = Process(child("one"), tmp_path)
    newcomer.start()
    assert identity.identify(pid) is None
    assert newcomer.running()
    newcomer.stop()
    left.stop()


def test_a_recycled_pid_is_never_touched(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPS], start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        who = identity.identify(stranger.pid)
        assert who is not None
        for other in (
            Identity(who.pid, who.started_ticks - 1, who.boot),
            Identity(who.pid, who.started_ticks, "another boot"),
        ):
            path = pid_path(tmp_path, "one")
            identity.save(other, signal.SIGKILL, path)
            assert not identity.end_saved(path, within_s=1)
            assert not path.exists()
        identity.save(other, signal.SIGKILL, pid_path(tmp_path, "one"))
        ours = Process(child("one"), tmp_path)
        ours.start()
        ours.stop()
        assert stranger.poll() is None
        assert identity.end(who, signal.SIGTERM, within_s=10)
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"pid": "x", "started_ticks": 1}', "\udcff"])
def test_damaged_pid_file_names_nobody(tmp_path: Path, text: str) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    assert identity.saved(path) is None
    assert not identity.end_saved(path, within_s=1)


def test_identity_reads_a_command_name_with_spaces_and_parentheses(tmp_path: Path) -> None:
    program = tmp_path / "a) R (b"
    program.symlink_to(sys.executable)
    running = Process(Spec("odd", (str(program), "-c", SLEEPS)), tmp_path)
    running.start()
    assert running.pid is not None
    who = identity.identify(running.pid)
    assert who is not None
    assert identity.alive(who)
    running.stop()
    assert not identity.alive(who)


def test_a_zombie_does_not_live() -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    until(lambda: identity.identify(dead.pid) is None)
    dead.wait()


def test_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no-such-program"):
        Process(Spec("one", ("no-such-program",)), tmp_path).start()


def test_waiting_ends_with_the_log_when_the_process_ends_first_or_takes_too_long(tmp_path: Path) -> None:
    dying = Process(child("dying", "print('the reason'); raise SystemExit(3)"), tmp_path)
    dying.start()
    with pytest.raises(NotUp, match=r"(?s)dying ended.*the reason"):
        dying.until(lambda: False, within_s=20)
    dying.stop()
    slow, _ = _started(tmp_path, child("slow"))
    with pytest.raises(NotUp, match="slow is not ready"):
        slow.until(lambda: False, within_s=0.1)
    slow.stop()


def test_logs_of_the_last_starts_are_kept_and_no_more(tmp_path: Path) -> None:
    for start in range(process.KEPT_LOGS + 3):
        once = Process(child("once", f"print({start})"), tmp_path)
        once.start()
        _wait_for_end(once)
        once.stop()
    newest = process.KEPT_LOGS + 2
    assert tail(once.log, 9) == [str(newest)]
    for age in range(1, process.KEPT_LOGS + 1):
        assert tail(older(once.log, age), 9) == [str(newest - age)]
    assert len(list(once.log.parent.iterdir())) == process.KEPT_LOGS + 1


def test_log_of_a_long_run_is_cut_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_LOG_BYTES", 1000)
    talker = Process(
        child("talker", "import time\nwhile True: print('x' * 99, flush=True); time.sleep(0.001)"), tmp_path
    )
    talker.start()
    until(lambda: talker.log.stat().st_size > 2000)
    talker.bound_log()
    assert older(talker.log, 1).stat().st_size > 2000
    until(lambda: bool(tail(talker.log, 1)))
    talker.stop()
    assert set(tail(talker.log, 1)) == {"x" * 99}


def test_tail_gives_whole_long_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = [str(number) + "长" * 5000 for number in range(5)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    assert tail(path, 2) == lines[-2:]
    assert tail(path, 99) == lines
    assert tail(path, 0) == []
    assert tail(tmp_path / "none", 3) == []
