"""Mosquitto: a gateway is what its user says and no more; what was saved is there again."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from deploy.local.mosquitto import HEADER_BYTES, Mosquitto, acl, passwords
from deploy.local.mosquitto.login import Login, admitted, version_at
from deploy.local.ports import LOOPBACK
from edge_agent.contract import topics
from edge_agent.contract.errors import Misconfigured, Retryable
from edge_agent.contract.topics import Channel, Command
from edge_agent.contract.wire import MAX_MESSAGE_BYTES
from tests.services.mqtt import connected
from tests.services.plugin import MakeMosquitto
from tests.services.waiting import until


def _gateway(mosquitto: Mosquitto) -> Login:
    """Return the login of a new gateway."""
    login = Login(mosquitto.host, mosquitto.port, f"gw-{secrets.token_hex(4)}", secrets.token_urlsafe())
    mosquitto.add_user(login.user, login.password)
    return login


def _bridge(mosquitto: Mosquitto) -> Login:
    return Login(mosquitto.host, mosquitto.port, mosquitto.bridge_user, mosquitto.bridge_password)


def test_bridge_reads_every_channel_of_a_gateway_and_the_gateway_its_commands(mosquitto: Mosquitto) -> None:
    gateway = _gateway(mosquitto)
    name = gateway.user
    with connected(_bridge(mosquitto)) as bridge, connected(gateway) as agent:
        bridge.subscribe(f"{topics.ROOT}/+/+")
        agent.subscribe(topics.commands_of(name))
        for channel in Channel:
            agent.publish(topics.up(name, channel), channel.encode())
        for command in Command:
            bridge.publish(topics.down(name, command), command.encode())
        until(lambda: set(agent.messages) == {topics.down(name, command) for command in Command})
        until(lambda: {topics.up(name, channel) for channel in Channel} <= set(bridge.messages))


@pytest.mark.parametrize("target", [*Channel, *(f"cmd/{command}" for command in Command), "other"])
def test_gateway_cannot_write_under_another_name_nor_any_command(mosquitto: Mosquitto, target: str) -> None:
    gateway, other = _gateway(mosquitto), _gateway(mosquitto)
    names = [other.user] if target in list(Channel) else [other.user, gateway.user]
    with connected(mosquitto.operator) as witness:
        witness.subscribe(f"{topics.ROOT}/#")
        for name in names:
            with connected(gateway) as agent:
                agent.publish(f"{topics.ROOT}/{name}/{target}", b"forged", retain=True)
        with connected(gateway) as agent:
            agent.publish(topics.up(gateway.user, Channel.EVENT), b"after")
        # The broker keeps the order of what it delivers: had a forged message passed, it would be here by now.
        until(lambda: topics.up(gateway.user, Channel.EVENT) in witness.messages)
        assert b"forged" not in witness.messages.values()


@pytest.mark.parametrize(
    "target",
    [
        f"{topics.ROOT}/{{other}}/state",
        f"{topics.ROOT}/{{other}}/live",
        f"{topics.ROOT}/{{other}}/cmd/stored",
        f"{topics.ROOT}/{{own}}/cmd/drain",
        f"{topics.ROOT}/operator/state",
        "$SYS/broker/version",
    ],
)
def test_a_last_will_under_another_name_does_not_pass(mosquitto: Mosquitto, target: str) -> None:
    """The will is published when the gateway is gone; it is held to the same rights as what it says alive."""
    gateway, other = _gateway(mosquitto), _gateway(mosquitto)
    topic = target.format(own=gateway.user, other=other.user)
    with connected(mosquitto.operator) as witness:
        for filter_ in (f"{topics.ROOT}/#", "$SYS/broker/version"):
            witness.subscribe(filter_)
        with connected(gateway, will=(topic, b"forged")) as dying:
            dying.vanish()
        with connected(gateway, will=(topics.up(gateway.user, Channel.STATE), b"gone")) as dying:
            dying.vanish()
        # A will of its own passes, so the forged one, published before it, has been judged by now.
        until(lambda: witness.messages.get(topics.up(gateway.user, Channel.STATE)) == b"gone")
        assert b"forged" not in witness.messages.values()


@pytest.mark.parametrize("payload", [b"forged", b""])
def test_a_retained_message_of_another_gateway_is_neither_replaced_nor_cleared(
    mosquitto: Mosquitto, payload: bytes
) -> None:
    gateway, other = _gateway(mosquitto), _gateway(mosquitto)
    kept = {
        topics.up(other.user, Channel.BIRTH): b"birth",
        topics.up(other.user, Channel.STATE): b"state",
    }
    with connected(other) as victim:
        for topic, body in kept.items():
            victim.publish(topic, body, retain=True)
    command = topics.down(other.user, Command.STORED)
    with connected(_bridge(mosquitto)) as bridge:
        bridge.publish(command, b"through", retain=True)
    for topic in (*kept, command):
        with connected(gateway) as forger:
            forger.publish(topic, payload, retain=True)
    with connected(mosquitto.operator) as witness:
        witness.subscribe(f"{topics.ROOT}/{other.user}/#")
        until(lambda: witness.messages == kept | {command: b"through"})


def test_a_gateway_cannot_speak_through_a_name_that_looks_like_its_own(mosquitto: Mosquitto) -> None:
    """The right holds for the whole name: no level more or less, no beginning of it, no other case."""
    gateway = _gateway(mosquitto)
    name = gateway.user
    near = [
        f"{topics.ROOT}/{name}x/live",
        f"{topics.ROOT}/{name[:-1]}/live",
        f"{topics.ROOT}/{name.upper()}/live",
        f"{topics.ROOT}/{name}/live/more",
        f"{topics.ROOT}/{name}",
        f"{topics.ROOT}//live",
    ]
    with connected(mosquitto.operator) as witness:
        witness.subscribe(f"{topics.ROOT}/#")
        for topic in near:
            with connected(gateway) as agent:
                agent.publish(topic, b"forged")
        with connected(gateway) as agent:
            agent.publish(topics.up(name, Channel.EVENT), b"after")
        until(lambda: topics.up(name, Channel.EVENT) in witness.messages)
        assert b"forged" not in witness.messages.values()


def test_a_gateway_cannot_speak_for_the_broker(mosquitto: Mosquitto) -> None:
    gateway = _gateway(mosquitto)
    with connected(gateway) as agent:
        agent.publish("$SYS/broker/version", b"forged", retain=True)
    assert "forged" not in version_at(mosquitto.operator)


def test_gateway_sees_nothing_of_another_gateway(mosquitto: Mosquitto) -> None:
    gateway, other = _gateway(mosquitto), _gateway(mosquitto)
    with connected(_bridge(mosquitto)) as bridge, connected(other) as victim, connected(gateway) as spy:
        for filter_ in ("#", f"{topics.ROOT}/{other.user}/#", f"{topics.ROOT}/{other.user}/cmd/+", "$SYS/#"):
            spy.subscribe(filter_)
        victim.publish(topics.up(other.user, Channel.BIRTH), b"secret", retain=True)
        bridge.publish(topics.down(other.user, Command.STORED), b"secret", retain=True)
        bridge.publish(topics.down(gateway.user, Command.DRAIN), b"mine")
        until(lambda: topics.down(gateway.user, Command.DRAIN) in spy.messages)
        assert set(spy.messages) == {topics.down(gateway.user, Command.DRAIN)}


def test_gateway_is_shown_no_version(mosquitto: Mosquitto) -> None:
    with pytest.raises(Retryable, match="no version"):
        version_at(_gateway(mosquitto))


def test_operator_reads_and_cannot_write(mosquitto: Mosquitto) -> None:
    gateway = _gateway(mosquitto)
    with connected(mosquitto.operator) as witness:
        witness.subscribe(f"{topics.ROOT}/{gateway.user}/#")
        with connected(mosquitto.operator) as writer:
            writer.publish(topics.down(gateway.user, Command.DRAIN), b"forged")
            writer.publish(topics.up(gateway.user, Channel.LIVE), b"forged")
        with connected(gateway) as agent:
            agent.publish(topics.up(gateway.user, Channel.LIVE), b"true")
        until(lambda: bool(witness.messages))
        assert set(witness.messages.values()) == {b"true"}


def test_nobody_enters_without_the_password(mosquitto: Mosquitto) -> None:
    gateway = _gateway(mosquitto)
    assert admitted(gateway, 5)
    for user, password in ((gateway.user, "wrong"), (gateway.user, ""), ("gw-unknown", "x"), ("", "")):
        assert not admitted(Login(LOOPBACK, mosquitto.port, user, password), 5)


def test_removed_user_is_cut_off_and_stays_out(mosquitto: Mosquitto) -> None:
    gateway, other = _gateway(mosquitto), _gateway(mosquitto)
    with connected(gateway) as agent, connected(other) as bystander:
        mosquitto.remove_user(gateway.user)
        assert agent.cut_off.wait(10)
        assert not admitted(gateway, 5)
        bystander.publish(topics.up(other.user, Channel.LIVE), b"still here")
        assert not bystander.cut_off.is_set()


def test_new_password_replaces_the_old(mosquitto: Mosquitto) -> None:
    gateway = _gateway(mosquitto)
    mosquitto.add_user(gateway.user, "fresh")
    assert not admitted(gateway, 5)
    assert admitted(Login(gateway.host, gateway.port, gateway.user, "fresh"), 5)


@pytest.mark.parametrize("user", ["bridge", "operator", "_reload", "a/b", "a+", "#", "", "GW", "a:b", "a\nb:c"])
def test_names_that_are_no_gateway_get_no_user(tmp_path: Path, user: str) -> None:
    mosquitto = Mosquitto(tmp_path, port=1, bridge_password="", operator_password="")
    with pytest.raises(Misconfigured, match="网关名无效"):
        mosquitto.add_user(user, "x")


def test_longest_message_of_the_contract_passes_and_the_limit_is_announced(mosquitto: Mosquitto) -> None:
    gateway = _gateway(mosquitto)
    with connected(mosquitto.operator) as witness, connected(gateway) as agent:
        assert agent.connack["MaximumPacketSize"] == MAX_MESSAGE_BYTES + HEADER_BYTES
        witness.subscribe(topics.up(gateway.user, Channel.BACKLOG))
        longest = bytes(MAX_MESSAGE_BYTES)
        agent.publish(topics.up(gateway.user, Channel.BACKLOG), longest)
        until(lambda: witness.messages.get(topics.up(gateway.user, Channel.BACKLOG)) == longest)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_retained_messages_and_users_are_there_after_a_restart(own_mosquitto: MakeMosquitto, end: str) -> None:
    mosquitto = own_mosquitto()
    gateway = _gateway(mosquitto)
    topic = topics.up(gateway.user, Channel.BIRTH)
    with connected(gateway) as agent:
        agent.publish(topic, b"kept", retain=True)
    if end == "stop":
        mosquitto.stop()
    else:
        saved = mosquitto.data / "mosquitto.db"
        mosquitto.save()
        until(lambda: saved.is_file() and b"kept" in saved.read_bytes())
        mosquitto.kill()
    assert not mosquitto.running()
    mosquitto.start()
    with connected(_bridge(mosquitto)) as bridge, connected(gateway):
        bridge.subscribe(topic)
        until(lambda: bridge.messages.get(topic) == b"kept")


def test_users_can_be_made_before_the_broker_runs(own_mosquitto: MakeMosquitto) -> None:
    mosquitto = own_mosquitto()
    mosquitto.stop()
    mosquitto.add_users({"gw-early": "one", "gw-late": "two"})
    mosquitto.start()
    for user, password in (("gw-early", "one"), ("gw-late", "two")):
        assert admitted(Login(mosquitto.host, mosquitto.port, user, password), 5)


def test_rights_name_every_channel_of_the_contract() -> None:
    lines = acl().splitlines()
    for channel in Channel:
        assert f"pattern write g60/v1/%u/{channel}" in lines
        assert f"topic read g60/v1/+/{channel}" in lines


def test_password_file_survives_being_read_and_written() -> None:
    hashes = {"b": passwords.hashed("x", bytes), "a": passwords.hashed("y", bytes)}
    assert passwords.parse(passwords.render(hashes)) == hashes
    assert passwords.render(hashes).startswith("a:$7$101$AAAAAAAAAAAAAAAA$")
