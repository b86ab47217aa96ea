"""What each kind of role is for, and what a role may be called; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge_agent.contract.errors import Misconfigured

_ROLE: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")


class Kind(StrEnum):
    """Kinds of ``access.grantee``: people who write SQL, the API, and our own services."""

    ENTERPRISE = "enterprise"
    PARK = "park"
    DISTRICT = "district"
    STATISTICS = "statistics"
    AUDITOR = "auditor"
    API = "api"
    SINK = "sink"
    JOBS = "jobs"
    METRICS = "metrics"
    BACKUP = "backup"


PEOPLE: Final = (Kind.ENTERPRISE, Kind.PARK, Kind.DISTRICT, Kind.STATISTICS, Kind.AUDITOR)
"""Kinds that read the views of ``look`` and ``published`` and nothing else."""
ASSERTED: Final = (Kind.ENTERPRISE, Kind.PARK, Kind.DISTRICT, Kind.AUDITOR)
"""Kinds that the API may act as: statistical rows of single enterprises are never its to show."""
STAGING: Final = (Kind.SINK, Kind.JOBS, Kind.METRICS)
"""Kinds that stage rows in temporary tables."""


@dataclass(frozen=True, slots=True)
class Right:
    """Privileges on all tables of a schema and the state of its sequences, or on the named tables.

    With ``functions``, the use of functions and sequences too.
    """

    schema: str
    privileges: tuple[str, ...]
    tables: tuple[str, ...] = ()
    functions: bool = False

    def __str__(self) -> str:
        where = ", ".join(f"{self.schema}.{table}" for table in self.tables) or self.schema
        return f"{where}: {' '.join(self.privileges).lower() or 'functions'}"


READ: Final = ("SELECT",)
WRITE: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_EVERY_SCHEMA: Final = ("access", "energy", "indicator", "ingest", "people", "registry", "stats", "warehouse")

SERVICES: Final[dict[Kind, tuple[Right, ...]]] = {
    Kind.API: (
        Right("access", (), functions=True),
        Right("people", WRITE, functions=True),
        Right("warehouse", READ),
    ),
    Kind.SINK: (Right("ingest", WRITE, functions=True), Right("warehouse", READ)),
    Kind.JOBS: (
        Right("ingest", WRITE, functions=True),
        Right("energy", WRITE, functions=True),
        Right("registry", READ, functions=True),
        Right("stats", READ, functions=True),
        Right("indicator", READ),
        Right("indicator", WRITE, ("due",)),
        Right("warehouse", READ),
    ),
    Kind.METRICS: (
        Right("indicator", WRITE, functions=True),
        Right("registry", READ, functions=True),
        Right("stats", READ, functions=True),
        Right("energy", READ, functions=True),
        Right("ingest", READ, functions=True),
        Right("warehouse", READ),
    ),
    Kind.BACKUP: tuple(Right(schema, READ) for schema in _EVERY_SCHEMA),
}
"""What a service may do beside reading the views; the retention job and the migrations run as the owner."""

MAY: Final[dict[Kind, tuple[str, str]]] = {
    Kind.ENTERPRISE: ("views of its own rows", "本企业的数据"),
    Kind.PARK: ("views of enterprises in its areas that consent today", "本园区内今日仍授权的企业数据"),
    Kind.DISTRICT: ("views of enterprises that consent to statistics, all aggregates", "同意统计的企业数据和全部汇总"),
    Kind.STATISTICS: ("as the district, and returns of single enterprises", "同区级，另可见单个企业统计报表"),
    Kind.AUDITOR: ("every view but returns of single enterprises", "除单个企业统计报表外的全部视图"),
    Kind.API: (
        "views of whom it acts for in a transaction; accounts of people",
        "以所代表的用户身份查看；管理用户账号",
    ),
    Kind.SINK: ("writes ingest", "写入采集数据"),
    Kind.JOBS: ("writes ingest, energy and marks for indicators", "写入采集、能耗数据和指标待算标记"),
    Kind.METRICS: ("reads everything computed from, writes indicator", "读取计算所需数据，写入指标"),
    Kind.BACKUP: ("reads every table", "读取全部表（备份）"),
}


def check_named(kind: Kind, areas: tuple[str, ...], uscc: str | None) -> None:
    """Raise ``Misconfigured`` unless a park names its areas, an enterprise its code, and nobody else either."""
    if (kind is Kind.PARK) != bool(areas):
        raise Misconfigured(
            "a park names its areas (--area), and no other kind does (园区须指定 --area，其他类别不得指定)"
        )
    if (kind is Kind.ENTERPRISE) != (uscc is not None):
        raise Misconfigured(
            "an enterprise names its code (--enterprise), and no other kind does "
            "(企业须指定 --enterprise，其他类别不得指定)"
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """One grant as it was asked for; ``role`` is null for a name of ours."""

    kind: Kind
    areas: tuple[str, ...] = ()
    uscc: str | None = None
    role: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        check_named(self.kind, self.areas, self.uscc)
        if self.role is None:
            return
        if _ROLE.fullmatch(self.role) is None or self.role.startswith("pg_"):
            raise Misconfigured(f"{self.role!r}: a role's name is a-z, 0-9 and _, at most 63, and begins with a letter")
        flat = _flat(self.role)
        told = next((word for word in (*self.areas, self.uscc) if word and _flat(word) in flat), None)
        if told is not None:
            raise Misconfigured(
                f"{self.role}: names of roles are seen by every role of the server, so that one must not contain "
                f"{told} (角色名对服务器上所有角色可见，不得包含区域或企业代码)"
            )


def own_name(database: str, kind: Kind, number: int) -> str:
    """Return a name of ours: it tells the database and the kind, and nobody's identity."""
    stem = re.sub(r"[^a-z0-9_]", "_", database.lower()).lstrip("_0123456789")[:40] or "g60"
    return f"{stem}_{kind.value}_{number}"


def _flat(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())
