"""The load: gateways whose meters are read several times a second, and a few hours of past."""

from __future__ import annotations

import csv
import tomllib
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from deploy.local.demo import district_rows
from deploy.local.demo.agents import Surroundings, agent_toml
from deploy.local.demo.population import firms, synthetic_uscc
from deploy.local.demo.profiles import SHANGHAI, Demo, Enterprise, MeterProfile, Profiles, load_profiles
from deploy.local.meters.curve import SLOT_MS
from deploy.local.toml_text import dumps
from edge_agent.contract.settings import parse
from edge_agent.settings import EdgeSettings
from warehouse.registry.tables import TABLES

INTERVAL_MS: Final = 200
METERS: Final = 4
"""Of each gateway; each has four series."""
PAST_MS: Final = 4 * 4 * SLOT_MS
ROLLS_OVER_S: Final = 30
"""After the start; the first meter of each gateway passes its range then."""
OUTBOX_BYTES: Final = 8 << 20


def busy(now_ms: int, gateways: int) -> Demo:
    """Return ``gateways`` gateways with meters made from the demo's, whose past began four hours before ``now_ms``."""
    packaged = load_profiles()
    models = [meter for enterprise in packaged.enterprises for meter in enterprise.meters]
    enterprises = tuple(
        _enterprise(packaged.enterprises[number % len(packaged.enterprises)], models, number + 1)
        for number in range(gateways)
    )
    return Demo(Profiles(label=packaged.label, enterprises=enterprises), now_ms - PAST_MS, now_ms)


def _enterprise(model: Enterprise, models: list[MeterProfile], number: int) -> Enterprise:
    meters = tuple(
        _meter(models[(number + place) % len(models)], f"m{number:02}-{place + 1}", number, place)
        for place in range(METERS)
    )
    return model.model_copy(
        update={"uscc": synthetic_uscc(number), "gateway": f"gw-fault-{number:02}", "meters": meters}
    )


def _meter(model: MeterProfile, name: str, number: int, place: int) -> MeterProfile:
    first = place == 0
    return model.model_copy(
        update={
            "name": name,
            "serial": f"3101179900{number:02}{place:02}",
            "role": "boundary" if first else "sub",
            "parent": None if first else f"m{number:02}-1",
            "share": (1, place + 1),
            "active_at_origin": None if first else 1_000_000 * number + place,
            "rolls_over_days_after_start": None,
            "rolls_over_seconds_after_now": ROLLS_OVER_S if first else None,
            # An agent that is held up stamps a value late: the next step then looks steep, and is none.
            "rated_max": 1_000.0,
        }
    )


def agent_text(demo: Demo, gateway: str, around: Surroundings) -> str:
    """Return ``agent.toml``: as in the demo, in a hurry."""
    table: dict[str, Any] = tomllib.loads(agent_toml(demo, gateway, around))
    table["mqtt"] |= {"reconnect_max_s": 1.0}
    table["outbox"] |= {"max_bytes": OUTBOX_BYTES}
    table["publish"] |= {"resend_after_s": 5.0, "resend_max_s": 60.0, "state_s": 2.0}
    for connection in table["modbus"]:
        connection |= {"backoff_max_s": 1.0}
        for device in connection["devices"]:
            device |= {"interval_ms": INTERVAL_MS}
    parse(EdgeSettings, table, f"agent.toml of {gateway}")
    return dumps(table)


def write_registry(folder: Path, demo: Demo) -> None:
    """Write the CSV files that say whose the meters are and by which ratios they count."""
    folder.mkdir(parents=True, exist_ok=True)
    codes = tuple(enterprise.uscc for enterprise in demo.profiles.enterprises)
    start = datetime.fromtimestamp(demo.start_ms / 1000, UTC).astimezone(SHANGHAI)
    today = datetime.fromtimestamp(demo.now_ms / 1000, UTC).astimezone(SHANGHAI).date()
    rows = district_rows.of_population(islice(firms(codes), len(codes)), today)
    rows |= district_rows.of_enterprises(demo.profiles.enterprises, start)
    for file, lines in rows.items():
        columns = next(table.columns for table in TABLES if table.file == file)
        with (folder / file).open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, [column.name for column in columns], restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)
