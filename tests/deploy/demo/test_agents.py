"""The demo's agents read the demo's meters: what their Modbus source records is what the journals say."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.demo import agents
from deploy.local.demo.agents import Surroundings, agent_toml
from deploy.local.demo.judge import Row, Series, judge
from deploy.local.demo.profiles import Demo
from deploy.local.demo.witnesses import answers_of, records_of
from deploy.local.meters.curve import SLOT_MS
from deploy.local.meters.load_profile import write_load_profile
from deploy.local.meters.server import silence, speak
from deploy.local.toml_text import dumps
from edge_agent.contract.birth import SeriesSpec
from edge_agent.contract.settings import parse
from edge_agent.settings import EdgeSettings
from edge_agent.sources import Poll
from edge_agent.sources.modbus.source import ModbusSource
from edge_agent.sources.replay.source import ReplaySource
from tests.deploy.meters.test_server import wait_for


class Memory:
    """A recorder whose disk is a list."""

    def __init__(self) -> None:
        self.polls: list[Poll] = []
        self.down: set[str] = set()

    async def record(self, poll: Poll) -> None:
        self.polls.append(poll)

    async def bookmark(self, key: str) -> str | None:
        return None

    def device_up(self, device: str) -> None:
        self.down.discard(device)

    def device_down(self, device: str, why: str) -> None:
        assert why
        self.down.add(device)

    def rows(self, gateway: str) -> list[Row]:
        return [
            Row(Series(gateway, reading.series), reading.t_ms, reading.value, reading.quality)
            for poll in self.polls
            for reading in poll.readings
        ]


class Scene:
    def __init__(self, folder: Path) -> None:
        self.demo = Demo.started(time.time_ns() // 1_000_000)
        self.journals = folder / "journals"
        self.base_port = ports.choose_run(random.SystemRandom(), 6) - 1
        self.config = folder / "meters.toml"
        settings = self.demo.meters_settings(self.journals, self.base_port)
        self.config.write_text(dumps(settings.model_dump(mode="json")), "utf-8")
        self.folder = folder

    def load_profile(self, meter: str) -> Path:
        return self.folder / f"{meter}.csv.gz"

    def settings(self, gateway: str) -> EdgeSettings:
        around = Surroundings(
            broker_host="127.0.0.1",
            broker_port=1883,
            password_file=self.folder / "password",
            outbox=self.folder / f"{gateway}.db",
            meters_host="127.0.0.1",
            meters_base_port=self.base_port,
            load_profiles=tuple(self.load_profile(meter.name) for meter in self.demo.gateways[gateway].meters),
        )
        return parse(EdgeSettings, tomllib.loads(agent_toml(self.demo, gateway, around)), "agent.toml")

    @contextmanager
    def meters(self) -> Iterator[None]:
        process = subprocess.Popen([sys.executable, "-m", "deploy.local.meters", "--config", str(self.config)])
        try:
            for port in range(self.base_port + 1, self.base_port + 7):
                wait_for(port)
            yield
        finally:
            process.kill()
            process.wait()


async def until(condition: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(agents, "INTERVAL_MS", 50)
    return Scene(tmp_path)


def test_every_gateway_has_a_valid_configuration(scene: Scene) -> None:
    found = {gateway: scene.settings(gateway) for gateway in scene.demo.gateways}
    assert sum(len(settings.modbus) for settings in found.values()) == 6
    for gateway, settings in found.items():
        assert settings.gateway.id == gateway
        assert settings.gateway.enterprise == scene.demo.gateways[gateway].uscc


def test_what_the_agents_record_is_what_the_meters_answered(scene: Scene) -> None:
    recorders = {gateway: Memory() for gateway in scene.demo.gateways}

    async def watch() -> None:
        sources = [
            (ModbusSource(connection), recorders[gateway])
            for gateway in scene.demo.gateways
            for connection in scene.settings(gateway).modbus
        ]
        running = [asyncio.create_task(source.run(recorder)) for source, recorder in sources]
        await until(lambda: all(len(recorder.polls) >= 5 for recorder in recorders.values()))
        # One meter goes silent: its siblings on the same gateway are read on.
        silence(scene.journals, "dongjing-press")
        dongjing = recorders["gw-dongjing-01"]
        await until(lambda: "dongjing-press" in dongjing.down)
        polls = len(dongjing.polls)
        await until(lambda: len(dongjing.polls) > polls + 5)
        assert "dongjing-main" not in dongjing.down
        speak(scene.journals, "dongjing-press")
        await until(lambda: "dongjing-press" not in dongjing.down)
        for task in running:
            task.cancel()
        for task in running:
            with suppress(asyncio.CancelledError):
                await task

    with scene.meters():
        asyncio.run(watch())
    answers = [
        answer
        for name in scene.demo.displays
        for answer in answers_of(scene.journals / f"{name}.jsonl", scene.demo.gateway_of(name))
    ]
    rows = [row for gateway, recorder in recorders.items() for row in recorder.rows(gateway)]
    verdict = judge(answers, [], rows)
    assert verdict.clean, verdict
    assert verdict.stored == len(rows) > 4 * 6 * 5
    assert judge(answers, [], rows[1:]).lost == 1


def test_the_past_is_recorded_as_the_load_profiles_have_it(scene: Scene) -> None:
    gateway = "gw-dongjing-01"
    meters = [meter.name for meter in scene.demo.gateways[gateway].meters]
    end_ms = scene.demo.start_ms + 200 * SLOT_MS
    for meter in meters:
        display = scene.demo.displays[meter]
        assert write_load_profile(display, scene.demo.start_ms, end_ms, scene.load_profile(meter)) == 800
    settings = scene.settings(gateway)
    known: dict[str, SeriesSpec] = {}
    for connection in settings.modbus:
        known |= ModbusSource(connection).series()
    memory = Memory()
    (replay,) = settings.replay
    asyncio.run(ReplaySource(replay, known).run(memory))
    records = [record for meter in meters for record in records_of(scene.load_profile(meter), gateway)]
    verdict = judge([], records, memory.rows(gateway))
    assert verdict.clean, verdict
    assert verdict.backfilled == verdict.stored == 2400
