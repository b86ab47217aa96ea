"""The command ``g60``, as a person runs it: in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import ROOMS
from deploy.local import external, identity
from deploy.local.kafka import Kafka, jars
from deploy.local.mosquitto.login import Login, admitted
from edge_agent import __version__
from tests.services.waiting import until

ROOT = Path(__file__).resolve().parents[2]
_UP_S = 120


class Shell:
    """Runs ``g60`` in one folder and environment."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def __call__(self, *words: str, within_s: float = _UP_S) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._argv(*words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=within_s,
        )

    def follow(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._argv(*words), cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        )

    def status(self) -> dict[str, Any]:
        """Return what ``g60 status --json`` says, with the entries by name."""
        said = json.loads(self("status", "--json").stdout)
        said["entries"] = {entry["name"]: entry for entry in said["entries"]}
        return dict(said)

    def _argv(self, *words: str) -> tuple[str, ...]:
        return (sys.executable, "-m", "deploy.cli", *words)


@pytest.fixture
def g60(tmp_path: Path) -> Iterator[Shell]:
    """A shell in an empty folder where all servers are ours; whatever was started ends with the test."""
    shell = Shell(tmp_path, _environment())
    yield shell
    shell("down")


@pytest.fixture
def quick(g60: Shell, kafka: Kafka) -> Shell:
    """The same, but Kafka is the shared one: it takes longest to start."""
    g60.environment[external.KAFKA] = kafka.bootstrap
    return g60


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("G60_")}
    return ours | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}


@pytest.mark.slow
def test_the_whole_system_comes_up_and_goes_down(g60: Shell) -> None:
    up = g60("up")
    assert up.returncode == 0, up.stderr
    status = g60.status()
    assert status["phase"] == "running"
    assert status["entries"]["kafka"]["version"] == jars.VERSION
    for name, entry in status["entries"].items():
        assert f"{name} " in up.stdout
        assert entry["address"] in up.stdout
        assert entry["log"] in up.stdout
    assert set(status["entries"]) >= {"mosquitto", "kafka", "postgres"}
    assert g60("down").returncode == 0
    assert all(identity.identify(entry["pid"]) is None for entry in status["entries"].values())


def test_a_gateway_is_let_in_and_its_old_password_ends(quick: Shell) -> None:
    refused = quick("admit", "gw-1")
    assert (refused.returncode, "g60 up" in refused.stderr) == (2, True)
    assert quick("up", "--only-servers").returncode == 0
    first, second = (tomllib.loads(quick("admit", "gw-1").stdout) for _ in range(2))
    logins = [
        Login(told["mqtt"]["host"], told["mqtt"]["port"], "gw-1", told["mqtt"]["password"]) for told in (first, second)
    ]
    assert first["gateway"] == {"id": "gw-1"}
    assert [admitted(login, 5) for login in logins] == [False, True]
    wrong = quick("admit", "Gateway 1")
    assert (wrong.returncode, "no gateway name" in wrong.stderr) == (2, True)


def test_up_is_idempotent_status_tells_and_down_ends_all(quick: Shell) -> None:
    before = quick("status")
    assert before.returncode == 1
    assert quick("up", "--only-servers").returncode == 0
    first = quick.status()
    assert quick("status").returncode == 0
    assert quick("up", "--only-servers").returncode == 0
    assert quick.status() == first
    assert first["entries"]["kafka"]["log"] is None
    down = quick("down")
    assert (down.returncode, "stopped" in down.stdout) == (0, True)
    assert identity.identify(first["pid"]) is None
    assert all(identity.identify(entry["pid"]) is None for entry in first["entries"].values() if entry["pid"])
    after = quick("status")
    assert after.returncode == 1
    assert "stopped" in after.stdout
    again = quick("down")
    assert (again.returncode, "nothing runs" in again.stdout) == (0, True)


def test_up_again_keeps_addresses(quick: Shell) -> None:
    quick("up", "--only-servers")
    first = {name: entry["address"] for name, entry in quick.status()["entries"].items()}
    quick("down")
    quick("up", "--only-servers")
    assert {name: entry["address"] for name, entry in quick.status()["entries"].items()} == first


def test_a_killed_server_comes_back_and_status_counts_it(quick: Shell) -> None:
    quick("up", "--only-servers")
    pid = quick.status()["entries"]["postgres"]["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: quick.status()["entries"]["postgres"]["restarts"] == 1)
    until(lambda: quick("status").returncode == 0)
    assert quick.status()["entries"]["postgres"]["pid"] != pid


def test_what_a_killed_supervisor_left_is_shown_and_ended(quick: Shell) -> None:
    quick("up", "--only-servers")
    first = quick.status()
    os.kill(first["pid"], signal.SIGKILL)
    until(lambda: identity.identify(first["pid"]) is None)
    lost = quick("status")
    assert lost.returncode == 1
    assert "lost" in lost.stdout
    assert quick.status()["entries"]["postgres"]["state"] == "running"
    down = quick("down")
    assert "mosquitto, postgres" in down.stdout
    assert all(
        identity.identify(entry["pid"]) is None for entry in first["entries"].values() if entry["pid"] is not None
    )
    assert quick.status()["entries"]["postgres"]["state"] == "stopped"


def test_up_after_a_killed_supervisor_takes_over(quick: Shell) -> None:
    quick("up", "--only-servers")
    first = quick.status()
    os.kill(first["pid"], signal.SIGKILL)
    assert quick("up", "--only-servers").returncode == 0
    second = quick.status()
    assert second["phase"] == "running"
    assert second["pid"] != first["pid"]
    assert identity.identify(first["entries"]["postgres"]["pid"]) is None


def test_down_ends_a_start_that_is_under_way(g60: Shell) -> None:
    assert g60("up", "--no-wait", "--only-servers").returncode == 0
    until(lambda: "kafka" in g60.status()["entries"])
    assert g60.status()["phase"] == "starting"
    down = g60("down")
    assert "stopped" in down.stdout
    assert g60.status()["phase"] == "stopped"
    assert list((g60.folder / ".g60" / "pids").iterdir()) == []


def test_down_ends_a_start_that_has_hardly_begun(quick: Shell) -> None:
    assert quick("up", "--no-wait", "--only-servers").returncode == 0
    assert "stopped" in quick("down").stdout
    assert quick("status").returncode == 1
    assert not list((quick.folder / ".g60").glob("pids/*"))


def test_two_ups_at_once_make_one_system(quick: Shell) -> None:
    both = [quick.follow("up", "--only-servers") for _ in range(2)]
    said = [one.communicate(timeout=_UP_S)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert said[0] == said[1]


def test_logs_are_listed_shown_and_followed(quick: Shell) -> None:
    quick("up", "--only-servers")
    listed = quick("logs").stdout.split()
    assert {"mosquitto", "postgres", "supervisor"} <= set(listed)
    shown = quick("logs", "mosquitto", "-n", "1000").stdout
    assert "mosquitto version" in shown
    assert quick("logs", "mosquitto", "-n", "1").stdout.count("\n") == 1
    following = quick.follow("logs", "postgres", "-f", "-n", "0")
    try:
        os.kill(quick.status()["entries"]["postgres"]["pid"], signal.SIGKILL)
        assert following.stdout is not None
        # The server that is started again writes to a new file.
        assert any("ready to accept connections" in line for line in following.stdout)
    finally:
        following.terminate()
        following.wait()
        following.communicate()


def test_a_start_that_fails_tells_why_on_standard_error_without_traceback(g60: Shell) -> None:
    g60.environment[external.KAFKA] = "127.0.0.1:1"
    up = g60("up")
    assert up.returncode == 1
    assert f"{external.KAFKA}: kafka at 127.0.0.1:1 does not answer" in up.stderr
    assert "Traceback" not in up.stderr
    g60.environment[external.KAFKA] = "nonsense"
    up = g60("up")
    assert up.returncode == 2
    assert "is not host:port" in up.stderr
    status = g60("status")
    assert status.returncode == 1
    assert "is not host:port" in status.stdout


def test_what_a_person_has_to_mend_is_exit_code_2(g60: Shell) -> None:
    said = g60("logs", "nothing")
    assert said.returncode == 2
    assert "no log is named 'nothing'" in said.stderr
    assert "Traceback" not in said.stderr


def test_help_and_version_import_no_room(tmp_path: Path) -> None:
    code = (
        "import sys; from deploy.cli import cli; cli(['--help'], standalone_mode=False);"
        "print(sorted({'kafka', 'psycopg', 'pyarrow', 'numpy', 'stream', 'warehouse', 'metrics'} & set(sys.modules)))"
    )
    said = subprocess.run(
        (sys.executable, "-c", code), cwd=tmp_path, env=_environment(), capture_output=True, text=True, check=True
    )
    for room in ROOMS:
        assert f"\n  {room} " in said.stdout
    assert said.stdout.splitlines()[-1] == "[]"


def test_version_is_the_packages(g60: Shell) -> None:
    assert __version__ in g60("--version").stdout


def test_a_room_whose_extra_is_missing_names_the_command(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "class Gone:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'psycopg': raise ModuleNotFoundError('gone', name=name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "from deploy.cli import main\n"
        "main()\n"
    )
    said = subprocess.run(
        (sys.executable, "-c", code, "up"),
        cwd=tmp_path,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 2
    assert "psycopg is not installed" in said.stderr
    assert "pip install 'g60-pulse[demo]'" in said.stderr
    assert "Traceback" not in said.stderr
