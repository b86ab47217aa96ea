-- What was opened by moving the watermark stays to be computed, even when this process dies now.
INSERT INTO energy.dirty (meter_id, t_from, cause) VALUES (NULL, energy.from_ms(%(from_ms)s), 'closed')
