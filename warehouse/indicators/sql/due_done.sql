DELETE FROM indicator.due
WHERE indicator = %(indicator)s AND scope = %(scope)s AND period_type = %(period_type)s AND period = %(period)s
