"""What the commands of several rooms take; light, so that naming a command imports nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import click

Body: TypeAlias = Callable[..., None]
"""What a command does, before click makes a command of it."""

_DURATION: Final = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,9})(?:\.(?P<ms>\d{1,3}))?S)?)?"
)

database_option = click.option(
    "--database",
    envvar="G60_DATABASE",
    required=True,
    metavar="DSN",
    help="Where the warehouse is, as a libpq connection string.",
)


def scope_options(kinds: Iterable[str]) -> Callable[[Body], Body]:
    """Return the options that say what somebody may see: ``kind`` (of these), ``areas`` and ``uscc``."""
    options = (
        click.option(
            "--kind", type=click.Choice([str(kind) for kind in kinds]), required=True, help="What may be seen."
        ),
        click.option("--area", "areas", multiple=True, metavar="CODE", help="Of a park: an area; may be given again."),
        click.option("--enterprise", "uscc", metavar="CODE", help="Of an enterprise: its 统一社会信用代码."),
    )

    def add(body: Body) -> Body:
        for option in reversed(options):
            body = option(body)
        return body

    return add


def password_option(otherwise: str) -> Callable[[Body], Body]:
    """Return the option of a file whose password comes as ``password``; null, and as ``otherwise`` tells, without."""
    return click.option(
        "--password-file",
        "password",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        callback=_password_in,
        help=f"File that holds the password; {otherwise}.",
    )


def _password_in(_context: click.Context, _option: click.Parameter, file: Path | None) -> str | None:
    try:
        return None if file is None else file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{file} cannot be read (无法读取密码文件): {error}") from error


def duration_ms(text: str) -> int:
    """Return an ISO 8601 duration of days and less (``+PT1H30M``, ``-P9125DT8H``) in milliseconds.

    ``ValueError`` when it is none, or is empty.
    """
    match = _DURATION.fullmatch(text)
    parts = {} if match is None else {name: part for name, part in match.groupdict().items() if part}
    if match is None or text.endswith("T") or not parts.keys() - {"sign"}:
        raise ValueError(f"{text!r} is no duration; examples: PT90S, -PT1H30M, +P2DT8H")
    whole = timedelta(
        **{unit: int(parts.get(unit, "0")) for unit in ("days", "hours", "minutes", "seconds")},
        milliseconds=int(parts.get("ms", "0").ljust(3, "0")),
    )
    ms = whole // timedelta(milliseconds=1)
    return -ms if parts.get("sign") == "-" else ms


def moment(text: str) -> datetime:
    """Return an ISO 8601 moment in UTC; a usage error when it is none or lacks its zone."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise click.BadParameter(f"{text!r} is no moment with its zone (时间须带时区), like 2026-09-20T08:00:00+08:00")


def moment_or_ago(text: str) -> datetime:
    """Return a moment as :func:`moment` does, or, given a duration (``PT12H``), the moment so long ago."""
    if not text.startswith("P"):
        return moment(text)
    try:
        return datetime.now(UTC) - timedelta(milliseconds=duration_ms(text))
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(str(error)) from error


def duration(text: str) -> int:
    """Return an ISO 8601 duration in milliseconds; a usage error when it is none."""
    try:
        return duration_ms(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
