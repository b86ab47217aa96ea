SELECT energy_known_cny, energy_missing, energy_cny, basic_known_cny, basic_missing, basic_cny, total_cny
FROM energy.cost_month
WHERE contract = %(contract)s AND month = %(month)s
