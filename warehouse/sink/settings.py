"""Settings of the sink; `sample.toml` shows them."""

from __future__ import annotations

import socket
from typing import Annotated

from pydantic import Field

from edge_agent.contract.settings import Settings
from stream.settings import ConsumerSettings
from warehouse.settings import DatabaseSettings


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
