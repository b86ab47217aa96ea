-- Readings whose clock was not set: their time is wrong until `g60 warehouse clock repair` has mended it.
SELECT count(*) FROM {reading} AS r WHERE r.t >= %(from_t)s AND r.t < %(to_t)s AND r.q = 20
