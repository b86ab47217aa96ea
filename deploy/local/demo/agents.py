"""The agents of the demo: one configuration per gateway, made from the profiles."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.demo.profiles import Demo, MeterProfile
from deploy.local.meters.settings import Cell, Encoding, Quantity
from deploy.local.toml_text import dumps
from edge_agent.contract.settings import parse
from edge_agent.settings import EdgeSettings

INTERVAL_MS: Final = 1000
"""How often each meter is read."""
_UNITS: Final = {
    Quantity.ACTIVE_ENERGY: "kWh",
    Quantity.REACTIVE_ENERGY: "kvarh",
    Quantity.ACTIVE_POWER: "kW",
    Quantity.POWER_FACTOR: "",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an agent of the demo needs to know about its machine."""

    broker_host: str
    broker_port: int
    password_file: Path
    """First line: the password of the MQTT user, which is the gateway."""
    outbox: Path
    """The agent's buffer."""
    meters_host: str
    meters_base_port: int
    """As given to :meth:`.profiles.Demo.meters_settings`."""
    load_profiles: tuple[Path, ...] = ()
    """Load profiles of this gateway's meters, which the agent sends as its past."""
    batch_s: float = 1.0
    """Longest time a reading waits for others, in s."""


def agent_toml(demo: Demo, gateway: str, around: Surroundings) -> str:
    """Return ``agent.toml`` for ``gateway``, valid for the agent's settings.

    Each meter is a Modbus connection of its own, read in one block each second.
    """
    enterprise = demo.gateways[gateway]
    table: dict[str, object] = {
        "gateway": {"id": gateway, "enterprise": enterprise.uscc},
        "mqtt": {
            "host": around.broker_host,
            "port": around.broker_port,
            "tls": "off",
            "password_file": str(around.password_file),
            "reconnect_max_s": 5.0,
        },
        "outbox": {"path": str(around.outbox)},
        "publish": {"batch_s": around.batch_s},
        "modbus": [_connection(demo, meter, around) for meter in enterprise.meters],
    }
    if around.load_profiles:
        files = [str(path) for path in around.load_profiles]
        table["replay"] = [{"name": "load-profiles", "files": files, "registers": "least_digits"}]
    text = dumps(table)
    parse(EdgeSettings, tomllib.loads(text), f"agent.toml of {gateway}")
    return text


def _connection(demo: Demo, meter: MeterProfile, around: Surroundings) -> dict[str, object]:
    return {
        "name": meter.name,
        "host": around.meters_host,
        "port": around.meters_base_port + demo.displays[meter.name].meter.port,
        "timeout_s": 2.0,
        "backoff_first_s": 0.5,
        "backoff_max_s": 5.0,
        "devices": [
            {
                "name": meter.name,
                "unit_id": 1,
                "address_base": 0,
                "order": str(meter.order),
                "interval_ms": INTERVAL_MS,
                "carrier": "electricity",
                "meter": meter.serial,
                "claimed_ratio": {"pt": float(meter.pt), "ct": float(meter.ct)},
                "points": [_point(meter, cell) for cell in meter.cells()],
            }
        ],
    }


def _point(meter: MeterProfile, cell: Cell) -> dict[str, object]:
    point: dict[str, object] = {
        "quantity": str(cell.quantity),
        "unit": _UNITS[cell.quantity],
        "kind": "register" if cell.quantity.register else "gauge",
        "address": cell.address,
        "dtype": str(cell.encoding),
    }
    if cell.quantity.register:
        point |= {"decimals": meter.decimals, "range": meter.range, "rated_max": meter.rated_max}
    elif cell.encoding is Encoding.INT16:
        point |= {"scale": "0.001", "rated_max": 1.0}
    else:
        point |= {"rated_max": meter.rated_max}
    return point
