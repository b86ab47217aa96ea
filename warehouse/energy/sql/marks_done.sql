WITH registry AS (
  DELETE FROM energy.dirty WHERE dirty_id = ANY(%(energy)s::int8[])
)
DELETE FROM ingest.dirty WHERE dirty_id = ANY(%(ingest)s::int8[])
