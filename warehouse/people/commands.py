"""`g60 metrics user …` and `g60 metrics key …`. Heavy modules are imported inside the commands."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from warehouse.access.kinds import ASSERTED, Kind
from warehouse.options import database_option, password_option, scope_options
from warehouse.table import aligned

if TYPE_CHECKING:
    from warehouse.people.scope import Scope

_scope_options = scope_options(ASSERTED)
_password_option = password_option("without it the password is asked for")


@click.group("user")
def user_group() -> None:
    """People who sign in to the API and the page (用户)."""


@user_group.command("add")
@database_option
@click.argument("login")
@click.option("--name", required=True, help="Name of the person.")
@_scope_options
@click.option("--duty", "duties", multiple=True, type=click.Choice(["enter", "manage"]), help="May be given twice.")
@click.option(
    "--identity", nargs=2, metavar="ISSUER SUBJECT", help="Signs in by OpenID Connect; no password is asked for."
)
@_password_option
def user_add_command(
    database: str,
    login: str,
    name: str,
    kind: str,
    areas: tuple[str, ...],
    uscc: str | None,
    duties: tuple[str, ...],
    identity: tuple[str, str] | None,
    password: str | None,
) -> None:
    """Make an account (新建用户)."""
    from warehouse.people.accounts import Duty, add
    from warehouse.postgres import connect

    scope = _scope(kind, areas, uscc)
    if password is None and identity is None:
        password = _asked_password()
    with connect(database, application="g60 user add") as connection:
        made = add(
            connection,
            login=login,
            name=name,
            scope=scope,
            by=_operator(),
            duties=[Duty(duty) for duty in duties],
            password=password,
            identity=identity,
        )
    click.echo(f"added {made.login} ({made.scope.kind})")


@user_group.command("list")
@database_option
def user_list_command(database: str) -> None:
    """List the accounts (用户清单)."""
    from warehouse.people.accounts import everybody
    from warehouse.postgres import connect

    with connect(database, application="g60 user list") as connection:
        people = everybody(connection)
    rows = [
        (
            person.login,
            person.name,
            _told(person.scope),
            " ".join(sorted(person.duties)) or "-",
            _day(person.disabled_at),
        )
        for person in people
    ]
    _show(("login", "name", "scope", "duties", "disabled"), ("登录名", "姓名", "范围", "职责", "停用"), rows)


@user_group.command("password")
@database_option
@click.argument("login")
@_password_option
def user_password_command(database: str, login: str, password: str | None) -> None:
    """Give a new password and end all sessions (重置密码)."""
    from warehouse.people.accounts import set_password
    from warehouse.postgres import connect

    new = _asked_password() if password is None else password
    with connect(database, application="g60 user password") as connection:
        set_password(connection, login, new)
    click.echo(f"{login} has a new password; all sessions have ended (密码已更新)")


@user_group.command("disable")
@database_option
@click.argument("login")
def user_disable_command(database: str, login: str) -> None:
    """Let an account open nothing from now on (停用用户)."""
    from warehouse.people.accounts import disable
    from warehouse.postgres import connect

    with connect(database, application="g60 user disable") as connection:
        disable(connection, login)
    click.echo(f"{login} is disabled (已停用)")


@click.group("key")
def key_group() -> None:
    """Keys of programs that read the API (接口密钥)."""


@key_group.command("add")
@database_option
@click.argument("name")
@_scope_options
@click.option(
    "--days", type=click.IntRange(1, 1_100), default=365, show_default=True, help="How long it opens anything."
)
def key_add_command(database: str, name: str, kind: str, areas: tuple[str, ...], uscc: str | None, days: int) -> None:
    """Make a key and show it, once (新建密钥，仅显示一次)."""
    from warehouse.people.keys import make
    from warehouse.postgres import connect

    scope = _scope(kind, areas, uscc)
    with connect(database, application="g60 key add") as connection:
        text, key = make(
            connection, name=name, scope=scope, expires_at=datetime.now(UTC) + timedelta(days=days), by=_operator()
        )
    click.echo(text)
    click.echo(f"{key.prefix} until {key.expires_at:%Y-%m-%d}; it is shown this once (仅显示一次)", err=True)


@key_group.command("list")
@database_option
def key_list_command(database: str) -> None:
    """List the keys (密钥清单)."""
    from warehouse.people.keys import every
    from warehouse.postgres import connect

    with connect(database, application="g60 key list") as connection:
        keys = every(connection)
    rows = [
        (key.prefix, key.name, _told(key.scope), f"{key.expires_at:%Y-%m-%d}", _day(key.revoked_at)) for key in keys
    ]
    _show(("key", "name", "scope", "until", "revoked"), ("密钥", "名称", "范围", "有效期至", "撤销"), rows)


@key_group.command("revoke")
@database_option
@click.argument("prefix")
def key_revoke_command(database: str, prefix: str) -> None:
    """Let a key open nothing from now on (撤销密钥)."""
    from warehouse.people.keys import revoke
    from warehouse.postgres import connect

    with connect(database, application="g60 key revoke") as connection:
        revoke(connection, prefix, _operator())
    click.echo(f"{prefix} is revoked (已撤销)")


def _scope(kind: str, areas: tuple[str, ...], uscc: str | None) -> Scope:
    from warehouse.people.scope import Scope

    return Scope(Kind(kind), areas, uscc)


def _asked_password() -> str:
    return str(click.prompt("password (密码)", hide_input=True, confirmation_prompt=sys.stdin.isatty()))


def _operator() -> str:
    return f"system:{getpass.getuser()}"


def _told(scope: Scope) -> str:
    return " ".join((scope.kind.value, *scope.areas, *([scope.uscc] if scope.uscc else [])))


def _day(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d}"


def _show(english: tuple[str, ...], chinese: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    for line in aligned(english, [chinese, *rows]):
        click.echo(line)
