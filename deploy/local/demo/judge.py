"""The judge: what the meters say they answered, against what stands in the tables. Pure comparison.

No series may have two rows of one time. A reading of the past is matched by its series, time and value. A live reading
carries the time at which the agent read it; it can only come from the last answer that its connection gave before that
time, and must have exactly its value. Each answer pays for one row. An agent gives a connection up before it opens the
next, so a connection that ended before the next one began explains no later row. What a meter answered is good: a row
with its value and another quality is mismatched.

Only the agent may poll a meter that is judged: a second client that polls on leaves answers that nobody records. (One
that reads once does no harm: what is not followed is not demanded.)
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Final, NamedTuple

Value = int | float

BOUND_MS: Final = 5_000
"""Longest time between an answer and the agent's time stamp: a machine under load may be this slow."""
SHOWN: Final = 20
"""Examples kept of each kind of fault."""


class Series(NamedTuple):
    """A series, as the warehouse names it."""

    gateway: str
    name: str


@dataclass(frozen=True, slots=True)
class Answered:
    """One value of one live answer of a meter."""

    series: Series
    at_ms: int
    """UTC ms, rounded down, when the meter computed it."""
    connection: tuple[int, int]
    value: Value
    followed: bool
    """The agent must have it on disk; otherwise only the agent knows."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One value of a load profile: what the meter showed at a quarter-hour of the past."""

    series: Series
    t_ms: int
    value: Value


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a reading table."""

    series: Series
    t_ms: int
    value: Value | None
    quality: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. ``acquired = stored + lost`` always holds."""

    acquired: int = 0
    """Readings known to have been taken: followed answers, load profiles, and unfollowed answers that are stored."""
    stored: int = 0
    lost: int = 0
    """Acquired, and in no table."""
    duplicated: int = 0
    """Rows for a reading that another row stands for already."""
    mismatched: int = 0
    """Rows whose reading exists with another value or quality; each also leaves a lost reading behind."""
    unexpected: int = 0
    """Rows that nobody answered."""
    unfollowed: int = 0
    """Answers that the agent need not have recorded, stored or not."""
    empty: int = 0
    """Rows without a value; their quality says why, and they are compared with nothing."""
    backfilled: int = 0
    """Of the stored readings, those of load profiles."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """The first of each kind of fault, in words."""

    @property
    def clean(self) -> bool:
        """True when nothing was lost, doubled, changed or invented."""
        return not (self.lost or self.duplicated or self.mismatched or self.unexpected)

    def as_dict(self) -> dict[str, object]:
        """Return all of it for a report."""
        return asdict(self) | {"clean": self.clean}


def judge(
    answers: Iterable[Answered],
    records: Iterable[Recorded],
    rows: Iterable[Row],
    *,
    until_ms: int | None = None,
    bound_ms: int = BOUND_MS,
    paired: Callable[[Row], None] = lambda _: None,
) -> Verdict:
    """Compare everything; order of the arguments' items does not matter.

    With ``until_ms``, answers after it are not demanded and rows after it are not held against anybody: what was still
    on its way when the tables were read. A row may stand up to ``bound_ms`` after its answer. ``paired`` hears every
    row that stands for a reading; its value is the meter's own.
    """
    tally = _Tally(paired)
    missing = {(record.series, record.t_ms): record for record in records}
    past = dict(missing)
    seen: set[tuple[Series, int]] = set()
    live: defaultdict[Series, list[Row]] = defaultdict(list)
    for row in rows:
        key = (row.series, row.t_ms)
        record = past.get(key)
        if key in seen:
            tally.fault("duplicated", f"{_shown(row)}: another row has its series and time")
        elif row.value is None:
            tally.counts["empty"] += 1
        elif record is None:
            live[row.series].append(row)
        elif (row.value, row.quality) == (record.value, 0):
            del missing[key]
            tally.stored_past(row)
        else:
            tally.fault("mismatched", f"{_shown(row)} was recorded as {record.value!r}")
        seen.add(key)
    for record in missing.values():
        tally.fault("lost", f"{_named(record.series)} t={record.t_ms} v={record.value!r} (past)")
    given: defaultdict[Series, list[Answered]] = defaultdict(list)
    for answer in answers:
        given[answer.series].append(answer)
    for series in given.keys() | live.keys():
        _judge_live(_Given(given[series], bound_ms), live[series], until_ms, tally)
    return tally.verdict()


class _Given:
    """The answers of one series, found by connection and time; each may be taken once."""

    def __init__(self, answers: list[Answered], bound_ms: int) -> None:
        self.answers = answers
        self.taken: set[int] = set()
        self._bound_ms = bound_ms
        self._order: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for index in sorted(range(len(answers)), key=lambda index: answers[index].at_ms):
            self._order[answers[index].connection].append(index)
        self._times = {
            connection: [answers[index].at_ms for index in indices] for connection, indices in self._order.items()
        }
        self._spans = sorted((times[0], times[-1], connection) for connection, times in self._times.items())
        self._firsts = [first_ms for first_ms, _, _ in self._spans]

    def candidates(self, t_ms: int) -> Iterator[int]:
        """Yield the last answer at or before ``t_ms`` of each connection not over by then, if within the bound.

        A connection is over when another one began after its last answer: as a rule that leaves one candidate.
        """
        begun = bisect_right(self._firsts, t_ms)
        for _, last_ms, connection in self._spans[:begun]:
            if last_ms < max(self._firsts[begun - 1], t_ms - self._bound_ms):
                continue
            at = bisect_right(self._times[connection], t_ms) - 1
            if self._times[connection][at] >= t_ms - self._bound_ms:
                yield self._order[connection][at]


def _judge_live(given: _Given, rows: list[Row], until_ms: int | None, tally: _Tally) -> None:
    for row in sorted(rows, key=lambda row: row.t_ms):
        near = list(given.candidates(row.t_ms))
        same = [index for index in near if (given.answers[index].value, 0) == (row.value, row.quality)]
        free = [index for index in same if index not in given.taken]
        if free:
            # Of several, the followed one: an answer to a request that had timed out, or to a curious third, is not.
            given.taken.add(max(free, key=lambda index: (given.answers[index].followed, given.answers[index].at_ms)))
            tally.paired(row)
        elif until_ms is None or row.t_ms <= until_ms:
            tally.fault(*_why(row, given, near, same))
    for index, answer in enumerate(given.answers):
        if until_ms is None or answer.at_ms <= until_ms:
            tally.answer(answer, stored=index in given.taken)


def _why(row: Row, given: _Given, near: list[int], same: list[int]) -> tuple[str, str]:
    if same:
        return "duplicated", f"{_shown(row)} comes from the answer of another row"
    if near:
        values = ", ".join(repr(given.answers[index].value) for index in near)
        return "mismatched", f"{_shown(row)} was answered as {values}"
    return "unexpected", f"{_shown(row)} was answered by nobody"


class _Tally:
    """Counts on the way to a verdict."""

    def __init__(self, paired: Callable[[Row], None]) -> None:
        self.paired = paired
        self.counts: defaultdict[str, int] = defaultdict(int)
        self.examples: defaultdict[str, list[str]] = defaultdict(list)

    def fault(self, kind: str, words: str) -> None:
        self.counts[kind] += 1
        if len(self.examples[kind]) < SHOWN:
            self.examples[kind].append(words)

    def stored_past(self, row: Row) -> None:
        self.paired(row)
        self.counts["stored"] += 1
        self.counts["backfilled"] += 1

    def answer(self, answer: Answered, *, stored: bool) -> None:
        if not answer.followed:
            self.counts["unfollowed"] += 1
        if stored:
            self.counts["stored"] += 1
        elif answer.followed:
            self.fault("lost", f"{_named(answer.series)} answered={answer.at_ms} v={answer.value!r}")

    def verdict(self) -> Verdict:
        acquired = self.counts["stored"] + self.counts["lost"]
        return Verdict(acquired=acquired, **self.counts, examples=dict(self.examples))


def _named(series: Series) -> str:
    return f"{series.gateway}/{series.name}"


def _shown(row: Row) -> str:
    return f"{_named(row.series)} t={row.t_ms} v={row.value!r} q={row.quality}"
