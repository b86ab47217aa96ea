SELECT part FROM energy.check_run WHERE night = %(night)s
