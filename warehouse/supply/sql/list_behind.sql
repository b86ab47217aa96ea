-- Whether changes wait to be computed.
SELECT EXISTS (SELECT FROM energy.supply_dirty) OR EXISTS (SELECT FROM energy.supply_due) OR EXISTS (
  SELECT FROM energy.day_changed WHERE change_id > (SELECT through FROM energy.consumer WHERE consumer = 'supply')
)
