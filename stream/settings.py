"""Settings of whatever reads from Kafka."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge_agent.contract.settings import Settings
from stream.topics import MAX_RECORD_BYTES


class ConsumerSettings(Settings):
    """How records are read from Kafka and put together."""

    bootstrap: Annotated[str, Field(min_length=1)]
    """Addresses of Kafka, ``host:port``, separated by commas."""
    instance: str | None = None
    """Name of this member, unique in its group; restarted under it, a member gets its partitions back at once."""
    max_records: Annotated[int, Field(ge=1)] = 5_000
    """Records in one write, at most."""
    max_bytes: Annotated[int, Field(ge=MAX_RECORD_BYTES)] = 8 << 20
    """Bytes of keys and values in one write, at most."""
    max_wait_ms: Annotated[int, Field(ge=0)] = 200
    """How long the first record of a write waits for more."""
    fetch_bytes: Annotated[int, Field(ge=MAX_RECORD_BYTES)] = 16 << 20
    """Bytes fetched ahead from each broker, at most."""
    max_poll_interval_s: Annotated[float, Field(gt=0)] = 300.0
    """A member that does not ask Kafka for so long, stuck in one write, loses its partitions."""
    session_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """A member that Kafka does not hear for so long loses its partitions."""
    retry_first_s: Annotated[float, Field(gt=0)] = 0.5
    """Wait before the first repetition of what failed; doubled each time."""
    retry_most_s: Annotated[float, Field(gt=0)] = 15.0
    """Longest wait between repetitions."""
    rewind_s: Annotated[float, Field(ge=0)] = 3_600.0
    """How far back reading goes when Kafka lost the end of a log and nobody knows since when."""
