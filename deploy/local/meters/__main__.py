"""`python -m deploy.local.meters --config meters.toml`: runs the simulated meters until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

import click

from deploy.local.meters.server import serve
from deploy.local.meters.settings import MetersSettings
from edge_agent.contract.errors import PulseError
from edge_agent.contract.settings import load


async def _run(settings: MetersSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, stop)


@click.command()
@click.option("--config", type=click.Path(path_type=Path), default=Path("meters.toml"), show_default=True)
def main(config: Path) -> None:
    """Run the simulated Modbus meters (模拟电表)."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(_run(load(MetersSettings, [config])))
    except PulseError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
