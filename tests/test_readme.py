"""The README's commands exist and do what they say."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh.md")


def commands(readme: str) -> list[str]:
    """Every line of every shell block."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / readme).read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_both_readmes_give_the_same_commands() -> None:
    assert commands("README.md") == commands("README.zh.md")


def test_each_command_is_one_that_the_tests_run() -> None:
    # `make demo` is played by tests/e2e, `make test` is what runs this, the gateway's lines by test_install.
    assert commands("README.md") == [
        "make demo",
        "make test",
        "python3 -m venv g60 && g60/bin/pip install '.[modbus]'",
        "g60/bin/g60-edge check --config edge_agent/sample.toml",
    ]


@pytest.mark.parametrize("target", ["demo", "test", "faults", "check", "generate"])
def test_make_targets_exist(target: str) -> None:
    found = subprocess.run(
        ["make", "--dry-run", f"--old-file={sys.prefix}/installed", target, f"VENV={sys.prefix}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("readme", READMES)
def test_every_g60_command_that_is_named_exists(readme: str) -> None:
    from deploy.cli import cli

    named = set(re.findall(r"`(g60 [a-z][^`]*)`", (ROOT / readme).read_text("utf-8")))
    assert named
    for command in named:
        at: click.Command = cli
        for word in shlex.split(command)[1:]:
            if word.startswith("-") or not isinstance(at, click.Group):
                break
            found = at.get_command(click.Context(at), word)
            assert found is not None, f"{command}: no {word}"
            at = found


@pytest.mark.parametrize("page", [*READMES, "CONTRIBUTING.md", "docs/architecture.md", "docs/contract.md"])
def test_links_within_the_repository_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), f"{page}: {target}"
