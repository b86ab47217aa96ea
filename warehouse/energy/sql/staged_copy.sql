COPY pg_temp.staged_quarter (meter_id, feed_in, start, energy, quality, reason) FROM STDIN
