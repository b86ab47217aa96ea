"""The background process of `g60 up`: holds a system up until it is told to end."""

from __future__ import annotations

import logging
import signal
import sys
import time
from pathlib import Path

from deploy.local.services import services
from deploy.local.system import System
from edge_agent.contract.errors import Misconfigured, PulseError

log = logging.getLogger(__name__)


def main(folder: Path) -> int:
    """Hold the system in ``folder`` up until SIGTERM or SIGINT; the exit code says who has to act if it fails."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%SZ"
    )
    try:
        with System(folder, services=services):
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0
    except PulseError as error:
        log.critical("ended folder=%s error=%s", folder, error)
        return 2 if isinstance(error, Misconfigured) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
