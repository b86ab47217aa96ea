SELECT count(*) FROM {reading} AS r WHERE r.t >= %(from_t)s AND r.t < %(to_t)s
