"""A recorder that keeps polls in a file, and a process that dies by SIGKILL in the middle of a replay."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from edge_agent.contract.birth import Kind, SeriesSpec
from edge_agent.contract.settings import parse
from edge_agent.sources import Poll
from edge_agent.sources.replay.settings import Replay
from edge_agent.sources.replay.source import ReplaySource

SPECS = {
    "m.energy": SeriesSpec(
        device="m",
        quantity="energy",
        unit="kWh",
        kind=Kind.REGISTER,
        interval_ms=900_000,
        decimals=2,
        range=100_000_000,
    ),
    "m.power": SeriesSpec(device="m", quantity="power", unit="kW", kind=Kind.GAUGE, interval_ms=900_000),
    "m.run": SeriesSpec(device="m", quantity="run", unit="", kind=Kind.STATE, interval_ms=900_000),
}


class Journal:
    """Keeps a poll and its bookmark as one line; after ``dies_at`` of them the process is killed."""

    def __init__(self, path: Path, dies_at: int) -> None:
        self.path = path
        self._dies_at = dies_at

    async def record(self, poll: Poll) -> None:
        assert poll.bookmark is not None
        rows = [[r.series, r.t_ms, r.value, int(r.quality)] for r in poll.readings]
        with self.path.open("a") as file:
            file.write(json.dumps([poll.bookmark.key, poll.bookmark.value, rows]) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._dies_at -= 1
        if self._dies_at == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    async def bookmark(self, key: str) -> str | None:
        kept = [value for found, value, _ in entries(self.path) if found == key]
        return kept[-1] if kept else None

    def device_up(self, device: str) -> None:
        """Nobody asks."""

    def device_down(self, device: str, why: str) -> None:
        sys.exit(f"{device}: {why}")


def entries(path: Path) -> list[tuple[str, str, list[list[object]]]]:
    if not path.exists():
        return []
    return [tuple(json.loads(line)) for line in path.read_text().splitlines()]


def replay(*files: Path, **more: object) -> Replay:
    return parse(Replay, {"name": "history", "files": list(files), **more}, "test")


if __name__ == "__main__":
    journal_path, csv_path, polls = sys.argv[1:]
    source = ReplaySource(replay(Path(csv_path), batch_rows=7), SPECS)
    asyncio.run(source.run(Journal(Path(journal_path), int(polls))))
