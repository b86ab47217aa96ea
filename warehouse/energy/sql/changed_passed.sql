-- What every consumer has dealt with.
DELETE FROM energy.day_changed WHERE change_id <= (SELECT min(through) FROM energy.consumer)
