"""What may be set, what is refused and in which words, and the samples."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from edge_agent.contract.birth import Birth, Carrier, Kind, Ratio
from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import Settings, parse
from edge_agent.sources import modbus
from edge_agent.sources.modbus.decode import Dtype, WordOrder
from edge_agent.sources.modbus.settings import Device, Function, ModbusConnection, Point
from edge_agent.sources.modbus.source import ModbusSource
from edge_agent.sources.modbus.tags import tags_of

FOLDER = Path(modbus.__path__[0])
POINT: dict[str, object] = {"quantity": "p", "unit": "W", "kind": "gauge", "address": 0, "dtype": "uint16"}
REGISTER = POINT | {"kind": "register", "dtype": "uint32", "decimals": 2, "range": 100_000_000}
DEVICE: dict[str, object] = {"name": "a", "unit_id": 1, "address_base": 0, "points": [POINT]}
LINE: dict[str, object] = {"name": "line", "host": "192.0.2.1", "devices": [DEVICE]}


class Agent(Settings):
    """As the agent's file embeds it."""

    modbus: Annotated[tuple[ModbusConnection, ...], Field(min_length=1)]


def samples() -> list[str]:
    readme = re.findall(r"```toml\n(.*?)```", (FOLDER / "README.md").read_text("utf-8"), re.DOTALL)
    assert readme
    return [*readme, (FOLDER / "sample.toml").read_text("utf-8")]


@pytest.mark.parametrize("sample", samples())
def test_every_sample_loads_and_can_be_born(sample: str) -> None:
    agent = parse(Agent, tomllib.loads(sample), "sample")
    series = {name: spec for line in agent.modbus for name, spec in ModbusSource(line).series().items()}
    assert Birth(gateway="gw-1", series=series).digest()


def test_a_device_takes_over_what_it_does_not_say() -> None:
    (line,) = parse(Agent, tomllib.loads(samples()[-1]), "sample").modbus
    first, second, gas = line.devices
    assert second.points == first.points
    assert (second.interval_ms, second.order, second.carrier) == (10_000, WordOrder.ABCD, Carrier.ELECTRICITY)
    assert (second.meter, second.claimed_ratio) == ("202400000018", Ratio(pt=1, ct=40))
    energy, _, _, frequency = tags_of(second)
    assert energy.series == "press-2.energy_import"
    assert energy.spec.claimed_ratio == Ratio(pt=1, ct=40)
    assert (frequency.layout.order, frequency.interval_ms) == (WordOrder.CDAB, 60_000)
    volume, burner = tags_of(gas)
    assert (volume.address, volume.function, burner.address, burner.series) == (0, Function.INPUT, 10, "boiler.burner")


def test_a_model_that_names_no_meter_gives_none_away() -> None:
    lone = {"name": "b", "unit_id": 2, "like": "a"}
    line = parse(ModbusConnection, LINE | {"devices": [DEVICE | {"meter": "S1"}, lone]}, "test")
    assert [device.meter for device in line.devices] == ["S1", None]


def line_of(**point: object) -> dict[str, object]:
    return LINE | {"devices": [DEVICE | {"points": [POINT | point]}]}


def register_of(**point: object) -> dict[str, object]:
    return LINE | {"devices": [DEVICE | {"points": [{k: v for k, v in (REGISTER | point).items() if v is not None}]}]}


def device_of(**device: object) -> dict[str, object]:
    return LINE | {"devices": [DEVICE | device]}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            register_of(dtype="float32", decimals=None),
            ["devices.0.points.0", "decimals: not found", "float32", "allowed: 0 … 9"],
        ),
        (register_of(range=None), ["range: not found", "largest display + 1"]),
        (register_of(dtype="uint16"), ["range: found 100000000", "allowed with uint16: at most 65536"]),
        (register_of(dtype="bcd16"), ["allowed with bcd16: at most 10000"]),
        (register_of(dtype="int32", range=1 << 32), ["allowed with int32: at most 2147483648"]),
        (register_of(scale=10), ["scale: found 10 with kind register", "allowed: gauges only"]),
        (line_of(decimals=2), ["decimals: found 2 with kind gauge", "allowed: registers only"]),
        (line_of(kind="state", dtype="float32"), ["dtype: found float32 with kind state", "allowed: integers and BCD"]),
        (line_of(scale=0), ["devices.0.points.0.scale", "greater than or equal to 1E-9", "found 0"]),
        (line_of(order="ACBD"), ["devices.0.points.0.order", "'ABCD', 'CDAB', 'BADC' or 'DCBA'", "found 'ACBD'"]),
        (line_of(dtype="uint24"), ["devices.0.points.0.dtype", "'uint16'", "found 'uint24'"]),
        (line_of(adress=3), ["devices.0.points.0.adress", "Extra inputs", "address"]),
        (line_of(address=65_535, dtype="uint32"), ["address: found 65535 for p (uint32)", "address_base 0: 0 … 65534"]),
        (device_of(address_base=1), ["address: found 0 for p (uint16)", "address_base 1: 1 … 65536"]),
        (device_of(max_registers=200), ["devices.0.max_registers", "less than or equal to 125", "found 200"]),
        (device_of(unit_id=256), ["devices.0.unit_id", "255", "found 256"]),
        (device_of(name="冲床"), ["devices.0.name", "pattern", "found '冲床'"]),
        (
            LINE | {"devices": [{key: value for key, value in DEVICE.items() if key != "address_base"}]},
            ["devices.0.address_base", "required"],
        ),
        (LINE | {"devices": [DEVICE, DEVICE]}, ["devices.name: found 'a' twice"]),
        (device_of(points=[POINT, POINT | {"address": 5}]), ["series: found 'a.p' twice"]),
        (
            device_of(name="d" * 60, points=[POINT | {"quantity": "q" * 60}]),
            ["series: found", "121 characters", "allowed: at most 100, set series"],
        ),
        (
            LINE | {"devices": [DEVICE, {"name": "b", "unit_id": 2, "like": "c"}]},
            ["like: found 'c'", "because they stand earlier here: a"],
        ),
        (LINE | {"devices": [{"name": "b", "unit_id": 2, "like": "b"}]}, ["like: found 'b'", "(none)"]),
        (LINE | {"backoff_first_s": 100}, ["backoff_first_s: found 100.0", "at most backoff_max_s = 60.0"]),
        (device_of(name=["a"]), ["devices.0.name", "valid string", "found ['a']"]),
        (LINE | {"devices": []}, ["devices: Value error, found none; allowed: at least one"]),
        (LINE | {"host": "a host"}, ["host", "pattern", "found 'a host'"]),
    ],
)
def test_what_is_wrong_is_told_with_key_found_and_allowed(raw: dict[str, object], told: list[str]) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse(ModbusConnection, raw, "agent.toml")
    for words in ["agent.toml: 1 wrong", *told]:
        assert words in str(caught.value)


@pytest.mark.parametrize("model", [Point, Device, ModbusConnection])
def test_every_setting_says_what_it_is_and_its_default(model: type[Settings]) -> None:
    for name, found in model.model_fields.items():
        described = found.description or ""
        assert "efault" in described or name == "devices", name
        assert name.endswith(("_s", "_ms")) <= (" in s" in described or " in ms" in described), name


def test_kinds_and_types_of_the_contract_are_all_there() -> None:
    assert set(Kind) == {"gauge", "register", "state"}
    assert [dtype.words for dtype in Dtype] == [1, 1, 2, 2, 4, 4, 2, 4, 1, 2]
