"""Settings of hypothesis for a machine that is busy with servers: no example has a deadline."""

from __future__ import annotations

from typing import Final

from hypothesis import HealthCheck, settings

UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW: Final = settings(UNHURRIED, max_examples=30)
"""For examples that write files."""
