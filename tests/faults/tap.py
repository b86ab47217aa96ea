"""A proxy that listens to the MQTT it passes on, and so knows what has been published and not acknowledged."""

from __future__ import annotations

import threading
from typing import Final

from tests.services import proxy
from tests.services.proxy import Proxy

_PUBLISH: Final = 3
_PUBACK: Final = 4


class Ear:
    """Hears one direction of one connection: which QoS 1 packets begin, and which are acknowledged."""

    def __init__(self) -> None:
        self._heard = bytearray()

    def hear(self, piece: bytes) -> tuple[list[int], list[int]]:
        """Return the packet identifiers that were published, and those that were acknowledged, in whole packets."""
        self._heard += piece
        published: list[int] = []
        acknowledged: list[int] = []
        while (packet := self._take()) is not None:
            first, body = packet
            if first >> 4 == _PUBLISH and first >> 1 & 3:
                topic = int.from_bytes(body[:2], "big")
                published.append(int.from_bytes(body[2 + topic : 4 + topic], "big"))
            elif first >> 4 == _PUBACK:
                acknowledged.append(int.from_bytes(body[:2], "big"))
        return published, acknowledged

    def _take(self) -> tuple[int, bytes] | None:
        """Take the next whole packet: its first byte and what follows its length."""
        length = 0
        for place, byte in enumerate(self._heard[1:5]):
            length |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                begin = 2 + place
                if len(self._heard) < begin + length:
                    return None
                packet = self._heard[0], bytes(self._heard[begin : begin + length])
                del self._heard[: begin + length]
                return packet
        return None


class _Talk:
    """Both directions of one connection."""

    def __init__(self) -> None:
        self.up, self.down = Ear(), Ear()
        self.from_client: set[int] = set()
        self.from_broker: set[int] = set()


class MqttTap(Proxy):
    """Counts the messages that clients, or the broker, published here and got no PUBACK for, over open connections."""

    def __init__(self, target_host: str, target_port: int) -> None:
        self._talks: dict[proxy._Pair, _Talk] = {}
        self._heard = threading.Condition()
        self.taken = 0
        """Messages of clients that the broker has acknowledged so far."""
        self.delivered = 0
        """Messages that the broker has published so far."""
        self.given = 0
        """Of these, acknowledged so far."""
        super().__init__(target_host, target_port)

    def from_clients(self) -> int:
        """Return how many messages of clients are unacknowledged now."""
        with self._lock:
            return sum(len(talk.from_client) for pair, talk in self._talks.items() if pair in self._pairs)

    def from_broker(self) -> int:
        """Return how many messages of the broker are unacknowledged now."""
        with self._lock:
            return sum(len(talk.from_broker) for pair, talk in self._talks.items() if pair in self._pairs)

    def wait(self, within_s: float) -> None:
        """Return when something was heard, or after ``within_s``."""
        with self._heard:
            self._heard.wait(within_s)

    def _read(self, pair: proxy._Pair, end: proxy._End, other: proxy._End) -> None:
        before = len(other.waiting)
        super()._read(pair, end, other)
        piece = bytes(other.waiting[before:])
        if not piece:
            return
        self._talks = {known: talk for known, talk in self._talks.items() if known in self._pairs}
        talk = self._talks.setdefault(pair, _Talk())
        if end is pair.client:
            published, acknowledged = talk.up.hear(piece)
            talk.from_client.update(published)
            talk.from_broker.difference_update(acknowledged)
            self.given += len(acknowledged)
        else:
            published, acknowledged = talk.down.hear(piece)
            talk.from_broker.update(published)
            talk.from_client.difference_update(acknowledged)
            self.delivered += len(published)
            self.taken += len(acknowledged)
        if published or acknowledged:
            with self._heard:
                self._heard.notify_all()
