UPDATE ingest.watermark SET closed_through = energy.from_ms(%(through_ms)s)
