from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import load, parse
from edge_agent.listing import table
from edge_agent.publisher.mqtt import tls_context
from edge_agent.settings import EdgeSettings, Mqtt, OutboxFile, Publish, Tls


def test_the_sample_loads_and_its_defaults_are_the_defaults() -> None:
    sample = Path(str(files("edge_agent").joinpath("sample.toml")))
    settings = load(EdgeSettings, [sample])
    assert settings.gateway.id == settings.user == "gw-0001"
    assert settings.outbox == OutboxFile()
    assert settings.publish == Publish()
    assert settings.mqtt.actual_port == 8883
    assert settings.modbus[0].devices[0].points[0].decimals == 2
    defaults = Mqtt(host="x")
    assert settings.mqtt.keepalive_s == defaults.keepalive_s
    assert settings.mqtt.reconnect_max_s == defaults.reconnect_max_s


def test_every_setting_is_described() -> None:
    for model in (EdgeSettings, Mqtt, OutboxFile, Publish):
        undescribed = [name for name, field in model.model_fields.items() if not field.description]
        assert undescribed == [], model


@pytest.mark.parametrize("gateway", ["bridge", "operator", "GW", "-x", ""])
def test_a_gateway_cannot_have_these_names(gateway: str) -> None:
    sample = tomllib.loads(files("edge_agent").joinpath("sample.toml").read_text("utf-8"))
    with pytest.raises(Misconfigured, match=r"gateway\.id"):
        parse(EdgeSettings, {**sample, "gateway": {"id": gateway}}, "test")


def test_a_password_is_never_shown() -> None:
    mqtt = Mqtt(host="x", password=SecretStr("geheim"))
    assert mqtt.secret() == "geheim"
    assert "geheim" not in repr(mqtt)
    assert "geheim" not in mqtt.model_dump_json()
    with pytest.raises(Misconfigured) as caught:
        parse(Mqtt, {"host": "x", "password": ["geheim"]}, "test")
    assert "geheim" not in str(caught.value)


def test_the_first_line_of_a_password_file_is_the_password(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("geheim\nsomething else\n")
    assert Mqtt(host="x", password_file=path).secret() == "geheim"
    path.write_text("")
    with pytest.raises(Misconfigured, match="密码文件为空"):
        Mqtt(host="x", password_file=path).secret()
    assert Mqtt(host="x").secret() is None


def test_ports_follow_tls() -> None:
    assert Mqtt(host="x").actual_port == 8883
    assert Mqtt(host="x", tls=Tls.OFF).actual_port == 1883
    assert Mqtt(host="x", port=5).actual_port == 5


def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    with pytest.raises(Misconfigured, match=r"mqtt\.ca_file"):
        tls_context(wrong, None, None)
    with pytest.raises(Misconfigured, match=r"mqtt\.cert_file"):
        tls_context(None, wrong, wrong)


def test_columns_line_up_with_wide_characters() -> None:
    assert table([("序列", "x"), ("a", "y")]) == "序列  x\na     y"


def test_settings_are_frozen() -> None:
    assert all(issubclass(model, BaseModel) and model.model_config["frozen"] for model in (EdgeSettings, Mqtt))
