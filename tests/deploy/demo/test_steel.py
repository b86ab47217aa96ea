"""The real data came through the conversion whole: counts and sums are those of the published file."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from deploy.local.demo.steel import (
    PLANT_ZONE,
    QUARTER_HOUR,
    STEEL_PARQUET,
    read_csv,
    read_parquet,
    write_parquet,
)
from edge_agent.contract.errors import BadRecord

HEADER = (
    "date,Usage_kWh,Lagging_Current_Reactive.Power_kVarh,Leading_Current_Reactive_Power_kVarh,CO2(tCO2),"
    "Lagging_Current_Power_Factor,Leading_Current_Power_Factor,NSM,WeekStatus,Day_of_week,Load_Type\n"
)


def test_every_quarter_hour_of_2018_is_there_once() -> None:
    rows = read_parquet()
    assert len(rows) == 35_040
    assert rows[0].closes_at == datetime(2018, 1, 1, 0, 15, tzinfo=PLANT_ZONE)
    assert rows[-1].closes_at == datetime(2019, 1, 1, tzinfo=PLANT_ZONE)
    assert {b.closes_at - a.closes_at for a, b in pairwise(rows)} == {QUARTER_HOUR}


def test_the_sums_are_those_of_the_published_file() -> None:
    rows = read_parquet()
    assert sum(row.active_ckwh for row in rows) == 95_963_671
    assert sum(row.lagging_ckvarh for row in rows) == 45_675_984
    assert sum(row.leading_ckvarh for row in rows) == 13_563_804
    assert sum(row.co2_ct for row in rows) == 40_381
    assert Counter(row.load_type for row in rows) == {
        "Light_Load": 18_072,
        "Medium_Load": 9_696,
        "Maximum_Load": 7_272,
    }


def test_each_day_closes_at_24_oclock() -> None:
    rows = read_parquet()
    assert rows[95].closes_at == datetime(2018, 1, 2, tzinfo=PLANT_ZONE)
    assert rows[95].active_ckwh == 342


def test_the_file_says_where_it_comes_from() -> None:
    metadata = pq.read_schema(STEEL_PARQUET).metadata
    assert b"dataset 851" in metadata[b"source"]
    assert metadata[b"licence"] == b"CC BY 4.0"
    assert STEEL_PARQUET.stat().st_size < 300_000


def test_a_csv_survives_the_way_through_parquet(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    start = datetime(2018, 3, 1, tzinfo=PLANT_ZONE)
    lines = []
    for slot in range(1, 97):
        stamp = start + slot * timedelta(minutes=15)
        # The published trap: the row that closes the day carries the date of the day it closes.
        day = start if slot == 96 else stamp
        lines.append(f"{day:%d/%m/%y} {stamp.hour}:{stamp:%M},3.1{slot % 10},0,2.5,0.01,73.21,100,0,x,y,Light_Load\n")
    path.write_text(HEADER + "".join(lines), "utf-8-sig")
    rows = read_csv(path)
    assert rows[-1].closes_at == start + timedelta(days=1)
    write_parquet(rows, tmp_path / "day.parquet")
    assert read_parquet(tmp_path / "day.parquet") == rows


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["01/01/18 0:15,3.171,0,0,0,1,1,0,x,y,z\n"], "resolution"),
        (["01/01/18 0:15,1,0,0,0,1,1,0,x,y,z\n", "01/01/18 0:45,1,0,0,0,1,1,0,x,y,z\n"], "gap"),
    ],
)
def test_a_csv_that_is_not_what_it_should_be_is_refused(tmp_path: Path, lines: list[str], reason: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(HEADER + "".join(lines), "utf-8-sig")
    with pytest.raises(BadRecord) as error:
        read_csv(path)
    assert error.value.reason == reason
