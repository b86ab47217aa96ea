"""Settings of the jobs; `sample.toml` shows them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from edge_agent.contract.settings import Settings
from warehouse.settings import DatabaseSettings


class JobName(StrEnum):
    """What can be run."""

    HOLES = "holes"
    """Watch the ledger: see holes open and close."""
    ENERGY = "energy"
    """Close the energy accounts of quarter-hours that have passed."""
    COMPLETENESS = "completeness"
    """Count readings by series and day."""
    SUPPLY = "supply"
    """Put energy into periods of tariffs, and tell demand and cost of supply contracts."""
    INDICATORS = "indicators"
    """Mark results of indicators whose energy accounts changed."""
    CHECK = "check"
    """Once a night, compare the energy accounts with the readings they are made of."""
    RETENTION = "retention"
    """Compress readings that have come to rest, and drop what the rules let go (docs/retention.md)."""


class JobsSettings(Settings):
    """The jobs that keep tables up to date."""

    database: DatabaseSettings
    """Where the warehouse is."""
    jobs: Annotated[tuple[JobName, ...], Field(min_length=1)] = tuple(JobName)
    """Which jobs, in this order."""
    every_s: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    """From the beginning of one round to that of the next, in seconds; one that takes longer is followed at once."""
    count_within_s: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    """Completeness is counted, and readings are compressed, for so long each in one round, in seconds; what is left is
    done in the next ones."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.jobs)) < len(self.jobs):
            raise ValueError("a job stands twice")
        return self
