"""The bridge's settings."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import load, parse
from stream.bridge.settings import BridgeSettings

SAMPLE = files("stream.bridge") / "sample.toml"
LEAST: dict[str, object] = {"mqtt": {"host": "h"}, "kafka": {"bootstrap": "k:9092"}}


def test_the_sample_loads(tmp_path: Path) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text(SAMPLE.read_text("utf-8"), "utf-8")
    found = load(BridgeSettings, [path])
    assert found.mqtt.password_file == Path("/etc/g60/bridge.password")


def test_what_the_sample_comments_out_is_every_other_setting_with_its_default() -> None:
    text = SAMPLE.read_text("utf-8")
    shown = "\n".join(line.removeprefix("# ") for line in text.splitlines()[3:])
    raw = tomllib.loads(shown)
    whole = parse(BridgeSettings, raw, "sample")
    least = parse(BridgeSettings, {"mqtt": {"host": "127.0.0.1"}, "kafka": raw["kafka"]}, "least")
    examples = {"password_file", "tls", "password"}
    assert set(raw["mqtt"]) | {"password"} == set(type(whole.mqtt).model_fields)
    assert whole.mqtt.tls is not None
    assert set(raw["mqtt"]["tls"]) == set(type(whole.mqtt.tls).model_fields)
    assert whole.mqtt.model_dump(exclude=examples) == least.mqtt.model_dump(exclude=examples)
    assert (whole.kafka, whole.limits) == (least.kafka, least.limits)
    assert whole.report.model_dump(exclude={"status_file"}) == least.report.model_dump(exclude={"status_file"})
    for table in ("kafka", "limits", "report"):
        assert set(raw[table]) == set(type(getattr(whole, table)).model_fields)


def test_the_password_is_the_first_line_of_its_file_and_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("s3cret\nnoise\n")
    found = parse(BridgeSettings, LEAST | {"mqtt": {"host": "h", "password_file": str(path)}}, "t")
    assert found.mqtt.secret() == "s3cret"
    plain = parse(BridgeSettings, LEAST | {"mqtt": {"host": "h", "password": "s3cret"}}, "t")
    assert plain.mqtt.secret() == "s3cret"
    assert "s3cret" not in repr(plain)
    assert parse(BridgeSettings, LEAST, "t").mqtt.secret() is None


@pytest.mark.parametrize("content", [None, ""])
def test_a_password_file_without_a_password_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_text(content)
    found = parse(BridgeSettings, LEAST | {"mqtt": {"host": "h", "password_file": str(path)}}, "t")
    with pytest.raises(Misconfigured, match=r"mqtt\.password_file"):
        found.mqtt.secret()


@pytest.mark.parametrize(
    "mqtt",
    [
        {"host": "h", "password": "a", "password_file": "b"},
        {"host": "h", "tls": {"cert_file": "c"}},
        {"host": "h", "session_expiry_s": 0},
        {"host": "h", "client_id": ""},
        {"host": "h", "nonsense": 1},
    ],
)
def test_contradictions_are_refused(mqtt: dict[str, object]) -> None:
    with pytest.raises(Misconfigured, match="mqtt"):
        parse(BridgeSettings, LEAST | {"mqtt": mqtt}, "t")
