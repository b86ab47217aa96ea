"""The demo's enterprises and their meters, and what the clock makes of them (合成数据).

`data/profiles.toml` says how four synthetic enterprises are made from one real load curve. :class:`Demo` fixes the two
moments of one demo (where its past begins, when it was started) and gives everything that follows from them: settings
for the simulated meters, load profiles of the past, and the energy that the accounts must find.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from deploy.local.demo.steel import STEEL_PARQUET
from deploy.local.meters.curve import SLOT_MS, LoadCurve, read_curve
from deploy.local.meters.meter import Display
from deploy.local.meters.settings import Cell, Encoding, Meter, MetersSettings, Order, Quantity
from edge_agent.contract.settings import Settings, load

PROFILES_TOML: Final = Path(__file__).parent / "data" / "profiles.toml"
SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""UTC+8; no daylight saving since 1991."""
PAST_DAYS: Final = 60
"""The demo's past is at least this long, and at least the whole previous month."""

_Positive = Annotated[int, Field(gt=0)]
_Register = Annotated[int, Field(ge=0)]


class MeterProfile(Settings):
    """One meter of an enterprise."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
    """Device name, unique in the whole demo; also names the journal."""
    title: str
    """What it feeds, for people."""
    serial: str
    """Serial number."""
    role: Literal["boundary", "sub"]
    """Only boundary meters make an account."""
    parent: str | None = None
    """Name of the meter upstream."""
    share: tuple[_Positive, _Positive] = (1, 1)
    """Part of the enterprise's energy, numerator and denominator."""
    pt: _Positive = 1
    """Voltage transformer ratio."""
    ct: _Positive
    """Current transformer ratio."""
    decimals: Annotated[int, Field(ge=0, le=9)]
    """Decimals of the registers."""
    range: _Positive
    """Distinct readings of a register, in least digits."""
    rated_max: Annotated[float, Field(gt=0)]
    """Largest plausible power, kW, and growth of the register, kWh/h, on the meter's side."""
    encoding: Literal[Encoding.UINT32, Encoding.UINT64]
    """How the registers lie in words."""
    order: Order
    """Byte order."""
    address: Annotated[int, Field(ge=0)]
    """First word of the memory map, counted from 0."""
    active_at_origin: _Register | None = None
    """Active register where the demo's past begins, least digits; exactly one of this and the two below."""
    rolls_over_days_after_start: _Positive | None = None
    """Days after the past begins at which the active register passes its range."""
    rolls_over_seconds_after_now: _Positive | None = None
    """Seconds after the demo's start at which it does."""
    reactive_at_origin: _Register
    """Reactive register where the demo's past begins, least digits."""

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        given = (self.active_at_origin, self.rolls_over_days_after_start, self.rolls_over_seconds_after_now)
        if sum(value is not None for value in given) != 1:
            raise ValueError("give one of active_at_origin, rolls_over_days_after_start, rolls_over_seconds_after_now")
        return self

    @property
    def multiplier(self) -> int:
        """Energy / what the meter counts."""
        return self.pt * self.ct

    def cells(self) -> tuple[Cell, ...]:
        """Return the memory map: active, reactive, power, power factor, without gaps."""
        at = self.address
        cells = []
        for quantity, encoding in (
            (Quantity.ACTIVE_ENERGY, self.encoding),
            (Quantity.REACTIVE_ENERGY, self.encoding),
            (Quantity.ACTIVE_POWER, Encoding.FLOAT32),
            (Quantity.POWER_FACTOR, Encoding.INT16),
        ):
            cells.append(Cell(quantity=quantity, address=at, encoding=encoding))
            at += encoding.words
        return tuple(cells)


class Enterprise(Settings):
    """One synthetic enterprise."""

    uscc: str
    """统一社会信用代码, synthetic and valid."""
    name: str
    """Chinese name; says that it is synthetic."""
    name_en: str
    """English name."""
    gateway: str
    """Its gateway."""
    town: str
    """Town, 12 digits."""
    park: str | None = None
    """Park, when it stands in one."""
    sector: str
    """GB/T 4754-2017."""
    size: Literal["medium", "small"]
    """Size class."""
    factor: tuple[_Positive, _Positive]
    """Energy of this enterprise / energy of the plant in the data."""
    shift_weeks: int = 0
    """Whole weeks by which it reads ahead in the data."""
    shift_slots: int = 0
    """Quarter-hours by which it reads ahead, beside the weeks."""
    kgce_per_10k_cny: _Positive
    """Energy intensity (kgce/万元, electricity at its 当量值) from which the reported value added is made."""
    meters: Annotated[tuple[MeterProfile, ...], Field(min_length=1)]
    """Its meters."""


class Profiles(Settings):
    """`profiles.toml`."""

    label: str
    """What marks everything made from this file."""
    enterprises: Annotated[tuple[Enterprise, ...], Field(min_length=1)]
    """The enterprises."""


def load_profiles(path: Path = PROFILES_TOML) -> Profiles:
    """Read the profiles; ``Misconfigured`` when they are wrong."""
    return load(Profiles, [path])


def past_begins(now_ms: int) -> int:
    """Return where the past of a demo started at ``now_ms`` begins: UTC ms of a midnight in Shanghai.

    The earlier of 60 days before and the first day of the previous month.
    """
    today = (
        datetime.fromtimestamp(now_ms / 1000, UTC)
        .astimezone(SHANGHAI)
        .replace(hour=0, minute=0, second=0, microsecond=0)
    )
    previous_month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    return _utc_ms(min(today - timedelta(days=PAST_DAYS), previous_month))


def _utc_ms(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


@dataclass(frozen=True)
class Demo:
    """The enterprises between two moments: where the past begins, and when the demo was started.

    Keep both over restarts of the same demo: the registers depend on them.
    """

    profiles: Profiles
    start_ms: int
    now_ms: int

    @classmethod
    def started(cls, now_ms: int) -> Demo:
        """Return the packaged demo as started at ``now_ms`` (UTC ms)."""
        return cls(load_profiles(), past_begins(now_ms), now_ms)

    @cached_property
    def curve(self) -> LoadCurve:
        """The real load curve."""
        return read_curve(STEEL_PARQUET)

    @cached_property
    def gateways(self) -> dict[str, Enterprise]:
        """Enterprises by gateway."""
        return {enterprise.gateway: enterprise for enterprise in self.profiles.enterprises}

    @cached_property
    def displays(self) -> dict[str, Display]:
        """What each meter shows, by its name; ports count from 1 in the order of the file."""
        return {meter.name: Display(meter, self.curve) for meter in self._meters(0)}

    def gateway_of(self, meter: str) -> str:
        """Return the gateway that reads ``meter``."""
        return self._owners[meter][0].gateway

    def profile_of(self, meter: str) -> MeterProfile:
        """Return the profile of ``meter``."""
        return self._owners[meter][1]

    def meters_settings(self, journals: Path, base_port: int, host: str = "127.0.0.1") -> MetersSettings:
        """Return settings for the process of the simulated meters, one port each: ``base_port + 1`` and on."""
        return MetersSettings(host=host, curve=STEEL_PARQUET, journals=journals, meters=self._meters(base_port))

    def expected_energy_kwh(self, meter: str, start_ms: int, end_ms: int) -> Decimal:
        """Return the energy through ``meter`` in ``[start_ms, end_ms)``, multiplied, exactly as its register counts it.

        From the curve alone, without the warehouse's code: growth of the register in least digits × pt × ct. What the
        accounts make of the backfill's quarter-hours is equal to the last digit; live readings fall beside the
        quarter-hours, which leaves one least digit × pt × ct at either end.
        """
        profile = self.profile_of(meter)
        grown = self.displays[meter].grown(Quantity.ACTIVE_ENERGY, start_ms, end_ms)
        return Decimal(grown * profile.multiplier).scaleb(-profile.decimals)

    def expected_account_kwh(self, uscc: str, start_ms: int, end_ms: int) -> Decimal:
        """Return the energy of an enterprise: the sum over its boundary meters, and nothing else."""
        boundary = [
            meter.name
            for enterprise in self.profiles.enterprises
            if enterprise.uscc == uscc
            for meter in enterprise.meters
            if meter.role == "boundary"
        ]
        return sum((self.expected_energy_kwh(name, start_ms, end_ms) for name in boundary), Decimal(0))

    @cached_property
    def _owners(self) -> dict[str, tuple[Enterprise, MeterProfile]]:
        return {meter.name: (owner, meter) for owner in self.profiles.enterprises for meter in owner.meters}

    def _meters(self, base_port: int) -> tuple[Meter, ...]:
        return tuple(
            self._meter(owner, profile, base_port + number)
            for number, (owner, profile) in enumerate(self._owners.values(), 1)
        )

    def _meter(self, owner: Enterprise, profile: MeterProfile, port: int) -> Meter:
        scale = Fraction(*owner.factor) * Fraction(*profile.share) / profile.multiplier
        meter = Meter(
            name=profile.name,
            serial=profile.serial,
            port=port,
            scale=(scale.numerator, scale.denominator),
            shift_weeks=owner.shift_weeks,
            shift_slots=owner.shift_slots,
            origin_ms=self.start_ms,
            active_at_origin=profile.active_at_origin or 0,
            reactive_at_origin=profile.reactive_at_origin,
            decimals=profile.decimals,
            range=profile.range,
            order=profile.order,
            cells=profile.cells(),
        )
        if profile.active_at_origin is not None:
            return meter
        days, seconds = profile.rolls_over_days_after_start, profile.rolls_over_seconds_after_now
        passes_ms = self.start_ms + days * 96 * SLOT_MS if days else self.now_ms + 1000 * (seconds or 0)
        grown = Display(meter, self.curve).grown(Quantity.ACTIVE_ENERGY, self.start_ms, passes_ms)
        return meter.model_copy(update={"active_at_origin": -grown % profile.range})
