-- The latest periods that an enterprise reported for.
SELECT period
FROM stats.energy_report
WHERE uscc = %(uscc)s AND recorded_at <= %(as_of)s
GROUP BY period, period_start, period_end
ORDER BY period_end DESC, period_start DESC
LIMIT 12
