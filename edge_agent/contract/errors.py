"""The roots of every error in the project: an error's class says who has to act.

    PulseError
    ├── Retryable       the other side is away or slow: the same call may succeed later, nothing is wrong with the data
    ├── BadRecord       this record is wrong and stays wrong: set it aside with its reason, go on with the next
    └── Misconfigured   a person has to change a setting: says what, where, what was found, what is allowed

Exceptions of libraries are turned into these in one place per library.
"""

from __future__ import annotations


class PulseError(Exception):
    """Any error that G60 Pulse raises on purpose."""


class Retryable(PulseError):
    """Something outside is away or slow; the same call may succeed later."""


class BadRecord(PulseError):
    """A record that no retry mends.

    ``reason`` is a short stable word (``not_json``, ``value_type`` …) that is counted; the message is for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Misconfigured(PulseError):
    """A setting that only a person can mend."""
