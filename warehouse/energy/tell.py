"""What a check found, for people; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from warehouse.energy.check import Checked
from warehouse.table import aligned

_HEADS: Final = {
    True: ("粒度", "表号", "方向", "起始", "库中", "应为"),
    False: ("level", "meter", "register", "start", "stored", "expected"),
}
_LEVELS: Final = {"quarter": "15分钟", "hour": "小时", "day": "日", "month": "月", "holder": "归属"}


def told(found: Checked, serials: Mapping[int, str], *, chinese: bool) -> Iterator[str]:
    """Give a table of the differences, when there are any, and one line that sums up."""
    if found.examples:
        rows = [
            (
                _LEVELS[one.level] if chinese else one.level,
                serials.get(one.meter_id, str(one.meter_id)),
                ("反向" if one.feed_in else "正向") if chinese else ("feed-in" if one.feed_in else "drawn"),
                one.start,
                "–" if one.stored is None else one.stored,
                "–" if one.expected is None else one.expected,
            )
            for one in found.examples
        ]
        yield from aligned(_HEADS[chinese], rows)
        if found.differing > len(rows):
            more = found.differing - len(rows)
            yield f"… 另有 {more} 行" if chinese else f"… and {more} more"
        yield ""
    if chinese:
        yield (
            f"核对 {found.meters} 块表、{found.compared} 行：{found.differing} 行不符；"
            f"{found.waiting} 块表有迟到数据待结算，{found.undecided} 行待后续读数"
        )
    else:
        yield (
            f"{found.meters} meters, {found.compared} rows compared: {found.differing} differ; "
            f"{found.waiting} meters wait for the job, {found.undecided} rows for later readings"
        )
