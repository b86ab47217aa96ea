"""A wrong configuration says file, key, what was found, what is allowed, and where it looked."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import Settings, load


class Broker(Settings):
    port: int = Field(ge=1, le=65535)
    password: SecretStr | None = None


class Service(Settings):
    mqtt: Broker
    brokers: tuple[Broker, ...] = ()


def message(tmp_path: Path, text: str) -> str:
    path = tmp_path / "service.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(Misconfigured) as error:
        load(Service, [path])
    assert str(path) in str(error.value)
    return str(error.value)


def test_a_good_file_loads(tmp_path: Path) -> None:
    path = tmp_path / "service.toml"
    path.write_text("[mqtt]\nport = 1883\n")
    assert load(Service, [tmp_path / "absent.toml", path]).mqtt.port == 1883


def test_a_value_out_of_range(tmp_path: Path) -> None:
    text = message(tmp_path, "[mqtt]\nport = 70000\n")
    assert "mqtt.port" in text
    assert "70000" in text
    assert "65535" in text


def test_an_unknown_key_names_those_allowed_there(tmp_path: Path) -> None:
    text = message(tmp_path, "[mqtt]\nport = 1\nhots = 'x'\n")
    assert "mqtt.hots" in text
    assert "allowed here: password, port" in text
    text = message(tmp_path, "[mqtt]\nport = 1\n[[brokers]]\nport = 1\nhots = 'x'\n")
    assert "brokers.0.hots" in text
    assert "allowed here: password, port" in text


def test_a_missing_key(tmp_path: Path) -> None:
    assert "mqtt.port: Field required" in message(tmp_path, "[mqtt]\n")


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    text = message(tmp_path, "[mqtt]\nport = 1\npassword = 77123\n")
    assert "mqtt.password" in text
    assert "77123" not in text


def test_not_toml(tmp_path: Path) -> None:
    assert "line 1" in message(tmp_path, "port: 1883")


def test_no_file_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as error:
        load(Service, [tmp_path / "a.toml", tmp_path / "b.toml"])
    assert str(tmp_path / "a.toml") in str(error.value)
    assert str(tmp_path / "b.toml") in str(error.value)
