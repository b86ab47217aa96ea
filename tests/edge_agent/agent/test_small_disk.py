"""The whole agent on a disk that fills up: it neither dies nor loses what it promised."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from deploy.local.mosquitto import Mosquitto
from edge_agent.contract.event import EventKind, parse_event
from edge_agent.contract.topics import Channel
from tests.edge_agent.agent.plant import Plant, readings
from tests.edge_agent.outbox.small_disk import small_disk
from tests.edge_agent.publisher.bridge import SOON_S, Bridge, Heard, telemetry


@pytest.mark.slow
def test_an_agent_outlives_a_full_disk(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 40) as disk, Bridge(mosquitto, "gw-disk") as bridge:
        mosquitto.add_user("gw-disk", "right")
        plant = Plant(mosquitto, tmp_path, name="gw-disk")
        plant.config.write_text(plant.config.read_text().replace(str(plant.outbox), str(disk.folder / "outbox.db")))
        disk.fill()
        with plant.running() as process:
            plant.until(lambda: "outbox.disk_full" in plant.log.read_text("utf-8"))
            assert not plant.promised(), "nowhere to keep it: nothing is read"
            disk.empty()
            bridge.until(lambda heard: len(readings(heard)) >= 200)
            disk.fill()
            # It goes on within the space that the file and its log have, or waits; which of them is chance.
            plant.until(lambda: bool({"缓冲无法写入", "缓冲已满"} & set(told(plant))))
            assert process.poll() is None
            disk.empty()
            already = len(plant.promised())
            plant.until(lambda: len(plant.promised()) >= already + 200)
            bridge.until(lambda heard: bool({EventKind.DISK_FULL, EventKind.BUFFER_OVERFLOW} & kinds(heard)))
            promised = plant.promised()
            # What was given up to go on inside the file is reported, to the reading; everything else arrives.
            bridge.until(lambda heard: len(promised - set(readings(heard))) == given_up(heard))
            process.send_signal(signal.SIGTERM)
            assert process.wait(SOON_S) == 0
        assert "Traceback" not in plant.log.read_text("utf-8")
        assert len({found.batch.epoch for found in telemetry(bridge.heard(*Channel))}) == 1
        assert not list(disk.folder.glob("*.damaged-*"))


def kinds(heard: list[Heard]) -> set[EventKind]:
    return {parse_event(found.payload).kind for found in heard if found.channel is Channel.EVENT}


def given_up(heard: list[Heard]) -> int:
    """Readings that telemetry reports as dropped, each report once."""
    return sum(gap.readings for gap in {gap for found in telemetry(heard) for gap in found.batch.dropped})


def told(plant: Plant) -> list[str]:
    """What the log says to a person, without numbers."""
    log = plant.log.read_text("utf-8")
    return [word for word in ("缓冲无法写入", "缓冲已满") if word in log]
