SELECT access.assume(%(kind)s, %(who)s, %(areas)s::text[], %(uscc)s)
