"""What a demo found: JSON for programs, a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pydantic import BaseModel, ConfigDict
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Readings(_Told):
    """The fate of the readings, judged against the meters' own journals."""

    acquired: int
    """Answers that the meters know to have been taken, load profiles included."""
    confirmed: int
    """Readings that the agents have deleted because the warehouse confirmed them."""
    stored: int
    duplicate: int
    """Rows for a reading that another row stands for already."""
    lost: int
    """Acquired, and in no table."""
    dead_letters: int
    mismatched: int
    """Rows with another value than the meter gave."""
    unexpected: int
    """Rows that no meter answers for."""
    unfollowed: int
    """Last answers before an interruption, of which only the agent can know; stored or not, they are no loss."""
    backfilled: int
    """Of the stored readings, those of the load profiles."""


class Latency(_Told):
    """From the read at the meter to the commit in the database, live readings, in ms."""

    p50: float | None
    p99: float | None


class Indicator(_Told):
    """One result, numbers as exact decimal text."""

    id: str
    name_zh: str
    name_en: str
    period: str
    value: str | None
    shown: str
    """The value, rounded as it is printed."""
    unit: str
    numerator: str | None
    denominator: str | None
    coverage: str | None
    status: str
    status_reason: str
    status_reason_zh: str
    rule: str
    planted: str
    """The value that the inputs give by hand, rounded likewise; synthetic data is planted so that it is known."""
    agrees: bool
    """True when value, numerator and denominator are those by hand to the last digit."""


class Energy(_Told):
    """An enterprise's energy over the whole past, by the accounts and by the load curve itself."""

    enterprise: str
    month: str
    account_kwh: str | None
    planted_kwh: str

    @property
    def agrees(self) -> bool:
        """True when both are equal to the last digit."""
        return self.account_kwh == self.planted_kwh


class Report(_Told):
    """Everything that ``--report`` writes."""

    label: str = "synthetic data 合成数据"
    seconds: float
    """How long meters were read live."""
    servers: dict[str, str]
    """Versions, as the running servers say them."""
    readings: Readings
    latency_ms: Latency
    energy: tuple[Energy, ...]
    indicators: tuple[Indicator, ...]
    restarts: dict[str, int]
    """Processes that ended by themselves and were started again."""
    faults: tuple[str, ...]
    """Examples of what went wrong, in words; empty when all is well."""

    @property
    def well(self) -> bool:
        """True when nothing was lost, doubled or changed, and every figure is the planted one."""
        readings = self.readings
        return (
            not (readings.lost or readings.duplicate or readings.mismatched or readings.unexpected)
            and readings.dead_letters == 0
            and all(energy.agrees for energy in self.energy)
            and len(self.indicators) > 0
            and all(found.agrees for found in self.indicators)
        )


def shown(report: Report) -> RenderableType:
    """Return the report for a terminal."""
    parts: list[RenderableType] = [_readings(report), _energy(report.energy), _indicators(report.indicators)]
    if report.faults:
        parts.append(Text("\n".join(report.faults), style="red"))
    verdict = (
        Text(
            "✓ nothing lost, nothing twice, every figure as planted (无丢失、无重复、结果与手算一致)",
            style="bold green",
        )
        if report.well
        else Text("✗ not as it should be: see above (结果有误，见上)", style="bold red")
    )
    return Group(*parts, verdict)


def _readings(report: Report) -> Table:
    table = Table(title="Readings (读数去向)", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    readings, latency = report.readings, report.latency_ms
    rows = (
        ("acquired, by the meters' journals (表计自述)", readings.acquired),
        ("stored (已入库)", readings.stored),
        ("confirmed to the agents (已确认)", readings.confirmed),
        ("lost (丢失)", readings.lost),
        ("duplicate (重复)", readings.duplicate),
        ("changed or invented (被改动或无出处)", readings.mismatched + readings.unexpected),
        ("dead letters (死信)", readings.dead_letters),
    )
    for label, count in rows:
        table.add_row(label, f"{count:,}")
    table.add_row("read → queryable, p50 / p99 ms (时延)", f"{_number(latency.p50)} / {_number(latency.p99)}")
    for name, version in report.servers.items():
        table.add_row(f"server (服务): {name}", version)
    for name, count in report.restarts.items():
        table.add_row(f"started again (重启): {name}", str(count))
    return table


def _energy(energies: Sequence[Energy]) -> Table:
    table = Table(title="Energy accounts (电量核算, 合成数据)", title_justify="left")
    for heading in ("enterprise (企业)", "month (月)"):
        table.add_column(heading)
    for heading in ("account kWh (核算)", "by hand kWh (手算)"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for energy in energies:
        mark = Text("=", style="green") if energy.agrees else Text("≠", style="red")
        table.add_row(energy.enterprise, energy.month, energy.account_kwh or "–", energy.planted_kwh, mark)
    return table


def _indicators(indicators: Sequence[Indicator]) -> Table:
    table = Table(title="Indicators (指标, 合成数据)", title_justify="left")
    table.add_column("indicator (指标)")
    table.add_column("value (值)", justify="right")
    table.add_column("numerator / denominator (分子/分母)", justify="right")
    table.add_column("check, period, status, rule (核对、期、状态、规则)")
    for found in indicators:
        table.add_row(f"{found.name_zh}\n{found.id}", f"{found.shown} {found.unit}", _parts(found), _standing(found))
    return table


def _parts(found: Indicator) -> str:
    parts = [found.numerator or "–"] if found.denominator is None else [found.numerator or "–", found.denominator]
    lines = [" / ".join(parts)]
    if found.coverage is not None:
        lines.append(f"coverage (覆盖) {Decimal(found.coverage):.1%}")
    return "\n".join(lines)


def _standing(found: Indicator) -> Text:
    mark = Text("= ", style="green") if found.agrees else Text("≠ ", style="red")
    told = f"{found.planted} by hand (手算)\n{found.period}, {found.status}, rule (规则) {found.rule}"
    return mark + Text("\n".join(line for line in (told, found.status_reason, found.status_reason_zh) if line))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
