"""The samples load and are true, and what is wrong is told."""

from __future__ import annotations

import asyncio
import re
import tomllib
from pathlib import Path

import pytest

from edge_agent.contract.birth import Birth
from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import Settings, parse
from edge_agent.sources import modbus, replay
from edge_agent.sources.modbus.settings import ModbusConnection
from edge_agent.sources.modbus.source import ModbusSource
from edge_agent.sources.replay.settings import Replay, ReplaySeries
from edge_agent.sources.replay.source import ReplaySource
from tests.edge_agent.sources.memory import MemoryRecorder

FOLDER = Path(replay.__path__[0])
SERIES: dict[str, object] = {"series": "a.p", "device": "a", "quantity": "p", "unit": "W", "kind": "gauge"}
REPLAY: dict[str, object] = {"name": "history", "files": ["x.csv"]}


class Agent(Settings):
    """As the agent's file embeds them."""

    modbus: tuple[ModbusConnection, ...] = ()
    replay: tuple[Replay, ...]


def samples() -> list[str]:
    readme = re.findall(r"```toml\n(.*?)```", (FOLDER / "README.md").read_text("utf-8"), re.DOTALL)
    assert readme
    return [*readme, (FOLDER / "sample.toml").read_text("utf-8")]


@pytest.mark.parametrize("sample", samples())
def test_every_sample_loads(sample: str) -> None:
    assert parse(Agent, tomllib.loads(sample), "sample").replay[0].name == "history"


def test_the_sample_file_is_replayed_with_the_sample_settings(tmp_path: Path) -> None:
    (settings,) = parse(Agent, tomllib.loads(samples()[-1]), "sample").replay
    path = tmp_path / "sample.csv"
    path.write_bytes((FOLDER / "sample.csv").read_bytes())
    press = (Path(modbus.__path__[0]) / "sample.toml").read_text("utf-8")
    (line,) = (ModbusConnection.model_validate(raw) for raw in tomllib.loads(press)["modbus"])
    presses = line.model_copy(update={"devices": line.devices[:2]})
    known = ModbusSource(presses).series()
    settings = settings.model_copy(update={"files": (path,), "rejected_folder": None, "rows_per_s": None})
    source = ReplaySource(settings, known)
    recorder = MemoryRecorder()
    asyncio.run(source.run(recorder))
    assert [(reading.series, reading.value, int(reading.quality)) for reading in recorder.readings] == [
        ("press-1.energy_import", 12_345_678, 0),
        ("press-1.energy_import", 12_346_103, 0),
        ("press-1.power", 17.04, 0),
        ("press-1.energy_import", None, 100),
        ("boiler-gas.volume", 47_112, 10),
    ]
    assert list(tmp_path.iterdir()) == [path]
    assert Birth(gateway="gw-1", series={**known, **source.series()}).digest()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (REPLAY | {"files": []}, "files: found none; allowed: at least one"),
        (REPLAY | {"files": ["a/x.csv", "b/x.csv"]}, "files: found 'x.csv' twice"),
        (REPLAY | {"series": [SERIES, SERIES]}, "series: found 'a.p' twice"),
        (REPLAY | {"series": [SERIES | {"kind": "register"}]}, "decimals: not found; a register needs it"),
        (REPLAY | {"series": [SERIES | {"range": 5}]}, "range: found 5 with kind gauge; allowed: registers only"),
        (REPLAY | {"registers": "raw"}, "registers: Input should be 'display' or 'least_digits'; found 'raw'"),
        (REPLAY | {"batch_rows": 0}, "batch_rows"),
        (REPLAY | {"rows_per_s": 0}, "rows_per_s"),
        (REPLAY | {"file": "x.csv"}, "file: Extra inputs are not permitted; allowed here: backoff_max_s"),
    ],
)
def test_what_is_wrong_is_told(raw: dict[str, object], told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse(Replay, raw, "agent.toml")
    assert told in str(caught.value)


@pytest.mark.parametrize("model", [Replay, ReplaySeries])
def test_every_setting_says_what_it_is_and_its_default(model: type[Settings]) -> None:
    for name, found in model.model_fields.items():
        assert "efault" in (found.description or ""), name
