SELECT ingest.ensure_month(w.month) FROM unnest(%(months)s::date[]) AS w (month)
