"""Settings of the sink; `sample.toml` shows them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Self

from psycopg.conninfo import make_conninfo
from pydantic import Field, SecretStr, model_validator

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import Settings
from stream.settings import ConsumerSettings


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


class SinkSettings(Settings):
    """The sink: Kafka into the database."""

    kafka: ConsumerSettings
    """How records are read."""
    database: DatabaseSettings
    """Where they go."""
    group: Annotated[str, Field(min_length=1)] = "g60-sink"
    """Consumer group; sinks of one group share the partitions."""
    name: Annotated[str, Field(min_length=1, max_length=100)] = Field(default_factory=socket.gethostname)
    """Name under which batches are recorded; by default the host's."""
    confirm_every_s: Annotated[float, Field(gt=0)] = 10.0
    """A gateway hears what is stored at most this often, in seconds."""
    ask_birth_every_s: Annotated[float, Field(gt=0)] = 60.0
    """An unknown birth is asked for at most this often, in seconds."""
    most_parked: Annotated[int, Field(ge=0)] = 1_000
    """Messages of one gateway that wait here for their birth; more are left to the agent, which sends them again."""
    most_series_in_memory: Annotated[int, Field(ge=1)] = 500_000
    """Series whose births are kept in memory, about 300 bytes each; those unused for longest are read again."""
