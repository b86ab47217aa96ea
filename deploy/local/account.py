"""As whom a server runs: as ourselves, or, when we are root, as nobody.

PostgreSQL refuses to run as root, and neither broker has any business being root. As root every server runs as uid
65534 in a data folder of its own. Where that uid cannot reach the folder or the programs (both may lie below a
``/root`` of mode 0700), it is given one capability, to read and pass folders, and no folder's mode is changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.contract.errors import Misconfigured

NOBODY: Final = 65534
"""The overflow uid and gid of the kernel; it needs no entry in passwd."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a server runs as; ``uid`` is ``None`` for ourselves."""

    uid: int | None

    def own(self, path: Path) -> None:
        """Give ``path`` to the account."""
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)

    def own_tree(self, folder: Path) -> None:
        """Make ``folder`` (mode 0700), and give it and all below it to the account."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.uid is None or folder.stat().st_uid == self.uid:
            return
        for inside in (folder, *folder.rglob("*")):
            os.chown(inside, self.uid, self.uid, follow_symlinks=False)

    def command(self, argv: tuple[str, ...], *reached: Path) -> tuple[str, ...]:
        """Return the command that runs ``argv`` as the account, able to read everything below ``reached``."""
        if self.uid is None:
            return argv
        plain = _as(self.uid)
        if all(_reaches(plain, path) for path in reached):
            return (*plain, *argv)
        return (*_as(self.uid, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"), *argv)


def of_this_process() -> Account:
    """Return the account for servers that this process starts."""
    return Account(NOBODY if os.geteuid() == 0 else None)


def _as(uid: int, *extra: str) -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Misconfigured(
            "setpriv is not found: as root the servers run as nobody, and setpriv (package util-linux) makes them. "
            "找不到 setpriv(util-linux 软件包)。"
        )
    return (setpriv, f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *extra)


def _reaches(plain: tuple[str, ...], path: Path) -> bool:
    """Return whether the account can read ``path``, asked of the kernel rather than computed from modes."""
    return subprocess.run((*plain, "test", "-r", str(path)), check=False, cwd="/").returncode == 0
