"""Roles of the database server: made, given their rights, ended. They belong to the whole server, not to one database.

Whoever grants owns the database and has CREATEROLE (the superuser of a system of ours does).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from edge_agent.contract.errors import Misconfigured
from warehouse.access.kinds import ASSERTED, PEOPLE, SERVICES, STAGING, Asked, Kind, Right, own_name
from warehouse.postgres import Connection, alone, statement, translated

_SQL: Final = "warehouse.access"
_LOCK: Final = 0x6730_0080
"""Advisory lock: one change of grants at a time in a database."""
PASSWORD_LEAST: Final = 12
"""Characters of a password that somebody chose."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A role that can log in; ``password`` is the one made for it, null when it was given."""

    role: str
    password: str | None


class Grant(NamedTuple):
    """One row of ``access.grantee``, and what is wrong with its role; ``wrong`` is empty when nothing is."""

    role: str
    kind: Kind
    areas: tuple[str, ...]
    uscc: str | None
    valid_from: datetime
    valid_to: datetime | None
    granted_by: str
    reason: str | None
    wrong: str


def grant(connection: Connection, asked: Asked, password: str | None, until: datetime | None) -> Granted:
    """Make a role, its password and its grant; ``Misconfigured`` when the name is taken or an area is unknown."""
    with alone(connection, _LOCK), connection.transaction():
        database = connection.info.dbname
        _known(connection, asked)
        role = asked.role or _free_name(connection, database, asked.kind)
        if _exists(connection, role):
            raise Misconfigured(f"the role {role} exists already (角色已存在): choose another name")
        connection.execute(SQL("CREATE ROLE {} NOINHERIT").format(Identifier(role)))
        connection.execute(
            statement(_SQL, "grantee_add.sql"),
            {
                "role": role,
                "kind": asked.kind,
                "areas": list(asked.areas) or None,
                "uscc": asked.uscc,
                "asserts": list(ASSERTED) if asked.kind is Kind.API else None,
                "valid_to": until,
                "reason": asked.reason,
            },
        )
        _equip(connection, database, role, asked.kind)
        return _set_password(connection, role, password)


def change_password(connection: Connection, role: str, password: str | None) -> Granted:
    """Give a role another password; ``Misconfigured`` when nothing is granted to it now."""
    with translated(), connection.transaction():
        _current(connection, role)
        return _set_password(connection, role, password)


def revoke(connection: Connection, role: str) -> bool:
    """End a role's grant at once, in sessions that are open too; returns whether the role itself could be dropped."""
    with alone(connection, _LOCK):
        with connection.transaction():
            _current(connection, role)
            connection.execute(statement(_SQL, "grantee_end.sql"), {"role": role})
            if not _exists(connection, role):
                return True
            connection.execute(SQL("ALTER ROLE {} NOLOGIN").format(Identifier(role)))
        try:
            with connection.transaction():
                connection.execute(statement(_SQL, "sessions_end.sql"), {"role": role})
                for command in ("DROP OWNED BY {}", "DROP ROLE {}"):
                    connection.execute(SQL(command).format(Identifier(role)))
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.DependentObjectsStillExist):
            return False
    return True


def renew(connection: Connection) -> Iterator[tuple[str, bool]]:
    """Give every role that holds a grant its rights again: after a migration, or where a dump was restored.

    Yields each role and whether it had to be made; such a role cannot log in before it is given a password.
    """
    with alone(connection, _LOCK):
        database = connection.info.dbname
        for found in listing(connection):
            with connection.transaction():
                made = not _exists(connection, found.role)
                if made:
                    connection.execute(SQL("CREATE ROLE {} NOINHERIT").format(Identifier(found.role)))
                _equip(connection, database, found.role, found.kind)
            yield found.role, made


def listing(connection: Connection, *, ended: bool = False) -> tuple[Grant, ...]:
    """Return the grants that hold, or all there ever were, by role."""
    with translated():
        rows = connection.execute(statement(_SQL, "grantee_list.sql"), {"ended": ended}).fetchall()
    return tuple(Grant(role, Kind(kind), tuple(areas or ()), *rest) for role, kind, areas, *rest in rows)


def _equip(connection: Connection, database: str, role: str, kind: Kind) -> None:
    connection.execute(statement(_SQL, "database_shut.sql").format(database=Identifier(database)))
    connection.execute(
        statement(_SQL, "role_equip.sql").format(
            role=Identifier(role),
            database=Identifier(database),
            only_reads=Literal("on" if kind in PEOPLE else "off"),
            patience=Literal("60s" if kind in PEOPLE else "0"),
        )
    )
    if _counted(connection, "SELECT count(*) FROM pg_roles WHERE rolname = current_user AND rolsuper"):
        # Only a superuser may take functions of the server itself away.
        connection.execute(statement(_SQL, "server_shut.sql"))
        if kind not in PEOPLE:
            connection.execute(statement(_SQL, "locks_open.sql").format(role=Identifier(role)))
    if kind in STAGING:
        connection.execute(SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(Identifier(database), Identifier(role)))
    for right in SERVICES.get(kind, ()):
        if _counted(connection, "SELECT count(*) FROM pg_namespace WHERE nspname = %s", [right.schema]):
            for command in _rights(right, role):
                connection.execute(command)


def _rights(right: Right, role: str) -> Iterator[Composed]:
    schema, to = Identifier(right.schema), Identifier(role)
    yield SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, to)
    if right.privileges:
        names: list[Composable] = [Identifier(right.schema, table) for table in right.tables]
        tables = SQL(", ").join(names) if names else SQL("ALL TABLES IN SCHEMA {}").format(schema)
        yield SQL("GRANT {} ON {} TO {}").format(SQL(", ").join(map(SQL, right.privileges)), tables, to)
        if not names:
            # pg_dump reads sequences too.
            yield SQL("GRANT SELECT ON ALL SEQUENCES IN SCHEMA {} TO {}").format(schema, to)
    if right.functions:
        yield SQL("GRANT EXECUTE ON ALL ROUTINES IN SCHEMA {} TO {}").format(schema, to)
        yield SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA {} TO {}").format(schema, to)


def _set_password(connection: Connection, role: str, password: str | None) -> Granted:
    chosen = secrets.token_urlsafe(24) if password is None else _acceptable(password)
    # Encrypted here, so that no log of the server ever has it.
    secret = connection.pgconn.encrypt_password(chosen.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(Identifier(role), Literal(secret)))
    return Granted(role, chosen if password is None else None)


def _acceptable(password: str) -> str:
    if len(password) < PASSWORD_LEAST or password != password.strip():
        raise Misconfigured(f"a password has at least {PASSWORD_LEAST} characters and no blanks around (密码太短)")
    return password


def _known(connection: Connection, asked: Asked) -> None:
    for area in asked.areas:
        if not _counted(connection, "SELECT count(*) FROM registry.area WHERE area = %s", [area]):
            raise Misconfigured(f"the registry has no area {area} (没有该区域)")
    if asked.uscc and not _counted(
        connection, "SELECT count(*) FROM registry.enterprise WHERE uscc = %s", [asked.uscc]
    ):
        raise Misconfigured(f"the registry has no enterprise {asked.uscc} (没有该企业)")


def _free_name(connection: Connection, database: str, kind: Kind) -> str:
    had = "SELECT count(*) FROM access.grantee WHERE role_name = %s"
    number = 1
    while _exists(connection, name := own_name(database, kind, number)) or _counted(connection, had, [name]):
        number += 1
    return name


def _current(connection: Connection, role: str) -> None:
    if not any(found.role == role for found in listing(connection)):
        raise Misconfigured(f"nothing is granted to {role} (该角色没有授权): see g60 warehouse access list")


def _exists(connection: Connection, role: str) -> bool:
    return _counted(connection, "SELECT count(*) FROM pg_roles WHERE rolname = %s", [role]) > 0


def _counted(connection: Connection, query: str, parameters: Sequence[object] = ()) -> int:
    row = connection.execute(query.encode(), parameters).fetchone()
    return int(row[0]) if row is not None else 0
