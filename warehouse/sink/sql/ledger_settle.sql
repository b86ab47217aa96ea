-- Of a number the best news wins, whatever the order it comes in: stored, then rejected, then dropped.
-- A multirange of n ranges is 12 + 21 n bytes, so its size tells cheaply whether it can be over the limit.
UPDATE ingest.ledger AS l SET
  settled = CASE
    WHEN pg_column_size(w.settled_now) < 21 * %(most)s THEN w.settled_now
    ELSE ingest.lowest(w.settled_now, %(most)s)
  END,
  rejected = CASE
    WHEN l.rejected = '{}' AND w.rejected = '{}' THEN l.rejected
    ELSE ingest.lowest(l.rejected + (w.rejected - (l.settled - l.rejected - l.dropped)) - w.stored, %(most)s)
  END,
  dropped = CASE
    WHEN l.dropped = '{}' AND w.dropped = '{}' THEN l.dropped
    ELSE ingest.lowest(l.dropped + (w.dropped - l.settled) - w.stored - w.rejected, 10 * %(most)s)
  END,
  degraded_since = CASE
    WHEN pg_column_size(w.settled_now) < 21 * %(most)s THEN NULL
    WHEN ingest.lowest(w.settled_now, %(most)s) = w.settled_now THEN NULL
    ELSE coalesce(l.degraded_since, clock_timestamp())
  END,
  partition = coalesce(w.partition, l.partition),
  readings = l.readings + w.readings,
  repeated = l.repeated + w.repeated
FROM (
  SELECT
    i.ledger_id, i.stored::int8multirange, i.rejected::int8multirange, i.dropped::int8multirange, i.partition,
    i.readings, i.repeated,
    o.settled + i.stored::int8multirange + i.rejected::int8multirange + i.dropped::int8multirange AS settled_now
  FROM unnest(
    %(ledger_ids)s::int4[], %(stored)s::text[], %(rejected)s::text[], %(dropped)s::text[], %(partitions)s::int4[],
    %(readings)s::int8[], %(repeated)s::int8[]
  ) AS i (ledger_id, stored, rejected, dropped, partition, readings, repeated)
  JOIN ingest.ledger AS o ON o.ledger_id = i.ledger_id
) AS w
WHERE l.ledger_id = w.ledger_id
