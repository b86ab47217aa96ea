"""Documentation of every table and view, from the comments that the database itself keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from warehouse.postgres import Connection, statement, translated

_HEAD: Final = """\
# Tables and views (表和视图)

Made from the comments in the database: `g60 warehouse describe`. Columns marked ○ may be null. `…_as_of(t)` gives a
dated table as it was known at `t`.
"""
_KIND: Final = {"r": "table", "p": "table", "v": "view", "m": "materialized view"}


@dataclass(frozen=True, slots=True)
class ColumnSaid:
    """One column, as the database describes it."""

    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view, as the database describes it."""

    name: str
    kind: str
    comment: str
    constraints: tuple[str, ...]
    columns: tuple[ColumnSaid, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function, as the database describes it."""

    name: str
    arguments: str
    result: str
    comment: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of ours with what is in it, by name."""

    name: str
    comment: str
    relations: tuple[Relation, ...]
    functions: tuple[Function, ...]


def read_schemas(connection: Connection) -> tuple[Schema, ...]:
    """Return the project's schemas; partitions, extensions and the server's own are left out."""
    with translated():
        named = connection.execute(statement("warehouse", "describe_schemas.sql")).fetchall()
        return tuple(_read_schema(connection, name, comment or "") for name, comment in named)


def undescribed(schemas: tuple[Schema, ...]) -> Iterator[str]:
    """Name every schema, table, view, column and function that has no comment."""
    for schema in schemas:
        if not schema.comment:
            yield schema.name
        for relation in schema.relations:
            if not relation.comment:
                yield f"{schema.name}.{relation.name}"
            for column in relation.columns:
                if not column.comment:
                    yield f"{schema.name}.{relation.name}.{column.name}"
        for function in schema.functions:
            if not function.comment:
                yield f"{schema.name}.{function.name}()"


def markdown(schemas: tuple[Schema, ...]) -> str:
    """Return the documentation of ``schemas``, one section per schema."""
    return _HEAD + "".join(line for schema in schemas for line in _schema(schema))


def _read_schema(connection: Connection, name: str, comment: str) -> Schema:
    where = {"schema": name}
    columns: dict[int, list[ColumnSaid]] = {}
    for oid, *said in connection.execute(statement("warehouse", "describe_columns.sql"), where):
        columns.setdefault(oid, []).append(ColumnSaid(*said))
    return Schema(
        name,
        comment,
        tuple(
            Relation(relation, _KIND[kind], said or "", tuple(constraints), tuple(columns.get(oid, ())))
            for oid, relation, kind, said, constraints in connection.execute(
                statement("warehouse", "describe_relations.sql"), where
            )
        ),
        tuple(
            Function(*function)
            for function in connection.execute(statement("warehouse", "describe_functions.sql"), where)
        ),
    )


def _schema(schema: Schema) -> Iterator[str]:
    yield f"\n## {schema.name}\n\n{_cell(schema.comment)}\n"
    for relation in schema.relations:
        yield f"\n### {schema.name}.{relation.name} ({relation.kind})\n\n{_cell(relation.comment)}\n"
        yield "\n| column | type | |\n|---|---|---|\n"
        for column in relation.columns:
            mark = " ○" if column.nullable and relation.kind == "table" else ""
            yield f"| {column.name}{mark} | {_cell(column.type)} | {_cell(column.comment)} |\n"
        if relation.constraints:
            yield "\n" + "".join(f"- `{constraint}`\n" for constraint in relation.constraints)
    if schema.functions:
        yield f"\n### Functions of {schema.name}\n\n| function | gives | |\n|---|---|---|\n"
        for function in schema.functions:
            call = f"{function.name}({function.arguments})"
            yield f"| `{call}` | `{function.result}` | {_cell(function.comment)} |\n"


def _cell(text: str) -> str:
    """Return text that stays within one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
