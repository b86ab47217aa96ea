"""What the bridge counts, as one line for the log and as a file for whoever watches it."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(slots=True)
class Counters:
    """Since the process began, except where it says *now*."""

    received: int = 0
    """Messages read from MQTT."""
    repeated: int = 0
    """Of these, marked by the broker as delivered before."""
    forwarded: int = 0
    """Records that Kafka took."""
    refused: int = 0
    """Messages that Kafka would not take as they are; what is kept of them is in the refused topic."""
    acked: int = 0
    """Acknowledgements sent to the MQTT broker."""
    acks_thrown_away: int = 0
    """Acknowledgements not sent, because the message came on an earlier connection; the broker delivers it again."""
    full: int = 0
    """Times that reading stopped because a bound was reached."""
    connects: int = 0
    """MQTT connections that came up."""
    sessions_lost: int = 0
    """Of these, without the session of the one before."""
    kafka_restarts: int = 0
    """Times the bridge began anew because Kafka was away or did not take a message."""
    commands_published: int = 0
    """Commands that the MQTT broker acknowledged."""
    commands_refused: int = 0
    """Commands that it did not take."""
    commands_skipped: int = 0
    """Records on the commands topic that are no commands."""
    in_flight: int = 0
    """Messages waiting for Kafka now."""
    in_flight_bytes: int = 0
    """Their bytes now."""
    oldest_ms: int = 0
    """How long the oldest of them has waited, now."""
    commands_in_flight: int = 0
    """Commands waiting for the MQTT broker now."""
    commands_lag: int = 0
    """Records on the commands topic that were not read yet, now."""
    connected: bool = False
    """Whether MQTT is up, now."""

    def line(self) -> str:
        """Return ``event=bridge`` and all counts as ``key=value``."""
        return "event=bridge " + " ".join(f"{key}={_plain(value)}" for key, value in asdict(self).items())

    def write(self, path: Path, at_ms: int) -> None:
        """Replace ``path`` by the counts; a reader sees the old file or the new one."""
        text = json.dumps({"at_ms": at_ms, **asdict(self)}, indent=2) + "\n"
        fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        draft = Path(name)
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as out:
                out.write(text)
            draft.chmod(0o644)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
