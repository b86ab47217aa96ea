"""The small file beside the outbox that tells `g60-edge status` how the connection is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

REPORT_S: Final = 10.0
"""How often a running agent writes its report."""
STALE_S: Final = 3 * REPORT_S


@dataclass(frozen=True, slots=True)
class Report:
    """How the publisher was at ``at_ms``."""

    process: int
    at_ms: int
    connected: bool
    broker: str
    since_ms: int
    """Since when the connection is up, or down."""
    trouble: str = ""
    """Why there is no connection, or what is wrong with it; empty when nothing is."""
    stopped: str = ""
    """Why the agent stopped by itself; empty while it runs."""
    device_clocks: Mapping[str, int] = field(default_factory=dict)
    """Devices that stamp their own values: their clock minus the gateway's, ms."""


def path_beside(outbox: Path) -> Path:
    """Return where the report of the agent that uses ``outbox`` is."""
    return outbox.with_name(outbox.name + ".status")


def write(path: Path, report: Report) -> None:
    """Replace the report at ``path``; a reader sees the old one or the new one."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(asdict(report), ensure_ascii=False), "utf-8")
    draft.replace(path)


def read(path: Path, now_ms: int) -> Report | None:
    """Return the report of an agent that is running, or says why it stopped; ``None`` when there is none."""
    try:
        found = Report(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    running = now_ms - found.at_ms <= STALE_S * 1000 and _alive(found.process)
    return found if found.stopped or running else None


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
