-- How far behind Kafka the warehouse is, as each sink sees it.

CREATE TABLE ingest.sink_standing (
  sink text PRIMARY KEY,
  at timestamptz NOT NULL,
  pace text NOT NULL CHECK (pace IN ('up_to_date', 'catching_up', 'falling_behind', 'behind')),
  lag_records int8 NOT NULL,
  behind_s float8 NOT NULL,
  in_per_s float8 NOT NULL,
  out_per_s float8 NOT NULL,
  minutes_left float8
) WITH (fillfactor = 20);
COMMENT ON TABLE ingest.sink_standing IS
  'How far behind Kafka the warehouse is, all partitions together, as each sink saw it last; written every few seconds, also when nothing arrives';
COMMENT ON COLUMN ingest.sink_standing.sink IS 'The sink that looked';
COMMENT ON COLUMN ingest.sink_standing.at IS 'When it looked; one that is old tells of a sink that does not run';
COMMENT ON COLUMN ingest.sink_standing.pace IS
  'up_to_date; catching_up: the backlog shrinks; falling_behind: it does not; behind: not known yet';
COMMENT ON COLUMN ingest.sink_standing.lag_records IS 'Records in Kafka that are not stored';
COMMENT ON COLUMN ingest.sink_standing.behind_s IS 'Age of the oldest of them by Kafka''s time, seconds; 0 when there is none';
COMMENT ON COLUMN ingest.sink_standing.in_per_s IS 'Records that came per second, over the last minute';
COMMENT ON COLUMN ingest.sink_standing.out_per_s IS 'Records that were stored per second, over the last minute';
COMMENT ON COLUMN ingest.sink_standing.minutes_left IS 'Minutes until all is stored at these rates; null when unknown or never';

CREATE VIEW ingest.standing AS
  SELECT s.at, s.pace, s.lag_records, s.behind_s, s.in_per_s, s.out_per_s, s.minutes_left,
    s.at < clock_timestamp() - interval '1 minute' AS is_old
  FROM ingest.sink_standing AS s
  ORDER BY s.at DESC
  LIMIT 1;
COMMENT ON VIEW ingest.standing IS 'How far behind Kafka the warehouse is, by the latest look; no row before the first';
COMMENT ON COLUMN ingest.standing.is_old IS 'True when no sink has looked for a minute, so none runs or the database was away';
