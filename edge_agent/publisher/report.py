"""The small file beside the outbox that tells `g60-edge status` how the connection is."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
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


def path_beside(outbox: Path) -> Path:
    """Return where the report of the agent that uses ``outbox`` is."""
    return outbox.with_name(outbox.name + ".status")


def write(path: Path, report: Report) -> None:
    """Replace the report at ``path``; a reader sees the old one or the new one."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(asdict(report), ensure_ascii=False), "utf-8")
    draft.replace(path)


def read(path: Path, now_ms: int) -> Report | None:
    """Return the report of an agent that is running; ``None`` when there is none, or it is out of date."""
    try:
        found = Report(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if now_ms - found.at_ms <= STALE_S * 1000 and _alive(found.process) else None


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
