INSERT INTO warehouse.migration (number, name, flavour, sha256) VALUES (%(number)s, %(name)s, %(flavour)s, %(sha256)s)
