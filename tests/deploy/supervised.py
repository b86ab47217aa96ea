"""A program with a supervisor and two children: ``python -m tests.deploy.supervised FOLDER``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from deploy.local.supervisor import Supervisor
from tests.deploy.children import child

if __name__ == "__main__":
    # A shell starts what it leaves in the background with Ctrl-C ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path(sys.argv[1])
    try:
        with Supervisor(folder) as system:
            for name in ("one", "two"):
                system.start(child(name))
            draft = folder / "ready.new"
            draft.write_text(f"{system.pid('one')} {system.pid('two')}")
            draft.rename(folder / "ready")
            while True:
                signal.pause()
    except KeyboardInterrupt:
        sys.exit(130)
