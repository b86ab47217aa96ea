"""The synthetic district's enterprises (合成数据), by construction, so that every count is known beforehand.

Nothing is drawn by chance: an enterprise is a function of its number, and the tables below say how many there are of
each kind. The kinds are chosen so that each enterprise that is not counted has exactly one reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import accumulate, chain, repeat
from typing import Final

from warehouse.registry.uscc import check_character

SONGJIANG: Final = "310117"
OUTSIDE: Final = "310115"
"""Pudong: another district."""
ROSTER_SIZE: Final = 1668
"""规上 enterprises of Songjiang in 2024 (domain reference, source 22); here all of them are synthetic."""


class OnPlatform(StrEnum):
    """How an enterprise stands towards the platforms; everything but ``COUNTED`` is a reason not to count it."""

    NO = "no"
    COUNTED = "counted"
    """An SME of the district, on a recognised platform's roster, connected within the plan's years."""
    REGISTERED_ONLY = "registered_only"
    NEVER_CONNECTED = "withdrawn"
    """Registered, then withdrawn; was never connected."""
    UNRECOGNISED = "platform_not_recognised"
    AFTER_PLAN = "after_plan"
    """Connected in 2026: counts from then on, not for the plan that ended in 2025."""
    CONTRACT_ONLY = "contract"
    """Shown by a contract only: another grade of evidence, another series."""
    OUTSIDE = "outside_region"
    LARGE = "large"
    SIZE_UNKNOWN = "size_unknown"
    """Counted apart."""


class Assessed(StrEnum):
    """What the assessments say of an enterprise's digital transformation."""

    NOT = "not_assessed"
    CERTIFIED_2022 = "certified_2022"
    CERTIFIED_2024 = "certified_2024"
    ONSITE = "onsite"
    SELF = "self"
    STALE = "stale"
    """Qualified, assessed in 2023."""
    CERTIFIED_HIGH_SELF_LOW = "certified_high_self_low"
    LARGE = "large"
    """A large enterprise, by the instrument for large ones."""
    LEVEL_1 = "level_1"
    LEVEL_0 = "level_0"
    CERTIFIED_LOW_SELF_HIGH = "certified_low_self_high"
    """The better evidence decides, not the better result."""
    LARGE_LEVEL_1 = "large_level_1"
    LARGE_WRONG_INSTRUMENT = "large_wrong_instrument"
    """A large enterprise, by the instrument for SMEs only."""
    WITHDRAWN = "withdrawn"
    """The result was withdrawn before the plan ended."""

    @property
    def qualifies(self) -> bool:
        """True when the default rule counts it as 数字化转型."""
        return self in QUALIFIED

    @property
    def large(self) -> bool:
        """True for kinds that only large enterprises have."""
        return self in (Assessed.LARGE, Assessed.LARGE_LEVEL_1, Assessed.LARGE_WRONG_INSTRUMENT)


QUALIFIED: Final = frozenset(
    {
        Assessed.CERTIFIED_2022,
        Assessed.CERTIFIED_2024,
        Assessed.ONSITE,
        Assessed.SELF,
        Assessed.STALE,
        Assessed.CERTIFIED_HIGH_SELF_LOW,
        Assessed.LARGE,
    }
)

ROSTER: Final = {
    Assessed.CERTIFIED_2024: 310,
    Assessed.CERTIFIED_2022: 520,
    Assessed.ONSITE: 120,
    Assessed.SELF: 205,
    Assessed.STALE: 64,
    Assessed.CERTIFIED_HIGH_SELF_LOW: 30,
    Assessed.LARGE: 31,
    Assessed.LEVEL_1: 180,
    Assessed.LEVEL_0: 24,
    Assessed.CERTIFIED_LOW_SELF_HIGH: 25,
    Assessed.LARGE_LEVEL_1: 6,
    Assessed.LARGE_WRONG_INSTRUMENT: 9,
    Assessed.WITHDRAWN: 12,
    Assessed.NOT: 132,
}
"""The 1668 of the roster by assessment; the demo's own four are among the first kind."""
ROSTER_ON_PLATFORM: Final = 900
"""SMEs of the roster that are also counted on a platform."""
ROSTER_LARGE_ON_PLATFORM: Final = 37
FORMER: Final = 45
"""Left the roster at the end of 2023, with a qualifying result: in no ratio."""
OTHERS: Final = {
    OnPlatform.COUNTED: 9112,
    OnPlatform.REGISTERED_ONLY: 420,
    OnPlatform.NEVER_CONNECTED: 95,
    OnPlatform.UNRECOGNISED: 64,
    OnPlatform.AFTER_PLAN: 80,
    OnPlatform.CONTRACT_ONLY: 300,
    OnPlatform.OUTSIDE: 150,
    OnPlatform.SIZE_UNKNOWN: 118,
}
"""Enterprises that were never on the roster."""
CONNECTED_IN: Final = {2021: 1200, 2022: 1800, 2023: 2300, 2024: 2500, 2025: 2212}
"""Counted enterprises by the year in which they were first connected; 10 012 in all, the roster's among them."""
TWICE: Final = 850
"""Counted enterprises that are on two platforms: counted once."""
OTHER_PREFIX: Final = 200
"""Counted enterprises whose code says another district: a hint, which decides nothing."""

TOWNS: Final = {
    "310117001000": "岳阳",
    "310117002000": "永丰",
    "310117003000": "方松",
    "310117004000": "中山",
    "310117005000": "广富林",
    "310117006000": "九里亭",
    "310117102000": "泗泾",
    "310117103000": "佘山",
    "310117104000": "车墩",
    "310117105000": "新桥",
    "310117106000": "洞泾",
    "310117107000": "九亭",
    "310117109000": "泖港",
    "310117116000": "石湖荡",
    "310117117000": "新浜",
    "310117120000": "叶榭",
    "310117121000": "小昆山",
}
PARKS: Final = (
    "park-g60-electronics",
    "park-lingang",
    "park-caohejing-zhongshan",
    "park-g60-brain",
    "park-g60-cloud",
    "park-g60-cryptography",
    "park-sijing-cryptography",
    "park-chedun-medical",
    "park-dongjing-robotics",
)
PLATFORMS: Final = ("cosmoplat", "yonyou-jingzhi", "xcmg-hanyun", "unis", "saimo")
UNRECOGNISED_PLATFORM: Final = "synthetic-unrecognised"
TRADES: Final = {
    "C33": "金属制品",
    "C34": "通用设备",
    "C35": "专用设备",
    "C38": "电气机械",
    "C39": "电子元件",
    "C29": "塑料制品",
}
_YEAR_ENDS: Final = tuple(zip(CONNECTED_IN, accumulate(CONNECTED_IN.values()), strict=True))


@dataclass(frozen=True, slots=True)
class Firm:
    """One synthetic enterprise."""

    number: int
    """Counted from 1; everything else follows from it."""
    uscc: str
    name: str
    sector: str
    size: str
    town: str
    """12 digits; of another district for firms outside."""
    park: str | None
    on_platform: OnPlatform
    platforms: tuple[str, ...]
    since: date
    """First day of its last state, when it is on a platform."""
    assessed: Assessed
    roster_from: date | None
    roster_to: date | None


def synthetic_uscc(number: int, district: str = SONGJIANG) -> str:
    """Return a valid 统一社会信用代码 that no enterprise has: its organisation code begins with ``DEM``.

    Real ones begin with digits or ``MA``. Both check characters are right.
    """
    body = f"DEM{number:05d}"
    weighted = sum(int(c, 36) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    check = {10: "X", 11: "0"}.get(11 - weighted % 11, str(11 - weighted % 11))
    first17 = f"91{district}{body}{check}"
    return first17 + check_character(first17)


def firms(demo: tuple[str, ...] = ()) -> Iterator[Firm]:
    """Yield the enterprises by number; ``demo`` are the codes of the first ones of the roster, on no platform."""
    kinds = list(chain.from_iterable(repeat(kind, count) for kind, count in ROSTER.items()))
    smes = [index for index, kind in enumerate(kinds) if not kind.large and index >= len(demo)]
    large = [index for index, kind in enumerate(kinds) if kind.large]
    # 1009 is prime, so this walks over all SMEs once, and mixes the kinds of assessment.
    mixed = [smes[place * 1009 % len(smes)] for place in range(ROSTER_ON_PLATFORM)]
    on_platform = dict.fromkeys(mixed, OnPlatform.COUNTED) | dict.fromkeys(
        large[:ROSTER_LARGE_ON_PLATFORM], OnPlatform.LARGE
    )
    described = [
        *((on_platform.get(index, OnPlatform.NO), kind, True) for index, kind in enumerate(kinds)),
        *repeat((OnPlatform.NO, Assessed.CERTIFIED_2022, True), FORMER),
        *((platform, Assessed.NOT, False) for platform, count in OTHERS.items() for _ in range(count)),
    ]
    counted = 0
    for number, (platform, assessed, listed) in enumerate(described, 1):
        counted += platform is OnPlatform.COUNTED
        uscc = demo[number - 1] if number <= len(demo) else _code(number, platform, counted)
        yield _firm(number, uscc, platform, assessed, counted, listed=listed)


def _code(number: int, platform: OnPlatform, counted: int) -> str:
    elsewhere = platform is OnPlatform.COUNTED and counted <= OTHER_PREFIX
    return synthetic_uscc(number, OUTSIDE if elsewhere or platform is OnPlatform.OUTSIDE else SONGJIANG)


def _firm(number: int, uscc: str, platform: OnPlatform, assessed: Assessed, counted: int, *, listed: bool) -> Firm:
    former = listed and number > ROSTER_SIZE
    town = list(TOWNS)[number * 7 % len(TOWNS)] if platform is not OnPlatform.OUTSIDE else f"{OUTSIDE}000000"
    sector = list(TRADES)[number % len(TRADES)]
    own = PLATFORMS[number % len(PLATFORMS)]
    second = PLATFORMS[(number + 1) % len(PLATFORMS)]
    twice = platform is OnPlatform.COUNTED and counted <= TWICE
    return Firm(
        number=number,
        uscc=uscc,
        name=f"合成数据·{TOWNS.get(town, '外区')}{TRADES[sector]}第{number:05d}号",
        sector=sector,
        size=_size(number, platform, assessed, listed=listed),
        town=town,
        park=PARKS[number % len(PARKS)] if listed and number % 3 == 0 else None,
        on_platform=platform,
        platforms=_platforms(platform, own, second if twice else None),
        since=_since(platform, number, counted),
        assessed=assessed,
        roster_from=(date(2020, 1, 1) if number % 16 or former else date(2023, 6, 1)) if listed else None,
        roster_to=date(2024, 1, 1) if former else None,
    )


def _size(number: int, platform: OnPlatform, assessed: Assessed, *, listed: bool) -> str:
    if assessed.large:
        return "large"
    if platform is OnPlatform.SIZE_UNKNOWN:
        return "unknown"
    return ("medium" if number % 4 == 0 else "small") if listed else ("small" if number % 3 == 0 else "micro")


def _platforms(platform: OnPlatform, own: str, second: str | None) -> tuple[str, ...]:
    if platform is OnPlatform.NO:
        return ()
    if platform is OnPlatform.UNRECOGNISED:
        return (UNRECOGNISED_PLATFORM,)
    return (own,) if second is None else (own, second)


def _since(platform: OnPlatform, number: int, counted: int) -> date:
    if platform is OnPlatform.AFTER_PLAN:
        return date(2026, 2, 1) + timedelta(days=number % 60)
    if platform is not OnPlatform.COUNTED:
        return date(2023, 3, 1) + timedelta(days=number % 200)
    year = next(year for year, end in _YEAR_ENDS if counted <= end)
    return date(year, 3, 1) + timedelta(days=counted * 7 % 270)
