"""Telemetry of one generation: which messages go next, in which lane, and which go again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

from edge_agent.contract.topics import Channel
from edge_agent.outbox.outflow import Outflow, Outgoing
from edge_agent.publisher.confirmation import AT_ONCE, Confirmations, Overdue
from edge_agent.publisher.lanes import Lane, Lanes, Rate
from edge_agent.settings import Publish

_log = logging.getLogger(__name__)

COMMANDS_WITHIN_S: Final = 2.0
"""How long the retained commands of a new connection are awaited at most before the backlog is sent."""
COMMANDS_AFTER_S: Final = 0.2
"""How long after the subscription stands; the broker sends retained messages right behind its answer."""
_LOOK_S: Final = 5.0

Send = Callable[[Channel, Outgoing], None]


class Telemetry:
    """Chooses from the outbox and hands to ``send``, which may raise when the connection is lost.

    The live lane are messages written since this object was made; everything older, and everything sent again, is the
    backlog. ``again`` are numbers that an older connection sent without an acknowledgement. The backlog begins when
    the retained commands can have arrived: they say what is stored already, and how fast it may be sent.
    """

    def __init__(
        self, publish: Publish, outflow: Outflow, confirmations: Confirmations, again: Iterable[int], now_mono_s: float
    ) -> None:
        self._publish = publish
        self._outflow = outflow
        self._confirmations = confirmations
        self._lanes = Lanes()
        self._rate = Rate(publish.backlog_per_s, now_mono_s)
        self._boundary = outflow.held().last
        self._again: dict[int, None] = dict.fromkeys(again)
        self._backlog_from_mono_s = now_mono_s + COMMANDS_WITHIN_S
        self._look_mono_s = now_mono_s
        self._refused: list[int] = []
        self._taken: dict[int, None] = {}

    def throttled(self, now_mono_s: float) -> bool:
        """Return whether the backlog has a rate or has not begun, so that there may be more to send a little later."""
        return self._rate.per_s is not None or now_mono_s < self._backlog_from_mono_s

    def subscribed(self, now_mono_s: float) -> None:
        """Commands arrive from now on."""
        self._backlog_from_mono_s = min(self._backlog_from_mono_s, now_mono_s + COMMANDS_AFTER_S)

    @property
    def due_again(self) -> tuple[int, ...]:
        """Numbers that still have to go again, those first that the last sending did not get to."""
        return tuple(dict.fromkeys([*self._taken, *self._refused, *self._again]))

    def drain(self, messages_per_s: float | None) -> None:
        """Change the backlog's rate; ``None`` goes back to the configured one."""
        self._rate.change(self._publish.backlog_per_s if messages_per_s is None else messages_per_s)

    def confirmed(self, now_mono_s: float) -> None:
        """The warehouse said something new: look at once what is to go again."""
        self._look_mono_s = now_mono_s

    def refused(self, seq: int) -> None:
        """Message ``seq`` reached nobody."""
        self._refused.append(seq)

    def send(self, room: int, under_way: frozenset[int], now_mono_s: float, send: Send) -> bool:
        """Send up to ``room`` messages; False when there was nothing to send although there was room."""
        if self._refused:
            refused, self._refused = self._refused, []
            self._again |= dict.fromkeys(self._outflow.unsend(refused))
        self._find_overdue(under_way, now_mono_s)
        if not room:
            return True
        live = self._outflow.unsent_after(self._boundary, room)
        begun = now_mono_s >= self._backlog_from_mono_s
        allowed = self._rate.allowance(room, now_mono_s) if begun else 0
        again = list(self._again)[:allowed]
        backlog = again + self._outflow.unsent_through(self._boundary, allowed - len(again))
        order = self._lanes.deal(room, len(live), len(backlog))
        if not order:
            return bool(self._again) or not begun
        queues = {Lane.LIVE: iter(live), Lane.BACKLOG: iter(backlog)}
        lane_of = {next(queues[lane]): lane for lane in order}
        self._taken = dict.fromkeys(lane_of)
        for seq in lane_of:
            self._again.pop(seq, None)
        for outgoing in self._outflow.take(list(lane_of), round(now_mono_s * 1000)):
            send(Channel(lane_of[outgoing.seq]), outgoing)
            del self._taken[outgoing.seq]
        self._taken = {}
        self._rate.spend(order.count(Lane.BACKLOG))
        return True

    def _find_overdue(self, under_way: frozenset[int], now_mono_s: float) -> None:
        """Put up again what the warehouse misses, and what it has not spoken of for too long."""
        if now_mono_s < self._look_mono_s or self._again:
            return
        self._look_mono_s = now_mono_s + min(_LOOK_S, self._publish.resend_after_s / 2)
        missed = self._overdue(self._confirmations.missed(now_mono_s), under_way)
        unanswered = self._overdue(self._confirmations.unanswered(now_mono_s), under_way)
        if unanswered:
            self._confirmations.sent_again()
        self._again = dict.fromkeys(sorted({*missed, *unanswered}))
        if self._again:
            _log.info("publisher.again missing=%d unanswered=%d", len(missed), len(unanswered))

    def _overdue(self, overdue: Overdue | None, under_way: frozenset[int]) -> list[int]:
        if overdue is None:
            return []
        found = self._outflow.sent_before(overdue.ranges, round(overdue.before_mono_s * 1000), AT_ONCE)
        if overdue.tail and len(found) == AT_ONCE:
            last = self._outflow.last_sent()
            found += [] if last is None else [last]
        return [seq for seq in dict.fromkeys(found) if seq not in under_way]
