"""``g60-edge`` as a person meets it: what it prints and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from edge_agent.cli import cli
from edge_agent.publisher import report
from tests.edge_agent.outbox.models import MANY_BYTES, birth, gauges, opened

REPLAY: Final = """
[[replay]]
name = "past"
files = ["{folder}/past.csv"]
[[replay.series]]
series = "press.energy"
device = "press"
quantity = "energy"
unit = "kWh"
kind = "register"
decimals = 2
range = 100_000_000
[[replay.series]]
series = "press.power"
device = "press"
quantity = "power"
unit = "kW"
kind = "gauge"
"""
MODBUS: Final = """
[[modbus]]
name = "hall"
host = "127.0.0.1"
port = 1
timeout_s = 0.2
[[modbus.devices]]
name = "press"
unit_id = 1
address_base = 0
points = [ { quantity = "power", unit = "kW", kind = "gauge", address = 0, dtype = "uint16" } ]
"""


def configuration(folder: Path, sources: str = REPLAY, more: str = "") -> Path:
    path = folder / "agent.toml"
    path.write_text(
        f"""
        [gateway]
        id = "gw-1"
        [mqtt]
        host = "192.0.2.1"
        tls = "off"
        {more}
        [outbox]
        path = "{folder}/outbox.db"
        """
        + sources.replace("{folder}", str(folder)),
        "utf-8",
    )
    return path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_check_prints_what_would_be_read_and_touches_nothing(tmp_path: Path) -> None:
    result = invoke("check", "--config", str(configuration(tmp_path)))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["series", "序列", "device", "设备", "quantity", "量", "unit", "单位", "kind", "类型",
                                "interval_s", "周期", "decimals", "小数"]  # fmt: skip
    assert lines[1].split() == ["press.energy", "press", "energy", "kWh", "register", "900", "2"]
    assert lines[2].split() == ["press.power", "press", "power", "kW", "gauge", "900"]
    assert "2 series of gateway gw-1, to 192.0.2.1:1883 as gw-1" in result.stdout
    assert "配置有效" in result.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agent.toml"]


def test_without_a_configuration_it_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("edge_agent.cli.PLACES", (Path("agent.toml"), tmp_path / "etc" / "agent.toml"))
    result = invoke("check")
    assert result.exit_code == 2
    assert str(tmp_path / "agent.toml") in result.stderr
    assert str(tmp_path / "etc" / "agent.toml") in result.stderr
    configuration(tmp_path)
    assert invoke("check").exit_code == 0, "the first place is the working folder"


ALL: Final = ("check", "run", "probe", "status")


@pytest.mark.parametrize(
    ("commands", "more", "sources", "told"),
    [
        (ALL, "keepalive_s = 1", REPLAY, "mqtt.keepalive_s"),
        (ALL, "pasword = 'x'", REPLAY, "allowed here: ca_file"),
        (ALL, "password = 'x'\npassword_file = 'y'", REPLAY, "password and password_file"),
        (ALL, "", "", "nothing to read"),
        (ALL, "", "[publish]\nbatch_readings = 0\n" + REPLAY, "publish.batch_readings"),
        (("check", "run"), "password_file = '/does/not/exist'", REPLAY, "无法读取密码文件"),
        (("check", "run", "probe"), "", REPLAY + REPLAY, "series 'press.energy' is declared"),
    ],
)
def test_a_wrong_configuration_is_told_without_a_traceback(
    tmp_path: Path, commands: tuple[str, ...], more: str, sources: str, told: str
) -> None:
    for command in commands:
        result = invoke(command, "--config", str(configuration(tmp_path, sources, more)))
        assert result.exit_code == 2, command
        assert told in result.stderr, command
        assert "Traceback" not in result.output
        assert isinstance(result.exception, SystemExit)
    assert not (tmp_path / "outbox.db").exists()


def test_without_pymodbus_only_modbus_is_refused(tmp_path: Path) -> None:
    def check(config: Path) -> subprocess.CompletedProcess[bytes]:
        script = "import sys; sys.modules['pymodbus'] = None; from edge_agent.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", script, "check", "--config", str(config)], capture_output=True, check=False
        )

    assert check(configuration(tmp_path)).returncode == 0
    refused = check(configuration(tmp_path, MODBUS))
    assert refused.returncode == 2
    assert b"pip install 'g60-pulse[modbus]'" in refused.stderr
    assert b"Traceback" not in refused.stderr


def test_an_agent_without_modbus_does_not_import_it(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom edge_agent.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\nassert 'pymodbus' not in sys.modules"
    )
    config = configuration(tmp_path)
    found = subprocess.run(
        [sys.executable, "-c", script, "check", "--config", str(config)], capture_output=True, check=False
    )
    assert found.returncode == 0, found.stderr


def test_probe_says_what_gave_no_value(tmp_path: Path) -> None:
    result = invoke("probe", "--config", str(configuration(tmp_path, MODBUS + REPLAY.replace("press", "saw"))))
    assert result.exit_code == 1
    assert "press.power" in result.stdout
    assert "no such file (文件不存在)" in result.stdout
    assert "2 of 2 gave no value (2 个点无值)" in result.stderr
    (tmp_path / "past.csv").write_text("t,series,value\n")
    assert invoke("probe", "--config", str(configuration(tmp_path))).exit_code == 0


def test_status_of_an_agent_that_never_ran(tmp_path: Path) -> None:
    result = invoke("status", "--config", str(configuration(tmp_path)))
    assert result.exit_code == 2
    assert "the agent has not run yet" in result.stderr


def test_status_shows_buffer_and_connection_in_both_languages(tmp_path: Path) -> None:
    config = configuration(tmp_path, more="user = 'somebody'")
    path = tmp_path / "outbox.db"
    now_ms = time.time_ns() // 1_000_000
    with opened(path, MANY_BYTES) as (_, intake, outflow):
        intake.adopt(birth())
        intake.record([gauges(now_ms, 500)])
        intake.compose(now_ms)
        intake.record([gauges(now_ms, 3)])
        outflow.take([1], 0)

        stopped = invoke("status", "--config", str(config))
        assert stopped.exit_code == 1, "not running is not well"
        assert "the agent is not running (采集程序未运行)" in stopped.stdout

        up = report.Report(os.getpid(), now_ms, connected=True, broker="b:1883", since_ms=now_ms)
        report.write(report.path_beside(path), up)
        result = invoke("status", "--config", str(config))
        assert result.exit_code == 0
        assert "1 messages, 500 readings, 0 never sent" in result.stdout
        assert "pending 待组包" in result.stdout
        assert "已连接" in result.stdout
        assert "never (尚未确认)" in result.stdout
        assert "enough (足够)" in result.stdout or "TOO LITTLE (不足)" in result.stdout

        found = json.loads(invoke("status", "--config", str(config), "--json").stdout)
        assert (found["gateway"], found["running"]) == ("gw-1", True)
        assert found["outbox"]["held_messages"] == 1
        assert found["outbox"]["pending_readings"] == 3
        assert found["connection"]["broker"] == "b:1883"

        down = report.Report(os.getpid(), now_ms, connected=False, broker="b:1883", since_ms=now_ms, trouble="no route")
        report.write(report.path_beside(path), down)
        broken = invoke("status", "--config", str(config))
        assert broken.exit_code == 1
        assert "no route" in broken.stdout


def test_a_wrong_command_line_ends_with_2() -> None:
    assert invoke("frobnicate").exit_code == 2
    assert invoke("--help").exit_code == 0
    assert "采集网关" in invoke("--help").output
