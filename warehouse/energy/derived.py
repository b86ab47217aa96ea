"""Sums up virtual meters in the database: each after its terms, and only from the day on in which a term changed.

It learns of changes as everybody who computes from accounts does, by :mod:`.changed`, and moves on in the transaction
after its writes, so that dying anywhere makes the next run do the work again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from warehouse.energy import store, virtual
from warehouse.energy.account import Quality
from warehouse.energy.changed import move_on
from warehouse.energy.sources import FOREVER_MS, SQL, RegisterKey, Sources, quarter_ms
from warehouse.energy.virtual import Part, Term
from warehouse.postgres import Connection, statement

CONSUMER: Final = "virtual"
_FETCH: Final = 20_000


@dataclass(frozen=True, slots=True)
class Virtual:
    """Virtual meters that have a sum, in the order in which they are summed up, and those that have none."""

    terms: dict[int, tuple[Term, ...]]
    without: tuple[int, ...]
    """Meters whose terms make no sum: of different units, or coming back to the meter."""
    refused: tuple[str, ...]
    """Why these have none, and which terms a meter has that a series tells."""


def read_virtual(conn: Connection, sources: Sources) -> Virtual:
    """Read what is known now."""
    found: dict[int, list[Term]] = defaultdict(list)
    serials: dict[int, str] = {}
    units: dict[int, set[str]] = defaultdict(set)
    for meter_id, serial, unit, term_id, feed_in, term_unit, factor, from_ms, until_ms in conn.execute(
        statement(SQL, "virtual_terms.sql")
    ):
        end_ms = FOREVER_MS if until_ms is None else until_ms
        found[meter_id].append(Term(term_id, feed_in, factor, from_ms, end_ms))
        serials[meter_id] = serial
        units[meter_id] |= {unit, term_unit}
    without, refused = [], []
    told = {key.meter_id for key in sources.keys}
    for meter_id in sorted(found):
        if meter_id in told:
            refused.append(f"meter {serials[meter_id]}: a series tells it, so it is no sum (已有序列，不按虚拟表计算)")
            del found[meter_id]
        elif len(units[meter_id]) > 1:
            named = ", ".join(sorted(units[meter_id]))
            refused.append(f"meter {serials[meter_id]}: a sum of different units, {named} (虚拟表各项单位不同)")
            without.append(meter_id)
            del found[meter_id]
    ordered, endless = virtual.in_order({meter_id: {term.meter_id for term in of} for meter_id, of in found.items()})
    refused += [f"meter {serials[meter_id]}: its terms come back to it (虚拟表循环引用)" for meter_id in endless]
    terms = {meter_id: tuple(found[meter_id]) for meter_id in ordered}
    return Virtual(terms, (*without, *endless), tuple(refused))


def compute(conn: Connection, known: Virtual, marked_ms: Mapping[int, int]) -> int:
    """Sum up what changed; ``marked_ms`` says from when terms of a meter were changed in the registry.

    A meter whose terms make no sum any more loses what it had, and has it again whole once they do. Returns how many
    quarter-hours changed. Nobody else writes accounts meanwhile.
    """
    since_ms = {meter_id: t_ms for meter_id, t_ms in marked_ms.items() if meter_id in known.terms}
    through = _last_change(conn)
    term_ms = _changed_terms(conn, known)
    empty = _empty(conn, [*known.without, *known.terms])
    changed = 0
    for meter_id in known.without:
        if meter_id not in empty:
            key = RegisterKey(meter_id, feed_in=False)
            with conn.transaction():
                changed += store.write(conn, [store.Recomputed(key, -FOREVER_MS, (), ())])
            term_ms[key] = -FOREVER_MS
    for meter_id, terms in known.terms.items():
        begins = [term_ms[key] for term in terms if (key := RegisterKey(term.meter_id, term.feed_in)) in term_ms]
        begins += [since_ms[meter_id]] if meter_id in since_ms else []
        begins += [-FOREVER_MS] if meter_id in empty else []
        if not begins:
            continue
        from_ms = min(begins)
        key = RegisterKey(meter_id, feed_in=False)
        with conn.transaction():
            quarters = tuple(virtual.sums(terms, parts(conn, terms, from_ms)))
            count = store.write(conn, [store.Recomputed(key, from_ms, quarters, ())])
        changed += count
        if count:
            term_ms[key] = from_ms
    with conn.transaction():
        move_on(conn, CONSUMER, through)
    return changed


def _changed_terms(conn: Connection, known: Virtual) -> dict[RegisterKey, int]:
    """Return the registers that are a term of something and have changed, and from which midnight on."""
    wanted = sorted({(term.meter_id, term.feed_in) for terms in known.terms.values() for term in terms})
    asked = {"meters": [key[0] for key in wanted], "feeds": [key[1] for key in wanted], "consumer": CONSUMER}
    rows = conn.execute(statement(SQL, "virtual_changed.sql"), asked)
    return {RegisterKey(meter_id, feed_in): since_ms for meter_id, feed_in, since_ms in rows}


def _empty(conn: Connection, meters: Sequence[int]) -> frozenset[int]:
    """Return which of ``meters`` have no account, so that they have to be summed up from the beginning."""
    rows = conn.execute(statement(SQL, "virtual_empty.sql"), {"meters": list(meters)})
    return frozenset(meter_id for (meter_id,) in rows)


def _last_change(conn: Connection) -> int:
    row = conn.execute(statement(SQL, "changed_last.sql")).fetchone()
    return 0 if row is None else int(row[0])


def parts(conn: Connection, terms: Sequence[Term], from_ms: int, until_ms: int = FOREVER_MS) -> Iterator[Part]:
    """Give the quarter-hours of the terms within [``from_ms``, ``until_ms``), in order; within a transaction."""
    with conn.cursor(name="g60_energy_virtual") as cursor:
        cursor.itersize = _FETCH
        cursor.execute(
            statement(SQL, "virtual_parts.sql"),
            {
                "places": list(range(len(terms))),
                "meters": [term.meter_id for term in terms],
                "feeds": [term.feed_in for term in terms],
                "from_ms": [max(term.from_ms, quarter_ms(from_ms)) for term in terms],
                "to_ms": [min(term.to_ms, until_ms) for term in terms],
            },
        )
        for start_ms, place, energy, quality, reason in cursor:
            yield Part(start_ms, place, energy, Quality(quality), reason)
