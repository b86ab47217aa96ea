"""What should never happen and did."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final

from warehouse.postgres import Connection, statement

log = logging.getLogger(__name__)

_REUSED: Final = "came again under its number with other readings; all of them are kept"


def seq_reused(connection: Connection, messages: Collection[int], batch: int) -> None:
    """Raise the exception ``seq_reused`` for messages; once each."""
    if not messages:
        return
    log.error("event=seq_reused messages=%s", ",".join(map(str, sorted(messages)[:20])))
    connection.execute(
        statement("warehouse.sink", "exception_add.sql"),
        {"messages": sorted(messages), "detail": _REUSED, "batch": batch},
    )
