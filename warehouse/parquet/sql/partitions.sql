-- The partitions that the staged readings need (plain PostgreSQL).
SELECT ingest.ensure_month(month)
FROM (SELECT DISTINCT date_trunc('month', s.{time} AT TIME ZONE 'UTC')::date FROM pg_temp.g60_stage AS s) AS m (month)
