"""Settings: the sample loads, passwords come from a file, mistakes are told."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import load
from warehouse.settings import DatabaseSettings
from warehouse.sink.settings import SinkSettings

SAMPLE = Path(str(resources.files("warehouse.sink").joinpath("sample.toml")))


def test_the_sample_loads_also_with_everything_that_is_commented_out(tmp_path: Path) -> None:
    found = load(SinkSettings, [SAMPLE])
    assert found.group == "g60-sink"
    lines = SAMPLE.read_text("utf-8").splitlines()
    everything = [line[2:] if line.startswith("# ") and " = " in line else line for line in lines]
    full = tmp_path / "sink.toml"
    full.write_text("\n".join(everything), "utf-8")
    assert load(SinkSettings, [full]).database.password_file is not None
    assert tomllib.loads(full.read_text("utf-8"))["confirm_every_s"] == found.confirm_every_s


def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("it's me\n", "utf-8")
    found = DatabaseSettings(dsn="postgresql://g60@localhost/g60", password_file=secret)
    assert conninfo_to_dict(found.conninfo())["password"] == "it's me"
    assert "it's me" not in repr(DatabaseSettings.model_validate({"dsn": "host=x", "password": "it's me"}))
    with pytest.raises(Misconfigured, match="password_file"):
        DatabaseSettings(dsn="host=x", password_file=tmp_path / "none").conninfo()


@pytest.mark.parametrize("extra", ["confirm_every_s = 0", "batch = 5", "group = ''"])
def test_mistakes_are_told_with_their_key(tmp_path: Path, extra: str) -> None:
    wrong = tmp_path / "sink.toml"
    wrong.write_text(f"{extra}\n[kafka]\nbootstrap = 'k:1'\n[database]\ndsn = ''\n", "utf-8")
    with pytest.raises(Misconfigured, match=extra.split()[0]):
        load(SinkSettings, [wrong])


def test_two_passwords_are_one_too_many() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        DatabaseSettings.model_validate({"dsn": "", "password": "a", "password_file": "b"})
