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
  from_t timestamptz NOT NULL,
  to_t timestamptz NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE holding (
  meter_id int NOT NULL,
  holder_id int NOT NULL,
  from_t timestamptz NOT NULL,
  to_t timestamptz NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE touched_hour (
  meter_id int NOT NULL,
  feed_in boolean NOT NULL,
  start timestamptz NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE touched_day (
  meter_id int NOT NULL,
  feed_in boolean NOT NULL,
  day date NOT NULL
) ON COMMIT DROP
