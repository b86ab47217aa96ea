-- Through when accounts are closed, and from when on the readings that they were made of are all there (UTC ms).
SELECT energy.to_ms(w.closed_through), energy.to_ms(ingest.account_from('reading_register')) FROM ingest.watermark AS w
