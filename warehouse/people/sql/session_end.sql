DELETE FROM people.session WHERE token_sha256 = %(sha256)s
