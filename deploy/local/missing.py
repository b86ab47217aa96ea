"""What this machine lacks, and how it gets it: installed where we may, else named with the command."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.contract.errors import Misconfigured

log = logging.getLogger(__name__)

IOTCORE_INSTALL: Final = "pip install iotcore==0.4.0"
JAVA_AT_LEAST: Final = 17
"""What Apache Kafka 4 runs on."""
_JAVA_PACKAGES: Final = ("openjdk-21-jre-headless", "openjdk-17-jre-headless", "openjdk-25-jre-headless")
_APT_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the system that we need and cannot bring along."""

    name: str
    """What a person calls it, with the version it needs."""
    debian: tuple[str, ...]
    """Packages that bring it, best first; the first that the machine's package lists know is taken."""
    present: Callable[[], bool]
    otherwise: str = ""
    """What does in its place, for whoever cannot install it."""


def mosquitto_path() -> str | None:
    """Return the broker's program; Debian keeps it in /usr/sbin, which a user's PATH may lack."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


def java_path() -> str | None:
    """Return the Java program: of ``JAVA_HOME`` when that is set, else of ``PATH``; of any version."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")


def java_release(said: str) -> int | None:
    """Return the release in what ``java -version`` says: 17 of ``"17.0.15"``, 8 of ``"1.8.0_402"``."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else None


def java_suffices() -> bool:
    """Return whether there is a Java that Kafka runs on."""
    java = java_path()
    if java is None:
        return False
    said = subprocess.run((java, "-version"), capture_output=True, text=True, check=False, timeout=60)
    release = java_release(said.stderr + said.stdout)
    return release is not None and release >= JAVA_AT_LEAST


MOSQUITTO: Final = Program(
    "mosquitto",
    ("mosquitto",),
    lambda: mosquitto_path() is not None,
    otherwise=f"{IOTCORE_INSTALL}   # no access rules, nothing kept over a restart (没有访问控制,重启后不保留)",
)
JAVA: Final = Program(f"java >= {JAVA_AT_LEAST}", _JAVA_PACKAGES, java_suffices)
MAVEN: Final = Program("mvn (Maven)", ("maven",), lambda: shutil.which("mvn") is not None)


def lacking(programs: Iterable[Program]) -> tuple[Program, ...]:
    """Return those that this machine lacks."""
    return tuple(program for program in programs if not program.present())


def may_install() -> bool:
    """Return whether we may install packages: as root, on a system of Debian's kind."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def provide(programs: Iterable[Program]) -> tuple[Program, ...]:
    """See to it that all ``programs`` are there, and return those that were installed for it.

    ``Misconfigured`` names what is missing and the exact command, where we may not install or it did not help.
    """
    absent = lacking(programs)
    if not absent:
        return ()
    if not may_install():
        raise Misconfigured(told(absent))
    log.info("installing programs=%s", ",".join(program.name for program in absent))
    _apt("update")
    _apt(*install_arguments(absent, known_to_apt))
    if MOSQUITTO in absent:
        _silence_service("mosquitto")
    still = lacking(absent)
    if still:
        raise Misconfigured(told(still))
    return absent


def install_arguments(absent: Iterable[Program], known: Callable[[str], bool]) -> tuple[str, ...]:
    """Return what ``apt-get`` is told; ``known`` says whether the package lists know a name."""
    packages = (next((name for name in program.debian if known(name)), program.debian[0]) for program in absent)
    return ("install", "-y", "--no-install-recommends", *packages)


def told(absent: Iterable[Program], known: Callable[[str], bool] | None = None) -> str:
    """Return what a person has to do to get the ``absent`` programs."""
    absent = tuple(absent)
    otherwise = "".join(
        f"\nor, in place of {program.name} (或者代替它):\n  {program.otherwise}"
        for program in absent
        if program.otherwise
    )
    names = ", ".join(program.name for program in absent)
    head = f"this machine lacks (本机缺少): {names}."
    if shutil.which("apt-get") is None:
        return f"{head} Install them with the system's packages (请用系统的软件包管理器安装).{otherwise}"
    sudo = "" if os.geteuid() == 0 else "sudo "
    command = f"{sudo}apt-get update && {sudo}apt-get {' '.join(install_arguments(absent, known or known_to_apt))}"
    return f"{head} Install them with (请运行):\n  {command}{otherwise}"


def known_to_apt(package: str) -> bool:
    """Return whether the machine's package lists have a version of ``package`` to install."""
    # `apt-cache show` succeeds for a name that other packages merely mention.
    policy = subprocess.run(("apt-cache", "policy", package), capture_output=True, text=True, check=False, timeout=60)
    return bool(re.search(r"Candidate: \d", policy.stdout))


def _apt(*arguments: str) -> None:
    command = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments)
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_APT_S,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip()[-2000:]
        raise Misconfigured(f"{' '.join(command)} failed (安装失败):\n{words}")


def _silence_service(name: str) -> None:
    """Stop the service that the package has just started, and keep it from starting again: ours is another one."""
    if Path("/run/systemd/system").is_dir() and shutil.which("systemctl"):
        command: tuple[str, ...] = ("systemctl", "disable", "--now", name)
    elif Path(f"/etc/init.d/{name}").is_file():
        command = (f"/etc/init.d/{name}", "stop")
    else:
        return
    subprocess.run(command, capture_output=True, check=False, timeout=60)
