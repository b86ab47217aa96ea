"""Settings that every service of the warehouse needs."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from psycopg.conninfo import make_conninfo
from pydantic import SecretStr, model_validator

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import Settings


class DatabaseSettings(Settings):
    """Where the warehouse is and how to log in."""

    dsn: str
    """Address, as a libpq connection string (``host=… dbname=… user=…``) or URI, without the password."""
    password: SecretStr | None = None
    """Password; better in a file of its own."""
    password_file: Path | None = None
    """File that holds the password in its first line."""

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file exclude each other")
        return self

    def conninfo(self) -> str:
        """Return the connection string with the password; ``Misconfigured`` when its file cannot be read."""
        secret = None if self.password is None else self.password.get_secret_value()
        if self.password_file is not None:
            try:
                secret = self.password_file.read_text("utf-8").partition("\n")[0].strip()
            except (OSError, UnicodeDecodeError) as error:
                raise Misconfigured(
                    f"database.password_file: {self.password_file} cannot be read (无法读取密码文件): {error}"
                ) from error
        return self.dsn if secret is None else make_conninfo(self.dsn, password=secret)
