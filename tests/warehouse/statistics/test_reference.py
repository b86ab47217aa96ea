"""The factors that come with the program, against the tables of the domain (B2, B4), written here by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from warehouse.postgres import Connection

COAL: Final = """
raw_coal 0.7143 kgce/kg
washed_coal 0.9000 kgce/kg
washed_middlings 0.2857 kgce/kg
coke 0.9714 kgce/kg
coal_tar 1.1429 kgce/kg
crude_oil 1.4286 kgce/kg
fuel_oil 1.4286 kgce/kg
petrol 1.4714 kgce/kg
kerosene 1.4714 kgce/kg
diesel 1.4571 kgce/kg
lpg 1.7143 kgce/kg
lng 1.7572 kgce/kg
refinery_gas 1.5714 kgce/kg
blast_furnace_gas 0.1286 kgce/m3
producer_gas 0.1786 kgce/m3
water_gas 0.3571 kgce/m3
methanol 0.6794 kgce/kg
ethanol 0.9144 kgce/kg
hydrogen 0.3329 kgce/m3
heat 0.03412 kgce/MJ
electricity 0.1229 kgce/kWh
fresh_water 0.2571 kgce/m3
softened_water 0.4857 kgce/m3
deaerated_water 0.9714 kgce/m3
compressed_air 0.0400 kgce/m3
oxygen 0.4000 kgce/m3
nitrogen_byproduct 0.4000 kgce/m3
nitrogen 0.6714 kgce/m3
carbon_dioxide 0.2143 kgce/m3
acetylene 8.3143 kgce/m3
calcium_carbide 2.0786 kgce/kg
"""
GRID: Final = {
    ("CN", 2021): "0.5568",
    ("CN", 2022): "0.5366",
    ("CN", 2023): "0.5306",
    ("CN-E", 2021): "0.5992",
    ("CN-E", 2022): "0.5617",
    ("CN-E", 2023): "0.5500",
    ("310000", 2021): "0.5834",
    ("310000", 2022): "0.5849",
    ("310000", 2023): "0.5737",
}


def test_standard_coal_by_the_national_standard(ready: Connection) -> None:
    found = ready.execute(
        "SELECT energy || ' ' || value || ' ' || unit FROM stats.factor "
        "WHERE basis = 'calorific' AND level = 'national'"
    ).fetchall()
    assert sorted(row[0] for row in found) == sorted(COAL.strip().splitlines())


def test_shanghais_own_values_and_the_ranges_of_the_standard(ready: Connection) -> None:
    local = ready.execute(
        "SELECT energy, basis, value, unit FROM stats.factor WHERE level = 'local' AND unit LIKE 'kgce%' ORDER BY 1"
    ).fetchall()
    assert local == [
        ("electricity", "equivalent", Decimal("0.28078"), "kgce/kWh"),
        ("natural_gas", "calorific", Decimal("1.29971"), "kgce/m3"),
    ]
    ranges = ready.execute("SELECT energy, low, high FROM stats.factor_range ORDER BY 1").fetchall()
    assert ranges == [
        ("coke_oven_gas", Decimal("0.5714"), Decimal("0.6143")),
        ("natural_gas", Decimal("1.1"), Decimal("1.33")),
    ]


def test_carbon_of_the_grid_by_year_and_of_shanghais_trading(ready: Connection) -> None:
    grid = ready.execute(
        "SELECT region, extract(year FROM valid_from)::int, value FROM stats.factor "
        "WHERE basis = 'mee_location' AND valid_to = valid_from + interval '1 year'"
    ).fetchall()
    assert {(region, year): value for region, year, value in grid} == {
        key: Decimal(value) for key, value in GRID.items()
    }
    trading = ready.execute(
        "SELECT energy, value, unit FROM stats.factor WHERE basis = 'shanghai_ets' ORDER BY 1"
    ).fetchall()
    assert trading == [("electricity", Decimal("0.42"), "kgCO2/kWh"), ("heat", Decimal("0.06"), "kgCO2/MJ")]


def test_every_factor_names_its_source_and_every_kind_of_energy_can_be_converted(ready: Connection) -> None:
    assert ready.execute("SELECT energy FROM stats.factor WHERE source = ''").fetchall() == []
    without = ready.execute(
        "SELECT e.energy FROM stats.energy AS e WHERE NOT EXISTS "
        "(SELECT FROM stats.resolve_factor('songjiang', 1, e.energy, 'calorific', '{310117,310000,CN}', NULL, "
        "'2025-12-31', 'infinity', 'kgce/' || e.unit)) ORDER BY 1"
    ).fetchall()
    # Steam by its enthalpy; coke oven gas has a range only, so a measured value is needed.
    assert without == [("coke_oven_gas",), ("steam",)]
