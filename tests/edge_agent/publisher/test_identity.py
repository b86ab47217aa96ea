"""One id, one agent: what others cannot do to a gateway, and what two agents under one id do to each other."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from deploy.local.mosquitto import Mosquitto
from edge_agent.contract.command import Stored
from edge_agent.contract.telemetry import Batch
from edge_agent.contract.topics import Channel, Command
from edge_agent.publisher import report
from edge_agent.publisher.identity import TAKEOVERS, WITHIN_S, Instance, Takeovers, client_id
from edge_agent.settings import Publish
from tests.edge_agent.publisher.bridge import Bridge, telemetry
from tests.edge_agent.publisher.test_courier import PASSWORD, Gateway


def test_a_client_id_is_told_by_name_and_known_by_password() -> None:
    ours = client_id("gw-1", "right")
    assert ours.startswith("gw-1-")
    assert ours == client_id("gw-1", "right")
    assert len({ours, client_id("gw-1", "wrong"), client_id("gw-2", "right"), client_id("gw-1", None)}) == 4
    assert "right" not in ours


def test_a_gateway_with_valid_credentials_cannot_cut_another_one_off(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with Gateway(mosquitto, tmp_path / "o.db") as victim, Bridge(mosquitto, victim.name) as bridge:
        victim.use_client_id(client_id(victim.name, PASSWORD))
        victim.start()
        victim.write(1)
        bridge.until_seqs(1)
        other = f"gw-{secrets.token_hex(4)}"
        mosquitto.add_user(other, "theirs")
        for guess in (victim.name, client_id(victim.name, "theirs"), client_id(victim.name, None)):
            intruder = Client(CallbackAPIVersion.VERSION2, client_id=guess, protocol=MQTTProtocolVersion.MQTTv5)
            intruder.username_pw_set(other, "theirs")
            intruder.connect(mosquitto.host, mosquitto.port)
            intruder.loop_start()
            intruder.publish(f"g60/v1/{other}/live", b"x", qos=1).wait_for_publish(30)
            intruder.disconnect()
            intruder.loop_stop()
        victim.write(1)
        heard = bridge.until_seqs(2)
        assert [found.channel for found in heard if found.batch.seq == 2] == [Channel.LIVE], "the connection stood"
        assert len(bridge.heard(Channel.BIRTH)) == 1


def test_an_agent_that_meets_another_one_stops_with_its_last_words(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with Gateway(mosquitto, tmp_path / "o.db") as older, Bridge(mosquitto, older.name) as bridge:
        older.write(2)
        older.start()
        bridge.until_seqs(1, 2)
        older.until(lambda: older.courier._company.introduced)
        epoch = older.epoch
        with Gateway(mosquitto, tmp_path / "p.db", name=older.name) as newer:
            newer.start()
            newer.write(1)
            older.until(lambda: older.taken is not None)
            assert "另有采集程序在使用同一网关编号" in str(older.taken)
            newer.stop()
        assert older.epoch > epoch
        left = older.report()
        assert left is not None
        assert "another agent runs under the id" in left.stopped
    with (
        Gateway(mosquitto, tmp_path / "o.db", name=older.name, known=False) as again,
        Bridge(mosquitto, again.name) as bridge,
    ):
        again.start()

        def arrived() -> bool:
            again.intake.compose(0)
            again.courier.wake()
            return sum(found.batch.readings for found in telemetry(bridge.heard(*Channel))) >= 2

        again.until(arrived)
        assert all(found.batch.epoch > epoch for found in telemetry(bridge.heard(*Channel))), "numbered anew"
        assert again.taken is None


def test_a_confirmation_of_numbers_never_given_away_begins_a_new_epoch(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """A gateway restored from an old copy: what it holds may bear numbers that were used for something else."""
    with Gateway(mosquitto, tmp_path / "o.db") as gateway, Bridge(mosquitto, gateway.name) as bridge:
        gateway.write(3)
        before = gateway.epoch
        bridge.tell(Command.STORED, Stored(epoch=before, through=500))
        gateway.start()
        gateway.until(lambda: gateway.epoch > before)
        gateway.write(1)
        bridge.until(
            lambda heard: (
                {t for found in telemetry(heard) if found.batch.epoch > before for t in times(found.batch)}
                == {0, 1, 2, 3}
            )
        )
        assert gateway.taken is None


def times(batch: Batch) -> list[int]:
    return [t for points in batch.series.values() for t in points.t]


def test_a_confirmation_waits_until_the_connection_has_stood(mosquitto: Mosquitto, tmp_path: Path) -> None:
    publish = Publish(settle_after_s=600, resend_after_s=0.3)
    with Gateway(mosquitto, tmp_path / "o.db", publish) as gateway, Bridge(mosquitto, gateway.name) as bridge:
        gateway.write(2)
        gateway.start()
        bridge.until_seqs(1, 2)
        bridge.tell(Command.STORED, gateway.stored(2))
        gateway.write(1)
        bridge.until_seqs(3)
        gateway.until(lambda: bridge.heard(Channel.LIVE) != [])
        assert gateway.held() == {1, 2, 3}


def test_takeovers_count_within_a_while() -> None:
    takeovers = Takeovers()
    assert TAKEOVERS == 2
    assert not takeovers.another(0)
    assert not takeovers.another(WITHIN_S)
    assert takeovers.another(WITHIN_S + 1)


@pytest.mark.parametrize(
    ("found", "another"),
    [
        (Instance(10, 3, "b"), True),
        (Instance(10, 4, "b"), True),
        (Instance(11, 1, "b"), True),
        (Instance(10, 3, "a"), False),
        (Instance(10, 2, "b"), False),
        (Instance(9, 9, "b"), False),
    ],
)
def test_an_earlier_life_of_the_same_buffer_is_no_other_agent(found: Instance, another: bool) -> None:
    assert Instance(10, 3, "a").is_another(found) is another
    assert Instance.parse(str(found)) == found


@pytest.mark.parametrize(
    "text", [None, "", "1-2", "a-1-b", "1-2-x!", "1-2-ab-3", "9" * 40 + "-1-ab", f"{1 << 53}-1-ab"]
)
def test_what_names_no_instance_is_nobody(text: str | None) -> None:
    assert Instance.parse(text) is None


def test_a_report_of_an_agent_that_stopped_by_itself_stays(tmp_path: Path) -> None:
    path = tmp_path / "o.db.status"
    report.write(path, report.Report(1 << 22, 5, connected=False, broker="b:1", since_ms=1, stopped="id taken"))
    found = report.read(path, 10**12)
    assert found is not None
    assert found.stopped == "id taken"
