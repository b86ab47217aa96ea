-- What of the accounts through a day is not done: how far they are closed, and marks that reach back into it.
SELECT w.closed_through >= ingest.day_start(%(through)s::date + 1),
  (SELECT count(*) FROM ingest.dirty AS d WHERE d.t_from < ingest.day_start(%(through)s::date + 1))
  + (
    SELECT count(*) FROM energy.dirty AS d
    WHERE d.t_from < ingest.day_start(%(through)s::date + 1) AND d.cause <> 'holder'
  )
FROM ingest.watermark AS w
