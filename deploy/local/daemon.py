"""The background process of `g60 up`: holds a system up until it is told to end."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from deploy.local.process import Spec
from deploy.local.system import System
from edge_agent.contract.errors import Misconfigured, PulseError

log = logging.getLogger(__name__)


ONLY_SERVERS: Final = "--only-servers"


def main(folder: Path, *, only_servers: bool) -> int:
    """Hold the system in ``folder`` up until SIGTERM or SIGINT; the exit code says who has to act if it fails."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%SZ"
    )
    try:
        with System(folder, services=None if only_servers else _services()):
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0
    except PulseError as error:
        log.critical("ended folder=%s error=%s", folder, error)
        return 2 if isinstance(error, Misconfigured) else 1


def _services() -> Callable[[System], Iterable[Spec]]:
    # Imported when they are wanted: they need more than the servers do.
    from deploy.local.services import services

    return services


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), only_servers=ONLY_SERVERS in sys.argv[2:]))
