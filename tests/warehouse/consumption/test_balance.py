"""Meters against those below them: by hand, with the parents of the day, and unknown when anything is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner

from edge_agent.contract.errors import Misconfigured
from tests.warehouse.energy.plant import EPOCH, FIRM, Plant
from warehouse.cli import cli
from warehouse.consumption.balance import FLAGGED_PERCENT, Balance, balances
from warehouse.period import parse_period
from warehouse.postgres import Connection

DAY = date(2026, 3, 2)
MARCH = parse_period("2026-03")
MIDNIGHT = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)


class Tree(Plant):
    """Meters with parents, and days of their accounts."""

    def below(
        self,
        serial: str,
        parent: int | None,
        role: str = "sub",
        since: datetime = EPOCH,
        until: datetime | None = None,
        carrier: str = "electricity",
    ) -> int:
        meter = self.meter(serial, carrier=carrier, unit={"electricity": "kWh", "steam": "t"}[carrier])
        self.put_below(meter, parent, role, since, until)
        return meter

    def put_below(
        self, meter: int, parent: int | None, role: str, since: datetime, until: datetime | None = None
    ) -> None:
        self.conn.execute(
            "INSERT INTO registry.meter_placement "
            "(meter_id, uscc, role, parent_id, valid_from, valid_to, legal_basis, source) "
            "VALUES (%s, %s, %s, %s, %s, %s, 'consented', 'synthetic')",
            [meter, FIRM, role, parent, since, until],
        )

    def day(self, meter: int, energy: str | None, day: date = DAY, *, feed_in: bool = False, unknown: int = 0) -> None:
        known = 0 if energy is None else 96 - unknown
        self.conn.execute(
            "INSERT INTO energy.day (meter_id, feed_in, day, energy, measured, estimated, unknown) "
            "VALUES (%s, %s, %s, %s, %s, 0, %s)",
            [meter, feed_in, day, energy, known, 96 - known],
        )


@pytest.fixture
def tree(ready: Connection) -> Tree:
    return Tree(ready)


def of_day(tree: Tree, day: date = DAY) -> Balance:
    (found,) = [one for one in balances(tree.conn, MARCH) if one.day == day]
    return found


def test_a_parent_against_its_children(tree: Tree) -> None:
    parent = tree.below("P", None, "boundary")
    first, second = tree.below("A", parent), tree.below("B", parent)
    tree.day(parent, "1000")
    tree.day(first, "700.5")
    tree.day(second, "200.5")
    found = of_day(tree)
    assert (found.difference, found.ratio, found.children, found.reason) == (Decimal(99), Decimal("0.099"), 2, None)
    assert found.flagged(FLAGGED_PERCENT)
    assert not found.flagged(Decimal("9.9")), "the bound itself is no breach"


def test_five_percent_is_no_breach_and_a_little_more_is(tree: Tree) -> None:
    parent = tree.below("P", None, "boundary")
    child = tree.below("A", parent)
    for day, used, flagged in ((2, "95", False), (3, "94.99", True), (4, "105.01", True), (5, "105", False)):
        tree.day(parent, "100", date(2026, 3, day))
        tree.day(child, used, date(2026, 3, day))
        assert of_day(tree, date(2026, 3, day)).flagged(FLAGGED_PERCENT) is flagged


def test_anything_unknown_makes_the_day_unknown_and_never_zero(tree: Tree) -> None:
    parent = tree.below("P", None, "boundary")
    child, other = tree.below("A", parent), tree.below("B", parent)
    for day, (above, below, unknown, reason) in enumerate(
        (
            (None, "50", 0, "parent_unknown"),
            ("100", None, 0, "child_unknown"),
            ("100", "100", 1, "child_unknown"),
        ),
        10,
    ):
        tree.day(parent, above, date(2026, 3, day))
        tree.day(child, below, date(2026, 3, day), unknown=unknown)
        tree.day(other, "0", date(2026, 3, day))
        found = of_day(tree, date(2026, 3, day))
        assert (found.difference, found.ratio, found.reason) == (None, None, reason)
        assert not found.flagged(FLAGGED_PERCENT)
    tree.day(parent, "100", date(2026, 3, 20))
    tree.day(other, "100", date(2026, 3, 20))
    assert of_day(tree, date(2026, 3, 20)).reason == "child_unknown", "a child without any row of the day"


def test_the_parents_are_those_of_the_day(tree: Tree) -> None:
    one, two = tree.below("P1", None, "boundary"), tree.below("P2", None, "boundary")
    stays = [tree.below("S1", one), tree.below("S2", two)]
    moved = tree.below("A", one, until=MIDNIGHT)
    tree.put_below(moved, two, "sub", MIDNIGHT)
    for day in (date(2026, 3, 1), DAY):
        for meter, energy in zip((one, two, *stays, moved), ("10", "10", "5", "5", "5"), strict=True):
            tree.day(meter, energy, day)
    found = {(balance.serial, balance.day): balance.difference for balance in balances(tree.conn, MARCH)}
    first = date(2026, 3, 1)
    assert found == {("P1", first): 0, ("P2", first): 5, ("P1", DAY): 5, ("P2", DAY): 0}


def test_a_meter_that_came_within_the_day_leaves_it_unknown(tree: Tree) -> None:
    parent = tree.below("P", None, "boundary")
    child = tree.below("A", parent, since=datetime(2026, 3, 2, 4, 0, tzinfo=UTC))
    for meter in (parent, child):
        tree.day(meter, "10")
        tree.day(meter, "10", date(2026, 3, 3))
    assert of_day(tree).reason == "placed_within_day"
    assert of_day(tree, date(2026, 3, 3)).difference == 0


def test_own_generation_and_feed_in_are_on_their_sides(tree: Tree) -> None:
    parent = tree.below("P", None, "boundary")
    solar, load = tree.below("PV", parent, "generation"), tree.below("A", parent)
    tree.day(parent, "80")
    tree.day(parent, "30", feed_in=True)
    tree.day(solar, "50")
    tree.day(load, "99")
    found = of_day(tree)
    assert [found.energy, found.generated, found.used] == [50, 50, 99]
    assert [found.difference, found.ratio] == [1, Decimal("0.01")]


def test_nothing_drawn_and_something_used_is_flagged(tree: Tree) -> None:
    parent = tree.below("P", None, "boundary")
    child = tree.below("A", parent)
    tree.day(parent, "0")
    tree.day(child, "3")
    tree.day(parent, "0", date(2026, 3, 3))
    tree.day(child, "0", date(2026, 3, 3))
    assert (of_day(tree).ratio, of_day(tree).flagged(FLAGGED_PERCENT)) == (None, True)
    assert not of_day(tree, date(2026, 3, 3)).flagged(FLAGGED_PERCENT)


def test_meters_of_another_carrier_are_no_part_of_it(tree: Tree) -> None:
    parent = tree.below("P", None, "boundary")
    child = tree.below("A", parent)
    tree.below("K", parent, carrier="steam")
    tree.day(parent, "10")
    tree.day(child, "10")
    found = of_day(tree)
    assert [found.children, found.difference] == [1, 0]


def test_the_command_shows_what_is_flagged_or_unknown(tree: Tree, ready_dsn: str) -> None:
    parent = tree.below("P", None, "boundary")
    child = tree.below("A", parent)
    for day, used in ((1, "100"), (2, "80"), (3, None)):
        tree.day(parent, "100", date(2026, 3, day))
        tree.day(child, used, date(2026, 3, day))

    def invoked(*arguments: str) -> str:
        result = CliRunner().invoke(
            cli, ["energy", "balance", "--database", ready_dsn, *arguments], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        return result.output

    printed = invoked("--period", "2026-03")
    assert "2026-03-01" not in printed
    assert "20 %" in printed
    assert "unknown: a meter below it" in printed
    assert "3 days of meters: 1 above 5 %, 1 unknown" in printed
    assert "2026-03-01" in invoked("--period", "2026-03", "--all", "--meter", "P")
    assert "1 表日：超过20% 0，未知 0" in invoked("--period", "2026-03-02", "--above", "20", "--lang", "zh")
    with pytest.raises(Misconfigured, match="没有这块表"):
        balances(tree.conn, MARCH, "nobody")
