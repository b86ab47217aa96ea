-- The enthalpies of steam that an enterprise reported last, for a period that began before a day.
SELECT enthalpy, return_enthalpy
FROM stats.energy_report_as_of(%(as_of)s)
WHERE uscc = %(uscc)s AND energy = 'steam' AND period_start < %(end)s
ORDER BY period_end DESC, published_at DESC, report_id DESC
LIMIT 1
