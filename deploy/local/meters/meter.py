"""What a meter shows at a moment: a function of its settings, the load curve and the time, and of nothing else."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from fractions import Fraction

from deploy.local.meters.curve import ANCHOR_MS, SLOT_MS, WEEK_MS, Counter, LoadCurve
from deploy.local.meters.settings import Meter, Quantity

Value = int | float


@dataclass(frozen=True, slots=True)
class Display:
    """A meter together with the curve it replays."""

    meter: Meter
    curve: LoadCurve

    def value(self, quantity: Quantity, t_ms: int) -> Value:
        """Return what the meter shows at ``t_ms`` (UTC).

        A register is an integer in least digits, within its range; it grows, and rolls over. Power is kW with six
        significant digits, which a 32-bit float carries. The power factor is thousandths / 1000, correctly rounded.
        """
        match quantity:
            case Quantity.ACTIVE_ENERGY:
                return (self.meter.active_at_origin + self.grown(quantity, self.meter.origin_ms, t_ms)) % self._range
            case Quantity.REACTIVE_ENERGY:
                return (self.meter.reactive_at_origin + self.grown(quantity, self.meter.origin_ms, t_ms)) % self._range
            case Quantity.ACTIVE_POWER:
                return self._power_kw(t_ms)
            case Quantity.POWER_FACTOR:
                return self.curve.power_factor_permille(self._moment(t_ms)) / 1000

    def grown(self, quantity: Quantity, from_ms: int, to_ms: int) -> int:
        """Return by how many least digits the register counts on between two times, rollovers included."""
        counter = self._counter(quantity)
        digits = self._least_digits
        return counter.run(self._moment(to_ms), digits) - counter.run(self._moment(from_ms), digits)

    @property
    def _range(self) -> int:
        return self.meter.range

    @property
    def _scale(self) -> Fraction:
        return Fraction(*self.meter.scale)

    @property
    def _least_digits(self) -> Fraction:
        """Least digits of this meter for each 0.01 of the data."""
        return self._scale * Fraction(10**self.meter.decimals, 100)

    def _counter(self, quantity: Quantity) -> Counter:
        return self.curve.active if quantity is Quantity.ACTIVE_ENERGY else self.curve.lagging

    def _moment(self, t_ms: int) -> int:
        return t_ms - ANCHOR_MS + self.meter.shift_weeks * WEEK_MS + self.meter.shift_slots * SLOT_MS

    def _power_kw(self, t_ms: int) -> float:
        """Return the mean of the running quarter-hour with a ripple; at the closing instant the mean itself."""
        mean = self.curve.power_kw(self._moment(t_ms)) * self._scale
        if t_ms % SLOT_MS:
            swing = 2 * self.meter.ripple_permille + 1
            drawn = zlib.crc32(f"{self.meter.serial}:{t_ms // 1000}".encode()) % swing
            mean = mean * (1000 + drawn - self.meter.ripple_permille) / 1000
        return float(f"{float(mean):.6g}")
