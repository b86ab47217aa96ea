"""What the commands show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from warehouse.postgres import Connection
from warehouse.retention.decide import final, rules
from warehouse.retention.plan import Piece, Refusal, pieces, plan
from warehouse.table import aligned

_MIB = 1 << 20


def plan_lines(connection: Connection, now: datetime) -> Iterator[str]:
    """Give the rules, what is to be compressed, and what could be dropped or why it stays."""
    found = final(connection)
    yield (
        "nothing is final (尚无定稿)"
        if found is None
        else f"final through {found[0]} (定稿至), by {found[1].by}: {found[1].document}"
    )
    all_pieces = pieces(connection)
    headings = (
        "table 表",
        "compressed after 压缩",
        "kept 保留",
        "pieces 分片",
        "MiB",
        "to compress 待压缩",
        "by",
        "document",
    )
    yield from aligned(
        headings,
        [
            (
                rule.reading,
                f"{rule.compress_after_days} d",
                "for ever 永久" if rule.keep_days is None else f"{rule.keep_days} d",
                len(own := [piece for piece in all_pieces if piece.reading == rule.reading]),
                f"{sum(piece.size for piece in own) / _MIB:.1f}",
                sum(piece.to_be_compressed(now) for piece in own),
                rule.word.by,
                rule.word.document,
            )
            for rule in rules(connection)
        ],
    )
    old = list(plan(connection, all_pieces, now))
    if old:
        yield ""
        yield from aligned(
            ("piece 分片", "from 自", "to 至", "MiB", "verdict 结论", "why 原因"),
            [row for piece, refusals in old for row in _rows(piece, refusals)],
        )


def _rows(piece: Piece, refusals: list[Refusal]) -> Iterator[tuple[object, ...]]:
    first = (piece.name, f"{piece.from_t:%Y-%m-%d}", f"{piece.to_t:%Y-%m-%d}", f"{piece.size / _MIB:.1f}")
    if not refusals:
        yield (*first, "drop 可删除", "")
    for number, refusal in enumerate(refusals):
        yield (*(("",) * 4 if number else first), f"keep 保留: {refusal.reason}", refusal.detail)
