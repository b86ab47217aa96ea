"""The district's database: schema, sink, registry, energy accounts."""
