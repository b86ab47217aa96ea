-- From when on gauges are all there (UTC ms).
SELECT energy.to_ms(ingest.account_from('reading_gauge'))
