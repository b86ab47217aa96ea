-- A mark for every result that is made from energy accounts and whose period contains one of these days; of a panel that
-- is compared with itself (reported_sql), also when the same period of the year before does.
INSERT INTO indicator.due AS d (indicator, scope, period_type, period, since, cause, first_day, last_day)
SELECT r.indicator, r.scope, r.period_type, r.period, min(w.changed_at), 'energy_accounts', min(w.day), max(w.day)
FROM (SELECT DISTINCT indicator, scope, period_type, period, period_start, period_end FROM indicator.result) AS r
JOIN indicator.catalogue AS c ON c.indicator = r.indicator AND coalesce((c.entry ->> 'reads_accounts')::boolean, false)
JOIN unnest(%(days)s::date[], %(changed_at)s::timestamptz[]) AS w (day, changed_at)
  ON w.day >= r.period_start AND w.day < r.period_end
    OR c.entry ->> 'reported_sql' IS NOT NULL
      AND w.day >= r.period_start - interval '1 year' AND w.day < r.period_end - interval '1 year'
GROUP BY r.indicator, r.scope, r.period_type, r.period
ON CONFLICT (indicator, scope, period_type, period) DO UPDATE
  SET since = least(d.since, excluded.since), first_day = least(d.first_day, excluded.first_day),
      last_day = greatest(d.last_day, excluded.last_day)
  WHERE (d.since, d.first_day, d.last_day) IS DISTINCT FROM
    (least(d.since, excluded.since), least(d.first_day, excluded.first_day), greatest(d.last_day, excluded.last_day))
