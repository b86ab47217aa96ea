"""Reads statistics as they counted on a day, with every vintage behind them."""

from __future__ import annotations

from datetime import date, datetime
from difflib import get_close_matches
from typing import Final, NamedTuple

from edge_agent.contract.errors import Misconfigured
from warehouse.postgres import Connection, statement, translated
from warehouse.statistics.series import Value

_PACKAGE: Final = "warehouse.statistics"


class Variable(NamedTuple):
    """What the store says of a variable."""

    variable: str
    name_zh: str
    name_en: str
    kind: str
    units: str
    scopes: str
    price_bases: str
    subjects: str
    note: str | None


def variables(connection: Connection) -> list[Variable]:
    """Return every variable, by name."""
    with translated():
        return [Variable(*row) for row in connection.execute(statement(_PACKAGE, "variables.sql"))]


def known(connection: Connection, name: str) -> Variable:
    """Return the variable of that name, ours or Chinese; ``Misconfigured``, naming the nearest, for none."""
    every = variables(connection)
    for one in every:
        if name in (one.variable, one.name_zh):
            return one
    words = {word: one.variable for one in every for word in (one.variable, one.name_zh)}
    near = dict.fromkeys(words[word] for word in get_close_matches(name, words, 5, 0.5))
    raise Misconfigured(f"no variable {name!r} (没有这个指标); near to it: {', '.join(near) or '–'}")


def values(
    connection: Connection,
    variable: str,
    *,
    subject: str | None = None,
    period: str | None = None,
    published_by: date | None = None,
    known_at: datetime | None = None,
) -> list[Value]:
    """Return every vintage of the values asked for that was published by a day and recorded by a time.

    Of each key (subject, period, scope, price basis) exactly one ``counts``: the one published last.
    """
    with translated():
        rows = connection.execute(
            statement(_PACKAGE, "values.sql"),
            {
                "variable": variable,
                "subject": subject,
                "period": period,
                "by_day": published_by or date.max,
                "known_at": known_at or "infinity",
            },
        ).fetchall()
    return [Value(*row) for row in rows]
