"""Whether this gateway's id is its own: how often somebody else took the connection over (pure)."""

from __future__ import annotations

from typing import Final

from edge_agent.contract.errors import Misconfigured

TAKEOVERS: Final = 2
"""One may be an old try to connect that a proxy delivered late; a second one is another agent."""
WITHIN_S: Final = 600.0


class IdTaken(Misconfigured):
    """Another agent runs under this gateway's id; a person has to find it."""


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
        f"another agent runs under the id {gateway!r} at {broker}: it took our connection over {TAKEOVERS} times "
        f"within {WITHIN_S / 60:.0f} minutes. This agent has stopped; what it read is in {outbox} and is sent when "
        "it runs again. Find the other one (a copied card, image or configuration), give it an id and MQTT user of "
        f"its own, then start this one. (另有采集程序在使用同一网关编号 {gateway}，本程序已停止；数据保留在 {outbox}，"
        "再次启动后继续发送。请找到另一台网关（复制的存储卡、镜像或配置），为它分配新的编号和 MQTT 用户，再启动本程序)"
    )
