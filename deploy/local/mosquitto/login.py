"""One short conversation with an MQTT broker: may this user log in, and what is kept on this topic?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.contract.errors import Retryable

VERSION_TOPIC: Final = "$SYS/broker/version"
_VERSION_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Login:
    """Where and as whom."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


def admitted(login: Login, within_s: float) -> bool:
    """Return whether the broker lets ``login`` in; ``Retryable`` when no broker answers."""
    return _converse(login, within_s, topic=None)[0]


def kept(login: Login, topic: str, within_s: float) -> bytes | None:
    """Return the retained message on ``topic``; ``None`` when there is none, or ``login`` may not read it.

    ``Retryable`` when no broker answers, or it does not let ``login`` in.
    """
    let_in, payload = _converse(login, within_s, topic)
    if not let_in:
        raise Retryable(f"the broker at {login.host}:{login.port} refuses user {login.user} (用户名或密码不被接受)")
    return payload


def version_at(login: Login) -> str:
    """Return the version that the running broker publishes; ``Retryable`` when it answers with none."""
    said = kept(login, VERSION_TOPIC, _VERSION_S) or b""
    found = re.search(r"\d+(\.\d+)+", said.decode("ascii", errors="replace"))
    if found is None:
        raise Retryable(f"the broker at {login.host}:{login.port} shows user {login.user} no version (未报告版本)")
    return found[0]


def _converse(login: Login, within_s: float, topic: str | None) -> tuple[bool, bytes | None]:
    answers: list[ReasonCode] = []
    payloads: list[bytes] = []

    def connected(client: Client, _: object, __: object, reason: ReasonCode, ___: Properties | None) -> None:
        answers.append(reason)
        if topic is not None and not reason.is_failure:
            client.subscribe(topic, qos=1)

    def received(_: Client, __: object, message: MQTTMessage) -> None:
        payloads.append(bytes(message.payload))

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.username_pw_set(login.user, login.password)
    client.on_connect = connected
    client.on_message = received
    deadline_mono_s = time.monotonic() + within_s
    try:
        client.connect(login.host, login.port)
        _turn(client, lambda: bool(answers), deadline_mono_s)
        if topic is not None and answers and not answers[0].is_failure:
            _turn(client, lambda: bool(payloads), deadline_mono_s)
        client.disconnect()
    except OSError as error:
        raise Retryable(f"no MQTT broker answers at {login.host}:{login.port} (无应答): {error}") from error
    if not answers:
        raise Retryable(f"the broker at {login.host}:{login.port} did not answer within {within_s:.0f} s (无应答)")
    return not answers[0].is_failure, payloads[0] if payloads else None


def _turn(client: Client, done: Callable[[], bool], deadline_mono_s: float) -> None:
    while not done() and time.monotonic() < deadline_mono_s:
        if client.loop(timeout=0.05) != 0:
            return
