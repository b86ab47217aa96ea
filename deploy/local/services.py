"""Which services of ours `g60 up` adds to the three servers."""

from __future__ import annotations

from deploy.local.process import Spec
from deploy.local.system import System


def services(system: System) -> tuple[Spec, ...]:
    """Return what to run beside the servers of ``system``, in the order of starting: none, servers only."""
    return ()
