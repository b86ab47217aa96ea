"""`g60 warehouse access …`. Heavy modules are imported inside the commands."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from warehouse.access.kinds import MAY, SERVICES, Asked, Kind
from warehouse.options import database_option, password_option, scope_options

if TYPE_CHECKING:
    from warehouse.access.roles import Granted

_password_option = password_option("without it one is made and shown once")


@click.group("access")
def access_group() -> None:
    """Who may see what: roles of the database server (数据权限)."""


@access_group.command("grant")
@database_option
@scope_options(Kind)
@click.option("--role", help="Name of the role; without it one is made that tells nobody whose it is.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="First day on which it no longer holds.")
@click.option("--reason", help="Why, or the document that asks for it.")
@_password_option
def grant_command(
    database: str,
    kind: str,
    areas: tuple[str, ...],
    uscc: str | None,
    role: str | None,
    until: datetime | None,
    reason: str | None,
    password: str | None,
) -> None:
    """Make a role that may log in and see what its kind may (开通账号)."""
    from warehouse.access.roles import grant
    from warehouse.postgres import connect
    from warehouse.times import midnight

    asked = Asked(Kind(kind), areas, uscc, role, reason)
    ends = None if until is None else midnight(until.date())
    with connect(database, application="g60 access grant") as connection:
        _tell(grant(connection, asked, password, ends), kind)


@access_group.command("password")
@database_option
@click.argument("role")
@_password_option
def password_command(database: str, role: str, password: str | None) -> None:
    """Give a role another password (重置密码)."""
    from warehouse.access.roles import change_password
    from warehouse.postgres import connect

    with connect(database, application="g60 access password") as connection:
        _tell(change_password(connection, role, password), "password (新密码)")


@access_group.command("revoke")
@database_option
@click.argument("role")
def revoke_command(database: str, role: str) -> None:
    """End what a role may see, at once, and drop it (撤销账号)."""
    from warehouse.access.roles import revoke
    from warehouse.postgres import connect

    with connect(database, application="g60 access revoke") as connection:
        dropped = revoke(connection, role)
    click.echo(f"{role}: " + ("gone (已删除)" if dropped else "may not log in; it has something elsewhere (已停用)"))


@access_group.command("renew")
@database_option
def renew_command(database: str) -> None:
    """Give all roles their rights again: after a migration, or where a dump was restored (重新授权)."""
    from warehouse.access.roles import renew
    from warehouse.postgres import connect

    with connect(database, application="g60 access renew") as connection:
        for role, made in renew(connection):
            told = (
                f"made; needs g60 warehouse access password {role} (已重建，须设密码)" if made else "renewed (已更新)"
            )
            click.echo(f"{role}: {told}")


@access_group.command("list")
@database_option
@click.option("--ended", is_flag=True, help="Grants that have ended too.")
def list_command(database: str, *, ended: bool) -> None:
    """Show who may see what, and what is wrong with a role (列出授权)."""
    from warehouse.access.roles import listing
    from warehouse.postgres import connect
    from warehouse.table import aligned
    from warehouse.times import SHANGHAI

    with connect(database, application="g60 access list") as connection:
        grants = listing(connection, ended=ended)
    rows = [
        (
            found.role,
            found.kind.value,
            " ".join(found.areas) or found.uscc or "",
            *(
                "" if t is None else t.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
                for t in (found.valid_from, found.valid_to)
            ),
            found.granted_by,
            found.reason or "",
            found.wrong,
        )
        for found in grants
    ]
    headings = ("role", "kind", "sees", "from", "to", "granted by", "reason", "wrong")
    chinese = ("角色", "类别", "范围", "自", "至", "授权人", "事由", "问题")
    for line in aligned(headings, [chinese, *rows]):
        click.echo(line)
    if any(found.wrong for found in grants):
        raise click.exceptions.Exit(1)


@access_group.command("roles")
def roles_command() -> None:
    """Show what each kind of role may do (角色权限说明)."""
    from warehouse.table import aligned

    rows = [
        (
            kind.value,
            *MAY[kind],
            "; ".join(map(str, SERVICES.get(kind, ()))) or "look, published: select",
        )
        for kind in Kind
    ]
    for line in aligned(("kind", "may", "权限", "tables"), rows):
        click.echo(line)


def _tell(granted: Granted, what: str) -> None:
    click.echo(f"{granted.role}: {what}")
    if granted.password is not None:
        click.echo(f"password, shown this once (密码，仅显示一次): {granted.password}")
