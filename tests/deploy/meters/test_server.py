"""The meters as a process, read by a real Modbus client."""

from __future__ import annotations

import random
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from deploy.local import ports
from deploy.local.demo.steel import STEEL_PARQUET
from deploy.local.meters.journal import read_journal
from deploy.local.meters.meter import Display
from deploy.local.meters.server import silence, speak
from deploy.local.meters.settings import Order, Quantity
from tests.deploy.meters.plant import curve, meter

WORDS = 7
TYPE = ModbusTcpClient.DATATYPE


class Meters:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journals = folder / "journals"
        self.port, self.other_port = ports.choose(random.SystemRandom(), 2)
        self.meters = (
            meter(name="m1", port=self.port, unit=1),
            meter(name="m2", port=self.port, unit=2, order=Order.CDAB, scale=(3, 1)),
            meter(name="m3", port=self.other_port),
        )
        lines = [f'curve = "{STEEL_PARQUET}"', f'journals = "{self.journals}"']
        for one in self.meters:
            lines += [
                "[[meters]]",
                f'name = "{one.name}"',
                f'serial = "{one.serial}"',
                f"port = {one.port}",
                f"unit = {one.unit}",
                f"scale = {list(one.scale)}",
                f"origin_ms = {one.origin_ms}",
                f"active_at_origin = {one.active_at_origin}",
                f"reactive_at_origin = {one.reactive_at_origin}",
                f'order = "{one.order}"',
            ]
            for cell in one.cells:
                lines += [
                    "[[meters.cells]]",
                    f'quantity = "{cell.quantity}"',
                    f"address = {cell.address}",
                    f'encoding = "{cell.encoding}"',
                ]
        self.config = folder / "meters.toml"
        self.config.write_text("\n".join(lines), "utf-8")

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen([sys.executable, "-m", "deploy.local.meters", "--config", str(self.config)])
        try:
            wait_for(self.port)
            wait_for(self.other_port)
            yield process
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def client(self, port: int | None = None) -> Iterator[Any]:
        # Any: the library annotates only a part of this class.
        client: Any = ModbusTcpClient("127.0.0.1", port=port or self.port, timeout=2, retries=0)
        assert client.connect()
        try:
            yield client
        finally:
            client.close()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, f"nobody listens on {port}"
            time.sleep(0.02)
        else:
            return


@pytest.fixture
def meters(tmp_path: Path) -> Meters:
    return Meters(tmp_path)


def test_a_client_reads_what_the_journal_says(meters: Meters) -> None:
    with meters.running() as process, meters.client() as client:
        for unit, order in ((1, "big"), (2, "little")):
            before = time.time_ns() // 1_000_000
            words = client.read_holding_registers(4096, count=WORDS, device_id=unit).registers
            assert client.read_input_registers(4096, count=WORDS, device_id=unit).registers[6:] == words[6:]
            after = time.time_ns() // 1_000_000
            energy = client.convert_from_registers(words[0:2], TYPE.UINT32, word_order=order)
            reactive = client.convert_from_registers(words[2:4], TYPE.UINT32, word_order=order)
            power = client.convert_from_registers(words[4:6], TYPE.FLOAT32, word_order=order)
            found = read_journal(meters.journals / f"m{unit}.jsonl").answers
            assert len(found) == 2
            assert before <= found[0].at_ms <= after
            assert found[0].values == {
                "active_energy_import": energy,
                "reactive_energy_import": reactive,
                "active_power": float(f"{power:.6g}"),
                "power_factor": words[6] / 1000,
            }
            shown = Display(meters.meters[unit - 1], curve())
            assert all(found[0].values[str(q)] == shown.value(q, found[0].at_ms) for q in Quantity)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_refusals(meters: Meters) -> None:
    with meters.running(), meters.client() as client:
        assert client.read_holding_registers(4096, count=WORDS + 1, device_id=1).exception_code == 2
        assert client.read_holding_registers(0, count=1, device_id=1).exception_code == 2
        assert client.read_coils(0, count=1, device_id=1).exception_code == 1
        assert client.read_holding_registers(4096, count=WORDS, device_id=9).exception_code == 11
        assert client.read_holding_registers(4096, count=WORDS, device_id=1).registers
        with socket.create_connection(("127.0.0.1", meters.port), timeout=5) as other:
            other.sendall(struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 4096, 126))
            assert other.recv(100) == struct.pack(">HHHBBB", 7, 0, 3, 1, 0x83, 3)
            other.sendall(b"GET / HTTP/1.1\r\n")
            assert other.recv(100) == b""
    assert len(read_journal(meters.journals / "m1.jsonl").answers) == 1


def test_a_silent_meter_does_not_disturb_the_others(meters: Meters) -> None:
    with meters.running(), meters.client() as client, meters.client(meters.other_port) as other:
        assert other.read_holding_registers(4096, count=WORDS).registers
        silence(meters.journals, "m3")
        asked = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 4096, WORDS)
        with socket.create_connection(("127.0.0.1", meters.other_port), timeout=0.5) as waiting:
            waiting.sendall(asked)
            with pytest.raises(TimeoutError):
                waiting.recv(100)
            assert client.read_holding_registers(4096, count=WORDS, device_id=1).registers
            speak(meters.journals, "m3")
            waiting.sendall(asked)
            waiting.settimeout(5)
            assert len(waiting.recv(100)) == 9 + 2 * WORDS
    answers = read_journal(meters.journals / "m3.jsonl").answers
    assert [answer.followed for answer in answers] == [False, False]


def test_a_killed_process_starts_again_where_it_was(meters: Meters) -> None:
    with meters.running(), meters.client() as client:
        first = client.read_holding_registers(4096, count=2).registers
        assert client.read_holding_registers(4096, count=2).registers >= first
    with meters.running(), meters.client() as client:
        assert client.read_holding_registers(4096, count=2).registers >= first
    answers = read_journal(meters.journals / "m1.jsonl").answers
    assert [answer.followed for answer in answers] == [True, False, False]


def test_a_port_that_is_taken_is_told(meters: Meters) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", meters.port))
        taken.listen()
        run = subprocess.run(
            [sys.executable, "-m", "deploy.local.meters", "--config", str(meters.config)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert run.returncode == 1
    assert f"port {meters.port}" in run.stderr
