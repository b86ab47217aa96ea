-- What an enterprise reported for a period, as it counted at a time, in the unit of each kind of energy.
SELECT
  r.energy, r.flow, stats.in_unit(r.amount, r.unit, e.unit), r.enthalpy, r.return_enthalpy,
  concat_ws(', ', r.source, r.vintage || ' ' || r.published_at, '#' || r.report_id)
FROM stats.energy_report_as_of(%(as_of)s) AS r
JOIN stats.energy AS e USING (energy)
WHERE r.uscc = %(uscc)s AND r.period = %(period)s
ORDER BY r.energy, r.flow
