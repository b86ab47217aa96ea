-- Recorded time of the registry: history by trigger, and each table as it was known at a time.

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'area_attribute', 'enterprise_attribute', 'enterprise_area', 'roster', 'platform_attribute', 'platform_member',
    'questionnaire_result', 'consent', 'gateway_binding', 'meter_placement', 'meter_series', 'multiplier', 'meter_event'
  ] LOOP
    EXECUTE format(
      'CREATE TRIGGER keep_superseded BEFORE UPDATE OR DELETE ON registry.%I
         FOR EACH ROW EXECUTE FUNCTION registry.keep_superseded()', name);
    EXECUTE format($f$
      CREATE FUNCTION registry.%1$I(known_at timestamptz) RETURNS SETOF registry.%2$I
        LANGUAGE sql STABLE PARALLEL SAFE
        AS $body$
          SELECT * FROM registry.%2$I WHERE recorded_at <= known_at
          UNION ALL
          SELECT past.* FROM registry.superseded s, jsonb_populate_record(NULL::registry.%2$I, s.row) AS past
          WHERE s.table_name = 'registry.%2$s' AND s.recorded_at <= known_at AND known_at < s.superseded_at
        $body$ $f$, name || '_as_of', name);
    EXECUTE format(
      'COMMENT ON FUNCTION registry.%I IS %L', name || '_as_of', format('registry.%s as it was known at that time', name));
  END LOOP;
END $$;
