"""The whole system: up, one folder each, the same again after a restart, and nothing left of a start that failed."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from deploy.local import external, identity, iotcore, missing, runfile, system
from deploy.local.iotcore import IotCore
from deploy.local.kafka import Kafka, jars
from deploy.local.mosquitto import Mosquitto
from deploy.local.mosquitto.login import Login, admitted
from deploy.local.postgres import Postgres
from deploy.local.process import NotUp, Process, pids
from deploy.local.runfile import Phase
from deploy.local.system import System, end_leftovers, environment_path
from edge_agent.contract.errors import Misconfigured
from tests.deploy.children import child, gone
from tests.services.waiting import until


@pytest.fixture
def elsewhere(mosquitto: Mosquitto, kafka: Kafka, postgres: Postgres) -> dict[str, str]:
    """An environment that names the shared servers, so that a system starts none."""
    return {
        external.MQTT: f"mqtt://{mosquitto.bridge_user}:{mosquitto.bridge_password}@{mosquitto.address}",
        external.KAFKA: kafka.bootstrap,
        external.DATABASE: postgres.dsn,
    }


def _is_up(one: System) -> bool:
    return all(server.healthy() for server in one.servers)


@pytest.mark.slow
def test_two_systems_side_by_side_and_one_again(tmp_path: Path) -> None:
    with System(tmp_path / "a", {}) as one, System(tmp_path / "b", {}) as other:
        assert one.versions() == other.versions()
        assert one.versions()["kafka"] == jars.VERSION
        addresses = [server.address for server in (*one.servers, *other.servers)]
        assert len(set(addresses)) == 6
        one.mqtt.add_user("gw-1", "secret")
        with psycopg.connect(one.database.dsn) as connection:
            connection.execute("create table public.kept as select 1 as v")
        with KafkaAdminClient(bootstrap_servers=one.kafka.bootstrap) as admin:
            admin.create_topics([NewTopic("kept", 1, 1)])
        with KafkaAdminClient(bootstrap_servers=other.kafka.bootstrap) as admin:
            assert "kept" not in admin.list_topics()
        assert not admitted(Login("127.0.0.1", other.mqtt.port, "gw-1", "secret"), 5)

        for server in one.servers:
            one.supervisor.kill(server.name)
        until(lambda: _is_up(one), within_s=60)
        for server in one.servers:
            assert one.supervisor.restarts(server.name) == 1
            assert other.supervisor.restarts(server.name) == 0
        until(lambda: all(entry.state == "running" for entry in _entries(tmp_path / "a")))
        assert {entry.restarts for entry in _entries(tmp_path / "a")} == {1}
        processes = [server.pid for server in (*one.servers, *other.servers)]

    assert all(pid is not None and gone(pid) for pid in processes)
    with System(tmp_path / "a", {}) as again:
        assert [server.address for server in again.servers] == addresses[:3]
        assert admitted(Login("127.0.0.1", again.mqtt.port, "gw-1", "secret"), 5)
        with psycopg.connect(again.database.dsn) as connection:
            assert connection.execute("select v from public.kept").fetchone() == (1,)
        with KafkaAdminClient(bootstrap_servers=again.kafka.bootstrap) as admin:
            assert "kept" in admin.list_topics()


def _entries(folder: Path) -> tuple[runfile.Entry, ...]:
    run = runfile.read(folder)
    assert run is not None
    return run.entries


def test_servers_of_the_environment_are_used_and_left_alone(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    with System(tmp_path, elsewhere) as one:
        assert _is_up(one)
        assert one.database.dsn == elsewhere[external.DATABASE]
        assert one.kafka.bootstrap == elsewhere[external.KAFKA]
        assert [server.pid for server in one.servers] == [None, None, None]
        assert list(pids(tmp_path).glob("*")) == []
        told = {
            name.removeprefix("export "): shlex.split(value)[0]
            for name, _, value in (
                line.partition("=") for line in environment_path(tmp_path).read_text("utf-8").splitlines()
            )
        }
        assert told == elsewhere
        assert environment_path(tmp_path).stat().st_mode & 0o777 == 0o600
    assert _is_up(one)


def test_services_are_kept_running_and_told_in_the_run_file(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    with System(tmp_path, elsewhere, services=lambda _: (child("bridge"),)) as one:
        one.supervisor.start(child("late"))
        run = runfile.now(tmp_path)
        assert run is not None
        assert run.phase is Phase.RUNNING
        assert {entry.name for entry in run.entries[:3]} == {"mosquitto", "kafka", "postgres"}
        assert [entry.name for entry in run.entries[3:]] == ["bridge", "late"]
        late = run.entry("late")
        assert late is not None
        assert late.pid == one.supervisor.pid("late")
        assert run.pid == os.getpid()
        one.supervisor.kill("late")
        until(lambda: [entry.restarts for entry in _entries(tmp_path) if entry.name == "late"] == [1])
        one.supervisor.stop("late")
        assert [entry.state for entry in _entries(tmp_path) if entry.name == "late"] == ["stopped"]
    finished = runfile.now(tmp_path)
    assert finished is not None
    assert finished.phase is Phase.STOPPED
    assert {entry.state for entry in finished.entries} == {"stopped"}


def test_a_folder_in_use_is_refused_and_named(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    with System(tmp_path, elsewhere):
        with pytest.raises(Misconfigured, match=f"in use by process {os.getpid()}.*g60 down"):
            System(tmp_path, elsewhere).__enter__()
        run = runfile.now(tmp_path)
        assert run is not None
        assert run.phase is Phase.RUNNING
    with System(tmp_path, elsewhere):
        pass


def test_a_start_that_fails_leaves_nothing_running_and_says_why(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    del elsewhere[external.DATABASE]
    elsewhere[external.KAFKA] = "127.0.0.1:1"
    with pytest.raises(NotUp, match=external.KAFKA):
        System(tmp_path, elsewhere).__enter__()
    run = runfile.now(tmp_path)
    assert run is not None
    assert run.phase is Phase.FAILED
    assert external.KAFKA in run.error
    assert list(pids(tmp_path).glob("*")) == []


def test_what_a_killed_supervisor_left_is_ended_before_a_new_start(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    left = Process(child("sink"), tmp_path)
    left.start()
    pid = left.pid
    assert pid is not None
    with System(tmp_path, elsewhere):
        assert identity.identify(pid) is None
    left.stop()
    assert end_leftovers(tmp_path) == ()


def test_servers_are_not_known_before_it_is_entered(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="with System"):
        _ = System(tmp_path / "new").mqtt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("have", "may", "stand_in", "expected"),
    [
        (True, False, True, Mosquitto),
        (False, True, True, Mosquitto),
        (False, False, True, IotCore),
        (False, False, False, Mosquitto),
    ],
)
def test_mosquitto_goes_before_the_stand_in(
    monkeypatch: pytest.MonkeyPatch, *, have: bool, may: bool, stand_in: bool, expected: type
) -> None:
    monkeypatch.setattr(missing, "mosquitto_path", lambda: "/somewhere" if have else None)
    monkeypatch.setattr(missing, "may_install", lambda: may)
    monkeypatch.setattr(iotcore, "installed", lambda: stand_in)
    assert system.broker_class() is expected


def test_all_that_is_missing_is_named_at_once_with_both_ways_to_a_broker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(missing, "mosquitto_path", lambda: None)
    monkeypatch.setattr(missing, "java_path", lambda: None)
    monkeypatch.setattr(missing, "may_install", lambda: False)
    monkeypatch.setattr(iotcore, "installed", lambda: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    with pytest.raises(Misconfigured, match=r"(?s)mosquitto, java >= 17.*pip install iotcore"):
        System(tmp_path, {}).__enter__()
    run = runfile.now(tmp_path)
    assert run is not None
    assert run.phase is Phase.FAILED
