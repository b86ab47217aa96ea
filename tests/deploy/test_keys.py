"""Ports and passwords stay, unless somebody else took a port."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import pytest

from deploy.local import keys, ports
from deploy.local.files import write_atomically
from edge_agent.contract.errors import Misconfigured

_PORTS = ("mqtt_port", "kafka_port", "kafka_controller_port", "postgres_port")


def _dice() -> random.Random:
    return random.SystemRandom()


def test_keys_are_the_same_after_a_restart_and_only_ours_to_read(tmp_path: Path) -> None:
    first = keys.provide(tmp_path, _dice())
    assert keys.provide(tmp_path, _dice()) == first
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert len({getattr(first, name) for name in _PORTS}) == len(_PORTS)


def test_a_taken_port_brings_new_ports_and_leaves_the_passwords(tmp_path: Path) -> None:
    first = keys.provide(tmp_path, _dice())
    with socket.socket() as taker:
        taker.bind((ports.LOOPBACK, first.kafka_port))
        taker.listen()
        assert not ports.free(first.kafka_port)
        second = keys.provide(tmp_path, _dice())
    assert second.kafka_port != first.kafka_port
    assert second.postgres_password == first.postgres_password
    assert keys.provide(tmp_path, _dice()) == second


def test_damaged_keys_are_not_replaced_silently(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(Misconfigured, match=r"keys\.json"):
        keys.provide(tmp_path, _dice())
    assert (tmp_path / "keys.json").read_text() == "{"


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    chosen = ports.choose(_dice(), 20)
    assert len(set(chosen)) == 20
    assert all(ports.LOWEST <= port < max(lowest_outgoing, ports.LOWEST + ports.TRIES) for port in chosen)


def test_the_environment_may_name_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ports.RANGE_VARIABLE, "20000-20020")
    assert all(20_000 <= port < 20_020 for port in ports.choose(_dice(), 5))
    assert 20_000 <= ports.choose_run(_dice(), 6) <= 20_014


@pytest.mark.parametrize("given", ["", "20000", "20020-20000", "80-90", "20000-70000", "a-b"])
def test_a_wrong_range_is_told(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ports.RANGE_VARIABLE, given)
    with pytest.raises(Misconfigured, match="LOW-HIGH"):
        ports.choose(_dice(), 1)


def test_too_many_ports_are_refused() -> None:
    with pytest.raises(Misconfigured, match="free ports"):
        ports.choose(_dice(), ports.TRIES + 1)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\udcff")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
