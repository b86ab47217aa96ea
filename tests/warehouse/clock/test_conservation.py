"""Whatever came, in whatever order, and whatever is repaired: each reading is there once, and undoing undoes."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest

from tests.warehouse.clock.test_repair import AT_2000, AT_2016, EVER, RIGHT, UNSET, WORD
from tests.warehouse.sink.feed import EPOCH, Log, birth, sink, telemetry, write
from warehouse.clock import repair as repairing
from warehouse.clock.aside import Span
from warehouse.clock.repair import repair, undo
from warehouse.postgres import Connection

TIMES = [AT_2016 + 1_000 * step for step in range(5)] + [AT_2000, AT_2000 + 1_000]


class One(NamedTuple):
    """A reading as the model sees it; it waits while ``waits``."""

    t: int
    q: int
    epoch: int
    seq: int
    v: int
    waits: bool

    @property
    def stands(self) -> bool:
        return self.t >= AT_2016

    def rank(self) -> tuple[int, int, int, int]:
        return self.q, -self.epoch, -self.seq, -self.v

    def moved(self, shift: int) -> One:
        return self._replace(t=self.t + shift, q=max(self.q, 10) if self.q != UNSET else 10, waits=False)


def standing(readings: Iterable[One]) -> list[tuple[int, int, int]]:
    """What the order lets stand: time, quality and value."""
    best: dict[int, One] = {}
    for one in readings:
        if one.stands and (one.t not in best or one.rank() < best[one.t].rank()):
            best[one.t] = one
    return [(t, best[t].q, best[t].v) for t in sorted(best)]


@pytest.mark.parametrize("seed", range(4))
def test_a_model_agrees(warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # a repeatable course of events, no secret
    monkeypatch.setattr(repairing, "PIECE", dice.choice([1, 3, 100]))
    of, log = birth(), Log()
    model: set[One] = set()
    messages: list[bytes] = []
    for epoch in (EPOCH, EPOCH + 1, EPOCH + 2):
        for seq in range(1, 5):
            found = {
                t: (dice.choice([0, UNSET, UNSET, 30]), dice.randrange(3))
                for t in dice.sample(TIMES, dice.randint(1, 4))
            }
            model |= {One(t, q, epoch, seq, v, q == UNSET or t < AT_2016) for t, (q, v) in found.items()}
            messages.append(telemetry(of, seq, {"p": [(t, v, q) for t, (q, v) in found.items()]}, epoch=epoch))
    with sink(warehouse) as store:
        write(store, log.birth(of))

        def arrive() -> None:
            dice.shuffle(messages)
            for message in messages:
                write(store, log.message(message))

        arrive()
        assert stored(connection) == standing(model)
        repairs: list[tuple[int | None, set[One]]] = []
        for first, behind, shift in ((AT_2016, AT_2016 + 2_000, 2_000), (EVER[0], EVER[1], RIGHT - AT_2016)):
            before = set(model)
            done = repair(connection, Span("gw", first, behind), shift, WORD)
            due = {one for one in model if one.waits and first <= one.t < behind and one.t + shift >= AT_2016}
            # Refused ones of one message and time are one; moved ones that agree in all but their past are one too.
            assert done.moved.total() == len(due)
            model = (model - due) | {one.moved(shift) for one in due}
            assert stored(connection) == standing(model)
            repairs.append((done.repair_id, before))
            if dice.random() < 0.7:
                arrive()
                assert stored(connection) == standing(model)
        for repair_id, before in reversed(repairs):
            if repair_id is not None:
                undo(connection, repair_id)
            assert stored(connection) == standing(before)
        arrive()
        assert stored(connection) == standing(before)
    assert connection.execute("select * from ingest.exception").fetchall() == []


def stored(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select (extract(epoch from t) * 1000)::int8, q, v::int8 from ingest.reading_gauge order by t"
    ).fetchall()
