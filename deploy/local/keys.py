"""Ports and passwords of a system: chosen once, kept in its folder, the same after every restart."""

from __future__ import annotations

import random
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.local import ports
from deploy.local.files import write_atomically
from edge_agent.contract.errors import Misconfigured


class Keys(BaseModel):
    """What clients must know to get in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mqtt_port: int
    kafka_port: int
    kafka_controller_port: int
    postgres_port: int
    bridge_password: str
    operator_password: str
    postgres_password: str


def provide(folder: Path, dice: random.Random) -> Keys:
    """Return the keys kept in ``folder``; chosen and written there (mode 0600) when there are none yet.

    Ports that somebody else took while the system was down are chosen anew, all of them.
    """
    found = kept(folder)
    if found is not None and all(ports.free(port) for port in _ports(found)):
        return found
    mqtt, kafka, controller, postgres = ports.choose(dice, 4)
    fresh = Keys(
        mqtt_port=mqtt,
        kafka_port=kafka,
        kafka_controller_port=controller,
        postgres_port=postgres,
        bridge_password=found.bridge_password if found else secrets.token_urlsafe(),
        operator_password=found.operator_password if found else secrets.token_urlsafe(),
        # PostgreSQL keeps its own: it cannot be chosen anew.
        postgres_password=found.postgres_password if found else secrets.token_urlsafe(),
    )
    write_atomically(_path(folder), fresh.model_dump_json(indent=2) + "\n")
    return fresh


def _ports(keys: Keys) -> tuple[int, ...]:
    return keys.mqtt_port, keys.kafka_port, keys.kafka_controller_port, keys.postgres_port


def _path(folder: Path) -> Path:
    return folder / "keys.json"


def kept(folder: Path) -> Keys | None:
    """Return the keys kept in ``folder``; ``None`` when there are none."""
    path = _path(folder)
    try:
        return Keys.model_validate_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise Misconfigured(f"{path} is damaged (文件损坏); restore it, or remove its folder: {error}") from error
