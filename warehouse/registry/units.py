"""Units of the numbers that offices send: what a column may be written in, and what it is stored in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class Unit:
    """What a column is stored in, and by what a number written in another word is multiplied, exactly."""

    name: str
    """As the template writes it."""
    words: Mapping[str, Decimal]
    percent: bool = False

    def factor(self, word: str) -> Decimal | None:
        """Return the factor of a word written in a cell or header; ``None`` when it is none of this unit."""
        return self.words.get(word) or self.words.get(word.lower())


_MONEY_WORDS: Final = {
    "元": "0.0001",
    "人民币元": "0.0001",
    "千元": "0.1",
    "万": "1",
    "万元": "1",
    "人民币万元": "1",
    "百万元": "100",
    "千万元": "1000",
    "亿": "10000",
    "亿元": "10000",
    "人民币亿元": "10000",
    "10k_cny": "1",
}
MONEY: Final = Unit("万元", {word: Decimal(factor) for word, factor in _MONEY_WORDS.items()})
"""Money in 万元; 亿 and 万 behind a number are its order of magnitude in 元."""
PEOPLE: Final = Unit("人", {"人": Decimal(1), "名": Decimal(1), "万": Decimal(10000), "万人": Decimal(10000)})
PERCENT: Final = Unit("%", {"%": Decimal(1), "百分比": Decimal(1)}, percent=True)
AREA: Final = Unit(
    "km²",
    {
        "km2": Decimal(1),
        "km²": Decimal(1),
        "平方公里": Decimal(1),
        "平方千米": Decimal(1),
        "公顷": Decimal("0.01"),
        "hm2": Decimal("0.01"),
        "ha": Decimal("0.01"),
        "平方米": Decimal("0.000001"),
        "m2": Decimal("0.000001"),
        "万平方米": Decimal("0.01"),
    },
)
"""Land; 亩 is no decimal fraction of a km² and therefore not read."""
POWER: Final = Unit(
    "kW", {"kw": Decimal(1), "千瓦": Decimal(1), "mw": Decimal(1000), "兆瓦": Decimal(1000), "万千瓦": Decimal(10000)}
)
APPARENT: Final = Unit("kVA", {"kva": Decimal(1), "千伏安": Decimal(1), "mva": Decimal(1000), "兆伏安": Decimal(1000)})
VOLTAGE: Final = Unit("kV", {"kv": Decimal(1), "千伏": Decimal(1), "v": Decimal("0.001"), "伏": Decimal("0.001")})
ALL: Final = (MONEY, PEOPLE, PERCENT, AREA, POWER, APPARENT, VOLTAGE)
