-- Completeness: what was expected of each series on each day, and what came, counted from the rows by a job.

CREATE FUNCTION ingest.day_of(t timestamptz) RETURNS date
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (t AT TIME ZONE 'Asia/Shanghai')::date;
COMMENT ON FUNCTION ingest.day_of IS 'The day of Asia/Shanghai on which a time lies';
CREATE FUNCTION ingest.day_start(day date) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN day::timestamp AT TIME ZONE 'Asia/Shanghai';
COMMENT ON FUNCTION ingest.day_start IS 'When a day of Asia/Shanghai begins';

CREATE FUNCTION ingest.bound_times(gateway text) RETURNS tstzmultirange
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (SELECT range_agg(tstzrange(b.valid_from, b.valid_to)) FROM registry.gateway_binding AS b WHERE b.gateway = bound_times.gateway);
COMMENT ON FUNCTION ingest.bound_times IS 'When the registry binds a gateway to an enterprise; null when it does not know the gateway';

CREATE VIEW ingest.expectation AS
WITH said AS (
  SELECT
    b.gateway, b.birth_id, b.said_at AS since,
    lead(b.said_at) OVER (PARTITION BY b.gateway ORDER BY b.said_at, b.said_id) AS until
  FROM ingest.birth_said AS b
),
named AS (
  SELECT s.gateway, n.series_id, s.since, s.until, min(n.interval_ms) AS interval_ms
  FROM said AS s
  JOIN ingest.birth_series AS n ON n.birth_id = s.birth_id
  WHERE s.since IS DISTINCT FROM s.until
  GROUP BY s.gateway, n.series_id, s.since, s.until
),
begun AS (
  SELECT n.*,
    CASE
      WHEN lag(n.until) OVER w = n.since AND lag(n.interval_ms) OVER w = n.interval_ms THEN 0
      ELSE 1
    END AS begins
  FROM named AS n
  WINDOW w AS (PARTITION BY n.gateway, n.series_id ORDER BY n.since)
),
numbered AS (
  SELECT b.*, sum(b.begins) OVER (PARTITION BY b.gateway, b.series_id ORDER BY b.since) AS stretch FROM begun AS b
),
stretches AS (
  SELECT n.gateway, n.series_id, n.interval_ms,
    tstzrange(min(n.since), CASE WHEN bool_or(n.until IS NULL) THEN NULL ELSE max(n.until) END) AS times
  FROM numbered AS n
  GROUP BY n.gateway, n.series_id, n.stretch, n.interval_ms
)
SELECT s.gateway, s.series_id, s.interval_ms, t.times
FROM stretches AS s
CROSS JOIN LATERAL (
  SELECT unnest(tstzmultirange(s.times) * coalesce(ingest.bound_times(s.gateway), '{(,)}'::tstzmultirange)) AS times
) AS t;
COMMENT ON VIEW ingest.expectation IS
  'When readings of a series are expected, and how often: from a birth that names it until the gateway says one that does not, or another interval; and, of a gateway that the registry knows, only while it is bound to an enterprise';
COMMENT ON COLUMN ingest.expectation.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.expectation.series_id IS 'Series';
COMMENT ON COLUMN ingest.expectation.interval_ms IS 'How often, milliseconds; the shortest where a birth names the series more than once';
COMMENT ON COLUMN ingest.expectation.times IS 'From when until when (exclusive); without end while the birth holds';

CREATE TABLE ingest.completeness (
  series_id int4 NOT NULL,
  day date NOT NULL,
  expected int8 CHECK (expected >= 0),
  received int8 NOT NULL,
  unexpected int8 NOT NULL,
  bad int8 NOT NULL,
  late int8 NOT NULL,
  rejected int8 NOT NULL,
  replaced int8 NOT NULL,
  counted_at timestamptz NOT NULL,
  PRIMARY KEY (series_id, day),
  CHECK (unexpected <= received)
) WITH (fillfactor = 70);
CREATE INDEX completeness_day ON ingest.completeness (day);
COMMENT ON TABLE ingest.completeness IS
  'Readings of each series and day of Asia/Shanghai, counted from the rows; counted again when one of them changes, while the day lasts also as time passes';
COMMENT ON COLUMN ingest.completeness.series_id IS 'Series';
COMMENT ON COLUMN ingest.completeness.day IS 'Day of Asia/Shanghai on which the readings were taken';
COMMENT ON COLUMN ingest.completeness.expected IS
  'Readings that the births promise for the day, of a day that lasts for its part until two minutes before counted_at: length of each stretch with one interval / interval, rounded down. Null: nothing says what was to be expected, which is not 0';
COMMENT ON COLUMN ingest.completeness.received IS 'Stored readings with a value that may be used (quality below 100)';
COMMENT ON COLUMN ingest.completeness.unexpected IS
  'Of these, taken when nothing was expected: before the first birth came, or after one that no longer names the series. received - unexpected is what compares with expected';
COMMENT ON COLUMN ingest.completeness.bad IS 'Stored readings without a usable value; not in received';
COMMENT ON COLUMN ingest.completeness.late IS 'Of received and bad, committed more than 15 minutes after they were taken';
COMMENT ON COLUMN ingest.completeness.rejected IS
  'Readings of that series and day that were refused and still are; those whose time was absurd belong to no day';
COMMENT ON COLUMN ingest.completeness.replaced IS 'Values that lost against another one of the same time (ingest.reading_replaced)';
COMMENT ON COLUMN ingest.completeness.counted_at IS 'When it was counted; of a day that lasts, the time until which it holds';

CREATE TABLE ingest.count_due (
  gateway text NOT NULL,
  day date NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (gateway, day)
);
CREATE INDEX count_due_since ON ingest.count_due (since);
COMMENT ON TABLE ingest.count_due IS 'Days that are to be counted (again); only the job writes it';
COMMENT ON COLUMN ingest.count_due.gateway IS 'Gateway, all series of which';
COMMENT ON COLUMN ingest.count_due.day IS 'Day of Asia/Shanghai';
COMMENT ON COLUMN ingest.count_due.since IS 'When the job learned of it; the oldest come first';

CREATE TABLE ingest.count_progress (
  gateway text PRIMARY KEY,
  births int8 NOT NULL,
  last_birth int8 NOT NULL,
  bound tstzmultirange,
  looked_at timestamptz NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE ingest.count_progress IS 'From what the expectations of each gateway were made, so that a change of them is seen';
COMMENT ON COLUMN ingest.count_progress.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.count_progress.births IS 'Births that it had said (ingest.birth_said)';
COMMENT ON COLUMN ingest.count_progress.last_birth IS 'The last of them';
COMMENT ON COLUMN ingest.count_progress.bound IS 'When the registry bound it; null when it did not know it';
COMMENT ON COLUMN ingest.count_progress.looked_at IS 'Until when its days were put down to be counted because time had passed';

CREATE INDEX reading_rejected_series ON ingest.reading_rejected (series_id, t_ms) WHERE series_id IS NOT NULL;

-- For people and panels.

CREATE VIEW ingest.completeness_gateway AS
SELECT
  s.gateway, c.day, count(*) AS series,
  count(*) FILTER (WHERE c.expected IS NULL) AS series_unknown,
  count(*) FILTER (WHERE c.expected > 0 AND c.received = c.unexpected) AS series_silent,
  sum(c.expected)::int8 AS expected,
  sum(c.received)::int8 AS received, sum(c.unexpected)::int8 AS unexpected, sum(c.bad)::int8 AS bad,
  sum(c.late)::int8 AS late, sum(c.rejected)::int8 AS rejected, sum(c.replaced)::int8 AS replaced,
  sum(least(c.received - c.unexpected, c.expected)) FILTER (WHERE c.expected IS NOT NULL) / nullif(sum(c.expected), 0)
    AS ratio,
  min(c.counted_at) AS counted_at
FROM ingest.completeness AS c
JOIN ingest.series AS s ON s.series_id = c.series_id
GROUP BY s.gateway, c.day;
COMMENT ON VIEW ingest.completeness_gateway IS 'Completeness of each gateway and day';
COMMENT ON COLUMN ingest.completeness_gateway.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.completeness_gateway.day IS 'Day of Asia/Shanghai';
COMMENT ON COLUMN ingest.completeness_gateway.series IS 'Series of which something was expected or came';
COMMENT ON COLUMN ingest.completeness_gateway.series_unknown IS 'Of these, series of which nothing says what was to be expected';
COMMENT ON COLUMN ingest.completeness_gateway.series_silent IS 'Of these, series that brought nothing though it was expected';
COMMENT ON COLUMN ingest.completeness_gateway.expected IS 'Readings expected, of the series where that is known; null when of none';
COMMENT ON COLUMN ingest.completeness_gateway.received IS 'Stored readings with a usable value';
COMMENT ON COLUMN ingest.completeness_gateway.unexpected IS 'Of these, taken when nothing was expected';
COMMENT ON COLUMN ingest.completeness_gateway.bad IS 'Stored readings without a usable value';
COMMENT ON COLUMN ingest.completeness_gateway.late IS 'Committed more than 15 minutes after they were taken';
COMMENT ON COLUMN ingest.completeness_gateway.rejected IS 'Refused';
COMMENT ON COLUMN ingest.completeness_gateway.replaced IS 'Lost against another value of the same time';
COMMENT ON COLUMN ingest.completeness_gateway.ratio IS
  'What came of what was expected; a series cannot make up for another one, so more than expected counts as expected. Null when nothing was expected';
COMMENT ON COLUMN ingest.completeness_gateway.counted_at IS 'All of it had been counted by then';

CREATE VIEW ingest.duplicate_day AS
SELECT s.gateway, ingest.day_of(p.t) AS day, count(*) AS replaced, count(DISTINCT p.series_id) AS series
FROM ingest.reading_replaced AS p
JOIN ingest.series AS s ON s.series_id = p.series_id
GROUP BY s.gateway, ingest.day_of(p.t);
COMMENT ON VIEW ingest.duplicate_day IS
  'Second values of one series and time; one of them stands, the others are in ingest.reading_replaced. Messages that were merely sent again are in ingest.ledger_status.repeated';
COMMENT ON COLUMN ingest.duplicate_day.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.duplicate_day.day IS 'Day of Asia/Shanghai of the readings';
COMMENT ON COLUMN ingest.duplicate_day.replaced IS 'Values that lost';
COMMENT ON COLUMN ingest.duplicate_day.series IS 'Of how many series';
