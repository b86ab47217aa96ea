"""``g60-edge run`` in a process of its own, with sources a test can judge: ``python -m … CONFIG JOURNAL [OPTION …]``.

The counting source writes each poll's time to the journal once ``record`` has returned: what stands there is promised.
Options: ``broken`` adds a source that raises, ``machine=MARK`` is the machine it believes to run on, ``from=N`` where
counting goes on although the bookmark says otherwise.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from edge_agent import cli
from edge_agent.agent import Agent, NamedSource
from edge_agent.contract.birth import Kind, SeriesSpec
from edge_agent.settings import EdgeSettings
from edge_agent.sources import Bookmark, Poll, Reading, Recorder

SERIES = "counter.count"
POLL_READINGS = 10


class CountingSource:
    """Counts on from its bookmark, ten readings a poll."""

    def __init__(self, journal: Path, first: int | None) -> None:
        self._journal = journal
        self._first = first

    def series(self) -> Mapping[str, SeriesSpec]:
        spec = SeriesSpec(
            device="counter",
            quantity="count",
            unit="",
            kind=Kind.REGISTER,
            interval_ms=10,
            decimals=0,
            range=1 << 62,
        )
        return {SERIES: spec}

    async def run(self, recorder: Recorder) -> None:
        first = self._first or int(await recorder.bookmark("counted") or 1)
        with self._journal.open("a", encoding="ascii") as journal:
            while True:
                readings = tuple(Reading(SERIES, first + step, first + step) for step in range(POLL_READINGS))
                await recorder.record(Poll("counter", readings, Bookmark("counted", str(first + POLL_READINGS))))
                recorder.device_up("counter")
                journal.write(f"{first}\n")
                journal.flush()
                first += POLL_READINGS
                await asyncio.sleep(0.005)


class BrokenSource:
    """Raises what no source should, again and again."""

    def series(self) -> Mapping[str, SeriesSpec]:
        return {
            "broken.value": SeriesSpec(device="broken", quantity="value", unit="", kind=Kind.GAUGE, interval_ms=1000)
        }

    async def run(self, recorder: Recorder) -> None:
        recorder.device_down("broken", "it is")
        raise ZeroDivisionError("a mistake in a source")


def main(config: str, journal: str, *options: str) -> None:
    values = dict(option.partition("=")[::2] for option in options)
    first = int(values["from"]) if "from" in values else None
    sources = [NamedSource("counting", CountingSource(Path(journal), first))]
    if "broken" in values:
        sources.append(NamedSource("broken", BrokenSource()))
    machine = {values["machine"]} if "machine" in values else frozenset()

    def agent(settings: EdgeSettings) -> Agent:
        return Agent(settings, sources, machine=machine)

    setattr(cli, "Agent", agent)  # noqa: B010 - what the command runs, with the sources of the test
    cli.main(["run", "--config", config])


if __name__ == "__main__":
    main(*sys.argv[1:])
