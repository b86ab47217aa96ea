"""What a run reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.verdict import Findings


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the suite; :meth:`write` makes the JSON."""

    rounds: int
    seed: int
    seconds: float
    servers: dict[str, str]
    faults: dict[str, int]
    """How often each fault was done."""
    left_out: dict[str, str]
    """Faults that could not be done here, and why."""
    kills_with_unacknowledged: dict[str, int]
    """Kills at which something was unacknowledged at the killed process, by fault."""
    mutant: str | None
    drained: bool
    """The agents' disks were empty in the end."""
    restarts: dict[str, int]
    findings: Findings
    log: tuple[Mapping[str, object], ...]
    """Each fault, with what was unacknowledged at each link."""

    @property
    def kills(self) -> int:
        """Kills of all processes."""
        return sum(count for name, count in self.faults.items() if name.startswith("kill_"))

    @property
    def clean(self) -> bool:
        """True when every reading is stored once, and everything else that was judged is right."""
        return self.drained and self.findings.clean

    def as_dict(self) -> dict[str, object]:
        """Return all of it for JSON."""
        readings, energy = self.findings.readings, self.findings.energy
        return {
            "rounds": self.rounds,
            "faults": self.faults,
            "acquired": readings.acquired,
            "stored": readings.stored,
            "lost": readings.lost,
            "duplicated": readings.duplicated,
            "seed": self.seed,
            "mismatched": readings.mismatched,
            "unexpected": readings.unexpected,
            "unfollowed": readings.unfollowed,
            "backfilled": readings.backfilled,
            "empty": readings.empty,
            "kills": self.kills,
            "kills_with_unacknowledged": sum(self.kills_with_unacknowledged.values()),
            "kills_with_unacknowledged_by_fault": self.kills_with_unacknowledged,
            "ledger": asdict(self.findings.ledger),
            "energy": {"quarters": energy.quarters, "differing": list(energy.differing[:20])},
            "drained": self.drained,
            "left_out": self.left_out,
            "mutant": self.mutant,
            "restarts": self.restarts,
            "servers": self.servers,
            "seconds": round(self.seconds, 1),
            "examples": readings.examples,
            "clean": self.clean,
            "log": list(self.log),
        }

    def write(self, path: Path) -> None:
        """Write the JSON."""
        path.write_text(json.dumps(self.as_dict(), ensure_ascii=False, indent=2) + "\n", "utf-8")

    def summary(self) -> str:
        """Return a few words for people."""
        readings = self.findings.readings
        return (
            f"{'clean' if self.clean else 'NOT CLEAN'}: acquired {readings.acquired:,}, stored {readings.stored:,}, "
            f"lost {readings.lost}, duplicated {readings.duplicated}, mismatched {readings.mismatched}, unexpected "
            f"{readings.unexpected}; {self.kills} kills, {sum(self.kills_with_unacknowledged.values())} with something "
            f"unacknowledged at the killed process; {self.findings.energy.quarters} quarter-hours of energy; "
            f"{self.findings.ledger}"
        )
