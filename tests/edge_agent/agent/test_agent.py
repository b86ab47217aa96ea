"""The whole agent, as a process, against a real Mosquitto."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.mosquitto import Mosquitto
from edge_agent.contract.command import Stored
from edge_agent.contract.event import EventKind, parse_event
from edge_agent.contract.state import parse_state
from edge_agent.contract.topics import Channel, Command
from edge_agent.outbox.database import Database
from tests.edge_agent.agent.plant import Plant, readings
from tests.edge_agent.outbox.models import everything
from tests.edge_agent.publisher.bridge import SOON_S, Bridge, Heard, telemetry


@pytest.fixture
def plant(mosquitto: Mosquitto, tmp_path: Path) -> Plant:
    return Plant(mosquitto, tmp_path)


def test_kill_9_loses_no_recorded_poll(mosquitto: Mosquitto, plant: Plant) -> None:
    with Bridge(mosquitto, plant.name) as bridge:
        for round_number in range(1, 6):
            with plant.running() as process:
                already = len(plant.promised())
                plant.until(lambda already=already: len(plant.promised()) >= already + 300)  # type: ignore[misc]
                process.send_signal(signal.SIGKILL)
                process.wait()
            assert plant.promised(), round_number
        with plant.running() as process:
            bridge.until(lambda heard: plant.promised() <= set(readings(heard)))
            process.send_signal(signal.SIGTERM)
            assert process.wait(SOON_S) == 0
        heard = readings(bridge.heard(*Channel))
    assert len(heard) == len(set(heard)), "a poll and its bookmark are one: nothing is read twice"
    assert plant.promised() <= set(heard)


def test_sigterm_sends_what_was_read_and_says_goodbye(mosquitto: Mosquitto, plant: Plant) -> None:
    with Bridge(mosquitto, plant.name) as bridge:
        with plant.running() as process:
            bridge.until(lambda heard: len(readings(heard)) >= 200)
            asked_mono_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(SOON_S) == 0
            assert time.monotonic() - asked_mono_s < 5
        bridge.until(lambda heard: plant.promised() <= set(readings(heard)))
        state = parse_state(bridge.heard(Channel.STATE)[-1].payload)
        assert not state.online
        assert state.held is not None
        assert state.sources["counter"] == "up"
        held = state.held
    assert set(everything(plant.outbox)) == set(range(held.first, held.last + 1))
    with Bridge(mosquitto, plant.name) as bridge:
        bridge.tell(Command.STORED, Stored(epoch=held.epoch, through=held.last))
        with plant.running():
            plant.until(lambda: min(everything(plant.outbox), default=1 << 40) > held.last)
            bridge.until(lambda heard: len(readings(heard)) >= 200)
            epochs = {found.batch.epoch for found in telemetry(bridge.heard(*Channel))}
            assert epochs == {held.epoch}, "the same life goes on"


def test_sigterm_without_a_broker_ends_in_time_and_keeps_everything(mosquitto: Mosquitto, plant: Plant) -> None:
    plant.config.write_text(plant.config.read_text().replace(f"port = {mosquitto.port}", "port = 1"))
    with plant.running() as process:
        plant.until(lambda: len(plant.promised()) >= 200)
        asked_mono_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(SOON_S) == 0
        assert time.monotonic() - asked_mono_s < 5
    assert len(everything(plant.outbox)) >= 1


def test_a_source_that_breaks_is_started_again_and_disturbs_no_other(mosquitto: Mosquitto, plant: Plant) -> None:
    with Bridge(mosquitto, plant.name) as bridge, plant.running("broken"):
        plant.until(lambda: plant.log.read_text("utf-8").count("agent.source_failed source='broken'") >= 2)
        assert "ZeroDivisionError: a mistake in a source" in plant.log.read_text("utf-8")
        before = len(plant.promised())
        plant.until(lambda: len(plant.promised()) > before + 100)
        bridge.until(lambda heard: any(parse_state(s).sources.get("broken") == "down" for s in states(heard)))
        kinds = [parse_event(found.payload).kind for found in bridge.heard(Channel.EVENT)]
        assert kinds[0] is EventKind.STARTED
        assert EventKind.DEVICE_DOWN in kinds


def test_a_second_agent_on_the_same_buffer_stops_with_a_message(plant: Plant) -> None:
    with plant.running():
        plant.until(lambda: len(plant.promised()) > 0)
        second = subprocess.run(
            [sys.executable, "-c", "from edge_agent.cli import main; main()", "run", "--config", str(plant.config)],
            capture_output=True,
            timeout=SOON_S,
            check=False,
        )
    assert second.returncode == 2
    assert b"another agent (process" in second.stderr
    assert b"Traceback" not in second.stderr


def test_a_buffer_damaged_while_the_agent_was_away_is_set_aside(mosquitto: Mosquitto, plant: Plant) -> None:
    with Bridge(mosquitto, plant.name) as bridge:
        with plant.running() as process:
            bridge.until(lambda heard: len(readings(heard)) >= 200)
            process.send_signal(signal.SIGTERM)
            process.wait()
        (epoch,) = {found.batch.epoch for found in telemetry(bridge.heard(*Channel))}
        bytes_before = plant.outbox.read_bytes()
        plant.outbox.write_bytes(bytes_before[:4096] + b"\x55" * (len(bytes_before) - 4096))
        bridge.forget()
        with plant.running():
            heard = bridge.until(lambda heard: len(readings(heard)) >= 200)
            assert {found.batch.epoch for found in telemetry(heard)} - {epoch}
            kinds = [parse_event(found.payload).kind for found in bridge.heard(Channel.EVENT)]
            assert EventKind.BUFFER_SET_ASIDE in kinds
    assert list(plant.outbox.parent.glob("outbox.db.damaged-*"))


def test_a_buffer_damaged_under_the_agent_is_set_aside_and_the_agent_goes_on(
    mosquitto: Mosquitto, plant: Plant
) -> None:
    with Bridge(mosquitto, plant.name) as bridge, plant.running() as process:
        bridge.until(lambda heard: len(readings(heard)) >= 200)
        with Database(plant.outbox) as database:
            # (busy, pages in the log, pages moved): all pages are in the file once the log is empty
            plant.until(lambda: database.pragma("wal_checkpoint(TRUNCATE)") == 0)
        with plant.outbox.open("r+b") as file:
            file.seek(4096)
            file.write(b"\x55" * (plant.outbox.stat().st_size - 4096))
        bridge.until(
            lambda heard: (
                EventKind.BUFFER_SET_ASIDE
                in {parse_event(found.payload).kind for found in heard if found.channel is Channel.EVENT}
            )
        )
        assert process.poll() is None
        already = len(plant.promised())
        plant.until(lambda: len(plant.promised()) > already + 100)
    assert "outbox.damaged" in plant.log.read_text("utf-8")


def states(heard: list[Heard]) -> list[bytes]:
    return [found.payload for found in heard if found.channel is Channel.STATE]
