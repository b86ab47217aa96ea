CREATE TEMPORARY TABLE IF NOT EXISTS {staged} (
  series_id int4, t timestamptz, v {type}, q int2, message int8
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS {ranked} (
  series_id int4, t timestamptz, v {type}, q int2, message int8, present bool, met bool, place int8
) ON COMMIT DELETE ROWS
