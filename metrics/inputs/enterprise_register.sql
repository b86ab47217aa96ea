SELECT ''
WHERE NOT EXISTS (SELECT FROM registry.enterprise_attribute_as_of(%(as_of)s))
