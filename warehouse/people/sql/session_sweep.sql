DELETE FROM people.session WHERE expires_at <= %(now)s OR seen_at <= %(idle)s
