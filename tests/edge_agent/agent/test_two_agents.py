"""Two agents under one id, begun from copies of one buffer: they stop, and neither loses a reading."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.local.mosquitto import Mosquitto
from edge_agent.contract.command import SeqRange, Stored
from edge_agent.contract.event import EventKind, parse_event
from edge_agent.contract.topics import Channel, Command
from tests.edge_agent.agent.plant import Plant, readings
from tests.edge_agent.publisher.bridge import SOON_S, Bridge, telemetry

LATE_S = 60.0
OTHER_FIRST = 1_000_001


class Warehouse:
    """Confirms, per epoch, exactly what has arrived, as the sink does; the broker keeps the word on the latest."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._looked_at = 0
        self._seqs: dict[int, set[int]] = defaultdict(set)
        self.rows: set[tuple[int, object]] = set()
        """Time and value of every reading that arrived, whatever number its message bore."""

    def confirm(self) -> None:
        heard = telemetry(self._bridge.heard(*Channel))
        news = [found.batch for found in heard[self._looked_at :]]
        self._looked_at = len(heard)
        for batch in news:
            self._seqs[batch.epoch].add(batch.seq)
            for points in batch.series.values():
                self.rows.update(zip(points.t, points.v, strict=True))
        for epoch in sorted({batch.epoch for batch in news}):
            seqs = self._seqs[epoch]
            missing = [seq for seq in range(1, max(seqs)) if seq not in seqs]
            ranges = tuple(SeqRange(seq, seq) for seq in missing[:500])
            through = max(seqs) if len(missing) <= 500 else missing[500] - 1
            self._bridge.tell(Command.STORED, Stored(epoch=epoch, through=through, missing=ranges))

    def until_one_stopped(self, *processes: subprocess.Popen[bytes]) -> None:
        deadline_mono_s = time.monotonic() + LATE_S
        while all(process.poll() is None for process in processes):
            assert time.monotonic() < deadline_mono_s
            self.confirm()
            time.sleep(0.05)

    def until_arrived(self, plant: Plant) -> None:
        deadline_mono_s = time.monotonic() + LATE_S
        promised = plant.promised()
        while not promised <= {t for t, _ in self.rows}:
            missing = sorted(promised - {t for t, _ in self.rows})
            assert time.monotonic() < deadline_mono_s, (len(missing), missing[:50], plant.log.read_text("utf-8"))
            self.confirm()
            time.sleep(0.05)


def plant_of(mosquitto: Mosquitto, folder: Path, name: str | None = None) -> Plant:
    """A gateway that believes a confirmation only when its connection has stood for a while, as gateways do."""
    plant = Plant(mosquitto, folder, name)
    plant.config.write_text(plant.config.read_text().replace("settle_after_s = 0", "settle_after_s = 60"))
    return plant


def copied(plant: Plant, mosquitto: Mosquitto, folder: Path) -> Plant:
    folder.mkdir()
    other = plant_of(mosquitto, folder, plant.name)
    for part in plant.outbox.parent.glob("outbox.db*"):
        shutil.copy(part, folder / part.name)
    return other


@pytest.mark.slow
@pytest.mark.parametrize("told_apart", [True, False], ids=["other hardware", "no difference to be seen"])
def test_two_agents_under_one_id_stop_and_lose_nothing(mosquitto: Mosquitto, tmp_path: Path, told_apart: bool) -> None:
    (tmp_path / "one").mkdir()
    one = plant_of(mosquitto, tmp_path / "one")
    with Bridge(mosquitto, one.name) as bridge, ExitStack() as running:
        warehouse = Warehouse(bridge)
        with one.running("machine=hw:one") as process:
            bridge.until(lambda heard: len(readings(heard)) >= 200)
            process.send_signal(signal.SIGKILL)
            process.wait()
        (epoch,) = {found.batch.epoch for found in telemetry(bridge.heard(*Channel))}
        two = copied(one, mosquitto, tmp_path / "two")
        machine = f"machine=hw:{'two' if told_apart else 'one'}"
        first = running.enter_context(one.running("machine=hw:one"))
        second = running.enter_context(two.running(machine, f"from={OTHER_FIRST}"))
        agents = {one: first, two: second}
        warehouse.until_one_stopped(first, second)
        stopped = [plant for plant, process in agents.items() if process.poll() is not None]
        assert [agents[plant].returncode for plant in stopped] == [3] * len(stopped), "it says so by its exit code"
        for plant in stopped:
            log = plant.log.read_text("utf-8")
            assert f"another agent runs under the id '{plant.name}'" in log
            assert "另有采集程序在使用同一网关编号" in log
            assert "Traceback" not in log
            command = [sys.executable, "-m", "edge_agent", "status", "--json", "--config", str(plant.config)]
            status = subprocess.run(command, capture_output=True, timeout=SOON_S, check=False)
            assert status.returncode == 1
            found = json.loads(status.stdout)
            assert not found["running"]
            assert "another agent runs under the id" in found["connection"]["stopped"]
            assert found["outbox"]["epoch"] > epoch, "nobody goes on in an epoch that two have used"
        for process in (first, second):  # the other one may have met the first one's last words, and stop as well
            process.send_signal(signal.SIGTERM)
            # By the signal itself where it comes when the agent has stopped and Python is about to end.
            assert process.wait(SOON_S) in (0, 3, -signal.SIGTERM)

        # The other one was found; each runs alone now.
        for plant in (one, two):
            with plant.running(*(["machine=hw:one"] if plant is one else [machine])) as process:
                already = len(plant.promised())
                plant.until(lambda plant=plant, already=already: len(plant.promised()) > already)  # type: ignore[misc]
                warehouse.until_arrived(plant)
                process.send_signal(signal.SIGTERM)
                assert process.wait(SOON_S) == 0
        kinds = [parse_event(found.payload).kind for found in bridge.heard(Channel.EVENT)]
        assert EventKind.ID_TAKEN in kinds
        assert EventKind.BUFFER_RENEWED in kinds
    assert all(t == v for t, v in warehouse.rows), "and nothing else is told"
