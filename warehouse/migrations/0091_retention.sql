-- How long readings are kept, when a period is final, and what was compressed and dropped.

CREATE TABLE ingest.retention_rule (
  reading text PRIMARY KEY CHECK (reading IN ('reading_gauge', 'reading_register', 'reading_state')),
  compress_after_days int NOT NULL CHECK (compress_after_days >= 1),
  keep_days int CHECK (keep_days >= 62),
  decided_by text NOT NULL,
  document text NOT NULL,
  decided_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO ingest.retention_rule (reading, compress_after_days, decided_by, document) VALUES
  ('reading_gauge', 7, 'migration 0091', 'default'),
  ('reading_register', 14, 'migration 0091', 'default'),
  ('reading_state', 14, 'migration 0091', 'default');
COMMENT ON TABLE ingest.retention_rule IS 'What is compressed and kept how long, by reading table (保留规则); g60 warehouse retention set';
COMMENT ON COLUMN ingest.retention_rule.reading IS 'The reading table';
COMMENT ON COLUMN ingest.retention_rule.compress_after_days IS
  'A piece (chunk) is compressed so many days after its end; means nothing on plain PostgreSQL';
COMMENT ON COLUMN ingest.retention_rule.keep_days IS
  'A piece may be dropped so many days after its end, if nothing speaks against it; null: never. At least two months';
COMMENT ON COLUMN ingest.retention_rule.decided_by IS 'Who decided';
COMMENT ON COLUMN ingest.retention_rule.document IS 'By what: a decision, a decree, a contract';
COMMENT ON COLUMN ingest.retention_rule.decided_at IS 'When it was set';

CREATE TABLE ingest.final_through (
  final_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  through date NOT NULL,
  decided_by text NOT NULL,
  document text NOT NULL,
  decided_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ingest.final_through IS
  'Through which day of Asia/Shanghai figures are final, by whose decision (定稿); the latest row holds. Readings of other days are never dropped';
COMMENT ON COLUMN ingest.final_through.final_id IS 'The decision';
COMMENT ON COLUMN ingest.final_through.through IS 'Last day that is final';
COMMENT ON COLUMN ingest.final_through.decided_by IS 'Who decided';
COMMENT ON COLUMN ingest.final_through.document IS 'By what document';
COMMENT ON COLUMN ingest.final_through.decided_at IS 'When it was recorded';

CREATE TABLE ingest.retention_run (
  run_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  action text NOT NULL CHECK (action IN ('compressed', 'dropped', 'failed', 'kept')),
  reading text NOT NULL,
  piece text NOT NULL,
  from_t timestamptz NOT NULL,
  to_t timestamptz NOT NULL,
  bytes_before int8 NOT NULL,
  bytes_after int8,
  readings int8,
  account_from timestamptz,
  error text,
  CHECK ((action IN ('failed', 'kept')) = (error IS NOT NULL)),
  CHECK ((action = 'dropped') = (account_from IS NOT NULL)),
  CHECK ((action = 'dropped') = (readings IS NOT NULL))
);
CREATE INDEX retention_run_piece ON ingest.retention_run (piece, at);
CREATE INDEX retention_run_dropped ON ingest.retention_run (reading, from_t) WHERE action = 'dropped';
COMMENT ON TABLE ingest.retention_run IS
  'What the retention job did to each piece of a reading table, in the transaction that did it; nothing else tells what was compressed or dropped';
COMMENT ON COLUMN ingest.retention_run.run_id IS 'The deed';
COMMENT ON COLUMN ingest.retention_run.at IS 'When';
COMMENT ON COLUMN ingest.retention_run.action IS 'compressed; dropped; failed: it will be tried again; kept: it is old enough and something speaks against dropping it, the latest look only';
COMMENT ON COLUMN ingest.retention_run.reading IS 'The reading table';
COMMENT ON COLUMN ingest.retention_run.piece IS 'Chunk or partition';
COMMENT ON COLUMN ingest.retention_run.from_t IS 'Readings from this time on';
COMMENT ON COLUMN ingest.retention_run.to_t IS 'Readings before this time';
COMMENT ON COLUMN ingest.retention_run.bytes_before IS 'Its size before, with indexes';
COMMENT ON COLUMN ingest.retention_run.bytes_after IS 'Its size afterwards; null when it is gone or nothing was done';
COMMENT ON COLUMN ingest.retention_run.readings IS 'How many readings were dropped';
COMMENT ON COLUMN ingest.retention_run.account_from IS
  'From when on the accounts can still be computed as if nothing had been dropped; marks that reach back further are cut';
COMMENT ON COLUMN ingest.retention_run.error IS 'What went wrong, or what speaks against dropping it';

CREATE TABLE ingest.beyond_recall (
  beyond_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  what text NOT NULL CHECK (what IN ('reading', 'registry')),
  series_id int4,
  meter_id int4,
  from_t timestamptz NOT NULL,
  account_from timestamptz NOT NULL
);
COMMENT ON TABLE ingest.beyond_recall IS
  'Late readings and registry changes that reach back to times whose readings were dropped: accounts before account_from stay as they were';
COMMENT ON COLUMN ingest.beyond_recall.beyond_id IS 'The event';
COMMENT ON COLUMN ingest.beyond_recall.at IS 'When it was seen';
COMMENT ON COLUMN ingest.beyond_recall.what IS 'reading: late or corrected readings, stored all the same; registry: a dated fact changed';
COMMENT ON COLUMN ingest.beyond_recall.series_id IS 'Series of the readings';
COMMENT ON COLUMN ingest.beyond_recall.meter_id IS 'Meter whose fact changed; null for all';
COMMENT ON COLUMN ingest.beyond_recall.from_t IS 'From when the accounts would have been computed again';
COMMENT ON COLUMN ingest.beyond_recall.account_from IS 'From when they are instead';

CREATE FUNCTION ingest.account_from(reading text) RETURNS timestamptz
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (
    SELECT coalesce(max(r.account_from), '-infinity') FROM ingest.retention_run AS r
    WHERE r.action = 'dropped' AND r.reading = account_from.reading
  );
COMMENT ON FUNCTION ingest.account_from IS
  'From when on accounts made of that reading table can be computed: -infinity as long as nothing of it was dropped';

CREATE FUNCTION ingest.cut_reading_mark() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  least_t CONSTANT timestamptz := ingest.account_from(
    (SELECT 'reading_' || s.kind FROM ingest.series AS s WHERE s.series_id = NEW.series_id));
BEGIN
  IF NEW.t_from >= least_t IS NOT FALSE THEN
    RETURN NEW;
  END IF;
  INSERT INTO ingest.beyond_recall (what, series_id, from_t, account_from)
  VALUES ('reading', NEW.series_id, NEW.t_from, least_t);
  IF NEW.t_to < least_t THEN
    RETURN NULL;
  END IF;
  NEW.t_from := least_t;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION ingest.cut_reading_mark IS
  'Trigger: a mark that reaches back to dropped readings is cut, so that a final account is never computed from what is left';
CREATE TRIGGER cut_mark BEFORE INSERT ON ingest.dirty FOR EACH ROW EXECUTE FUNCTION ingest.cut_reading_mark();

CREATE FUNCTION energy.cut_registry_mark() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  least_t timestamptz := ingest.account_from('reading_register');
BEGIN
  -- Where no register of the meter is read, its account is made of power, which is a gauge.
  IF NEW.meter_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM registry.meter_series AS m
    JOIN ingest.birth AS b ON b.gateway = m.gateway
    JOIN ingest.birth_series AS n ON n.birth_id = b.birth_id AND n.name = m.series
    JOIN ingest.series AS s ON s.series_id = n.series_id
    WHERE m.meter_id = NEW.meter_id AND s.kind = 'register'
  ) THEN
    least_t := greatest(least_t, ingest.account_from('reading_gauge'));
  END IF;
  IF NEW.t_from < least_t THEN
    INSERT INTO ingest.beyond_recall (what, meter_id, from_t, account_from)
    VALUES ('registry', NEW.meter_id, NEW.t_from, least_t);
    NEW.t_from := least_t;
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION energy.cut_registry_mark IS
  'Trigger: a mark that reaches back to dropped readings is cut, so that a final account is never computed from what is left';
CREATE TRIGGER cut_mark BEFORE INSERT ON energy.dirty
  FOR EACH ROW WHEN (NEW.cause = 'registry') EXECUTE FUNCTION energy.cut_registry_mark();

CREATE FUNCTION ingest.keep_counted() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF ingest.day_start(NEW.day) < (SELECT max(r.to_t) FROM ingest.retention_run AS r WHERE r.action = 'dropped') THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION ingest.keep_counted IS
  'Trigger: a day of which readings were dropped is not counted again, so that its completeness stays what it was';
CREATE TRIGGER keep_counted BEFORE INSERT ON ingest.count_due FOR EACH ROW EXECUTE FUNCTION ingest.keep_counted();

CREATE FUNCTION ingest.speaks_against(reading text, from_t timestamptz, to_t timestamptz)
  RETURNS TABLE (reason text, detail text)
  LANGUAGE plpgsql STABLE AS $body$
DECLARE
  -- How far back an agent's buffer, or Kafka, may reach: what is missing since O may be of O - reach … O.
  reach CONSTANT interval := interval '35 days';
  final_t timestamptz;
  found int8;
  told text;
BEGIN
  SELECT ingest.day_start(f.through + 1) INTO final_t FROM ingest.final_through AS f ORDER BY f.final_id DESC LIMIT 1;
  IF final_t IS NULL OR final_t < to_t THEN
    reason := 'not_final';
    detail := coalesce('figures are final before ' || final_t, 'no figures are final');
    RETURN NEXT;
  END IF;

  IF reading = 'reading_register' THEN
    FOR told IN
      SELECT p.plan FROM indicator.plan AS p
      WHERE ingest.day_start(p.base_date) < speaks_against.to_t
        AND speaks_against.from_t < ingest.day_start(p.end_date + 1)
        AND coalesce(final_t < ingest.day_start(p.end_date + 1), true)
      ORDER BY p.plan
    LOOP
      reason := 'open_plan';
      detail := 'plan ' || told || ' is not final';
      RETURN NEXT;
    END LOOP;
  END IF;

  IF EXISTS (SELECT FROM ingest.watermark AS w WHERE w.closed_through < speaks_against.to_t) THEN
    reason := 'not_closed';
    detail := 'energy accounts are closed through ' || (SELECT w.closed_through FROM ingest.watermark AS w);
    RETURN NEXT;
  END IF;
  SELECT (SELECT count(*) FROM ingest.dirty AS d WHERE d.t_from < speaks_against.to_t)
    + (SELECT count(*) FROM energy.dirty AS d WHERE d.t_from < speaks_against.to_t AND d.cause <> 'holder') INTO found;
  IF found > 0 THEN
    reason := 'marked';
    detail := found || ' marks of accounts to be computed again';
    RETURN NEXT;
  END IF;

  SELECT count(*) INTO found FROM ingest.hole AS h
  WHERE h.state IN ('in_flight', 'open') AND h.seen_at > speaks_against.from_t
    AND h.seen_at < speaks_against.to_t + reach;
  IF found > 0 THEN
    reason := 'hole';
    detail := found || ' holes of the ledger that may still be filled';
    RETURN NEXT;
  END IF;
  SELECT count(*) INTO found FROM ingest.parked_message AS p
  WHERE p.at > speaks_against.from_t AND p.at < speaks_against.to_t + reach;
  IF found > 0 THEN
    reason := 'parked';
    detail := found || ' messages wait for their births';
    RETURN NEXT;
  END IF;
  SELECT (
    SELECT count(*) FROM ingest.dead_letter AS d
    WHERE d.replayed_at IS NULL AND d.tried_at IS NULL AND d.at > speaks_against.from_t
      AND d.at < speaks_against.to_t + reach
  ) + (
    SELECT count(*) FROM ingest.reading_rejected AS j
    WHERE j.settled_at IS NULL AND j.tried_at IS NULL
      AND j.t_ms >= energy.to_ms(speaks_against.from_t) AND j.t_ms < energy.to_ms(speaks_against.to_t)
  ) INTO found;
  IF found > 0 THEN
    reason := 'refused';
    detail := found || ' refusals that were never judged again (g60 warehouse refused)';
    RETURN NEXT;
  END IF;
  SELECT count(*) INTO found FROM ingest.reading_deferred AS d
  WHERE d.t >= speaks_against.from_t AND d.t < speaks_against.to_t;
  IF found > 0 THEN
    reason := 'deferred';
    detail := found || ' readings whose conflict is not settled';
    RETURN NEXT;
  END IF;

  IF reading = 'reading_register' THEN
    FOR told IN
      SELECT m.serial || ' since ' || c.last_good
      FROM (
        SELECT DISTINCT ON (c.meter_id, c.feed_in, c.register) c.meter_id, c.last_good
        FROM energy.checkpoint AS c ORDER BY c.meter_id, c.feed_in, c.register, c.at DESC
      ) AS c
      JOIN registry.meter AS m USING (meter_id)
      WHERE c.last_good >= speaks_against.from_t AND c.last_good < speaks_against.to_t
        AND EXISTS (
          SELECT FROM registry.meter_series AS s
          WHERE s.meter_id = c.meter_id AND (s.valid_to IS NULL OR s.valid_to > speaks_against.to_t)
        )
      ORDER BY 1
    LOOP
      reason := 'silent';
      detail := 'the next reading of meter ' || told || ' needs the last one';
      RETURN NEXT;
    END LOOP;
  END IF;
  IF coalesce(ingest.account_from_after(reading, to_t) > final_t, false) THEN
    reason := 'not_final';
    detail := 'accounts can be computed again only from ' || ingest.account_from_after(reading, to_t);
    RETURN NEXT;
  END IF;

  IF EXISTS (
    SELECT FROM ingest.retention_run AS r
    WHERE r.action = 'dropped' AND r.reading = speaks_against.reading
      AND r.from_t < speaks_against.to_t AND speaks_against.from_t < r.to_t
  ) THEN
    reason := 'came_late';
    detail := 'readings that came after the piece had been dropped; they stand in no account';
    RETURN NEXT;
  END IF;
END
$body$;
COMMENT ON FUNCTION ingest.speaks_against IS
  'Why a piece of a reading table may not be dropped: short word and detail for people; no row when nothing speaks against it but what stands in the piece itself';

CREATE FUNCTION ingest.account_from_after(reading text, to_t timestamptz) RETURNS timestamptz
  LANGUAGE sql STABLE
  RETURN (
    SELECT ingest.day_start(ingest.day_of(x.t - interval '1 ms') + 1)
    FROM (
      SELECT greatest(account_from_after.to_t + interval '2 days', (
        -- Of each register the first checkpoint whose last good reading lies at least as late as another checkpoint that
        -- depends on kept readings only: from there on the job reads nothing that is gone.
        SELECT max(whole.at)
        FROM (
          SELECT min(c.at) AS at
          FROM (
            SELECT k.meter_id, k.feed_in, k.register, k.at, k.last_good,
              min(k.at) OVER (PARTITION BY k.meter_id, k.feed_in, k.register) AS first_at
            FROM energy.checkpoint AS k
            WHERE k.last_good >= account_from_after.to_t
          ) AS c
          WHERE date_bin('15 minutes', c.last_good, '2000-01-01 00:00+00') >= c.first_at
          GROUP BY c.meter_id, c.feed_in, c.register
        ) AS whole
        WHERE account_from_after.reading = 'reading_register'
      )) AS t
    ) AS x
  );
COMMENT ON FUNCTION ingest.account_from_after IS
  'From which midnight of Asia/Shanghai on every account could be computed exactly if all readings before a time were gone: at least two days later';
