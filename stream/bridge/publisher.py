"""Commands on their way to the MQTT broker: what was sent and not answered, and what has to be sent again."""

from __future__ import annotations

import logging
from collections import deque

from paho.mqtt.reasoncodes import ReasonCode

from stream.bridge.counters import Counters
from stream.bridge.downlink import Downlink, Order
from stream.bridge.link import Link

log = logging.getLogger(__name__)


class Publisher:
    """Publishes what ``downlink`` has, at most ``most`` at once; called by the bridge's thread only."""

    def __init__(self, downlink: Downlink, most: int, counters: Counters) -> None:
        self._downlink = downlink
        self._most = most
        self._counters = counters
        self._sent: dict[int, Order] = {}
        """Sent on this connection and not answered yet, by packet identifier."""
        self._again: deque[Order] = deque()
        """Left without an answer by an earlier connection."""

    @property
    def in_flight(self) -> int:
        """Commands without an answer."""
        return len(self._sent)

    def publish(self, link: Link) -> None:
        """Send what there is, within the bounds of the bridge and of the broker."""
        most = min(self._most, link.receive_maximum)
        while len(self._sent) < most and link.lost is None:
            order = self._again.popleft() if self._again else self._downlink.take()
            if order is None:
                return
            self._sent[link.publish(order.topic, order.payload, retain=order.retain)] = order

    def answered(self, mid: int, reason: ReasonCode) -> None:
        """Note the broker's answer; one that refuses is counted and told, and the command is done with."""
        order = self._sent.pop(mid, None)
        if order is None:
            return
        self._downlink.done(order)
        if reason.is_failure:
            self._counters.commands_refused += 1
            log.error("event=command_refused topic=%s reason=%s", order.topic, reason)
        else:
            self._counters.commands_published += 1

    def let_go(self) -> None:
        """The connection ended: what it left without an answer comes first on the next one, in order."""
        self._again.extendleft(reversed(self._sent.values()))
        self._sent.clear()
