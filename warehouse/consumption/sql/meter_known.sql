SELECT true FROM registry.meter WHERE serial = %(serial)s
