"""`g60` whose bridge acknowledges an MQTT message when it has read it, and not when Kafka has it."""

from __future__ import annotations

from typing import Any

from paho.mqtt.client import Client, MQTTMessage

from deploy.cli import main
from stream.bridge.link import Link

_on_message = Link._on_message
_ack = Link.ack


def _acknowledge_at_once(self: Link, client: Client, userdata: Any, message: MQTTMessage) -> None:
    _on_message(self, client, userdata, message)
    if message.qos:
        _ack(self, message.mid)


def _already_acknowledged(self: Link, mid: int) -> None:
    """Say nothing: it was said."""


if __name__ == "__main__":
    Link._on_message = _acknowledge_at_once  # type: ignore[assignment, method-assign]  # that is what a mutant is
    Link.ack = _already_acknowledged  # type: ignore[method-assign]
    main()
