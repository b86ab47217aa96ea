"""A new epoch in the same file, when somebody else may go on with the old one's numbers.

Numbers are a promise: (epoch, seq) never changes its bytes. Two agents that began from copies of one file cannot keep
it, so an agent that may not be alone begins a new epoch, and what it holds is numbered anew in it. Nothing is stored
twice by that: a reading is known by its series and time. See docs/adr/0009.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain

from edge_agent.contract.event import Event, EventKind
from edge_agent.contract.telemetry import Dropped, DropReason
from edge_agent.outbox.batches import unpack_report
from edge_agent.outbox.database import Database
from edge_agent.outbox.events import add_events
from edge_agent.outbox.life import read_life
from edge_agent.outbox.overflow import remember


def renew(database: Database, next_epoch: Callable[[int], int], why: str, now_ms: int, beyond: int = 0) -> int:
    """Begin a new epoch, later than ``beyond``, within the caller's transaction, and return its number.

    An event says so. ``next_epoch`` returns a number larger than the one it is given. Removals that no message has
    reported to anybody get a number of the new epoch, so that they are still reported.
    """
    life = read_life(database)
    epoch = next_epoch(max(life.epoch, beyond))
    lost = _unreported(database)
    (ever_sent,) = database.row("ever_sent") or (0,)
    (messages, readings) = database.row("held_total") or (0, 0)
    database.run("inherit_messages")
    database.run("forget_messages")
    database.run("forget_dropped")
    database.run("renew_life", {"epoch": epoch, "previous_last": ever_sent})
    for number, (reason, count) in enumerate(sorted(lost.items()), start=1):
        remember(database, Dropped(number, number, DropReason(reason), count))
        database.run("set_last_seq", {"last_seq": number})
    text = (
        f"{why}; {messages} messages with {readings} readings of epoch {life.epoch} are numbered anew in {epoch} "
        "(缓冲可能被复制或他人使用同一编号，已开始新周期，未确认的数据重新编号)"
    )
    add_events(database, [Event(kind=EventKind.BUFFER_RENEWED, at=now_ms, text=text[:1000])])
    return epoch


def _unreported(database: Database) -> Counter[str]:
    waiting = (Dropped(*row) for row in database.rows("dropped", {"ranges": -1}))
    unsent = (gap for (report,) in database.rows("unsent_reports") for gap in unpack_report(report))
    lost: Counter[str] = Counter()
    for gap in chain(waiting, unsent):
        lost[gap.reason] += gap.readings
    return lost
