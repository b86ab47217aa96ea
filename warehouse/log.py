"""How the services of the warehouse log: to stderr, one line per event."""

from __future__ import annotations

import logging
import sys
import time


def to_stderr() -> None:
    """Log from INFO on, times in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    form = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    handler.setFormatter(form)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
