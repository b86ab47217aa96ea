"""The jars of Apache Kafka: copied once from Maven Central into the user's cache."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from deploy.local import missing
from edge_agent.contract.errors import Misconfigured

VERSION: Final = "4.3.1"
"""Version that ``pom.xml`` names; a test holds the two together."""
_MAVEN_S: Final = 900.0


def folder() -> Path:
    """Return where the jars stand, or will stand; touches nothing."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "g60-pulse" / f"kafka-{VERSION}"


def provide() -> Path:
    """Return the folder of jars; when it is not there, Maven fills it, once for all that ask at the same time.

    The folder appears whole or not at all. ``Misconfigured`` with Maven's words when it cannot.
    """
    jars = folder()
    if jars.is_dir():
        return jars
    jars.parent.mkdir(parents=True, exist_ok=True)
    with (jars.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.is_dir():
            with tempfile.TemporaryDirectory(dir=jars.parent, prefix=".kafka-") as draft:
                _copy(Path(draft) / "jars")
                (Path(draft) / "jars").replace(jars)
    return jars


def _copy(into: Path) -> None:
    with as_file(files(__package__) / "pom.xml") as pom:
        argv = (
            "mvn",
            "-q",
            "-B",
            "--strict-checksums",
            "-f",
            str(pom),
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={into}",
        )
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_MAVEN_S)
        except FileNotFoundError as error:
            raise Misconfigured(missing.told((missing.MAVEN,))) from error
        except subprocess.TimeoutExpired as error:
            raise Misconfigured(f"Maven did not fetch Apache Kafka within {_MAVEN_S:.0f} s (下载超时)") from error
    if done.returncode != 0 or not into.is_dir():
        words = (done.stdout + done.stderr).strip()[-2000:]
        raise Misconfigured(f"Maven could not fetch Apache Kafka {VERSION} (无法下载 Kafka):\n{words}")
