"""Whether observations say what their variable allows: unit, scope, price basis, subject, spelling of a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import psycopg
from psycopg.rows import TupleRow

from warehouse.postgres import statement
from warehouse.registry.cells import Movement, Percentage, Value
from warehouse.registry.files import Sheet
from warehouse.registry.refusal import Refusal

_LISTS: Final = ("unit", "scope", "price_basis")


class _Variable(NamedTuple):
    kind: str
    allowed: Mapping[str, tuple[str, ...]]
    subjects: str


def misused(cursor: psycopg.Cursor[TupleRow], sheet: Sheet) -> Iterator[Refusal]:
    """Refuse observations that their variable does not allow; unknown variables are somebody else's to refuse."""
    if sheet.table.name != "observations":
        return
    known = {
        name: _Variable(kind, {"unit": (*units,), "scope": (*scopes,), "price_basis": (*bases,)}, subjects)
        for name, kind, units, scopes, bases, subjects in cursor.execute(
            statement("warehouse.registry", "variables.sql")
        )
    }
    for line, row in sheet.rows:
        if (variable := known.get(str(row["variable"]))) is None:
            continue
        name = row["variable"]
        for column in _LISTS:
            if (found := str(row[column])) not in variable.allowed[column]:
                words = " | ".join(variable.allowed[column])
                yield sheet.refuse(line, column, f"{found} for {name}", f"{words} (该指标可用的值)")
        subject = "uscc" if row["region"] is None else "region"
        if variable.subjects not in ("either", {"uscc": "enterprise", "region": "region"}[subject]):
            yield sheet.refuse(
                line, subject, f"{row[subject]} for {name}", f"a value of: {variable.subjects} (对象不符)"
            )
        if (wrong := _spelt(variable.kind, row["value"], row["unit"])) is not None:
            yield sheet.refuse(line, "value", f"{row['value']} with {wrong}", "a plain number (只填数字)")


def _spelt(kind: str, value: Value, unit: Value) -> str | None:
    if isinstance(value, Movement) and kind != "change":
        return f"a word of rise or fall, for a {kind} (升降幅度只用于升降类指标)"
    if isinstance(value, Percentage) and unit != "percent":
        return f"a percent sign, for {unit} (百分号与单位不符)"
    return None
