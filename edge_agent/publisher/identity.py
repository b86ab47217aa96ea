"""Whether this gateway's id is its own (pure).

Each connection bears an :class:`Instance`, and says it with its states and its last will as an MQTT user property. An
agent hears what is published under its own id: an instance that is neither its own nor an earlier one is another agent.
A broker may also say that a session was taken over (MQTT 5, reason 142); Mosquitto 2.0.11 closes without a word, and
publishes the will of the connection that was.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from edge_agent.contract.errors import Misconfigured, Retryable

INSTANCE_PROPERTY: Final = "instance"
_LATEST_EPOCH: Final = (1 << 53) - (1 << 20)
"""One beyond which there would be no room for the next."""
_ROUNDS: Final = 100_000
TAKEOVERS: Final = 2
"""One may be an old try to connect that a proxy delivered late; a second one is another agent."""
WITHIN_S: Final = 600.0
_TEXT: Final = re.compile(r"(\d{1,16})-(\d{1,15})-([0-9a-f]{1,32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Instance:
    """One agent at work on one buffer."""

    epoch: int
    run: int
    """Counts the openings of the buffer; a copy goes on counting where it was made."""
    nonce: str

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Return the instance that ``text`` names, if it names one."""
        found = _TEXT.fullmatch(text or "")
        if found is None or int(found[1]) > _LATEST_EPOCH:
            return None
        return cls(int(found[1]), int(found[2]), found[3])

    def __str__(self) -> str:
        return f"{self.epoch}-{self.run}-{self.nonce}"

    def is_another(self, found: Instance) -> bool:
        """Return whether ``found`` is certainly neither this instance nor an earlier one of the same gateway."""
        return found.nonce != self.nonce and (found.epoch, found.run) >= (self.epoch, self.run)


def client_id(gateway: str, password: str | None) -> str:
    """Return the MQTT client id of a gateway: its name, and what only somebody who knows the password can derive.

    A broker ends the older of two connections with one client id, whoever the newer one's user is. So no other gateway
    can cut this one off, while two agents with one gateway's credentials still meet. A broker's log shows client ids:
    the derivation is slow, so that it betrays no password.
    """
    if password is None:
        return gateway
    derived = hashlib.pbkdf2_hmac("sha256", password.encode(), f"g60 client id {gateway}".encode(), _ROUNDS)
    return f"{gateway}-{derived.hex()[:12]}"


class IdTaken(Misconfigured):
    """Another agent runs under this gateway's id; a person has to find it."""


class Met(Retryable):
    """Another agent has just said, under our id, how it is."""


class Takeovers:
    """Counts connections that were taken over."""

    def __init__(self) -> None:
        self._at_mono_s: list[float] = []

    def another(self, now_mono_s: float) -> bool:
        """Note a takeover; True when there were so many lately that another agent must be running."""
        recent = [at for at in self._at_mono_s if now_mono_s - at < WITHIN_S]
        self._at_mono_s = [*recent, now_mono_s][-TAKEOVERS:]
        return len(self._at_mono_s) >= TAKEOVERS


def id_taken(gateway: str, broker: str, outbox: str) -> IdTaken:
    """Return the error that tells a person what is going on and what to do."""
    return IdTaken(
        f"another agent runs under the id {gateway!r} at {broker}. This agent has stopped; what it read is in {outbox} "
        "and is sent when it runs again. Find the other one (a copied card, image or configuration), give it an id and "
        "MQTT user of its own, then start this one. "
        f"(另有采集程序在使用同一网关编号 {gateway}，本程序已停止；数据保留在 {outbox}，再次启动后继续发送。"
        "请找到另一台网关（复制的存储卡、镜像或配置），为它分配新的编号和 MQTT 用户，再启动本程序)"
    )
