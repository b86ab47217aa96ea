"""Where an indicator stands: one word, by thresholds that are configuration. Pure."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from edge_agent.contract.settings import Settings
from metrics.progress import Progress


class Status(StrEnum):
    """Where an indicator stands against its target."""

    MET = "met"
    NOT_MET = "not_met"
    ACHIEVED = "achieved"
    """Reached before the end; only counts that never fall again."""
    AT_TARGET_NOW = "at_target_now"
    ON_TRACK = "on_track"
    SLIGHTLY_BEHIND = "slightly_behind"
    BEHIND = "behind"
    INSUFFICIENT_DATA = "insufficient_data"
    TARGET_MISSING = "target_missing"
    BASELINE_MISSING = "baseline_missing"
    NO_TARGET = "no_target"
    OPEN = "open"
    """Not there yet, and no path says by when: milestones and ranks before the end."""
    WITHHELD = "withheld"
    """There is a value, and it is not to be set against the target: part of a year against a yearly target."""


class Thresholds(Settings):
    """Progress over expected progress, from which an indicator is said to be on track, or only slightly behind."""

    on_track: Annotated[Decimal, Field(gt=0)] = Decimal(1)
    """At least this: on track; of a binding target: 三级, green."""
    slightly_behind: Annotated[Decimal, Field(gt=0)] = Decimal("0.9")
    """At least this: slightly behind; 二级. Below: behind; 一级, red."""


def standing(progress: Progress, thresholds: Thresholds, *, ended: bool, never_falls: bool) -> Status:
    """Say where ``progress`` stands; ``ended`` when the target's day has passed, which makes it final."""
    if ended:
        return Status.MET if progress.reached else Status.NOT_MET
    if not progress.paced:
        return _without_path(progress, never_falls=never_falls)
    if progress.progress is None:
        return Status.BASELINE_MISSING
    if progress.reached:
        return Status.ACHIEVED if never_falls else Status.AT_TARGET_NOW
    made = progress.ratio
    if made is None or made >= thresholds.on_track:
        return Status.ON_TRACK
    return Status.SLIGHTLY_BEHIND if made >= thresholds.slightly_behind else Status.BEHIND


def standing_in_band(progress: Progress, *, ended: bool) -> Status:
    """Say where a value stands that is to stay about the same: inside, close to the edge, outside."""
    if ended:
        return Status.MET if progress.reached else Status.NOT_MET
    if not progress.reached:
        return Status.BEHIND
    return Status.SLIGHTLY_BEHIND if progress.near else Status.AT_TARGET_NOW


def light(progress: Progress, thresholds: Thresholds) -> int | None:
    """Return the official light of a binding target: 3 (三级, green), 2, 1 (一级, red); ``None`` without progress."""
    made = progress.ratio
    if made is None:
        return None
    return 3 if made >= thresholds.on_track else 2 if made >= thresholds.slightly_behind else 1


def _without_path(progress: Progress, *, never_falls: bool) -> Status:
    if not progress.reached:
        return Status.OPEN
    return Status.ACHIEVED if never_falls else Status.AT_TARGET_NOW
