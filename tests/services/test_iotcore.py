"""The stand-in for Mosquitto: it works, and it lacks what it says it lacks."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import iotcore, missing, ports
from deploy.local.iotcore import IotCore
from deploy.local.mosquitto.login import Login, admitted
from edge_agent.contract import topics
from edge_agent.contract.errors import Retryable
from edge_agent.contract.topics import Channel, Command
from edge_agent.contract.wire import MAX_MESSAGE_BYTES
from tests.services.mqtt import connected
from tests.services.plugin import free_ports
from tests.services.waiting import until


@pytest.fixture
def broker(servers_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IotCore]:
    if not iotcore.installed():
        # A developer's machine has Mosquitto; the package is fetched for this test alone.
        place = servers_folder / "iotcore-package"
        package = missing.IOTCORE_INSTALL.removeprefix("pip install ")
        subprocess.run(
            (sys.executable, "-m", "pip", "install", "-q", "--no-deps", f"--target={place}", package), check=True
        )
        monkeypatch.syspath_prepend(str(place))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(place), os.environ.get("PYTHONPATH")))))
    (port,) = free_ports(1)
    folder = Path(tempfile.mkdtemp(dir=servers_folder))
    server = IotCore(folder, port=port, bridge_password=secrets.token_urlsafe(), operator_password="o")
    server.start()
    yield server
    server.stop()


def test_it_carries_messages_knows_passwords_and_users_survive_a_restart(broker: IotCore) -> None:
    assert broker.version() == missing.IOTCORE_INSTALL.rpartition("==")[2]
    broker.add_users({"gw-1": "one", "gw-2": "two"})
    broker.remove_user("gw-2")
    broker.kill()
    broker.start()
    gateway = Login(ports.LOOPBACK, broker.port, "gw-1", "one")
    bridge = Login(ports.LOOPBACK, broker.port, broker.bridge_user, broker.bridge_password)
    for refused in (
        Login(ports.LOOPBACK, broker.port, "gw-1", "no"),
        Login(ports.LOOPBACK, broker.port, "gw-2", "two"),
    ):
        # rumqttd closes the connection without a word.
        with pytest.raises(Retryable):
            admitted(refused, 1)
    with connected(bridge) as reader, connected(gateway) as agent:
        reader.subscribe(f"{topics.ROOT}/+/{Channel.LIVE}")
        agent.subscribe(topics.commands_of("gw-1"))
        longest = bytes(MAX_MESSAGE_BYTES)
        agent.publish(topics.up("gw-1", Channel.LIVE), longest)
        reader.publish(topics.down("gw-1", Command.DRAIN), b"slow")
        until(lambda: reader.messages.get(topics.up("gw-1", Channel.LIVE)) == longest)
        until(lambda: agent.messages.get(topics.down("gw-1", Command.DRAIN)) == b"slow")


def test_it_has_no_access_rules_as_its_warning_says(broker: IotCore) -> None:
    assert "no access rules" in iotcore.LACKS
    broker.add_users({"gw-1": "one", "gw-2": "two"})
    spy = Login(ports.LOOPBACK, broker.port, "gw-1", "one")
    victim = Login(ports.LOOPBACK, broker.port, "gw-2", "two")
    with connected(spy) as reader, connected(victim) as writer:
        reader.subscribe(f"{topics.ROOT}/#")
        writer.publish(topics.up("gw-2", Channel.LIVE), b"seen by all")
        until(lambda: reader.messages.get(topics.up("gw-2", Channel.LIVE)) == b"seen by all")
