CREATE TEMPORARY TABLE staged_quarter (
  meter_id int NOT NULL,
  feed_in boolean NOT NULL,
  start timestamptz NOT NULL,
  energy numeric,
  quality text NOT NULL,
  reason text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_range (
  meter_id int NOT NULL,
  feed_in boolean NOT NULL,
  from_t timestamptz NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE touched (
  meter_id int NOT NULL,
  feed_in boolean NOT NULL,
  day date NOT NULL
) ON COMMIT DROP
