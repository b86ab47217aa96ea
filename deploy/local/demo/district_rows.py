"""The synthetic district in the columns of the registry's CSV files (warehouse/registry/README.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from deploy.local.demo.population import UNRECOGNISED_PLATFORM, Assessed, Firm, OnPlatform
from deploy.local.demo.profiles import Enterprise, MeterProfile
from deploy.local.meters.settings import Quantity

Row = dict[str, str | int | Decimal | date | None]

_SYNTHETIC: Final = "synthetic (合成数据) deploy/local/demo/district.py"
_SINCE: Final = date(2015, 1, 1)
_WITHDRAWN_ON: Final = date(2025, 6, 1)
_SCORES: Final = (12, Decimal("31.5"), Decimal("52.5"), 66)
"""Points that give level 0 … 3 in either edition."""


def of_population(population: Iterable[Firm], today: date) -> dict[str, Iterable[Row]]:
    """Return the rows that every enterprise may have, by file."""
    firms = tuple(population)
    return {
        "enterprises.csv": (_enterprise(firm) for firm in firms),
        "enterprise_areas.csv": (row for firm in firms for row in _areas(firm)),
        "rosters.csv": (row for firm in firms for row in _rosters(firm, today)),
        "platforms.csv": [_unrecognised()],
        "platform_members.csv": (row for firm in firms for row in _memberships(firm)),
        "questionnaire_results.csv": (row for firm in firms for row in _results(firm)),
    }


def of_enterprises(enterprises: Iterable[Enterprise], start: datetime) -> dict[str, Iterable[Row]]:
    """Return the rows of the enterprises whose meters are read, from ``start`` on, by file."""
    own = tuple(enterprises)
    valid: Row = {"valid_from": start.isoformat()}
    metered = [(enterprise, meter) for enterprise in own for meter in enterprise.meters]
    serials = {meter.name: meter.serial for _, meter in metered}
    return {
        "consents.csv": (
            _consented({"uscc": one.uscc, "purpose": purpose, "document": "合成协议 1", "valid_from": start.date()})
            for one in own
            for purpose in ("statistics", "park_view")
        ),
        "gateway_bindings.csv": (
            _consented(valid | {"gateway": one.gateway, "uscc": one.uscc, "site": "1号配电室"}) for one in own
        ),
        "meters.csv": (_consented(valid | _meter(one, meter, serials)) for one, meter in metered),
        "meter_series.csv": (
            _consented(
                valid
                | {
                    "serial": meter.serial,
                    "feed_in": "false",
                    "gateway": one.gateway,
                    "series": f"{meter.name}.{Quantity.ACTIVE_ENERGY}",
                }
            )
            for one, meter in metered
        ),
        "multipliers.csv": (
            _consented(valid | {"serial": meter.serial, "pt": meter.pt, "ct": meter.ct}) for _, meter in metered
        ),
    }


def of_value_added(value_added: Mapping[tuple[str, str], Decimal], today: date) -> Iterator[Row]:
    """Yield the enterprises' own monthly reports of value added, 万元; published by the 18th of the next month."""
    for (uscc, month), value in value_added.items():
        due = (date.fromisoformat(f"{month}-01") + timedelta(days=31)).replace(day=18)
        yield _consented(
            {
                "variable": "industrial_value_added",
                "uscc": uscc,
                "period": month,
                "value": value,
                "unit": "10k_cny",
                "scope": "enterprise",
                "price_basis": "current",
                "vintage": "report",
                "published_at": min(due, today),
            }
        )


def _register(cells: Row) -> Row:
    return cells | {"legal_basis": "administrative", "source": _SYNTHETIC}


def _consented(cells: Row) -> Row:
    return cells | {"legal_basis": "consented", "source": _SYNTHETIC}


def _meter(enterprise: Enterprise, meter: MeterProfile, serials: Mapping[str, str]) -> Row:
    return {
        "serial": meter.serial,
        "carrier": "electricity",
        "uscc": enterprise.uscc,
        "role": meter.role,
        "parent": serials[meter.parent] if meter.parent else None,
        "name": meter.title,
    }


def _enterprise(firm: Firm) -> Row:
    return _register(
        {
            "uscc": firm.uscc,
            "name": firm.name,
            "sector": firm.sector,
            "size": firm.size,
            "registered_region": firm.town,
            "statistical_region": firm.town,
            "valid_from": _SINCE,
        }
    )


def _areas(firm: Firm) -> Iterator[Row]:
    if firm.on_platform is OnPlatform.OUTSIDE:
        return
    for area, since in ((firm.town, _SINCE), (firm.park, date(2021, 1, 1))):
        if area is not None:
            yield _register({"uscc": firm.uscc, "area": area, "valid_from": since})


def _rosters(firm: Firm, today: date) -> Iterator[Row]:
    if firm.roster_from is not None:
        yield _register(
            {
                "roster": "industry_above_scale",
                "uscc": firm.uscc,
                "valid_from": f"{firm.roster_from:%Y-%m}",
                "valid_to": f"{firm.roster_to:%Y-%m}" if firm.roster_to else None,
                "reason": "shrunk" if firm.roster_to else "grown",
            }
        )
    if firm.size == "large":
        for year in range(2021, today.year + 1):
            yield _register(
                {
                    "roster": "large_enterprises",
                    "uscc": firm.uscc,
                    "valid_from": f"{year}-01",
                    "valid_to": f"{year + 1}-01",
                }
            )


def _unrecognised() -> Row:
    return _register(
        {
            "platform": UNRECOGNISED_PLATFORM,
            "name_zh": "合成数据·未认定平台",
            "name_en": "Synthetic: unrecognised platform",
            "recognised": "false",
            "valid_from": date(2021, 1, 1),
        }
    )


def _memberships(firm: Firm) -> Iterator[Row]:
    contract = firm.on_platform is OnPlatform.CONTRACT_ONLY
    for place, platform in enumerate(firm.platforms):
        since = firm.since + timedelta(days=10 * place)
        states = _states(firm, since)
        for (state, first), (_, end) in zip(states, [*states[1:], ("", None)], strict=True):
            yield (_consented if contract else _register)(
                {
                    "platform": platform,
                    "uscc": firm.uscc,
                    "grade": "contract" if contract else "platform_attested",
                    "state": state,
                    "attested_on": first,
                    "valid_from": first,
                    "valid_to": end,
                }
            )


def _states(firm: Firm, since: date) -> list[tuple[str, date | None]]:
    """Return the states on one platform with their first days; ``since`` is that of the last one."""
    match firm.on_platform:
        case OnPlatform.REGISTERED_ONLY:
            return [("registered", since)]
        case OnPlatform.NEVER_CONNECTED:
            return [("registered", since - timedelta(days=45)), ("withdrawn", since)]
        case OnPlatform.AFTER_PLAN:
            return [("active", since)]
    last = "connected" if firm.number % 5 == 0 else "active"
    return [("registered", since - timedelta(days=45)), (last, since)]


def _results(firm: Firm) -> Iterator[Row]:
    for instrument, edition, evidence, assessed_on, level in _assessments(firm):
        yield (_consented if evidence == "self_assessment" else _register)(
            {
                "uscc": firm.uscc,
                "instrument": instrument,
                "edition": edition,
                "evidence": evidence,
                "assessed_on": assessed_on,
                "withdrawn_on": _WITHDRAWN_ON if firm.assessed is Assessed.WITHDRAWN else None,
                "level": level,
                "score": _SCORES[level] if instrument == "miit" else None,
            }
        )


def _assessments(firm: Firm) -> list[tuple[str, str, str, date, int]]:
    """Return instrument, edition, evidence, day and level of each assessment."""
    later = timedelta(days=firm.number % 200)
    in_2023, in_2024, in_2025 = (date(year, 3, 1) + later for year in (2023, 2024, 2025))
    good = 2 + firm.number % 2
    certified, self_assessed = "certified_diagnosis", "self_assessment"
    match firm.assessed:
        case Assessed.NOT:
            return []
        case Assessed.CERTIFIED_2022 | Assessed.WITHDRAWN:
            return [("miit", "2022", certified, in_2024, good)]
        case Assessed.CERTIFIED_2024:
            return [("miit", "2024", certified, in_2025, good)]
        case Assessed.ONSITE:
            return [("miit", "2024", "onsite", in_2025, good)]
        case Assessed.SELF:
            return [("miit", "2024", self_assessed, in_2025, good)]
        case Assessed.STALE:
            return [("miit", "2022", certified, in_2023, good)]
        case Assessed.CERTIFIED_HIGH_SELF_LOW:
            return [("miit", "2022", certified, in_2024, 2), ("miit", "2024", self_assessed, in_2025, 1)]
        case Assessed.CERTIFIED_LOW_SELF_HIGH:
            return [("miit", "2022", certified, in_2024, 1), ("miit", "2024", self_assessed, in_2025, 3)]
        case Assessed.LARGE:
            return [("gbt39116", "2020", certified, in_2024, good)]
        case Assessed.LARGE_LEVEL_1:
            return [("gbt39116", "2020", certified, in_2024, 1)]
        case Assessed.LARGE_WRONG_INSTRUMENT:
            return [("miit", "2024", certified, in_2025, 3)]
        case Assessed.LEVEL_1:
            return [("miit", "2024", certified, in_2025, 1)]
        case Assessed.LEVEL_0:
            return [("miit", "2024", certified, in_2025, 0)]
