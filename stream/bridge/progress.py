"""How far each partition is done when its records are finished in any order. Pure."""

from __future__ import annotations

from stream.topics import Partition


class Progress:
    """Knows, per partition, up to where everything is done."""

    def __init__(self) -> None:
        self._open: dict[Partition, set[int]] = {}
        self._passed: dict[Partition, int] = {}

    def begin(self, place: Partition, offset: int) -> None:
        """Note that the record at ``offset`` has to be done."""
        self._open.setdefault(place, set()).add(offset)

    def done(self, place: Partition, offset: int) -> None:
        """Note that it is done; again, or for one never begun, is harmless."""
        self._open.get(place, set()).discard(offset)

    def passed(self, place: Partition, offset: int) -> None:
        """Note that all records before ``offset`` were begun or need nothing done."""
        self._passed[place] = offset

    @property
    def unfinished(self) -> int:
        """Records begun and not done."""
        return sum(len(offsets) for offsets in self._open.values())

    def safe(self) -> dict[Partition, int]:
        """Return the offsets to go on from after a crash: nothing before them is left to do."""
        return {place: min(self._open.get(place, ()), default=offset) for place, offset in self._passed.items()}
