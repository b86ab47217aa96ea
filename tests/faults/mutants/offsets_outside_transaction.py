"""`g60` whose sink commits offsets in a transaction of their own, before the one that stores the rows."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg.conninfo import make_conninfo

from deploy.cli import main
from stream.clients import Source
from stream.topics import Partition
from warehouse.postgres import Connection, connect
from warehouse.sink import offsets

_move = offsets.move


def _move_apart(
    connection: Connection,
    expected: Mapping[Partition, int | None],
    following: Mapping[Partition, int],
    source: Source,
) -> None:
    dsn = make_conninfo(connection.info.dsn, password=connection.info.password)
    with connect(dsn, application="offsets apart") as apart, apart.transaction():
        _move(apart, expected, following, source)


if __name__ == "__main__":
    offsets.move = _move_apart
    main()
