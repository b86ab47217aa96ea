SELECT item, unit, quantity, price, amount_cny, first_day, last_day
FROM energy.cost_item
WHERE contract = %(contract)s AND month = %(month)s
ORDER BY array_position(
  '{sharp,peak,flat,valley,deep_valley,single,unknown,demand,demand_excess,capacity}', item), first_day, price
