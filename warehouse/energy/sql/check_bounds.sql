-- Through when accounts are closed; from when on the registers, and the gauges, that they were made of are all there
-- (UTC ms).
SELECT energy.to_ms(w.closed_through), energy.to_ms(ingest.account_from('reading_register')),
       energy.to_ms(ingest.account_from('reading_gauge'))
FROM ingest.watermark AS w
