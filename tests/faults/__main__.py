"""`python -m tests.faults`: the fault suite as a command."""

from __future__ import annotations

import logging
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import click

from tests.faults.mutants import MUTANTS, play_mutant
from tests.faults.plan import Kind, plan
from tests.faults.run import Run
from tests.faults.stage import Theatre

GATEWAYS = 3


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=10, show_default=True, help="Rounds of faults.")
@click.option("--seed", type=int, help="Decides which faults come when; by default another one each time.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the report here, as JSON.")
@click.option("--only", help=f"Names of faults, separated by commas: {', '.join(Kind)}.")
@click.option("--mutant", type=click.Choice(list(MUTANTS)), help="Switch a guarantee off; the run must then fail.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where everything is kept.")
def main(
    rounds: int, seed: int | None, report: Path | None, only: str | None, mutant: str | None, folder: Path | None
) -> None:
    """Kill, cut and fill under load, N rounds, and judge against the meters' own journals (故障测试).

    Exit code 0 only when nothing was lost, doubled or changed.
    """
    # kafka-python tells of each connection that a kill of Kafka ends.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    # The supervisor tells of each that ends; so do we.
    logging.getLogger("deploy").setLevel(logging.ERROR)
    seed = secrets.randbelow(1 << 31) if seed is None else seed
    unknown = set((only or "").split(",")) - set(Kind) - {""}
    if unknown:
        raise click.BadParameter(f"{', '.join(sorted(unknown))}; there are: {', '.join(Kind)}", param_hint="--only")
    kinds = tuple(kind for kind in Kind if not only or kind in only.split(","))
    kept = folder is not None
    folder = Path(tempfile.mkdtemp(prefix="g60-faults-")) if folder is None else folder
    click.echo(f"seed {seed}, everything in {folder}")
    with Theatre(folder, GATEWAYS) as theatre:
        click.echo(", ".join(f"{name} {version}" for name, version in theatre.versions.items()))
        if mutant is None:
            found = Run(theatre, theatre.gateways, seed, click.echo).play(plan(rounds, seed, kinds))
        else:
            found = play_mutant(theatre, MUTANTS[mutant], theatre.gateways, rounds, seed, click.echo)
    if report is not None:
        found.write(report)
    click.echo(found.summary())
    for kind, words in found.findings.readings.examples.items():
        click.echo(f"{kind}: {'; '.join(words[:3])}")
    if found.clean and not kept:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        click.echo(f"seed {seed}; logs and journals are in {folder}")
    sys.exit(0 if found.clean else 1)


if __name__ == "__main__":
    main()
