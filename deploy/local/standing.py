"""How far behind Kafka the warehouse of a running system is, for `g60 status`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from edge_agent.contract.errors import Misconfigured, PulseError

_NOTHING: Final = ""


def standing_line(folder: Path) -> str:
    """Return one line for a person; empty when the system has no sink, or none has looked yet.

    A database that does not answer is told in the line: `g60 status` shows the rest all the same.
    """
    from warehouse.postgres import connect
    from warehouse.sink.standing import standing_of

    path = folder / "config" / "sink.toml"
    if not path.is_file():
        return _NOTHING
    try:
        with connect(_dsn(path), application="g60 status") as connection:
            found = standing_of(connection)
    except PulseError as error:
        return f"data (数据): unknown (未知): {error}"
    if found is None:
        return _NOTHING
    standing, is_old = found
    old = ", as of more than a minute ago (一分钟前的状态)" if is_old else ""
    return f"data (数据): {standing.told()}{old}"


def _dsn(path: Path) -> str:
    try:
        return str(tomllib.loads(path.read_text("utf-8"))["database"]["dsn"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise Misconfigured(f"{path} cannot be read (无法读取): {error!r}") from error
