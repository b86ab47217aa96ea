SELECT serial FROM registry.meter WHERE serial = ANY(%(serials)s)
