"""What somebody may see: their kind, and their areas or enterprise; the database decides what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_agent.contract.errors import Misconfigured
from warehouse.access.kinds import ASSERTED, Kind, check_named
from warehouse.postgres import Connection, statement

SQL: Final = "warehouse.people"


@dataclass(frozen=True, slots=True)
class Scope:
    """A park names its areas, an enterprise its 统一社会信用代码; the others name nothing."""

    kind: Kind
    areas: tuple[str, ...] = ()
    uscc: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in ASSERTED:
            raise Misconfigured(f"no person and no key sees what the kind {self.kind} does (用户和密钥不可使用该类别)")
        check_named(self.kind, self.areas, self.uscc)

    @property
    def columns(self) -> dict[str, object]:
        """Values of the columns ``kind``, ``areas``, ``uscc``."""
        return {"kind": self.kind.value, "areas": list(self.areas) or None, "uscc": self.uscc}

    def assume(self, connection: Connection, who: str) -> None:
        """Read as this scope until the transaction ends; of the API's role only, every other is refused."""
        connection.execute(statement(SQL, "assume.sql"), self.columns | {"who": who})


def scope_of(kind: str, areas: list[str] | None, uscc: str | None) -> Scope:
    """Return the scope that the three columns say."""
    return Scope(Kind(kind), tuple(areas or ()), uscc)
