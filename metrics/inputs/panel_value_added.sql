SELECT ''
WHERE NOT EXISTS (
  SELECT
  FROM stats.observation_as_of(%(as_of)s) AS o
  WHERE o.variable = %(value_added_variable)s AND o.period = %(period)s AND o.scope = %(value_added_scope)s
    AND o.price_basis = %(value_added_price_basis)s AND o.unit = %(value_added_unit)s
    AND o.uscc IS NOT NULL AND o.legal_basis = 'consented'
)
