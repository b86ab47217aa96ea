"""``python -m tests.benchmarks``: runs benchmarks, shows the table, writes the report."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from deploy.local.external import DATABASE
from deploy.local.files import write_atomically
from deploy.local.signals import EndOnSignal
from tests.benchmarks.accounts import accounts
from tests.benchmarks.bridge import bridge
from tests.benchmarks.catch_up import catch_up
from tests.benchmarks.district import district
from tests.benchmarks.end_to_end import end_to_end, end_to_end_20
from tests.benchmarks.facts import facts
from tests.benchmarks.growth import growth
from tests.benchmarks.indicators import indicators
from tests.benchmarks.registers import registers
from tests.benchmarks.report import table
from tests.benchmarks.scale import FULL, QUICK, TINY, Scale
from tests.benchmarks.sink import Result, Say, sink, sink_20
from tests.benchmarks.stage import Stage
from tests.benchmarks.storage import storage

Benchmark = Callable[[Stage, Scale, Say], Result]

BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "sink": sink,
    "sink_20": sink_20,
    "bridge": bridge,
    "end_to_end": end_to_end,
    "end_to_end_20": end_to_end_20,
    "district": district,
    "growth": growth,
    "catch_up": catch_up,
    "accounts": accounts,
    "registers": registers,
    "storage": storage,
    "indicators": indicators,
}


def run(names: Sequence[str], scale: Scale, say: Say, dsn: str | None = None) -> Iterator[dict[str, object]]:
    """Run benchmarks on a database of our own, then those that need one on ``dsn`` too.

    Yields the report after each of them, so that the numbers of an hour are not lost with its last minute.
    """
    report: dict[str, object] = {"machine": facts()}
    with Stage() as stage:
        for name in names:
            report[name] = _play(stage, name, scale, say)
            yield report
    if dsn is not None:
        with Stage(dsn) as stage:
            say(f"the same on {stage.server.address}")
            given: dict[str, object] = {"version": stage.server.version()}
            report[f"given_{stage.flavour()}"] = given
            for name in names:
                if name not in ("bridge", "catch_up", "storage"):
                    given[name] = _play(stage, name, scale, say)
                    yield report


def _play(stage: Stage, name: str, scale: Scale, say: Say) -> Result:
    began_mono_s = time.monotonic()
    say(f"— {name}")
    found = BENCHMARKS[name](stage, scale, say)
    say(f"  took {time.monotonic() - began_mono_s:.0f} s")
    return found


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--quick", is_flag=True, help="Small sizes, to see that it works; not to be quoted.")
@click.option("--tiny", is_flag=True, hidden=True)
@click.option("--seconds", type=click.FloatRange(min=1), help="How long end to end and the district run.")
@click.option("--report", "path", type=click.Path(path_type=Path), help="JSON file for the numbers.")
@click.option("--database", envvar=DATABASE, metavar="DSN", help="Measure on this server as well, e.g. TimescaleDB.")
def main(
    names: tuple[str, ...], *, quick: bool, tiny: bool, seconds: float | None, path: Path | None, database: str | None
) -> None:
    """Measure."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", message="(read|open)_text is deprecated", category=DeprecationWarning)
    scale = TINY if tiny else QUICK if quick else FULL
    if seconds is not None:
        scale = dataclasses.replace(scale, seconds=seconds)
    report: dict[str, object] = {}
    ending = EndOnSignal()
    ending.install()
    try:
        for report in run(names or tuple(BENCHMARKS), scale, lambda text: click.echo(text, err=True), database):
            if path is not None:
                write_atomically(path, json.dumps(report, ensure_ascii=False, indent=2) + "\n", mode=0o644)
    finally:
        ending.restore()
    for line in table(report):
        click.echo(line)
    for name, given in report.items():
        if name.startswith("given_") and isinstance(given, Mapping):
            click.echo(f"\n{name.removeprefix('given_')}, {given['version']}")
            for line in table(given):
                click.echo(line)


if __name__ == "__main__":
    main()
