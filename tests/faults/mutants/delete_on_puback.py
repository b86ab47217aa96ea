"""`g60-edge` that deletes a message on the broker's PUBACK, and not on the warehouse's confirmation."""

from __future__ import annotations

from edge_agent.cli import main
from edge_agent.contract.command import SeqRange, Stored
from edge_agent.publisher.session import Session, _Message
from edge_agent.publisher.window import SUCCESS

_acknowledged = Session.acknowledged


def _and_delete(self: Session, packet_id: int, reason_code: int) -> None:
    sent = self._window._sent.get(packet_id)
    _acknowledged(self, packet_id, reason_code)
    if sent is not None and isinstance(sent.item, _Message) and reason_code == SUCCESS:
        seq = sent.item.seq
        before = (SeqRange(1, seq - 1),) if seq > 1 else ()
        self._outflow.settle(Stored(epoch=self._outflow.epoch, through=seq, missing=before), self._clock.utc_ms())


if __name__ == "__main__":
    Session.acknowledged = _and_delete  # type: ignore[method-assign]  # that is what a mutant is
    main()
