SELECT a.name_zh
FROM registry.cluster_attribute_as_of(%(as_of)s) AS a
WHERE a.tier = %(tier)s AND daterange(a.valid_from, a.valid_to) @> %(period_last)s::date
  AND NOT EXISTS (
    SELECT FROM registry.cluster_member_as_of(%(as_of)s) AS m
    WHERE daterange(m.valid_from, m.valid_to) @> %(period_last)s::date
      AND m.cluster IN (
        SELECT o.cluster FROM registry.cluster_attribute_as_of(%(as_of)s) AS o WHERE o.tier = %(tier)s)
  )
ORDER BY a.cluster
