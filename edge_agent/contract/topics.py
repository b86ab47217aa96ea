"""The MQTT topics of contract version 1: who may write what, and where."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

from pydantic import StringConstraints

from edge_agent.contract.errors import BadRecord

ROOT: Final = "g60/v1"
GATEWAY_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"
RESERVED_GATEWAYS: Final = frozenset({"bridge", "operator"})
"""MQTT users of the system itself; a gateway cannot have their name."""

GatewayId = Annotated[str, StringConstraints(pattern=GATEWAY_PATTERN)]
"""A gateway's name: lower-case letters, digits and hyphens, at most 63, and equal to its MQTT user."""


class Channel(StrEnum):
    """What a gateway publishes, below ``g60/v1/{gateway}/``."""

    BIRTH = "birth"
    LIVE = "live"
    BACKLOG = "backlog"
    STATE = "state"
    EVENT = "event"

    @property
    def retained(self) -> bool:
        """True when the broker keeps the last message of this channel."""
        return self in (Channel.BIRTH, Channel.STATE)

    @property
    def telemetry(self) -> bool:
        """True for the two lanes that carry readings."""
        return self in (Channel.LIVE, Channel.BACKLOG)


class Command(StrEnum):
    """What the bridge, and nobody else, publishes below ``g60/v1/{gateway}/cmd/``."""

    STORED = "stored"
    BIRTH = "birth"
    DRAIN = "drain"

    @property
    def retained(self) -> bool:
        """True when a gateway that connects later must still see the last one."""
        return self is not Command.BIRTH


class UpTopic(NamedTuple):
    """A topic on the way up, taken apart."""

    gateway: str
    channel: Channel


class DownTopic(NamedTuple):
    """A topic on the way down, taken apart."""

    gateway: str
    command: Command


def up(gateway: str, channel: Channel) -> str:
    """Return the topic on which ``gateway`` publishes ``channel``."""
    return f"{ROOT}/{gateway}/{channel}"


def down(gateway: str, command: Command) -> str:
    """Return the topic on which the bridge sends ``command`` to ``gateway``."""
    return f"{ROOT}/{gateway}/cmd/{command}"


def commands_of(gateway: str) -> str:
    """Return the filter by which ``gateway`` subscribes to all its commands."""
    return f"{ROOT}/{gateway}/cmd/+"


def parse_up(topic: str) -> UpTopic:
    """Take a topic on the way up apart; ``BadRecord("topic")`` when it is not one of version 1."""
    parts = topic.split("/")
    if len(parts) == 4 and "/".join(parts[:2]) == ROOT and re.fullmatch(GATEWAY_PATTERN, parts[2]):
        try:
            return UpTopic(parts[2], Channel(parts[3]))
        except ValueError:
            pass
    raise BadRecord("topic", f"{topic!r} is not {ROOT}/<gateway>/<{'|'.join(Channel)}>")


def parse_down(topic: str) -> DownTopic:
    """Take a topic on the way down apart; ``BadRecord("topic")`` when it is not one of version 1."""
    parts = topic.split("/")
    if (
        len(parts) == 5
        and "/".join(parts[:2]) == ROOT
        and parts[3] == "cmd"
        and re.fullmatch(GATEWAY_PATTERN, parts[2])
    ):
        try:
            return DownTopic(parts[2], Command(parts[4]))
        except ValueError:
            pass
    raise BadRecord("topic", f"{topic!r} is not {ROOT}/<gateway>/cmd/<{'|'.join(Command)}>")
