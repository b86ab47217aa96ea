"""Every reason that the code can give stands in the operator's page, and every command in it exists."""

from __future__ import annotations

import re
from pathlib import Path

from click import Context, Group

from stream.clients.faults import RECORD
from warehouse.cli import cli
from warehouse.refused.letters import NO_BIRTH
from warehouse.refused.readings import AMBIGUOUS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "refusals.md").read_text("utf-8")
GIVERS = ["edge_agent/contract", "warehouse/sink", "warehouse/refused"]
DOWN_ONLY = {"command"}


def test_every_reason_is_explained() -> None:
    text = "".join(path.read_text("utf-8") for folder in GIVERS for path in (ROOT / folder).glob("*.py"))
    given = set(re.findall(r'BadRecord\(\s*"([a-z_]+)"', text)) | set(re.findall(r'Refused\(record, "([a-z_]+)"', text))
    given |= {*RECORD.values(), NO_BIRTH, AMBIGUOUS, "time_past", "time_future"}
    assert {"not_json", "gateway", "identity", "too_large", "unknown_series", "refused"} <= given
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE))
    assert given - DOWN_ONLY - explained == set()


def test_every_command_and_option_exists() -> None:
    commands = re.findall(r"g60 warehouse (refused|clock) ([a-z]+)([^`\n]*)", PAGE)
    assert len(commands) > 10
    for group_name, name, rest in commands:
        group = cli.get_command(Context(cli), group_name)
        assert isinstance(group, Group)
        command = group.get_command(Context(group), name)
        assert command is not None, (group_name, name)
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options
