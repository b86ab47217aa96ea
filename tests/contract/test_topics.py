"""Topics: built and taken apart."""

from __future__ import annotations

import pytest

from edge_agent.contract.errors import BadRecord
from edge_agent.contract.topics import Channel, Command, down, parse_down, parse_up, up


@pytest.mark.parametrize("channel", Channel)
def test_up_and_back(channel: Channel) -> None:
    assert parse_up(up("gw-1", channel)) == ("gw-1", channel)


@pytest.mark.parametrize("command", Command)
def test_down_and_back(command: Command) -> None:
    assert parse_down(down("gw-1", command)) == ("gw-1", command)


@pytest.mark.parametrize(
    "topic",
    ["", "g60/v1/gw-1", "g60/v1/gw-1/other", "g60/v2/gw-1/live", "g60/v1/GW/live", "g60/v1//live", "g60/v1/a/live/b"],
)
def test_foreign_topics_are_refused(topic: str) -> None:
    with pytest.raises(BadRecord) as refusal:
        parse_up(topic)
    assert refusal.value.reason == "topic"
    with pytest.raises(BadRecord):
        parse_down(topic)
