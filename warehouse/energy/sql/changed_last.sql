-- The last mark there is; 0 when there is none.
SELECT coalesce(max(change_id), 0) FROM energy.day_changed
