"""How each type of PostgreSQL stands in a Parquet file: exactly, or as PostgreSQL's own text.

    boolean, smallint … bigint, real, double precision    the same
    date, timestamp, timestamptz    date32, timestamp[us], timestamp[us, UTC];
                                    text where one is infinite, BC or after 9999
    numeric(p, s)                   decimal(p, s)
    numeric                         decimal128(38, s), s by what is there, at least 6; else decimal256(76, s);
                                    text where one is NaN, infinite or longer
    bytea                           binary
    everything else                 text as PostgreSQL writes it: ranges, arrays, jsonb, enums, intervals

The type in PostgreSQL stands beside each column, as metadata of the field: ``postgres_type``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from edge_agent.contract.errors import Misconfigured
from warehouse.parquet.catalogue import Column, Relation

TYPE: Final = b"postgres_type"
"""Key of the field's metadata with PostgreSQL's type."""
_SAME: Final = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "bytea": pa.binary(),
}
_TIMES: Final = {"date": pa.date32(), "timestamp": pa.timestamp("us"), "timestamptz": pa.timestamp("us", "UTC")}
_NARROW: Final = 38
_WIDE: Final = 76
_SPARE_SCALE: Final = 6
"""Decimals that a numeric without a scale gets at least, so that the next month's values mostly fit as well."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the values of one column need: whether one has no place in the Arrow type; for numerics digits and scale."""

    strange: bool = False
    digits: int = 0
    scale: int = 0


def figures(column: Column) -> tuple[str, ...]:
    """Return the aggregates (SQL over ``{column}``) that :func:`measured` reads of ``column``."""
    if column.base == "numeric":
        return (
            "coalesce(bool_or({column} IN ('NaN', 'Infinity', '-Infinity')), false)",
            "max(abs({column})) FILTER (WHERE {column} NOT IN ('NaN', 'Infinity', '-Infinity'))",
            "max(min_scale({column}))",
        )
    if column.base in _TIMES:
        return ("coalesce(bool_or({column} < '0001-01-02' OR {column} >= '9999-12-30'), false)",)
    return ()


def measured(column: Column, rows: Sequence[Sequence[Any]]) -> Measured:
    """Return what ``column`` needs, from its :func:`figures` of each month."""
    strange = any(row[0] for row in rows if row)
    if column.base != "numeric":
        return Measured(strange)
    largest = max((row[1] for row in rows if row[1] is not None), default=Decimal(0))
    return Measured(
        strange, len(str(int(largest))), max((int(row[2]) for row in rows if row[2] is not None), default=0)
    )


def schema(relation: Relation, needs: Sequence[Measured], old: pa.Schema | None) -> pa.Schema:
    """Return the columns of the files of ``relation``; those of ``old`` files where there are some.

    ``Misconfigured`` when the values no longer fit into the columns of ``old``.
    """
    fields = []
    for column, need in zip(relation.columns, needs, strict=True):
        chosen = _choose(column, need)
        if old is not None:
            chosen = _as_before(relation, column, need, chosen, old)
        said = {TYPE: column.type.encode(), b"comment": column.comment.encode()}
        fields.append(pa.field(column.name, chosen, metadata=said))
    return pa.schema(fields)


def _choose(column: Column, need: Measured) -> pa.DataType:
    if column.base in _SAME:
        return _SAME[column.base]
    if need.strange:
        return pa.string()
    if column.base in _TIMES:
        return _TIMES[column.base]
    if column.base != "numeric":
        return pa.string()
    if column.precision is not None and column.scale is not None and 0 <= column.scale <= column.precision <= _WIDE:
        return _decimal(column.precision, column.scale)
    if need.digits + max(need.scale, _SPARE_SCALE) <= _NARROW:
        return pa.decimal128(_NARROW, max(need.scale, _SPARE_SCALE))
    return pa.decimal256(_WIDE, need.scale) if need.digits + need.scale <= _WIDE else pa.string()


def _decimal(precision: int, scale: int) -> pa.DataType:
    return pa.decimal128(precision, scale) if precision <= _NARROW else pa.decimal256(precision, scale)


def _as_before(relation: Relation, column: Column, need: Measured, chosen: pa.DataType, old: pa.Schema) -> pa.DataType:
    place = old.get_field_index(column.name)
    if len(old) != len(relation.columns) or place < 0 or _said(old.field(place)) != column.type:
        raise Misconfigured(
            f"{relation.name}.{column.name}: the files in the folder have other columns, they are of another version; "
            "export into another folder (该目录中的文件属于其他版本，请换一个目录)"
        )
    had = old.field(place).type
    if chosen.equals(had) or pa.types.is_string(had):
        return had
    fits = (
        pa.types.is_decimal(had)
        and not need.strange
        and need.scale <= had.scale
        and need.digits <= had.precision - had.scale
    )
    if not fits:
        raise Misconfigured(
            f"{relation.name}.{column.name}: now needs {chosen}, the files in the folder have {had}; "
            "export into another folder (数值超出该目录文件的类型，请换一个目录)"
        )
    return had


def _said(field: pa.Field) -> str:
    return str((field.metadata or {}).get(TYPE, b"").decode())
