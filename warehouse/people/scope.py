"""What somebody may see: their kind, and their areas or enterprise; the database decides what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge_agent.contract.errors import Misconfigured
from warehouse.postgres import Connection, statement

SQL: Final = "warehouse.people"


class Kind(StrEnum):
    """Kinds of scope that the API's role may assume; ``access.grantee`` says what each is."""

    ENTERPRISE = "enterprise"
    PARK = "park"
    DISTRICT = "district"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Scope:
    """A park names its areas, an enterprise its 统一社会信用代码; the others name nothing."""

    kind: Kind
    areas: tuple[str, ...] = ()
    uscc: str | None = None

    def __post_init__(self) -> None:
        if (self.kind is Kind.PARK) != bool(self.areas):
            raise Misconfigured(
                "a park's scope names its areas, and no other does (园区范围须指定区域，其他范围不得指定)"
            )
        if (self.kind is Kind.ENTERPRISE) != (self.uscc is not None):
            raise Misconfigured(
                "an enterprise's scope names its code, and no other does "
                "(企业范围须指定统一社会信用代码，其他范围不得指定)"
            )

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
