"""How far a file has been recorded: a bookmark that is written in one transaction with the rows before it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from edge_agent.sources import Bookmark
from edge_agent.sources.replay.lines import Identity


@dataclass(frozen=True, slots=True)
class Mark:
    """``line`` lines of the file ``identity`` are settled: recorded, or kept among the rejected."""

    identity: Identity
    line: int
    done: bool


def key_of(replay: str, identity: Identity) -> str:
    """Return the key under which the bookmark of a file is kept."""
    return f"replay/{replay}/{identity.name}"


def bookmark_of(replay: str, mark: Mark) -> Bookmark:
    """Return ``mark`` as the recorder keeps it."""
    value = asdict(mark.identity) | {"line": mark.line, "done": mark.done}
    return Bookmark(key_of(replay, mark.identity), json.dumps(value, separators=(",", ":"), sort_keys=True))


def resume(value: str | None, identity: Identity) -> Mark:
    """Return where to go on in the file ``identity``, given what was kept.

    A bookmark of another file, such as an earlier export under the same name, counts as none: everything is read
    again, and the warehouse keeps one value for each series and time.
    """
    if value is not None:
        try:
            kept = json.loads(value)
            mark = Mark(Identity(kept["name"], kept["size"], kept["head"]), int(kept["line"]), bool(kept["done"]))
        except (ValueError, KeyError, TypeError):
            mark = None
        if mark is not None and mark.identity == identity:
            return mark
    return Mark(identity, 0, done=False)
